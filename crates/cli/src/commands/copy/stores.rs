//! From two URLs to two databases.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use keyward::store::Store;

use crate::config::{Config, DatabaseSection, DatabaseUrl};
use crate::database;
use crate::instance::Workload;
use crate::outcome::Unusable;

/// The databases to copy from and to. Both at the same place are refused.
pub(super) async fn open(
    config: &Config,
    from: &str,
    to: &str,
) -> anyhow::Result<(Arc<dyn Store>, Arc<dyn Store>)> {
    let source = read("--from", from)?;
    let destination = read("--to", to)?;
    if is_same(&source, &destination) {
        let rule = "--from and --to are the same database";
        return Err(Unusable(rule.to_owned()).into());
    }
    let source = open_existing(config, source).await?;
    let destination = open_at(config, destination, Workload::Bulk).await;
    Ok((source, destination.context("the database --to cannot be used")?))
}

/// The database to copy from.
pub(super) async fn open_source(config: &Config, from: &str) -> anyhow::Result<Arc<dyn Store>> {
    open_existing(config, read("--from", from)?).await
}

/// A database that is there, which is not made and not migrated.
async fn open_existing(config: &Config, url: DatabaseUrl) -> anyhow::Result<Arc<dyn Store>> {
    let unusable = "the database --from cannot be used";
    let pending = database::pending_migrations(&url).await.context(unusable)?;
    if pending.is_some_and(|pending| pending > 0) {
        let rule = format!("{url} is missing, or has to be brought up by `keyward migrate`");
        return Err(Unusable(rule).into());
    }
    open_at(config, url, Workload::Usual).await.context(unusable)
}

/// Opens a database with the settings of the configuration, but for those that are of another place.
async fn open_at(
    config: &Config,
    url: DatabaseUrl,
    workload: Workload,
) -> anyhow::Result<Arc<dyn Store>> {
    let (replica, feed) = (None, None);
    let database = DatabaseSection { url, replica, feed, ..config.database.clone() };
    // Nothing is cached here: all is read from the database itself.
    database::open(&database, Duration::ZERO, workload).await
}

fn read(flag: &str, text: &str) -> anyhow::Result<DatabaseUrl> {
    let url = DatabaseUrl::try_from(text.to_owned());
    let url = url.map_err(|error| Unusable(format!("{flag} {error}")))?;
    if matches!(url, DatabaseUrl::Memory) {
        let rule = format!("{flag} must be a database that outlives this command");
        return Err(Unusable(rule).into());
    }
    Ok(url)
}

fn is_same(url: &DatabaseUrl, other: &DatabaseUrl) -> bool {
    match (url, other) {
        (DatabaseUrl::Sqlite(path), DatabaseUrl::Sqlite(other)) => is_same_file(path, other),
        // The same server by another name is noticed when the copy begins.
        (DatabaseUrl::Postgres(url), DatabaseUrl::Postgres(other))
        | (DatabaseUrl::Redis(url), DatabaseUrl::Redis(other)) => url.expose() == other.expose(),
        _ => false,
    }
}

/// By whichever name, through links or not.
fn is_same_file(path: &Path, other: &Path) -> bool {
    let identity = |path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    path == other || identity(path).is_some_and(|file| Some(file) == identity(other))
}
