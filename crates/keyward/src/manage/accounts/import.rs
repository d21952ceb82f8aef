//! Taking over service accounts that were made elsewhere: what is there is found out, and the rest is
//! written.

use std::collections::HashSet;

use keyward_core::{
    AccountWrite, ActContext, Action, ClientId, Invalid, OwnerId, Refusal, ServiceAccount,
};
use keyward_store::AccountQuery;
use serde_json::json;

use super::ImportedAccount;
use crate::manage::data;
use crate::{Error, ImportMode, Keyward};

/// The result for one account: its record, or why it was not taken over.
type Taken = Result<ServiceAccount, Error>;

impl Keyward {
    /// Takes service accounts over, with a result for each, in their order: whoever holds their
    /// credentials can use them from now on.
    ///
    /// An id that exists is never overwritten: [`Error::AccountExists`], or [`Error::AlreadyImported`] if
    /// it is the same account. Nor does an owner who has a primary account get another one.
    ///
    /// An error of the whole says that the store failed: some accounts may have been taken over, and
    /// doing it again is safe.
    pub async fn import_accounts(
        &self,
        imported: impl IntoIterator<Item = ImportedAccount>,
        mode: ImportMode,
        context: &ActContext,
    ) -> Result<Vec<Result<ServiceAccount, Error>>, Error> {
        let imported: Vec<_> = imported.into_iter().collect();
        let is_checked = mode != ImportMode::Each;
        let mut taken = self.prepare_accounts(&imported, is_checked, context).await?;
        if mode == ImportMode::Check || (is_checked && taken.iter().any(Result::is_err)) {
            return Ok(taken);
        }
        if self.write_accounts(&taken, context).await? {
            return Ok(taken);
        }
        if mode == ImportMode::Whole {
            // Somebody took one over between the check and the write: tell which one.
            let taken = self.prepare_accounts(&imported, true, context).await?;
            let is_told = taken.iter().any(Result::is_err);
            return if is_told { Ok(taken) } else { Err(Refusal::Outdated.into()) };
        }
        for (imported, taken) in imported.iter().zip(&mut taken) {
            let Ok(record) = taken.as_ref() else { continue };
            if !self.write_accounts(std::slice::from_ref(taken), context).await? {
                let error = self.account_in_the_way(imported, record).await?;
                *taken = Err(error.unwrap_or(Error::AccountExists));
            }
        }
        Ok(taken)
    }

    /// The records as they would be written. `is_checked` also asks the store for what exists.
    async fn prepare_accounts(
        &self,
        imported: &[ImportedAccount],
        is_checked: bool,
        context: &ActContext,
    ) -> Result<Vec<Taken>, Error> {
        let now = self.now();
        let mut seen = Seen::default();
        let mut taken = Vec::with_capacity(imported.len());
        for imported in imported {
            let record = imported.record(&context.actor, now);
            let mut result = seen.add(&record);
            if is_checked && result.is_ok() {
                result = self.account_in_the_way(imported, &record).await?.map_or(Ok(()), Err);
            }
            taken.push(result.map(|()| record));
        }
        Ok(taken)
    }

    /// Writes those that can be taken over, all together. Says whether it did, or whether nothing was
    /// written because one of them exists.
    async fn write_accounts(&self, taken: &[Taken], context: &ActContext) -> Result<bool, Error> {
        let now = self.now();
        let mut change = self.change(now);
        for record in taken.iter().flatten() {
            let scheme = record.secret.current.scheme();
            let told = data([
                ("primary", Some(json!(record.is_primary))),
                ("scheme", Some(json!(scheme))),
            ]);
            let action = Action::ServiceAccountImported;
            change.events.push(self.account_event(action, record, context, now, told));
            change.accounts.push(AccountWrite::Insert(Box::new(record.clone())));
        }
        if change.accounts.is_empty() {
            return Ok(true);
        }
        match self.commit(change).await {
            Err(error) if error.is_taken() => Ok(false),
            result => result.map(|_| true),
        }
    }

    /// Why an account cannot be taken over: it, or another one of its id, is there already, or its owner
    /// has a primary one.
    async fn account_in_the_way(
        &self,
        imported: &ImportedAccount,
        record: &ServiceAccount,
    ) -> Result<Option<Error>, Error> {
        if let Some(found) = self.inner.store.account(&record.id).await? {
            let is_same = imported.is(&found);
            return Ok(Some(if is_same { Error::AlreadyImported } else { Error::AccountExists }));
        }
        if !is_live_primary(record) {
            return Ok(None);
        }
        let query = AccountQuery::primary_of(record.owner.clone());
        let found = self.inner.store.accounts(&query).await?;
        Ok((!found.accounts.is_empty()).then(second_primary))
    }
}

/// The ids and owners among the accounts that are taken over together: of two with the same, the first is
/// meant.
#[derive(Default)]
struct Seen {
    ids: HashSet<ClientId>,
    with_primary: HashSet<OwnerId>,
}

impl Seen {
    fn add(&mut self, record: &ServiceAccount) -> Result<(), Error> {
        if self.ids.contains(&record.id) {
            return Err(Error::AccountExists);
        }
        if is_live_primary(record) && !self.with_primary.insert(record.owner.clone()) {
            return Err(second_primary());
        }
        self.ids.insert(record.id);
        Ok(())
    }
}

const fn is_live_primary(record: &ServiceAccount) -> bool {
    record.is_primary && record.deletion.is_none()
}

fn second_primary() -> Error {
    Invalid::new("must not be true: the owner has a primary account").at("primary").into()
}
