//! `keyward migrate`

use anyhow::Context;
use keyward_store_sqlite::SqliteStore;

use crate::args::MigrateArgs;
use crate::config::{Config, DatabaseUrl};
use crate::outcome::Outcome;
use crate::printer;

pub(super) fn run(config: &Config, args: &MigrateArgs) -> anyhow::Result<Outcome> {
    let DatabaseUrl::Sqlite(path) = &config.database.url else {
        printer::say("there is nothing to migrate in memory")?;
        return Ok(Outcome::Done);
    };
    let cannot = || format!("cannot migrate {}", path.display());
    if args.check {
        let pending = SqliteStore::pending_migrations(path).with_context(cannot)?;
        printer::say(format_args!("{pending} migrations are pending"))?;
        return Ok(if pending == 0 { Outcome::Done } else { Outcome::Refused });
    }
    let applied = SqliteStore::migrate(path).with_context(cannot)?;
    printer::say(format_args!("{applied} migrations were applied"))?;
    Ok(Outcome::Done)
}
