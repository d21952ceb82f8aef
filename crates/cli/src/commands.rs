//! From arguments to what they ask for.

mod accounts;
mod audit;
mod config;
mod copy;
mod export;
mod import;
mod jwks;
mod keys;
mod keyspaces;
mod many;
mod migrate;
mod query;
mod reap;
mod scan;
mod serve;
mod stop;
mod token;
mod verify;

use clap::CommandFactory;

use crate::api::Api;
use crate::args::{AccountsCommand, Args, Command, KeysCommand, TargetArgs};
use crate::config::Config;
use crate::instance::Workload;
use crate::outcome::Outcome;
use crate::printer;

/// Does what the arguments ask for.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let target = &args.target;
    match args.command {
        Command::Serve(serve) => serve::run(&configuration(target)?, &serve).await,
        Command::Migrate(migrate) => migrate::run(&configuration(target)?, &migrate).await,
        Command::Config(command) => config::run(&configuration(target)?, &command),
        Command::Copy(copy) => copy::run(&configuration(target)?, target.json, copy).await,
        Command::Scan(scan) => scan::run(target, scan).await,
        Command::Token(command) => token::run(target.json, command),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "keyward", &mut script);
            printer::say(String::from_utf8(script)?.trim_end())?;
            Ok(Outcome::Done)
        }
        command => {
            let workload = match command {
                Command::Accounts(AccountsCommand::Import(_))
                | Command::Keys(KeysCommand::Import(_)) => Workload::Bulk,
                _ => Workload::Usual,
            };
            let api = Api::open(target, workload).await?;
            let outcome = call(&api, target.json, command).await;
            api.close().await?;
            outcome
        }
    }
}

/// The commands that are requests to the REST interface.
async fn call(api: &Api, as_json: bool, command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Accounts(command) => accounts::run(api, as_json, command).await,
        Command::Audit(command) => audit::run(api, as_json, command).await,
        Command::Jwks(command) => jwks::run(api, as_json, command).await,
        Command::Keys(command) => keys::run(api, as_json, command).await,
        Command::Keyspaces(command) => keyspaces::run(api, as_json, command).await,
        Command::Reap(reap) => reap::run(api, as_json, reap).await,
        Command::Verify(verify) => verify::run(api, as_json, verify).await,
        Command::Completions { .. }
        | Command::Config(_)
        | Command::Copy(_)
        | Command::Migrate(_)
        | Command::Scan(_)
        | Command::Serve(_)
        | Command::Token(_) => Ok(Outcome::Done),
    }
}

fn configuration(target: &TargetArgs) -> anyhow::Result<Config> {
    Config::load(target.config.as_deref(), &target.overrides)
}
