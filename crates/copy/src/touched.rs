//! What the source's feed tells, read anew at the source and written at the destination.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use keyward_core::{KeyId, Locator, Sequence, Touched};
use keyward_store::Feed;

use crate::CopyError;
use crate::ends::Ends;
use crate::listed::{Keyspaces, Listed, Window};

/// Locators that are looked up at the same time.
const AT_ONCE: usize = 32;

impl Ends {
    /// Reads a part of the feed and carries over what it tells.
    pub(crate) async fn absorb(&self, position: Sequence) -> Result<Feed, CopyError> {
        let feed = self.source.changes_since(position).await.map_err(CopyError::at_source)?;
        self.refresh(&feed.touched).await?;
        Ok(feed)
    }

    async fn refresh(&self, touched: &Touched) -> Result<(), CopyError> {
        if touched.keyspaces {
            let window = Window::read(&Keyspaces, self, None).await?;
            Keyspaces.heal(self, &window.differing()).await?;
        }
        // Keys belong to accounts: those come first, and go last.
        let accounts = self.account_pairs(touched.accounts.iter().copied()).await?;
        self.write_accounts(&accounts).await?;
        let keys = self.ids(&touched.locators).await?;
        self.refresh_keys(&keys).await?;
        for pair in accounts.iter().filter(|pair| pair.source.is_none()) {
            self.purge_account(pair).await?;
        }
        Ok(())
    }

    /// The keys that are found by these locators on either side: what is gone at the source is known
    /// at the destination.
    async fn ids(&self, locators: &[Locator]) -> Result<BTreeSet<KeyId>, CopyError> {
        let found = stream::iter(locators.to_vec()).map(|locator| self.ids_of(locator));
        let found: Vec<_> = found.buffered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().flatten().collect())
    }

    async fn ids_of(&self, locator: Locator) -> Result<[Option<KeyId>; 2], CopyError> {
        if let Locator::KeyId(id) = locator {
            return Ok([Some(id), None]);
        }
        let source = self.source.find(&locator).await.map_err(CopyError::at_source)?;
        let destination = self.destination.find(&locator).await;
        let destination = destination.map_err(CopyError::at_destination)?;
        Ok([source, destination].map(|found| found.map(|key| key.id)))
    }
}
