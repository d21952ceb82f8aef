//! `keyward config …`

use crate::args::ConfigCommand;
use crate::config::Config;
use crate::outcome::Outcome;
use crate::printer;

pub(super) fn run(config: &Config, command: &ConfigCommand) -> anyhow::Result<Outcome> {
    match command {
        ConfigCommand::Print => printer::say(toml::to_string(config)?.trim_end())?,
        ConfigCommand::Check => {
            config.log_filter()?;
            config.read_peppers()?;
            config.read_keypal_salts()?;
            printer::say("the configuration is usable")?;
        }
    }
    Ok(Outcome::Done)
}
