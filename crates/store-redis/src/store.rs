//! The port over Redis.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use keyward_core::{
    AuditFilter, Change, ClientId, EndedBy, KeyId, KeyRecord, Keyspace, KeyspaceId, Locator,
    RevokedToken, Sequence, ServiceAccount, SigningKey, TokenId,
};
use keyward_store::{
    AccountPage, AccountQuery, Applied, AuditPage, AuditQuery, AuditSummary, Feed, KeyPage,
    KeyQuery, Store, StoreError, StoredKey, UsageDelta,
};

use crate::calls::Calls;
use crate::failure::failure;
use crate::feed::Marks;
use crate::link::{Link, Repeat};
use crate::open::{self, OpenError, SCHEMA};
use crate::watcher::{SILENCE, Watcher};
use crate::{
    RedisOptions, account, apply, audit, ended, feed, key, keyspace, list, oauth, script, usage,
};

/// Keeps everything in Redis.
///
/// Share it in an `Arc`. Connections that break are made anew, to whichever server takes writes then.
#[derive(Debug)]
pub struct RedisStore {
    calls: Calls,
    kept_changes: u32,
    marks: Marks,
    waiting: Option<Waiting>,
    watcher: Watcher,
}

impl RedisStore {
    /// Connects to Redis, looks whether it suits, and makes what is needed if there are no records yet.
    ///
    /// Refuses a server that would lose records ([`OpenError::is_unsuitable`]), records that a newer
    /// Keyward has migrated, and what is none of ours; all of them stay as they are. The README of the
    /// crate tells the forms of a URL.
    pub async fn connect(url: &str, options: &RedisOptions) -> Result<Self, OpenError> {
        let RedisOptions { ca_file, connect_timeout, prefix, response_timeout, .. } = options;
        let connector = open::connector(url, prefix, ca_file.as_deref(), *connect_timeout)?;
        let names = connector.names.clone();
        let calls = |patience: Duration| {
            let link = Link::new(connector.clone(), patience, Some(options.durability));
            Calls { link, names: names.clone() }
        };
        let store = Self {
            calls: calls(*response_timeout),
            kept_changes: options.kept_changes,
            marks: Marks::default(),
            waiting: Waiting::new(options, || calls(*response_timeout)),
            watcher: Watcher::new(calls(SILENCE + *response_timeout)),
        };
        let taken = open::take_over(&store.calls.link, &names).await;
        taken.map_err(|problem| problem.with(Some(&connector.address)))?;
        Ok(store)
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn find(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError> {
        key::find(&self.calls, locator).await
    }

    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        key::key(&self.calls, id).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        list::list(&self.calls, query).await
    }

    async fn ended(
        &self,
        by: EndedBy,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        ended::ended(&self.calls, by, spared, limit).await
    }

    async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError> {
        account::account(&self.calls, id).await
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError> {
        account::accounts(&self.calls, query).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        oauth::signing_keys(&self.calls).await
    }

    async fn is_token_revoked(&self, id: &TokenId) -> Result<bool, StoreError> {
        oauth::is_token_revoked(&self.calls, id).await
    }

    async fn revoked_tokens(&self) -> Result<Vec<RevokedToken>, StoreError> {
        oauth::revoked_tokens(&self.calls).await
    }

    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        keyspace::keyspaces(&self.calls).await
    }

    async fn apply(&self, change: &Change) -> Result<Applied, StoreError> {
        const OPERATION: &str = "apply a change";
        let form = apply::form(change, self.kept_changes, self.waiting.is_some());
        let form =
            form.map_err(|e| StoreError::Unavailable { operation: OPERATION, source: e.into() })?;
        let arguments = [form, SCHEMA.into()];
        let Some(waiting) = &self.waiting else {
            return apply::read(self.calls.run(OPERATION, &script::APPLY, &arguments).await?);
        };
        waiting.apply(OPERATION, &arguments).await
    }

    async fn seal(&self, is_sealed: bool) -> Result<(), StoreError> {
        let arguments = [u8::from(is_sealed).to_string().into(), SCHEMA.into()];
        self.calls.run("seal the store", &script::SEAL, &arguments).await?;
        Ok(())
    }

    async fn record_usage(&self, batch: &[UsageDelta]) -> Result<(), StoreError> {
        usage::record(&self.calls, batch).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        audit::audit(&self.calls, query).await
    }

    async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, StoreError> {
        audit::summarize(&self.calls, filter).await
    }

    async fn changes_since(&self, position: Sequence) -> Result<Feed, StoreError> {
        feed::changes_since(&self.calls, &self.marks, position).await
    }

    async fn position(&self) -> Result<Sequence, StoreError> {
        feed::position(&self.calls, &self.marks).await
    }

    fn hints(&self) -> BoxStream<'static, ()> {
        self.watcher.hints()
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.calls.run("answer", &script::HEALTH, &[SCHEMA.into()]).await?;
        Ok(())
    }
}

/// Writing so that replicas have it before it is acknowledged.
///
/// Whoever waits on a connection holds up all others on it: so there are several.
#[derive(Debug)]
struct Waiting {
    connections: Vec<Calls>,
    next: AtomicUsize,
    patience: Duration,
    replicas: u32,
}

/// How many changes may be on their way to replicas at once.
const CONNECTIONS: usize = 8;

impl Waiting {
    fn new(options: &RedisOptions, calls: impl Fn() -> Calls) -> Option<Self> {
        let RedisOptions { response_timeout, wait_for_replicas: replicas, .. } = *options;
        // The answer to it has to come in time.
        let patience = response_timeout.mul_f32(0.75);
        let connections = (0..CONNECTIONS).map(|_| calls()).collect();
        (replicas > 0).then_some(Self {
            connections,
            next: AtomicUsize::new(0),
            patience,
            replicas,
        })
    }

    async fn apply(
        &self,
        operation: &'static str,
        arguments: &[Vec<u8>],
    ) -> Result<Applied, StoreError> {
        let place = self.next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS;
        let unavailable = |source| StoreError::Unavailable { operation, source };
        let calls = self.connections.get(place).ok_or_else(|| unavailable("none".into()))?;
        let mut wait = redis::cmd("WAIT");
        let patience = u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX);
        wait.arg(self.replicas).arg(patience);
        let run =
            |connection| script::APPLY.run_and_wait(connection, &calls.names, arguments, &wait);
        let done = calls.link.call(Repeat::Harmless, run).await;
        let (reply, replicas) = done.map_err(|error| failure(operation, error))?;
        let applied = apply::read(reply)?;
        if replicas < self.replicas {
            let wanted = self.replicas;
            return Err(unavailable(Unreplicated { replicas, wanted }.into()));
        }
        Ok(applied)
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "{replicas} of {wanted} replicas have it, so a fail-over may lose it: it may be made again"
)]
struct Unreplicated {
    replicas: u32,
    wanted: u32,
}
