//! The storage port.

use std::fmt;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use keyward_core::{
    AuditFilter, Change, ClientId, EndedBy, KeyId, KeyRecord, Keyspace, KeyspaceId, Locator,
    RevokedToken, Sequence, ServiceAccount, SigningKey, TokenId,
};

use crate::{
    AccountPage, AccountQuery, AuditPage, AuditQuery, AuditSummary, Feed, KeyPage, KeyQuery,
    StoreError, StoredKey, UsageDelta,
};

/// Where records are kept.
///
/// Behaviour, which the conformance suite tests:
/// - each call is one atomic step: others see all of it or nothing;
/// - what a call has acknowledged is seen by every later call and survives the end of the process,
///   in backends that keep anything at all;
/// - absent is `None`, never an error;
/// - an error means that nothing was written, or (for [`StoreError::Unavailable`]) that it is not
///   known: repeating the same [`Change`] is then safe.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// The key that a presented secret points to, deleted ones included.
    ///
    /// Behaviour: finds a key only by what [`keyward_core::KeyRecord::locators`] names, so an opaque
    /// key is not found by its id.
    async fn find(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError>;

    /// The key of that id, deleted ones included.
    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError>;

    /// A page of the keys that a query names.
    ///
    /// Behaviour:
    /// - the order is total, so that following the positions visits every key that exists throughout
    ///   exactly once;
    /// - what is skipped and what is counted are of one instant.
    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError>;

    /// Keys that had ended, as [`KeyRecord::ended`] says, whether they are deleted or not: up to `limit`
    /// of them, and none of the keyspaces that are spared.
    ///
    /// Behaviour: in any order. Of more keys than the limit, the rest is found when these are purged.
    async fn ended(
        &self,
        by: EndedBy,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError>;

    /// The service account of that id, deleted ones included.
    async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError>;

    /// A page of the service accounts that a query names.
    ///
    /// Behaviour: as of [`Store::list`].
    async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError>;

    /// The public halves of the pairs that sign access tokens, by id; those that have ended are among them
    /// until others are written.
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError>;

    /// Whether an access token was revoked. Of one that has expired since then, it may be said or not.
    async fn is_token_revoked(&self, id: &TokenId) -> Result<bool, StoreError>;

    /// All access tokens that are remembered as revoked, by id.
    async fn revoked_tokens(&self) -> Result<Vec<RevokedToken>, StoreError>;

    /// All keyspaces, by id.
    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError>;

    /// Makes a change: its rows, what it removes from the audit trail, and its audit events, or
    /// nothing of it.
    ///
    /// Behaviour:
    /// - of the events to remove, the oldest go first, and the change's own are not among them;
    /// - a row whose stored version is not the one that the change was made from is a
    ///   [`crate::Conflict::Outdated`]; an id or locator that exists is a [`crate::Conflict::Exists`],
    ///   also if it exists in another row of the same change;
    /// - an owner has at most one primary service account that is not deleted: another one is a
    ///   [`crate::Conflict::Exists`];
    /// - a key of a service account that does not exist is a [`crate::Conflict::Outdated`], and so is
    ///   purging an account that has keys;
    /// - a signing key takes the place of one of the same id; of a token that is revoked twice, the later
    ///   end counts. Whenever some of either are written, those that have ended by the change's own instant
    ///   go, so that there are never many;
    /// - a change that was applied before does nothing again and reports its first sequence number;
    /// - accepted changes have growing sequence numbers, and none becomes visible in the feed after a
    ///   larger one.
    async fn apply(&self, change: &Change) -> Result<Applied, StoreError>;

    /// Refuses every change from now on, whichever process asks for it, or accepts them again: for
    /// moving to another store.
    ///
    /// Behaviour: a change that is refused for that is a [`StoreError::Sealed`]; one that was applied
    /// before is reported as ever. Usage is recorded as before. Sealing twice changes nothing, and a seal
    /// survives the end of the process.
    async fn seal(&self, is_sealed: bool) -> Result<(), StoreError>;

    /// Adds usage of keys; that of unknown keys is dropped. Never touches a key's record.
    async fn record_usage(&self, batch: &[UsageDelta]) -> Result<(), StoreError>;

    /// A page of the audit events that a query names, the newest first.
    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError>;

    /// How many of the audit events that a filter names there are, and when the last one happened.
    async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, StoreError>;

    /// What changed after a place in the feed, whichever process changed it.
    async fn changes_since(&self, position: Sequence) -> Result<Feed, StoreError>;

    /// The place of the last change.
    async fn position(&self) -> Result<Sequence, StoreError>;

    /// Items that come soon after changes were made, by whichever process.
    ///
    /// Behaviour: a hint may stand for many changes or for none, come late or not at all; so followers
    /// look at the feed by themselves besides. It ends with the store, and does not keep it open.
    fn hints(&self) -> BoxStream<'static, ()> {
        stream::pending().boxed()
    }

    /// Whether the store answers: it reads, and takes what is to be written. A full disk, on which
    /// keys can still be verified, is no illness in this sense.
    async fn health(&self) -> Result<(), StoreError>;
}

/// That a change was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// How many audit events it removed; none where it is a replay.
    pub erased: usize,
    /// Whether it had been made before.
    pub is_replay: bool,
    /// Its place in the change feed.
    pub sequence: Sequence,
}
