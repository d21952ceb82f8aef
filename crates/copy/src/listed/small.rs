//! Kinds of which there are so few that a store returns them all at once.

use keyward_core::{
    KeyId, Keyspace, KeyspaceId, KeyspaceWrite, RevokedToken, SigningKey, Timestamp, TokenId,
};
use keyward_store::{Store, StoreError};

use super::{Listed, Page, Pair};
use crate::ends::Ends;
use crate::{CopyError, Kind};

/// Keyspaces, by id.
pub(crate) struct Keyspaces;

impl Listed for Keyspaces {
    type Item = Keyspace;
    type Place = KeyspaceId;

    const KIND: Kind = Kind::Keyspaces;

    async fn page(
        &self,
        store: &dyn Store,
        after: Option<&KeyspaceId>,
    ) -> Result<Page<Self>, StoreError> {
        Ok(whole(store.keyspaces().await?, after))
    }

    fn place(item: &Keyspace) -> KeyspaceId {
        item.id.clone()
    }

    async fn heal(&self, ends: &Ends, pairs: &[Pair<Keyspace>]) -> Result<(), CopyError> {
        let mut change = ends.change();
        // No act removes a keyspace: one that only the destination has stays, and is told.
        change.keyspaces = pairs.iter().filter_map(write).collect();
        if change.keyspaces.is_empty() { Ok(()) } else { ends.apply(&change).await }
    }

    fn written(item: &Keyspace) -> Vec<(Kind, Vec<u8>)> {
        vec![(Kind::Keyspaces, serde_json::to_vec(item).unwrap_or_default())]
    }

    fn name(item: &Keyspace) -> String {
        item.id.to_string()
    }
}

fn write(pair: &Pair<Keyspace>) -> Option<KeyspaceWrite> {
    let after = pair.source.clone()?;
    Some(match &pair.destination {
        None => KeyspaceWrite::Insert(after),
        Some(before) => KeyspaceWrite::Update { from: before.version, after },
    })
}

/// Signing keys by id, those that have not ended by an instant. Stores drop the others at any time.
pub(crate) struct SigningKeys {
    pub(crate) now: Timestamp,
}

impl Listed for SigningKeys {
    type Item = SigningKey;
    type Place = KeyId;

    const KIND: Kind = Kind::SigningKeys;

    async fn page(
        &self,
        store: &dyn Store,
        after: Option<&KeyId>,
    ) -> Result<Page<Self>, StoreError> {
        let mut keys = store.signing_keys().await?;
        keys.retain(|key| !key.expires_at.has_come(self.now));
        Ok(whole(keys, after))
    }

    fn place(item: &SigningKey) -> KeyId {
        item.id.clone()
    }

    async fn heal(&self, ends: &Ends, pairs: &[Pair<SigningKey>]) -> Result<(), CopyError> {
        let mut change = ends.change();
        change.at = self.now;
        change.signing_keys = pairs.iter().filter_map(|pair| pair.source.clone()).collect();
        if change.signing_keys.is_empty() { Ok(()) } else { ends.apply(&change).await }
    }

    fn written(item: &SigningKey) -> Vec<(Kind, Vec<u8>)> {
        let (created_at, expires_at) = (item.created_at, item.expires_at);
        vec![(Kind::SigningKeys, format!("{} {created_at} {expires_at}", item.to_jwk()).into())]
    }

    fn name(item: &SigningKey) -> String {
        item.id.to_string()
    }
}

/// Revoked tokens by id, those that have not ended by an instant. Stores drop the others at any time.
pub(crate) struct RevokedTokens {
    pub(crate) now: Timestamp,
}

impl Listed for RevokedTokens {
    type Item = RevokedToken;
    type Place = TokenId;

    const KIND: Kind = Kind::RevokedTokens;

    async fn page(
        &self,
        store: &dyn Store,
        after: Option<&TokenId>,
    ) -> Result<Page<Self>, StoreError> {
        let mut tokens = store.revoked_tokens().await?;
        tokens.retain(|token| !token.until.has_come(self.now));
        Ok(whole(tokens, after))
    }

    fn place(item: &RevokedToken) -> TokenId {
        item.id
    }

    async fn heal(&self, ends: &Ends, pairs: &[Pair<RevokedToken>]) -> Result<(), CopyError> {
        let tokens: Vec<_> = pairs.iter().filter_map(|pair| pair.source).collect();
        for tokens in tokens.chunks(super::PAGE) {
            let mut change = ends.change();
            change.at = self.now;
            change.revoked_tokens = tokens.to_vec();
            ends.apply(&change).await?;
        }
        Ok(())
    }

    fn written(item: &RevokedToken) -> Vec<(Kind, Vec<u8>)> {
        vec![(Kind::RevokedTokens, format!("{} {}", item.id, item.until).into())]
    }

    fn name(item: &RevokedToken) -> String {
        item.id.to_string()
    }
}

/// All of them behind a place, by place, as one page.
fn whole<L: Listed>(mut items: Vec<L::Item>, after: Option<&L::Place>) -> Page<L> {
    items.retain(|item| after.is_none_or(|after| L::place(item) > *after));
    items.sort_by_key(L::place);
    Page { items, end: None }
}
