//! `keyward config …`

use crate::args::ConfigCommand;
use crate::config::Config;
use crate::instance;
use crate::outcome::Outcome;
use crate::printer;

pub(super) fn run(config: &Config, command: &ConfigCommand) -> anyhow::Result<Outcome> {
    match command {
        ConfigCommand::Print => printer::say(toml::to_string(config)?.trim_end())?,
        ConfigCommand::Check => {
            check(config)?;
            printer::say("the configuration is usable")?;
        }
    }
    Ok(Outcome::Done)
}

/// Looks at what only shows when it is used, such as the files that it names.
pub(super) fn check(config: &Config) -> anyhow::Result<()> {
    config.log_filter()?;
    instance::shared_cache(config, &config.read_peppers()?)?;
    config.read_keypal_salts().map(drop)
}
