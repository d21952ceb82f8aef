//! `keyward migrate`

use crate::args::MigrateArgs;
use crate::config::Config;
use crate::database;
use crate::outcome::Outcome;
use crate::printer;

pub(super) async fn run(config: &Config, args: &MigrateArgs) -> anyhow::Result<Outcome> {
    let url = &config.database.url;
    let count = if args.check {
        database::pending_migrations(url).await?
    } else {
        database::migrate(url).await?
    };
    match count {
        None => printer::say("there is nothing to migrate in memory and in Redis")?,
        Some(pending) if args.check => {
            printer::say(format_args!("{pending} migrations are pending"))?;
            return Ok(if pending == 0 { Outcome::Done } else { Outcome::Refused });
        }
        Some(applied) => printer::say(format_args!("{applied} migrations were applied"))?,
    }
    Ok(Outcome::Done)
}
