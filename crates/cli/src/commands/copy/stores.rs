//! From two URLs to two databases.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use keyward::store::Store;
use keyward_store_sqlite::SqliteStore;

use crate::config::DatabaseUrl;
use crate::instance::{self, Workload};
use crate::outcome::Unusable;

/// The databases to copy from and to. Both at the same place are refused.
pub(super) fn open(from: &str, to: &str) -> anyhow::Result<(Arc<dyn Store>, Arc<dyn Store>)> {
    let source = read("--from", from)?;
    let destination = read("--to", to)?;
    if is_same(&source, &destination) {
        let rule = "--from and --to are the same database";
        return Err(Unusable(rule.to_owned()).into());
    }
    let opened = open_existing(&source)?;
    let destination = instance::open_store(&destination, Workload::Bulk);
    Ok((opened, destination.context("the database --to cannot be used")?))
}

/// The database to copy from.
pub(super) fn open_source(from: &str) -> anyhow::Result<Arc<dyn Store>> {
    open_existing(&read("--from", from)?)
}

/// A database that is there, which is not made and not migrated.
fn open_existing(url: &DatabaseUrl) -> anyhow::Result<Arc<dyn Store>> {
    if let DatabaseUrl::Sqlite(path) = url {
        let pending = SqliteStore::pending_migrations(path);
        if pending.context("the database --from cannot be used")? > 0 {
            let path = path.display();
            let rule = format!("{path} is missing, or has to be brought up by `keyward migrate`");
            return Err(Unusable(rule).into());
        }
    }
    instance::open_store(url, Workload::Usual).context("the database --from cannot be used")
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
        _ => String::from(url.clone()) == String::from(other.clone()),
    }
}

/// By whichever name, through links or not.
fn is_same_file(path: &Path, other: &Path) -> bool {
    let identity = |path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    path == other || identity(path).is_some_and(|file| Some(file) == identity(other))
}
