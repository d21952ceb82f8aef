//! One struct a section of the configuration file.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use keyward::jose::{BaseIssuer, PairKind};
use keyward::{
    Audience, Lifetime, Metadata, RateLimit, RotationPeriod, SigningSettings, TokenLifetime,
};
use serde::{Deserialize, Serialize};

use super::database::{DatabaseSection, ServerUrl};
use super::pepper::PepperSource;

/// The whole configuration.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// How to serve.
    pub(crate) server: ServerSection,
    /// Where records are kept.
    pub(crate) database: DatabaseSection,
    /// How records are cached.
    pub(crate) cache: CacheSection,
    /// How usage is counted.
    pub(crate) usage: UsageSection,
    /// What becomes of the events of management acts.
    pub(crate) audit: AuditSection,
    /// What becomes of keys that have ended, and of deleted service accounts.
    #[serde(skip_serializing_if = "ReapSection::is_empty")]
    pub(crate) reap: ReapSection,
    /// What becomes of digests that are not of the newest scheme.
    pub(crate) digests: DigestSection,
    /// How signed keys are made, and how their public keys are served.
    pub(crate) signed: SignedSection,
    /// How access tokens are issued to service accounts.
    pub(crate) oauth: OAuthSection,
    /// The interfaces of other systems.
    pub(crate) compat: CompatSection,
    /// What is logged.
    pub(crate) log: LogSection,
    /// Server-side keys for digests.
    pub(crate) peppers: Vec<PepperSource>,
    /// Salts under which keypal has hashed keys that were taken over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) keypal_salts: Vec<PepperSource>,
}

/// How to serve.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerSection {
    /// The address to listen on.
    pub(crate) listen: ListenAddress,
    /// The largest body that is read, in bytes.
    pub(crate) body_limit: usize,
    /// How long a request may take.
    pub(crate) request_timeout: Span,
    /// How long a request's head may take, and how long a connection may idle.
    pub(crate) header_timeout: Span,
    /// How long requests under way may take to end when the server stops.
    pub(crate) shutdown_timeout: Span,
    /// The most connections at the same time.
    pub(crate) most_connections: NonZeroUsize,
    /// The most streams of changes at the same time.
    pub(crate) most_streams: usize,
}

impl Default for ServerSection {
    fn default() -> Self {
        let router = keyward_http::RouterSettings::default();
        let serve = keyward_http::ServeSettings::default();
        Self {
            listen: ListenAddress(SocketAddr::from(([127, 0, 0, 1], 8080))),
            body_limit: router.body_limit,
            request_timeout: Span(router.deadline),
            header_timeout: Span(serve.header_timeout),
            shutdown_timeout: Span(serve.shutdown_timeout),
            most_connections: NonZeroUsize::new(serve.most_connections)
                .unwrap_or(NonZeroUsize::MIN),
            most_streams: 1_000,
        }
    }
}

/// How records are cached.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CacheSection {
    /// How many keys the cache holds.
    pub(crate) capacity: usize,
    /// How long a key may still be allowed after its revocation was acknowledged elsewhere; `0s`
    /// asks the database every time.
    pub(crate) max_staleness: Span,
    /// A Redis that nodes share, asked before the database is; needs a pepper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shared: Option<ServerUrl>,
    /// The file that holds its URL instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shared_file: Option<PathBuf>,
    /// The certificates (PEM) of the authorities that are trusted with it; left out: the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shared_ca_file: Option<PathBuf>,
}

impl Default for CacheSection {
    fn default() -> Self {
        Self {
            capacity: 100_000,
            max_staleness: Span(Duration::from_secs(1)),
            shared: None,
            shared_file: None,
            shared_ca_file: None,
        }
    }
}

/// How usage is counted.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UsageSection {
    /// How often it is written down.
    pub(crate) interval: Span,
    /// Whether it is counted at all.
    pub(crate) tracking: bool,
}

impl Default for UsageSection {
    fn default() -> Self {
        Self { interval: Span(Duration::from_secs(10)), tracking: true }
    }
}

/// What becomes of digests that are not of the newest scheme.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DigestSection {
    /// Whether they are moved to it when their secrets are used.
    pub(crate) upgrade: bool,
}

impl Default for DigestSection {
    fn default() -> Self {
        Self { upgrade: true }
    }
}

/// What becomes of the events of management acts.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AuditSection {
    /// Whether they are kept.
    pub(crate) enabled: bool,
    /// How long they are kept; left out: for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retention: Option<Lifetime>,
    /// What is kept with the context of each act.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub(crate) context: Metadata,
}

impl Default for AuditSection {
    fn default() -> Self {
        Self { enabled: true, retention: None, context: Metadata::default() }
    }
}

/// How signed keys are made, and how their public keys are served.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignedSection {
    /// The base issuer of keyspaces that name none; left out: `/jwks` at the address to listen on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<BaseIssuer>,
    /// The audience of keyspaces that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<Audience>,
    /// For how long others may keep a public key, and so how long a revocation may take to reach them.
    pub(crate) max_age: Span,
    /// How many RSA key pairs of each length in use are held ready.
    pub(crate) ready_pairs: usize,
    /// How many keys may be issued for one owner.
    pub(crate) owner_limit: RateLimit,
}

impl SignedSection {
    /// The base issuer of keyspaces that name none, for a server at that address.
    pub(crate) fn issuer_at(&self, listen: SocketAddr) -> Option<BaseIssuer> {
        self.issuer.clone().or_else(|| own_url(listen, "/jwks"))
    }
}

/// A URL at the address to listen on, if others can reach it by that.
fn own_url(listen: SocketAddr, path: &str) -> Option<BaseIssuer> {
    let is_reachable = !listen.ip().is_unspecified() && listen.port() != 0;
    let own = || BaseIssuer::parse(&format!("http://{listen}{path}")).ok();
    is_reachable.then(own).flatten()
}

impl Default for SignedSection {
    fn default() -> Self {
        let signing = SigningSettings::default();
        Self {
            issuer: None,
            audience: None,
            max_age: Span(keyward_http::RouterSettings::default().jwks_max_age),
            ready_pairs: signing.ready_pairs,
            owner_limit: signing.owner_limit,
        }
    }
}

/// How access tokens are issued to service accounts.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OAuthSection {
    /// The server's own URL, which stands in tokens; left out: the address to listen on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<BaseIssuer>,
    /// For whom tokens are; left out: the issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<Audience>,
    /// How long a token is valid.
    pub(crate) token_lifetime: TokenLifetime,
    /// The algorithm of their signatures.
    pub(crate) algorithm: TokenAlgorithm,
    /// How long a pair signs before the next one does.
    pub(crate) rotate_every: RotationPeriod,
}

impl OAuthSection {
    /// The issuer of a server at that address.
    pub(crate) fn issuer_at(&self, listen: SocketAddr) -> Option<BaseIssuer> {
        self.issuer.clone().or_else(|| own_url(listen, ""))
    }
}

/// The algorithm of access tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(crate) enum TokenAlgorithm {
    #[serde(rename = "EdDSA")]
    EdDsa,
    #[serde(rename = "ES256")]
    Es256,
    /// What every verifier knows (RFC 9068 §2.1).
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
}

impl TokenAlgorithm {
    /// The kind of pairs that sign in it.
    pub(crate) const fn pair(self) -> PairKind {
        match self {
            Self::EdDsa => PairKind::Ed25519,
            Self::Es256 => PairKind::P256,
            Self::Rs256 => PairKind::Rsa2048,
        }
    }
}

/// The interfaces of other systems.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CompatSection {
    /// Whether the routes of japikey's routers are served, under `/compat/japikey`.
    pub(crate) japikey: bool,
    /// Whether the routes of the `NestJS` library are served, at `/api/keys` and under `/compat/nestjs`.
    pub(crate) nestjs: bool,
}

/// What becomes of keys that have ended, and of deleted service accounts.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReapSection {
    /// How long after they expired or were revoked they are purged; left out: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Lifetime>,
    /// How long after they were deleted keys and service accounts are purged; left out: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deleted_after: Option<Lifetime>,
}

impl ReapSection {
    /// Whether it says nothing.
    const fn is_empty(&self) -> bool {
        self.after.is_none() && self.deleted_after.is_none()
    }
}

/// What is logged, to the standard error.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogSection {
    /// A level, or a list of target=level.
    pub(crate) filter: String,
    /// How a line is written.
    pub(crate) format: LogFormat,
}

impl Default for LogSection {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::Text }
    }
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// As a JSON object.
    Json,
    /// For people.
    Text,
}

/// A duration such as `1s` or `250ms`; `0s` is allowed.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Span(pub(crate) Duration);

impl TryFrom<String> for Span {
    type Error = keyward::Invalid;

    fn try_from(text: String) -> Result<Self, keyward::Invalid> {
        if matches!(text.as_str(), "0" | "0s" | "0ms") {
            return Ok(Self(Duration::ZERO));
        }
        Lifetime::parse(&text).map(|lifetime| Self(lifetime.duration()))
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        Lifetime::new(span.0).map_or_else(|_| "0s".to_owned(), Self::from)
    }
}

/// An address to listen on.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ListenAddress(pub(crate) SocketAddr);

impl TryFrom<String> for ListenAddress {
    type Error = keyward::Invalid;

    fn try_from(text: String) -> Result<Self, keyward::Invalid> {
        let rule = "must be an address and a port, such as 127.0.0.1:8080";
        text.parse().map(Self).map_err(|_| keyward::Invalid::new(rule))
    }
}

impl From<ListenAddress> for String {
    fn from(address: ListenAddress) -> Self {
        address.0.to_string()
    }
}
