//! Where Redis is, as a URL tells it.

use std::fmt;

use redis::{IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo};

use crate::open::Problem;

/// The servers that are asked first, and how to find from them the one that takes writes.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) hosts: Vec<Host>,
    pub(crate) is_tls: bool,
    pub(crate) kind: Kind,
    /// As whom to log in, and to which database.
    pub(crate) login: RedisConnectionInfo,
}

/// A server's host and port.
pub(crate) type Host = (String, u16);

/// What the servers are that a URL names.
#[derive(Clone)]
pub(crate) enum Kind {
    /// Nodes of a cluster, of which one has our slot.
    Cluster,
    /// The one that takes writes.
    Direct,
    /// Sentinels, which know where it is.
    Sentinel {
        /// The name under which they know it.
        primary: String,
        /// As whom to log in to them.
        login: RedisConnectionInfo,
    },
}

impl Address {
    /// Reads a URL. The complaint holds nothing of it, as there may be a password in it.
    pub(crate) fn parse(url: &str) -> Result<Self, Problem> {
        let (scheme, rest) = url.split_once("://").ok_or(Problem::Url("it has no scheme"))?;
        let (scheme, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let is_tls = match scheme {
            "redis" => false,
            "rediss" => true,
            _ => return Err(Problem::Url("its scheme must be redis or rediss")),
        };
        if rest.contains('#') {
            return Err(Problem::Url("it must not have a fragment"));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (kind, database, port) = match kind {
            "" => (Kind::Direct, path, 6379),
            "cluster" => (Kind::Cluster, path, 6379),
            "sentinel" => {
                let (primary, database) = path.split_once('/').unwrap_or((path, ""));
                (sentinels(primary, query)?, database, 26379)
            }
            _ => return Err(Problem::Url("its scheme must end with +cluster or +sentinel")),
        };
        let hosts: Vec<_> = hosts.split(',').map(|host| read_host(host, port)).collect();
        let hosts = hosts.into_iter().collect::<Result<Vec<_>, _>>()?;
        let login = login(user, database)?;
        match kind {
            Kind::Direct if hosts.len() > 1 => Err(Problem::Url(SEVERAL)),
            Kind::Cluster if login.db() != 0 => Err(Problem::Url("a cluster has one database")),
            _ => Ok(Self { hosts, is_tls, kind, login }),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (host, port)) in self.hosts.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{host}:{port}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

const SEVERAL: &str = "several hosts take redis+sentinel or redis+cluster";
const UNREADABLE: &str = "it cannot be read";

fn sentinels(primary: &str, query: &str) -> Result<Kind, Problem> {
    if primary.is_empty() {
        return Err(Problem::Url("its path must begin with the name that the sentinels know"));
    }
    let (mut user, mut password) = ("", "");
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("sentinel_username", value)) => user = value,
            Some(("sentinel_password", value)) => password = value,
            _ => return Err(Problem::Url("it has a parameter that is unknown")),
        }
    }
    let login = login(&format!("{user}:{password}"), "")?;
    Ok(Kind::Sentinel { primary: primary.to_owned(), login })
}

/// The user and the password before an `@`, and a database.
fn login(user: &str, database: &str) -> Result<RedisConnectionInfo, Problem> {
    // Of redis itself, as what is written there is encoded.
    let url = match user.trim_end_matches(':') {
        "" => format!("redis://host/{database}"),
        user => format!("redis://{user}@host/{database}"),
    };
    let info = url.into_connection_info().map_err(|_| Problem::Url(UNREADABLE))?;
    Ok(info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3))
}

fn read_host(host: &str, usual_port: u16) -> Result<Host, Problem> {
    let url = redis::parse_redis_url(&format!("redis://{host}"));
    let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
    let url = url.ok_or(Problem::Url(UNREADABLE))?;
    let name =
        url.host_str().filter(|name| !name.is_empty()).ok_or(Problem::Url("it has no host"))?;
    let name = name.trim_start_matches('[').trim_end_matches(']');
    Ok((name.to_owned(), url.port().unwrap_or(usual_port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Address {
        Address::parse(url).unwrap_or_else(|problem| panic!("{url}: {problem}"))
    }

    #[test]
    fn every_form_of_a_url_is_read() {
        let direct = read("rediss://ann:p%40ss%2Fw@example.com/3");
        assert_eq!(direct.to_string(), "example.com:6379");
        assert!(direct.is_tls && matches!(direct.kind, Kind::Direct));
        assert_eq!(
            (direct.login.username(), direct.login.password()),
            (Some("ann"), Some("p@ss/w"))
        );
        assert_eq!(direct.login.db(), 3);
        let cluster = read("redis+cluster://:secret@one:7000,[::1]:7001,three");
        assert_eq!(cluster.to_string(), "one:7000,::1:7001,three:6379");
        assert_eq!((cluster.login.username(), cluster.login.password()), (None, Some("secret")));
        let url = "rediss+sentinel://ann:pass@one,two:7/mymaster/2?sentinel_password=other";
        let sentinel = read(url);
        assert_eq!(sentinel.to_string(), "one:26379,two:7");
        assert_eq!((sentinel.login.password(), sentinel.login.db()), (Some("pass"), 2));
        let Kind::Sentinel { primary, login } = &sentinel.kind else { panic!("{sentinel:?}") };
        assert_eq!(
            (primary.as_str(), login.password(), login.db()),
            ("mymaster", Some("other"), 0)
        );
        assert!(!format!("{sentinel:?}").contains("pass"));
    }

    #[test]
    fn other_urls_are_refused_without_repeating_them() {
        for url in [
            "",
            "localhost:6379",
            "postgres://secret@localhost",
            "redis://",
            "redis://secret@",
            "redis://secret@one,two",
            "redis://secret@one/x",
            "redis://secret@one:port",
            "rediss://secret@one/#insecure",
            "redis+unix://secret@one",
            "redis+sentinel://secret@one",
            "redis+sentinel://secret@one/mymaster?password=secret",
            "redis+cluster://secret@one/1",
        ] {
            let refused = Address::parse(url).map(|address| address.to_string()).unwrap_err();
            assert!(!refused.to_string().contains("secret"), "{url}: {refused}");
        }
    }
}
