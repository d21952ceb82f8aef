//! Keys, tokens and verifiers for the tests.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyward_client::{FetchLimits, Verifier, VerifierBuilder};
use keyward_core::jose::{KeySet, PairKind, PublicKey, SigningPair};
use keyward_testkit::FixedClock;

use crate::server::{Reply, Server};

/// What the clock of the tests shows at first, in seconds.
pub(crate) const NOW: i64 = 1_798_761_600;

/// The id of the n-th key.
pub(crate) fn kid(n: usize) -> String {
    format!("01a200f5-34df-703a-b461-{n:012x}")
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key that signs one token.
pub(crate) struct Key {
    pub(crate) base: String,
    pub(crate) id: String,
    pair: Box<dyn SigningPair>,
}

impl Key {
    pub(crate) fn new(base: &str, n: usize) -> Self {
        Self::of_kind(PairKind::Ed25519, base, n)
    }

    pub(crate) fn of_kind(kind: PairKind, base: &str, n: usize) -> Self {
        let pair = keyward_signatures::generate(kind).unwrap();
        Self { base: base.to_owned(), id: kid(n), pair }
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.pair.public_key().clone()
    }

    pub(crate) fn document(&self) -> String {
        KeySet::of(self.pair.public_key(), &self.id)
    }

    pub(crate) fn header(&self) -> String {
        let algorithm = self.pair.public_key().algorithm().as_str();
        format!(r#"{{"alg":"{algorithm}","kid":"{}"}}"#, self.id)
    }

    /// A payload with these members in place of the usual ones, or beside them.
    pub(crate) fn payload(&self, members: &[(&str, &str)]) -> String {
        let issuer = format!("\"{}/{}\"", self.base, self.id);
        let expiry = (NOW + 3_600).to_string();
        let usual =
            [("sub", "\"user-1\""), ("iss", &issuer), ("exp", &expiry), ("ver", "\"japikey-v1\"")];
        let is_replaced = |name: &str| members.iter().any(|(other, _)| *other == name);
        let usual = usual.iter().filter(|(name, _)| !is_replaced(name));
        let members = usual.chain(members).filter(|(_, value)| !value.is_empty());
        let members: Vec<_> = members.map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    }

    pub(crate) fn sign(self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature = self.pair.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", encode(signature))
    }

    pub(crate) fn token(self) -> String {
        self.token_with(&[])
    }

    pub(crate) fn token_with(self, members: &[(&str, &str)]) -> String {
        let (header, payload) = (self.header(), self.payload(members));
        self.sign(&header, &payload)
    }
}

/// A server with a verifier that believes it.
pub(crate) struct Scene {
    pub(crate) base: String,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) server: Server,
    pub(crate) verifier: Verifier,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(settings: impl FnOnce(VerifierBuilder) -> VerifierBuilder) -> Self {
        let server = Server::start().await;
        Self::at(server, settings)
    }

    pub(crate) fn at(
        server: Server,
        settings: impl FnOnce(VerifierBuilder) -> VerifierBuilder,
    ) -> Self {
        let base = server.url("/jwks");
        let clock = Arc::new(FixedClock::new());
        // So that a machine that is busy with something else does not fail the tests.
        let limits = FetchLimits {
            timeout: Duration::from_mins(1),
            connect_timeout: Duration::from_mins(1),
            ..FetchLimits::default()
        };
        let builder = Verifier::builder().issuer(base.parse().unwrap()).limits(limits);
        let verifier = settings(builder).clock(Arc::<FixedClock>::clone(&clock)).build().unwrap();
        Self { base, clock, server, verifier }
    }

    pub(crate) fn path(n: usize) -> String {
        format!("/jwks/{}/.well-known/jwks.json", kid(n))
    }

    /// The token of the n-th key, whose document the server has from now on.
    pub(crate) fn issue(&self, n: usize) -> String {
        self.issue_cached(n, "max-age=60")
    }

    pub(crate) fn issue_cached(&self, n: usize, cache_control: &str) -> String {
        let key = Key::new(&self.base, n);
        self.server.reply(&Self::path(n), Reply::cached(&key.document(), cache_control));
        key.token()
    }

    pub(crate) fn revoke(&self, n: usize) {
        self.server.reply(&Self::path(n), Reply::status("404 Not Found"));
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// What becomes of a token, in words.
    pub(crate) async fn outcome(&self, token: &str) -> String {
        match self.verifier.verify(token).await {
            Ok(verified) => {
                assert_eq!(verified.subject(), "user-1");
                "accepted".to_owned()
            }
            Err(error) => error.to_string(),
        }
    }
}

/// Waits until something has happened elsewhere.
pub(crate) async fn eventually(mut has_happened: impl FnMut() -> bool) {
    let waiting = async {
        while !has_happened() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.unwrap();
}

pub(crate) const ACCEPTED: &str = "accepted";
pub(crate) const UNKNOWN: &str = "the token is refused: there is no such key";
pub(crate) const WRONG_SIGNATURE: &str = "the token is refused: the signature is not the key's";
