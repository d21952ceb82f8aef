//! The configuration: defaults, then the TOML file, then the environment, then flags.

mod database;
mod pepper;
mod sections;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
pub(crate) use database::{DatabaseSection, DatabaseUrl};
use keyward::jose::BaseIssuer;
use keyward::{KeypalSalt, KeypalSalts, Pepper, PepperVersion, Peppers};
use pepper::PepperSource;
pub(crate) use sections::{CacheSection, Config, LogFormat, Span};
use tracing_subscriber::EnvFilter;

use crate::outcome::Unusable;

/// Settings that the environment or a flag may set over the file.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct Overrides {
    #[arg(
        long,
        global = true,
        env = "KEYWARD_DATABASE",
        help = "The database: sqlite:PATH, postgres://HOST/…, redis://HOST/… or memory:",
        hide_env_values = true,
        value_name = "URL"
    )]
    database: Option<String>,
    /// The file that holds the URL of the database
    #[arg(
        long,
        global = true,
        env = "KEYWARD_DATABASE_FILE",
        conflicts_with = "database",
        value_name = "PATH"
    )]
    database_file: Option<PathBuf>,
    /// Where to listen, such as 127.0.0.1:8080
    #[arg(long, global = true, env = "KEYWARD_LISTEN", value_name = "ADDRESS")]
    listen: Option<String>,
    /// How long a key may still be allowed after its revocation was acknowledged elsewhere
    #[arg(long, global = true, env = "KEYWARD_MAX_STALENESS", value_name = "DURATION")]
    max_staleness: Option<String>,
    /// How many keys the cache holds
    #[arg(long, global = true, env = "KEYWARD_CACHE_CAPACITY", value_name = "KEYS")]
    cache_capacity: Option<usize>,
    /// How often usage is written down
    #[arg(long, global = true, env = "KEYWARD_USAGE_INTERVAL", value_name = "DURATION")]
    usage_interval: Option<String>,
    /// The URL under which the public keys of signed keys are found
    #[arg(long, global = true, env = "KEYWARD_ISSUER", value_name = "URL")]
    issuer: Option<String>,
    /// A pepper for digests; may be given more than once, the largest version makes new digests
    #[arg(
        long = "pepper-file",
        global = true,
        env = "KEYWARD_PEPPER_FILE",
        value_delimiter = ',',
        value_name = "VERSION=PATH"
    )]
    pepper_files: Vec<String>,
    /// What to log, such as info or keyward=debug
    #[arg(long, global = true, env = "KEYWARD_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How to log: text or json
    #[arg(long, global = true, env = "KEYWARD_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,
}

impl Config {
    /// Reads the configuration. An unknown or unusable field is refused by its name.
    pub(crate) fn load(file: Option<&Path>, overrides: &Overrides) -> anyhow::Result<Self> {
        let mut config = match file {
            None => Self::default(),
            Some(path) => {
                let text = fs::read_to_string(path)
                    .map_err(|e| Unusable(format!("cannot read {}: {e}", path.display())))?;
                toml::from_str(&text)
                    .map_err(|e| Unusable(format!("{}{}", path.display(), complaint(&text, &e))))?
            }
        };
        config.override_with(overrides)?;
        config.database.read_files()?;
        database::read_over(&mut config.cache.shared, config.cache.shared_file.as_deref())?;
        Ok(config)
    }

    fn override_with(&mut self, overrides: &Overrides) -> anyhow::Result<()> {
        let o = overrides.clone();
        set(&mut self.database.url, "--database", o.database.as_deref())?;
        if o.database.is_some() || o.database_file.is_some() {
            self.database.url_file = o.database_file;
        }
        set(&mut self.server.listen, "--listen", o.listen.as_deref())?;
        set(&mut self.cache.max_staleness, "--max-staleness", o.max_staleness.as_deref())?;
        set(&mut self.usage.interval, "--usage-interval", o.usage_interval.as_deref())?;
        if let Some(issuer) = &o.issuer {
            let read = BaseIssuer::parse(issuer);
            let read = read.map_err(|error| Unusable(format!("--issuer {error}")));
            self.signed.issuer = Some(read?);
        }
        self.cache.capacity = o.cache_capacity.unwrap_or(self.cache.capacity);
        self.log.filter = o.log.unwrap_or_else(|| std::mem::take(&mut self.log.filter));
        self.log.format = o.log_format.unwrap_or(self.log.format);
        for pepper in &o.pepper_files {
            let rule = || Unusable("--pepper-file must be given as VERSION=PATH".to_owned());
            let (version, path) = pepper.split_once('=').ok_or_else(rule)?;
            let version = version.parse().map_err(|_| rule())?;
            self.peppers.retain(|pepper| pepper.version != version);
            self.peppers.push(PepperSource::of_file(version, PathBuf::from(path)));
        }
        Ok(())
    }

    /// What to log.
    pub(crate) fn log_filter(&self) -> anyhow::Result<EnvFilter> {
        let rule = "log.filter must be a level or a list of target=level";
        EnvFilter::try_new(&self.log.filter).map_err(|_| Unusable(rule.to_owned()).into())
    }

    /// The peppers, read from where the configuration says.
    pub(crate) fn read_peppers(&self) -> anyhow::Result<Peppers> {
        read_all("pepper", &self.peppers, Pepper::new)
    }

    /// The salts of keypal, read from where the configuration says.
    pub(crate) fn read_keypal_salts(&self) -> anyhow::Result<KeypalSalts> {
        read_all("keypal salt", &self.keypal_salts, KeypalSalt::new)
    }
}

/// Reads peppers or salts, each version once.
fn read_all<T, E>(
    what: &str,
    sources: &[PepperSource],
    make: impl Fn(Vec<u8>) -> Result<T, E>,
) -> anyhow::Result<Vec<(PepperVersion, T)>>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut versions = HashSet::new();
    let read = sources.iter().map(|source| {
        let is_first = versions.insert(source.version);
        let read = if is_first { source.read(&make) } else { Err(anyhow!("it is given twice")) };
        read.with_context(|| format!("{what} {} is not usable", source.version))
    });
    read.collect::<anyhow::Result<_>>().map_err(|e| Unusable(format!("{e:#}")).into())
}

/// The place and the rule out of an error whose text may quote a value, which may be a pepper.
fn complaint(text: &str, error: &toml::de::Error) -> String {
    const QUOTING: [&str; 4] =
        ["invalid length", "invalid type", "invalid value", "unknown variant"];
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let key = line.split_once('=').map(|(key, _)| key.trim()).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let key = Some(key).filter(|key| !key.is_empty() && key.chars().all(is_plain));
    let rule = match error.message().rsplit_once(", expected ") {
        Some((quoting, expected)) if QUOTING.iter().any(|start| quoting.starts_with(start)) => {
            format!("must be {expected}")
        }
        _ => error.message().to_owned(),
    };
    let number = before.matches('\n').count() + 1;
    format!(", line {number}: {}{rule}", key.map(|key| format!("{key} ")).unwrap_or_default())
}

fn set<T: TryFrom<String, Error: std::fmt::Display>>(
    setting: &mut T,
    flag: &str,
    text: Option<&str>,
) -> anyhow::Result<()> {
    if let Some(text) = text {
        let read = T::try_from(text.to_owned());
        *setting = read.map_err(|error| Unusable(format!("{flag} {error}")))?;
    }
    Ok(())
}
