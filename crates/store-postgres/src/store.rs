//! The port over a database.

use std::sync::Arc;

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

use crate::apply::Rules;
use crate::failure::Failure;
use crate::listener::Listener;
use crate::pool::Pool;
use crate::readers::Readers;
use crate::replica::Standby;
use crate::row::Shape;
use crate::sql::Sql;
use crate::{
    OpenError, PostgresOptions, Replica, account, audit, ended, feed, key, keyspace, list, oauth,
    open, usage,
};

/// Keeps everything in one PostgreSQL database, which any number of processes may share.
///
/// Share it in an `Arc`. It replaces connections that are lost by itself.
#[derive(Debug)]
pub struct PostgresStore {
    readers: Readers,
    pool: Pool,
    rules: Rules,
    listener: Listener,
    standby: Option<Standby>,
}

impl PostgresStore {
    /// Connects to the database at a URL.
    ///
    /// Refuses one that lacks migrations, an empty one among them ([`OpenError::is_outdated`]), one that
    /// a newer Keyward has migrated, and one whose schema `keyward` is none of ours; all of them stay as
    /// they are.
    pub async fn connect(url: &str, options: &PostgresOptions) -> Result<Self, OpenError> {
        let PostgresOptions { acquire_timeout, statement_timeout, lock_timeout, .. } = *options;
        let (connector, connection) = open::open(url, options).await?;
        let connector = Arc::new(connector);
        let listening = match &options.feed_url {
            Some(url) => Some(Arc::new(open::connector(url, options)?)),
            None => Some(Arc::clone(&connector)),
        };
        let listening = listening.filter(|connector| !connector.is_pooled());
        let pool = Pool::new(Arc::clone(&connector), options.pool_size, acquire_timeout);
        pool.add(connection);
        Ok(Self {
            readers: Readers::new(connector, options.readers, acquire_timeout),
            pool,
            rules: Rules::new(statement_timeout, lock_timeout, options.kept_changes),
            listener: Listener::new(listening),
            standby: options.replica.as_ref().map(|it| standby(it, options)).transpose()?,
        })
    }

    /// Brings the database at a URL up to date. Returns how many migrations it took; either all of them
    /// are applied or none.
    ///
    /// They are made in the schema `keyward`. Of several callers at once, one does it.
    pub async fn migrate(url: &str) -> Result<usize, OpenError> {
        open::migrate(url).await
    }

    /// How many migrations the database at a URL lacks: all of them, if it is empty.
    pub async fn pending_migrations(url: &str) -> Result<usize, OpenError> {
        open::pending_migrations(url).await
    }

    /// Finds something where it is found first: by the standby server if its answer counts.
    async fn find_one<T>(
        &self,
        operation: &'static str,
        shape: &Shape<T>,
        sql: Sql,
        with_position: impl FnOnce() -> Sql,
    ) -> Result<Option<T>, StoreError> {
        if let Some(standby) = &self.standby
            && let Some(found) = standby.find(shape, &with_position()).await
        {
            return Ok(found);
        }
        shape.first(&self.readers.run(operation, &sql).await?.rows)
    }
}

fn standby(replica: &Replica, options: &PostgresOptions) -> Result<Standby, OpenError> {
    let Replica { url, clock, max_staleness, timeout } = replica;
    let connector = Arc::new(open::replica(url, options, *timeout)?);
    let readers = Readers::new(connector, options.readers, options.acquire_timeout);
    Ok(Standby::new(readers, Arc::clone(clock), *max_staleness))
}

#[async_trait]
impl Store for PostgresStore {
    async fn find(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError> {
        let with_position = || key::find_with_position(locator);
        let found =
            self.find_one("find a key", &key::RECORD, key::find(locator), with_position).await?;
        Ok(found.filter(|record| key::is_found(record, locator)))
    }

    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        let answer = self.readers.run("read a key", &key::key(id)).await?;
        key::STORED_KEY.first(&answer.rows)
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        list::list(&self.pool, query).await
    }

    async fn ended(
        &self,
        by: EndedBy,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        if by == EndedBy::default() {
            return Ok(Vec::new());
        }
        let statement = ended::statement(by, spared, limit);
        let answer = self.pool.read("find keys that have ended", &statement).await?;
        key::RECORD.all(&answer.rows)
    }

    async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError> {
        let with_position = || account::account_with_position(id);
        self.find_one(
            "read a service account",
            &account::ACCOUNT,
            account::account(id),
            with_position,
        )
        .await
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError> {
        account::accounts(&self.pool, query).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let answer = self.readers.run("read the signing keys", &oauth::signing_keys()).await?;
        oauth::SIGNING_KEY.all(&answer.rows)
    }

    async fn is_token_revoked(&self, id: &TokenId) -> Result<bool, StoreError> {
        let statement = oauth::is_token_revoked(id);
        let answer = self.readers.run("look for a revoked access token", &statement).await?;
        Ok(oauth::IS_REVOKED.first(&answer.rows)?.unwrap_or_default())
    }

    async fn revoked_tokens(&self) -> Result<Vec<RevokedToken>, StoreError> {
        let statement = oauth::revoked_tokens();
        let answer = self.pool.read("read the revoked access tokens", &statement).await?;
        oauth::REVOKED_TOKEN.all(&answer.rows)
    }

    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        let answer = self.readers.run("read the keyspaces", &keyspace::keyspaces()).await?;
        keyspace::KEYSPACE.all(&answer.rows)
    }

    async fn apply(&self, change: &Change) -> Result<Applied, StoreError> {
        let applied = self.rules.apply(&self.pool, change).await;
        let applied = applied.map_err(|error| error.during("apply a change"))?;
        if let Some(standby) = &self.standby {
            standby.learn(applied.sequence);
        }
        Ok(applied)
    }

    async fn seal(&self, is_sealed: bool) -> Result<(), StoreError> {
        self.pool.read("seal the store", &feed::seal(is_sealed)).await.map(drop)
    }

    async fn record_usage(&self, batch: &[UsageDelta]) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let recorded = self.pool.run(&usage::record(batch)).await;
        recorded.map(drop).map_err(|failure| failure.during("record usage"))
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        audit::audit(&self.pool, query).await
    }

    async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, StoreError> {
        audit::summarize(&self.pool, filter).await
    }

    async fn changes_since(&self, position: Sequence) -> Result<Feed, StoreError> {
        let moment = self.standby.as_ref().map(Standby::moment);
        let answer = self.readers.run("read the change feed", &feed::since(position)).await?;
        let feed = feed::changes_since(&answer.rows, position)?;
        if let (Some(standby), Some(moment)) = (&self.standby, moment) {
            standby.learn(feed.position);
            if !feed.has_more {
                standby.confirm(moment);
            }
        }
        Ok(feed)
    }

    async fn position(&self) -> Result<Sequence, StoreError> {
        let answer = self.readers.run("read the change feed", &feed::position()).await?;
        Ok(feed::POSITION.first(&answer.rows)?.unwrap_or_default())
    }

    fn hints(&self) -> BoxStream<'static, ()> {
        self.listener.hints()
    }

    async fn health(&self) -> Result<(), StoreError> {
        let answer = self.readers.run("answer", &feed::is_writable()).await?;
        match feed::IS_WRITABLE.first(&answer.rows)? {
            Some(true) => Ok(()),
            _ => Err(Failure::ReadOnly.during("answer")),
        }
    }
}
