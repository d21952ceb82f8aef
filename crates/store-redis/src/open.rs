//! From a URL to a server that is known to suit, with records that are known to be ours.

use std::fs;
use std::io;

use redis::{RedisError, TlsCertificates, Value};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use crate::address::Address;
use crate::connect::Connector;
use crate::link::{Link, LinkError, Repeat};
use crate::options;
use crate::requirements::Refusal;
use crate::script;

/// The version of the records that this Keyward writes.
pub(crate) const SCHEMA: &str = "1";

/// Redis cannot be used as a store. Nothing has been written to it; the source says why.
#[derive(Debug, thiserror::Error)]
#[error("cannot use Redis at {address}")]
pub struct OpenError {
    /// Without user and password.
    address: String,
    #[source]
    problem: Problem,
}

impl OpenError {
    /// Whether the records are of a newer Keyward.
    pub const fn is_newer(&self) -> bool {
        matches!(self.problem, Problem::Newer { .. })
    }

    /// Whether something else is stored under the names that the prefix makes ours.
    pub const fn is_foreign(&self) -> bool {
        matches!(self.problem, Problem::Foreign)
    }

    /// Whether no server answers that takes writes. It may later.
    pub const fn is_unreachable(&self) -> bool {
        matches!(
            self.problem,
            Problem::Link(LinkError::Late | LinkError::Refused(Refusal::Failed(_)))
        )
    }

    /// Whether the server does not promise what is asked of it: another version, a replica, or settings
    /// with which it would lose records.
    pub const fn is_unsuitable(&self) -> bool {
        matches!(self.problem, Problem::Link(LinkError::Refused(Refusal::Unsuitable(_))))
    }
}

/// Why Redis cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the file with the certificates cannot be read")]
    Certificates(#[source] io::Error),
    #[error("what is stored under this prefix is not of Keyward")]
    Foreign,
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("a newer version of keyward has migrated it (to {found}; this one knows {SCHEMA})")]
    Newer { found: String },
    #[error("the prefix must be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'")]
    Prefix,
    #[error("the URL is none of Redis: {0}")]
    Url(&'static str),
}

impl Problem {
    pub(crate) fn with(self, address: Option<&Address>) -> OpenError {
        let address = address.map_or_else(|| "an unreadable URL".to_owned(), ToString::to_string);
        OpenError { address, problem: self }
    }
}

/// How to connect, from what an operator has said.
pub(crate) fn connector(
    url: &str,
    prefix: &str,
    ca_file: Option<&std::path::Path>,
    connect_timeout: std::time::Duration,
) -> Result<Connector, OpenError> {
    let address = Address::parse(url).map_err(|problem| problem.with(None))?;
    let prepared = || {
        let names = options::names(prefix).ok_or(Problem::Prefix)?;
        let root_cert = ca_file.map(fs::read).transpose().map_err(Problem::Certificates)?;
        Ok((names, TlsCertificates { client_tls: None, root_cert }))
    };
    let (names, certificates) =
        prepared().map_err(|problem: Problem| problem.with(Some(&address)))?;
    if address.is_tls && CryptoProvider::get_default().is_none() {
        // Where somebody else is faster, theirs is taken.
        drop(aws_lc_rs::default_provider().install_default());
    }
    Ok(Connector { address, certificates, connect_timeout, names })
}

/// Looks whether the records are ours, and makes them so if there are none.
pub(crate) async fn take_over(link: &Link, names: &str) -> Result<(), Problem> {
    let arguments = [SCHEMA.into()];
    let found =
        link.call(Repeat::Harmless, |connection| script::OPEN.run(connection, names, &arguments));
    match found.await.map_err(foreign)? {
        Value::BulkString(schema) if schema == SCHEMA.as_bytes() => Ok(()),
        Value::BulkString(schema) => {
            Err(Problem::Newer { found: String::from_utf8_lossy(&schema).into_owned() })
        }
        _ => Err(Problem::Foreign),
    }
}

fn foreign(error: LinkError) -> Problem {
    let code = |error: &RedisError| error.code() == Some("WRONGTYPE");
    match error {
        LinkError::Refused(Refusal::Failed(error)) if code(&error) => Problem::Foreign,
        error => error.into(),
    }
}
