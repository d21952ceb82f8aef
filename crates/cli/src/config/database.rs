//! Where records are kept, and in which cache nodes share them.

use std::fmt;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyward::{Invalid, Secret};
use keyward_store_redis::{Durability, RedisOptions};
use serde::{Deserialize, Serialize};

use super::Span;
use crate::outcome::Unusable;

/// Where records are kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DatabaseSection {
    /// `sqlite:PATH`, `postgres://…`, `redis://…` or `memory:`.
    pub(crate) url: DatabaseUrl,
    /// The file that holds the URL instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url_file: Option<PathBuf>,
    /// A read replica of PostgreSQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replica: Option<ServerUrl>,
    /// The file that holds its URL instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replica_file: Option<PathBuf>,
    /// PostgreSQL's own address, where `url` is that of a pooler: changes are listened for there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) feed: Option<ServerUrl>,
    /// The file that holds that address instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) feed_file: Option<PathBuf>,
    /// How long it may take to reach a server.
    pub(crate) connect_timeout: Span,
    /// How long a server may take to do what it is asked.
    pub(crate) statement_timeout: Span,
    /// The most connections to PostgreSQL for changes and lists.
    pub(crate) connections: NonZeroUsize,
    /// What Redis must promise, if it is the database.
    #[serde(skip_serializing_if = "RedisSection::is_default")]
    pub(crate) redis: RedisSection,
}

impl Default for DatabaseSection {
    fn default() -> Self {
        Self {
            url: DatabaseUrl::default(),
            url_file: None,
            replica: None,
            replica_file: None,
            feed: None,
            feed_file: None,
            connect_timeout: Span(Duration::from_secs(5)),
            statement_timeout: Span(Duration::from_secs(5)),
            connections: const { NonZeroUsize::new(8).unwrap() },
            redis: RedisSection::default(),
        }
    }
}

impl DatabaseSection {
    /// Reads the URLs that stand in files of their own.
    pub(super) fn read_files(&mut self) -> anyhow::Result<()> {
        if let Some(path) = &self.url_file {
            self.url = read(path)?;
        }
        read_over(&mut self.replica, self.replica_file.as_deref())?;
        read_over(&mut self.feed, self.feed_file.as_deref())
    }
}

/// How Redis is used as the database.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RedisSection {
    /// The certificates (PEM) of the authorities that are trusted; left out: the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
    /// What becomes of acknowledged acts when Redis ends or loses power.
    pub(crate) durability: RedisDurability,
    /// What the names of all keys in Redis begin with.
    pub(crate) prefix: String,
    /// How many replicas must have an act before it is acknowledged.
    pub(crate) wait_for_replicas: u32,
}

impl Default for RedisSection {
    fn default() -> Self {
        let options = RedisOptions::default();
        Self {
            ca_file: None,
            durability: RedisDurability::default(),
            prefix: options.prefix,
            wait_for_replicas: options.wait_for_replicas,
        }
    }
}

impl RedisSection {
    /// Whether it says nothing.
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What Redis must promise about acts that it has acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RedisDurability {
    /// They survive the loss of power.
    #[default]
    Always,
    /// Those of the last second may be lost.
    EverySecond,
    /// Whatever it does: its settings are not looked at.
    Unchecked,
}

impl From<RedisDurability> for Durability {
    fn from(durability: RedisDurability) -> Self {
        match durability {
            RedisDurability::Always => Self::Always,
            RedisDurability::EverySecond => Self::EverySecond,
            RedisDurability::Unchecked => Self::Unchecked,
        }
    }
}

/// Reads a URL, if a file is named that holds it.
pub(super) fn read_over(url: &mut Option<ServerUrl>, file: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = file {
        *url = Some(read(path)?);
    }
    Ok(())
}

fn read<T: TryFrom<String, Error = Invalid>>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path)
        .map_err(|error| Unusable(format!("cannot read {}: {error}", path.display())))?;
    let read = T::try_from(text.trim_end_matches(['\r', '\n']).to_owned());
    read.map_err(|error| Unusable(format!("the URL in {} {error}", path.display())).into())
}

/// A database.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum DatabaseUrl {
    /// In the process alone.
    Memory,
    /// In PostgreSQL.
    Postgres(ServerUrl),
    /// In Redis.
    Redis(ServerUrl),
    /// In a file.
    Sqlite(PathBuf),
}

impl Default for DatabaseUrl {
    fn default() -> Self {
        Self::Sqlite(PathBuf::from("keyward.db"))
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(("postgres" | "postgresql", _)) => ServerUrl::try_from(text).map(Self::Postgres),
            Some((scheme, _)) if is_redis(scheme) => ServerUrl::try_from(text).map(Self::Redis),
            _ => Err(Invalid::new(
                "must be sqlite:PATH, postgres://HOST/…, redis://HOST/… or memory:",
            )),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) | Self::Redis(url) => url.fmt(f),
        }
    }
}

impl From<DatabaseUrl> for String {
    fn from(url: DatabaseUrl) -> Self {
        url.to_string()
    }
}

/// Whether it is one server of Redis, its sentinels, or its cluster.
fn is_redis(scheme: &str) -> bool {
    let (transport, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
    matches!(transport, "redis" | "rediss") && matches!(kind, "" | "sentinel" | "cluster")
}

/// The URL of a server. It may hold a password, and is shown without it.
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ServerUrl(Arc<Secret>);

impl ServerUrl {
    /// The whole of it, for whoever connects.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl TryFrom<String> for ServerUrl {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let rest = text.split_once("://").map(|(_, rest)| rest);
        if rest.is_none_or(|rest| rest.is_empty() || rest.contains(char::is_whitespace)) {
            return Err(Invalid::new(
                "must be a URL such as postgres://USER:PASSWORD@HOST/DATABASE",
            ));
        }
        Ok(Self(Arc::new(Secret::new(text))))
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.expose().split_once("://").unwrap_or_default();
        let (rest, query) =
            rest.split_once('?').map_or((rest, ""), |(rest, _)| (rest, "?(hidden)"));
        // The last one: a password that should have been escaped may hold others.
        let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(user, p)| (Some(user), p));
        write!(f, "{scheme}://")?;
        match user.map(|user| user.split_once(':')) {
            Some(Some((user, _))) => write!(f, "{user}:(hidden)@")?,
            Some(None) => f.write_str("(hidden)@")?,
            None => {}
        }
        write!(f, "{place}{query}")
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<ServerUrl> for String {
    fn from(url: ServerUrl) -> Self {
        url.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_without_what_is_secret() {
        for (url, shown) in [
            ("postgres://u:geheim@h:1/d", "postgres://u:(hidden)@h:1/d"),
            ("postgres://u:ge@he:im@h/d", "postgres://u:(hidden)@h/d"),
            ("postgres://geheim@h/d", "postgres://(hidden)@h/d"),
            ("postgres://h/d?password=geheim", "postgres://h/d?(hidden)"),
            ("postgres://h,i/d?user=u&password=ge?heim", "postgres://h,i/d?(hidden)"),
            ("rediss://:geheim@h", "rediss://:(hidden)@h"),
            ("redis+sentinel://u:geheim@h:1,i:2/m/0", "redis+sentinel://u:(hidden)@h:1,i:2/m/0"),
            ("redis://h/0", "redis://h/0"),
        ] {
            let read = DatabaseUrl::try_from(url.to_owned()).unwrap();
            assert_eq!(
                (read.to_string(), format!("{read:?}").contains("heim")),
                (shown.to_owned(), false)
            );
        }
    }
}
