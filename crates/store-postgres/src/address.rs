//! Where a database is, as its URL says.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::open::Problem;
use crate::tls::Trust;

/// A URL of a database that was taken apart. It shows neither user nor password.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) trust: Trust,
    /// Whether a pooler stands in between that hands out connections by the transaction.
    pub(crate) is_pooled: bool,
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?…`. Beside the parameters of the driver, those
    /// that it does not know are `sslmode` and `sslrootcert`, which mean what they mean in libpq, and
    /// `pooler=transaction`.
    pub(crate) fn parse(url: &str) -> Result<Self, Problem> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(Problem::Url("it must begin with postgres://"));
        }
        let mut own = Own::default();
        let rest = own.take_from(url)?;
        // What the driver says of a URL that it cannot read is not told: it may hold a password.
        let mut config: Config = rest.parse().map_err(|_| {
            Problem::Url("what is special in a user's name or password must be percent-encoded")
        })?;
        let is_split = config.get_hosts().iter().any(|host| name(host).contains('@'));
        if is_split || config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(Problem::Url("it must name a host, and an @ in a password must be %40"));
        }
        if config.get_application_name().is_none() {
            config.application_name("keyward");
        }
        let is_pooled = own.is_pooled;
        let (mode, trust) = own.tls()?;
        config.ssl_mode(mode);
        Ok(Self { config, trust, is_pooled })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        for (number, host) in self.config.get_hosts().iter().enumerate() {
            let port = ports.get(number).or(ports.first()).unwrap_or(&5432);
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma}{}:{port}", name(host))?;
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

fn name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

/// The parameters that the driver does not know, or not all values of.
#[derive(Default)]
struct Own {
    is_pooled: bool,
    mode: Option<String>,
    roots: Option<PathBuf>,
}

impl Own {
    /// Takes them from a URL, and returns what is left of that.
    fn take_from(&mut self, url: &str) -> Result<String, Problem> {
        let Some((place, parameters)) = url.split_once('?') else { return Ok(url.to_owned()) };
        let mut others = Vec::new();
        for parameter in parameters.split('&') {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = percent_decode_str(value).decode_utf8();
            let value = value.map_err(|_| Problem::Url("its parameters must be UTF-8"))?;
            match key {
                "pooler" if value == "transaction" => self.is_pooled = true,
                "pooler" if value == "none" => self.is_pooled = false,
                "pooler" => return Err(Problem::Url("pooler must be none or transaction")),
                "sslmode" => self.mode = Some(value.into_owned()),
                "sslrootcert" => self.roots = Some(PathBuf::from(value.as_ref())),
                _ => others.push(parameter),
            }
        }
        let mark = if others.is_empty() { "" } else { "?" };
        Ok(format!("{place}{mark}{}", others.join("&")))
    }

    fn tls(self) -> Result<(SslMode, Trust), Problem> {
        let mode = self.mode.as_deref().unwrap_or("prefer");
        Ok(match (mode, self.roots) {
            ("disable", _) => (SslMode::Disable, Trust::Anybody),
            ("prefer", _) => (SslMode::Prefer, Trust::Anybody),
            ("require", None) => (SslMode::Require, Trust::Anybody),
            // As in libpq: whoever names roots wants them to be looked at.
            ("require" | "verify-ca", roots) => (SslMode::Require, Trust::Authority(roots)),
            ("verify-full", roots) => (SslMode::Require, Trust::Host(roots)),
            _ => {
                let modes = "sslmode must be disable, prefer, require, verify-ca or verify-full";
                return Err(Problem::Url(modes));
            }
        })
    }
}

#[cfg(test)]
mod tests;
