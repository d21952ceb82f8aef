//! Which service account a key belongs to.

use std::collections::HashMap;

use keyward_core::{
    AccountRule, AccountState, ActContext, ClientId, FieldError, Invalid, Keyspace, KeyspaceId,
    NewKey, NewServiceAccount, OwnerId, Refusal, ServiceAccount,
};
use keyward_store::AccountQuery;

use super::IssuedAccount;
use crate::{Error, Keyward};

/// Which accounts a key may belong to.
const NOT_FOR_MANAGEMENT: &str = "must not be given for a management key";
const OF_THE_OWNER: &str = "must be a service account of the owner";

/// The account that a new key is going to belong to.
pub(in crate::manage) enum AccountForKey {
    Existing(ClientId),
    /// It is created with the key.
    New(Box<IssuedAccount>),
}

impl AccountForKey {
    pub(in crate::manage) fn id(&self) -> ClientId {
        match self {
            Self::Existing(id) => *id,
            Self::New(created) => created.account.id,
        }
    }
}

impl Keyward {
    /// The account that a new key is going to belong to, if to any.
    pub(in crate::manage) async fn account_for(
        &self,
        new: &NewKey,
        keyspace: &Keyspace,
        context: &ActContext,
    ) -> Result<Option<AccountForKey>, Error> {
        let is_management = keyspace.id.as_str() == KeyspaceId::MANAGEMENT;
        match (&new.service_account, keyspace.service_account) {
            // Whoever may change accounts could otherwise lock out management keys.
            (Some(_), _) if is_management => Err(misplaced(NOT_FOR_MANAGEMENT).into()),
            (Some(id), _) => {
                let account = self.inner.store.account(id).await?;
                let account = account.filter(|account| account.owner == new.owner);
                let account = account.ok_or_else(|| misplaced(OF_THE_OWNER))?;
                existing(&account).map(Some)
            }
            (None, AccountRule::Primary) if !is_management => {
                let query = AccountQuery::primary_of(new.owner.clone());
                let found = self.inner.store.accounts(&query).await?.accounts.pop();
                if let Some(primary) = found {
                    return existing(&primary).map(Some);
                }
                let mut created =
                    self.draw_account(NewServiceAccount::new(new.owner.clone()), &context.actor)?;
                created.account = created.account.with_rank(true);
                Ok(Some(AccountForKey::New(Box::new(created))))
            }
            (None, _) => Ok(None),
        }
    }

    /// Whether a key may belong to the account that it names, in whatever state that is. `owners` are
    /// those of accounts that were looked for before.
    pub(in crate::manage) async fn check_account(
        &self,
        key: &NewKey,
        owners: &mut HashMap<ClientId, Option<OwnerId>>,
    ) -> Result<Result<(), Error>, Error> {
        let Some(id) = key.service_account else { return Ok(Ok(())) };
        if key.keyspace.as_str() == KeyspaceId::MANAGEMENT {
            return Ok(Err(misplaced(NOT_FOR_MANAGEMENT).into()));
        }
        let owner = match owners.get(&id) {
            Some(owner) => owner.clone(),
            None => self.inner.store.account(&id).await?.map(|account| account.owner),
        };
        let is_theirs = owner.as_ref() == Some(&key.owner);
        owners.insert(id, owner);
        Ok(if is_theirs { Ok(()) } else { Err(misplaced(OF_THE_OWNER).into()) })
    }
}

/// An account that a new key may belong to.
fn existing(account: &ServiceAccount) -> Result<AccountForKey, Error> {
    match account.state() {
        AccountState::Active => Ok(AccountForKey::Existing(account.id)),
        AccountState::Deleted => Err(Refusal::AccountDeleted.into()),
        AccountState::Disabled => Err(Refusal::AccountDisabled.into()),
    }
}

fn misplaced(rule: &'static str) -> FieldError {
    Invalid::new(rule).at("service_account_id")
}
