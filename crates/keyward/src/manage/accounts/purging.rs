//! Removing service accounts for good, with their keys.

use keyward_core::{
    AccountState, AccountWrite, ActContext, Action, Change, ClientId, KeyRecord, KeyWrite, Refusal,
    ServiceAccount,
};
use keyward_store::{KeyQuery, KeyStates, StoreError};
use serde_json::json;

use crate::manage::{ATTEMPTS, data};
use crate::{Error, Keyward};

/// Keys that are removed together with their account, in one change.
const PURGED_TOGETHER: usize = 200;

/// What the purging of an account came to.
pub(crate) struct Purged {
    /// How many of its keys are gone.
    pub(crate) keys: usize,
    /// Whether the account itself is.
    pub(crate) is_gone: bool,
}

impl Keyward {
    /// Removes a deleted service account for good, and before it each of its keys, and says how many
    /// there were. After an error, some keys may be gone. Audit events stay.
    pub async fn purge_account(&self, id: &ClientId, context: &ActContext) -> Result<usize, Error> {
        Ok(self.purge_account_and(id, usize::MAX, context).await?.keys)
    }

    /// The same with that many keys at most: the account stays while it may have others.
    pub(crate) async fn purge_account_and(
        &self,
        id: &ClientId,
        most_keys: usize,
        context: &ActContext,
    ) -> Result<Purged, Error> {
        let mut purged = Purged { keys: 0, is_gone: false };
        for _ in 0..ATTEMPTS {
            let account = self.existing_account(id).await?;
            if account.state() != AccountState::Deleted {
                return Err(Refusal::NotDeleted.into());
            }
            match self.purge_with_keys(account, most_keys, context, &mut purged).await {
                // It was changed in between, and perhaps restored.
                Err(error) if error.is_outdated() => {}
                result => return result.map(|()| purged),
            }
        }
        Err(Refusal::Outdated.into())
    }

    /// Each change also writes the account, so that none is made once somebody else has.
    async fn purge_with_keys(
        &self,
        mut account: ServiceAccount,
        most_keys: usize,
        context: &ActContext,
        purged: &mut Purged,
    ) -> Result<(), Error> {
        while purged.keys < most_keys {
            let now = self.now();
            let query = KeyQuery {
                service_account: Some(account.id),
                states: KeyStates::ALL,
                ..KeyQuery::new(now, PURGED_TOGETHER.min(most_keys - purged.keys))
            };
            let keys = self.inner.store.list(&query).await?.keys;
            let mut change = self.change(now);
            if keys.is_empty() {
                let told = data([("keys", Some(json!(purged.keys)))]);
                let action = Action::ServiceAccountPurged;
                change.events.push(self.account_event(action, &account, context, now, told));
                change.accounts.push(AccountWrite::Purge(Box::new(account)));
                self.commit(change).await?;
                purged.is_gone = true;
                return Ok(());
            }
            let count = keys.len();
            for key in keys.into_iter().map(|key| key.record) {
                change.events.push(self.key_event(Action::KeyPurged, &key, context, now, data([])));
                change.keys.push(KeyWrite::Purge(Box::new(key)));
            }
            account = hold(account, &mut change);
            self.commit(change).await?;
            purged.keys += count;
            // Whoever waits to write comes first.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Lets a change of a key be made only while the account that the key belongs to stays deleted, and
    /// says whether it is deleted at all.
    pub(in crate::manage) async fn hold_deleted(
        &self,
        key: &KeyRecord,
        change: &mut Change,
    ) -> Result<bool, StoreError> {
        let Some(id) = &key.service_account else { return Ok(false) };
        let account = self.inner.store.account(id).await?;
        let deleted = account.filter(|account| account.state() == AccountState::Deleted);
        Ok(deleted.map(|account| hold(account, change)).is_some())
    }
}

/// Writes the account with a change, which is refused once somebody else has changed it; returns the
/// version that is written.
fn hold(account: ServiceAccount, change: &mut Change) -> ServiceAccount {
    let renewed = account.clone().renewed();
    let (before, after) = (Box::new(account), Box::new(renewed.clone()));
    change.accounts.push(AccountWrite::Update { before, after });
    renewed
}
