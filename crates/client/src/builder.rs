//! Puts a verifier together.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::jose::{BaseIssuer, Issuers};
use keyward_core::{Audience, Clock, FieldError, Invalid};
use tokio::runtime::Handle;

use crate::feed::Follower;
use crate::keys::{Capacities, Fetcher, KeyLifetimes, Keys, Lease, ServerKeys};
use crate::tokens::KnownTokens;
use crate::verifier::Inner;
use crate::{ChangeFeed, SystemClock, Verifier};

/// The settings of a verifier, each with a usable default but for the issuers.
#[derive(Debug)]
pub struct VerifierBuilder {
    audience: Option<Audience>,
    authorization_servers: Vec<BaseIssuer>,
    capacities: Capacities,
    clock: Arc<dyn Clock>,
    feed: Option<ChangeFeed>,
    issuers: Vec<BaseIssuer>,
    lifetimes: KeyLifetimes,
    limits: FetchLimits,
    tokens: usize,
}

/// How public keys are fetched: how long it may take, and how much may be going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// How long a connection may take to come about. By default 2 seconds.
    pub connect_timeout: Duration,
    /// How long a fetch may take in all, and how long it may wait for its turn before. By default 5
    /// seconds.
    pub timeout: Duration,
    /// Bytes in the longest document. By default 16 KiB.
    pub most_bytes: usize,
    /// The most fetches at the same time. By default 64. Half of them are for keys that are known, so
    /// that ids that somebody made up cannot hold those back; the same is true of the next one.
    pub most_at_once: usize,
    /// The most fetches from one issuer at the same time. By default 16.
    pub most_of_issuer: usize,
    /// The most ids that are asked for or wait for their turn. By default 1,024. Beyond, keys that are
    /// not known are unreachable.
    pub most_waiting: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
            most_bytes: 16 * 1024,
            most_at_once: 64,
            most_of_issuer: 16,
            most_waiting: 1_024,
        }
    }
}

impl VerifierBuilder {
    pub(crate) fn new() -> Self {
        Self {
            audience: None,
            authorization_servers: Vec::new(),
            capacities: Capacities { absences: 10_000, keys: 10_000 },
            clock: Arc::new(SystemClock),
            feed: None,
            issuers: Vec::new(),
            lifetimes: KeyLifetimes::default(),
            limits: FetchLimits::default(),
            tokens: 10_000,
        }
    }

    /// Believes this issuer, too. It must be `https`, or be on this machine: otherwise anybody on the way
    /// could put a key of their own into its documents.
    #[must_use]
    pub fn issuer(mut self, issuer: BaseIssuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Believes the access tokens (RFC 9068) of this authorization server, too: its issuer, as it stands in
    /// them, with no slash at its end. It must be `https`, or be on this machine.
    ///
    /// Where its keys are it says itself, in its metadata (RFC 8414). They are kept as those of single keys
    /// are ([`KeyLifetimes`]); a token that names a key which is not in the list has it read anew, but not
    /// more often than every [`KeyLifetimes::absent`]. An access token counts until it expires: no change
    /// feed tells of its revocation.
    ///
    /// Its audience must be the [one that is set](Self::audience), or, where none is, the server itself.
    #[must_use]
    pub fn authorization_server(mut self, issuer: BaseIssuer) -> Self {
        self.authorization_servers.push(issuer);
        self
    }

    /// Takes only tokens that are for this audience. Without it, the audience is not looked at: a key for
    /// one service is then good at every service that believes the same issuer.
    #[must_use]
    pub fn audience(self, audience: Audience) -> Self {
        Self { audience: Some(audience), ..self }
    }

    /// For how long what was fetched counts.
    #[must_use]
    pub fn lifetimes(self, lifetimes: KeyLifetimes) -> Self {
        Self { lifetimes, ..self }
    }

    /// How keys are fetched.
    #[must_use]
    pub fn limits(self, limits: FetchLimits) -> Self {
        Self { limits, ..self }
    }

    /// How many public keys are remembered. By default 10,000.
    #[must_use]
    pub fn known_keys(mut self, most: usize) -> Self {
        self.capacities.keys = most;
        self
    }

    /// How many ids without a key, and as many failures, are remembered. By default 10,000.
    #[must_use]
    pub fn known_absences(mut self, most: usize) -> Self {
        self.capacities.absences = most;
        self
    }

    /// How many verified tokens are remembered. By default 10,000, of about 1 KiB each.
    #[must_use]
    pub fn known_tokens(self, most: usize) -> Self {
        Self { tokens: most, ..self }
    }

    /// Follows a server's changes, so that revocations take effect at once.
    #[must_use]
    pub fn feed(self, feed: ChangeFeed) -> Self {
        Self { feed: Some(feed), ..self }
    }

    /// Takes the time from this clock.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The verifier. With a feed, it must be called inside of a tokio runtime.
    pub fn build(self) -> Result<Verifier, FieldError> {
        self.check()?;
        let fetcher = Fetcher::new(&self.limits);
        let fetcher = fetcher.map_err(|_| no_tls().at("limits"))?;
        let servers = self.authorization_servers.into_iter();
        let server = |issuer| {
            let clock = Arc::clone(&self.clock);
            ServerKeys::new(issuer, clock, fetcher.clone(), self.lifetimes, self.limits.timeout)
        };
        let servers = servers.map(server).collect();
        let issuers = Issuers::new(self.issuers);
        let bases = issuers.iter().cloned().collect();
        // By as much as the clock may lag, the lease is shorter than what is promised.
        let lag = self.clock.moment_lag();
        let staleness = self.feed.as_ref().map(|feed| feed.most_staleness().saturating_sub(lag));
        let lease = staleness.map(Lease::new);
        let keys = Keys::new(
            Arc::clone(&self.clock),
            fetcher,
            bases,
            lease,
            self.lifetimes,
            &self.limits,
            self.capacities,
        );
        let keys = Arc::new(keys);
        let follower = self.feed.map(|feed| Follower::start(feed, &self.limits, Arc::clone(&keys)));
        Ok(Verifier::new(Inner {
            audience: self.audience,
            clock: self.clock,
            follower: follower.transpose().map_err(|_| no_tls().at("feed"))?,
            issuers,
            keys,
            servers,
            tokens: KnownTokens::new(self.tokens),
        }))
    }

    fn check(&self) -> Result<(), FieldError> {
        if self.issuers.is_empty() && self.authorization_servers.is_empty() {
            return Err(Invalid::new("must be at least one").at("issuer"));
        }
        let issuers =
            [(&self.issuers, "issuer"), (&self.authorization_servers, "authorization_server")];
        for (issuers, field) in issuers {
            if !issuers.iter().all(BaseIssuer::is_protected) {
                return Err(Invalid::new("must be https, or http on this machine").at(field));
            }
        }
        if self.lifetimes.least > self.lifetimes.most {
            return Err(Invalid::new("must not be longer than the longest").at("lifetimes.least"));
        }
        if self.feed.is_some() && Handle::try_current().is_err() {
            return Err(Invalid::new("must be followed inside of a tokio runtime").at("feed"));
        }
        Ok(())
    }
}

fn no_tls() -> Invalid {
    Invalid::new("must allow for a client, and TLS could not be set up")
}
