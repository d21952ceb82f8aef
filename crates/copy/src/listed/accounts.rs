//! Service accounts, by the instant of their creation.

use std::collections::BTreeSet;

use keyward_core::{AccountWrite, ClientId, ServiceAccount, Timestamp};
use keyward_store::{
    AccountPosition, AccountQuery, AccountSort, KeyQuery, KeyStates, Order, SortValue, Store,
    StoreError,
};

use super::{Listed, PAGE, Page, Pair};
use crate::ends::Ends;
use crate::mark::Mark;
use crate::rows::row_write;
use crate::{CopyError, Kind};

/// Service accounts, all but the mark of a copy.
pub(crate) struct Accounts;

impl Listed for Accounts {
    type Item = ServiceAccount;
    type Place = (Timestamp, ClientId);

    const KIND: Kind = Kind::ServiceAccounts;

    async fn page(
        &self,
        store: &dyn Store,
        after: Option<&Self::Place>,
    ) -> Result<Page<Self>, StoreError> {
        let (sort, order) = (AccountSort::CreatedAt, Order::Ascending);
        let after = after.map(|&(created_at, id)| {
            let value = SortValue::Number(created_at.as_micros());
            AccountPosition { sort, order, value, id }
        });
        let new = AccountQuery::new(PAGE);
        let query = AccountQuery { with_deleted: true, sort, order, after, ..new };
        let page = store.accounts(&query).await?;
        let end = page.next.and(page.accounts.last().map(Self::place));
        let mut items = page.accounts;
        items.retain(|account| account.id != Mark::ID);
        Ok(Page { items, end })
    }

    fn place(item: &ServiceAccount) -> Self::Place {
        (item.created_at, item.id)
    }

    async fn heal(&self, ends: &Ends, pairs: &[Pair<ServiceAccount>]) -> Result<(), CopyError> {
        ends.write_accounts(pairs).await?;
        for pair in pairs.iter().filter(|pair| pair.source.is_none()) {
            ends.purge_account(pair).await?;
        }
        Ok(())
    }

    fn written(item: &ServiceAccount) -> Vec<(Kind, Vec<u8>)> {
        vec![(Kind::ServiceAccounts, item.to_stored())]
    }

    fn name(item: &ServiceAccount) -> String {
        item.id.to_string()
    }
}

impl Ends {
    /// Accounts as they are on both sides now.
    pub(crate) async fn account_pairs(
        &self,
        ids: impl IntoIterator<Item = ClientId> + Send,
    ) -> Result<Vec<Pair<ServiceAccount>>, CopyError> {
        let mut pairs = Vec::new();
        let ids: BTreeSet<_> = ids.into_iter().filter(|id| *id != Mark::ID).collect();
        for id in ids {
            let source = self.source.account(&id).await.map_err(CopyError::at_source)?;
            let destination = self.destination.account(&id).await;
            let destination = destination.map_err(CopyError::at_destination)?;
            let pair = Pair { source, destination };
            if pair.differs() {
                pairs.push(pair);
            }
        }
        Ok(pairs)
    }

    /// Writes the accounts that the source has.
    pub(crate) async fn write_accounts(
        &self,
        pairs: &[Pair<ServiceAccount>],
    ) -> Result<(), CopyError> {
        let mut change = self.change();
        let written = pairs.iter().filter(|pair| pair.source.is_some());
        change.accounts = written.filter_map(row_write).collect();
        // Whichever account ceases to be an owner's primary one does so before another becomes it.
        change.accounts.sort_by_key(|write| write.result().is_some_and(is_primary));
        if change.accounts.is_empty() {
            return Ok(());
        }
        match self.apply(&change).await {
            Err(error) if error.is_conflict() => {}
            result => return result,
        }
        for write in change.accounts.into_iter().filter_map(|write| write.result().cloned()) {
            self.write_account(&write).await?;
        }
        Ok(())
    }

    /// Writes one account. Another one that is still its owner's primary account at the destination is
    /// no longer: it will be compared, too.
    async fn write_account(&self, account: &ServiceAccount) -> Result<(), CopyError> {
        if is_primary(account) {
            let query = AccountQuery::primary_of(account.owner.clone());
            let found = self.destination.accounts(&query).await;
            let found = found.map_err(CopyError::at_destination)?.accounts;
            for other in found.into_iter().filter(|other| other.id != account.id) {
                let after = ServiceAccount { is_primary: false, ..other.clone() };
                let pair = Pair { source: Some(after), destination: Some(other) };
                self.apply_accounts(row_write(&pair)).await?;
            }
        }
        let destination = self.destination.account(&account.id).await;
        let destination = destination.map_err(CopyError::at_destination)?;
        let pair = Pair { source: Some(account.clone()), destination };
        self.apply_accounts(row_write(&pair)).await
    }

    /// Removes an account that the source does not have, with its keys, which the source cannot have.
    pub(crate) async fn purge_account(&self, pair: &Pair<ServiceAccount>) -> Result<(), CopyError> {
        let Some(account) = &pair.destination else { return Ok(()) };
        let query = KeyQuery {
            service_account: Some(account.id),
            states: KeyStates::ALL,
            ..KeyQuery::new(self.clock.now(), PAGE)
        };
        let mut before = BTreeSet::new();
        loop {
            let keys = self.destination.list(&query).await;
            let keys = keys.map_err(CopyError::at_destination)?.keys;
            let ids: BTreeSet<_> = keys.into_iter().map(|key| key.record.id).collect();
            // Those that did not go are refused together with the account below.
            if ids.is_empty() || ids == before {
                return self.apply_accounts(row_write(pair)).await;
            }
            self.refresh_keys(&ids).await?;
            before = ids;
        }
    }

    async fn apply_accounts(&self, write: Option<AccountWrite>) -> Result<(), CopyError> {
        let mut change = self.change();
        change.accounts.extend(write);
        if change.accounts.is_empty() { Ok(()) } else { self.apply(&change).await }
    }
}

const fn is_primary(account: &ServiceAccount) -> bool {
    account.is_primary && account.deletion.is_none()
}
