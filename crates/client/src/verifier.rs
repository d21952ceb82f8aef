//! The path of a verification.
//!
//! ```text
//! text ── too long? ── digest ── proved before, and its key counts ──────────┐
//!                        └── read ── key ── signature ── times ── audience ──┴── times ── token
//! ```

use std::fmt;
use std::sync::Arc;

use keyward_core::jose::{AccessToken, BaseIssuer, Issuers, SignedFault, SignedToken};
use keyward_core::{Audience, Clock};

use crate::VerifierBuilder;
use crate::error::{UnauthorizedReason, VerifyError};
use crate::feed::Follower;
use crate::keys::{KeyName, Keys, ServerKeys};
use crate::tokens::{KnownTokens, TextDigest};
use crate::verified::VerifiedToken;

/// Verifies signed keys of the issuers that it believes, and access tokens of authorization servers. Cheap to clone; clones share what is known.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) audience: Option<Audience>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Ends with the last clone.
    pub(crate) follower: Option<Follower>,
    pub(crate) issuers: Issuers,
    pub(crate) keys: Arc<Keys>,
    /// Those whose access tokens are believed.
    pub(crate) servers: Box<[ServerKeys]>,
    pub(crate) tokens: KnownTokens,
}

impl Verifier {
    /// Settings to begin with. At least one issuer must be added.
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder::new()
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Whether a text looks like a signed key of these issuers, or an access token of these servers, so that other kinds of tokens can go
    /// elsewhere. Proves nothing: it is true of expired, revoked and forged ones.
    pub fn should_authenticate(&self, text: &str) -> bool {
        let is_of_server = || {
            let token = AccessToken::read(text).ok();
            token.is_some_and(|token| self.server_of(&token).is_some())
        };
        SignedToken::read(text, &self.0.issuers).is_ok() || is_of_server()
    }

    /// Verifies a text: that it is a signed key of one of the issuers, or an access token of one of the
    /// authorization servers (RFC 9068 §4), that the key exists and signed it,
    /// that its time has come and has not passed, and that it is for the audience. In this order: the
    /// first check that it fails is the one that is told.
    ///
    /// Waits for the issuer only if the key is not known or may have changed. Must be called inside of a
    /// tokio runtime.
    pub async fn verify(&self, text: &str) -> Result<VerifiedToken, VerifyError> {
        if text.len() > SignedToken::MOST_LENGTH {
            return Err(SignedFault::TooLong.into());
        }
        let digest = TextDigest::of(text);
        let known = self.0.tokens.find(&digest);
        let token = match known {
            Some(token) if self.counts(&token) => token,
            known => self.prove(text, digest, known).await?,
        };
        token.check_times(self.0.clock.now())?;
        Ok(token)
    }

    /// Whether the feed was heard within its `max_staleness`; never without a feed. While it was not,
    /// keys are fetched so often that revocations take no longer.
    pub fn is_current(&self) -> bool {
        self.0.keys.is_current()
    }

    /// How many verified tokens are remembered.
    pub fn known_tokens(&self) -> usize {
        self.0.tokens.len()
    }

    /// How many public keys are remembered.
    pub fn known_keys(&self) -> usize {
        self.0.keys.known() + self.0.servers.iter().map(ServerKeys::known).sum::<usize>()
    }

    /// How many absences and failures are remembered.
    pub fn known_absences(&self) -> usize {
        self.0.keys.known_absences()
    }

    /// Proves a text. `known` is what it proved to be before, by a key that may have changed since.
    async fn prove(
        &self,
        text: &str,
        digest: TextDigest,
        known: Option<VerifiedToken>,
    ) -> Result<VerifiedToken, VerifyError> {
        let inner = &*self.0;
        // Told by their type: each sort is refused by the reader of the other one.
        if !inner.servers.is_empty() && AccessToken::is_likely(text) {
            return self.prove_access_token(text, digest, known).await;
        }
        let token = SignedToken::read(text, &inner.issuers)?;
        let (issuer, base) = self.issuer_of(&token).ok_or(SignedFault::Issuer)?;
        let name = KeyName { issuer, id: token.id().clone() };
        let key = inner.keys.find(&name).await?.ok_or(UnauthorizedReason::UnknownKey)?;
        if let Some(known) = known.filter(|known| Arc::ptr_eq(known.key(), &key)) {
            return Ok(known);
        }
        if !key.has_signed(&token) {
            return Err(UnauthorizedReason::WrongSignature.into());
        }
        let is_kept = key.is_held();
        let verified = VerifiedToken::new(&token, base.clone(), key);
        verified.check_times(inner.clock.now())?;
        let audiences = &token.registered().audiences;
        if inner.audience.as_ref().is_some_and(|audience| !audiences.contain(audience.as_str())) {
            return Err(UnauthorizedReason::WrongAudience.into());
        }
        if is_kept {
            inner.tokens.keep(digest, verified.clone());
        }
        Ok(verified)
    }

    /// The same of an access token.
    async fn prove_access_token(
        &self,
        text: &str,
        digest: TextDigest,
        known: Option<VerifiedToken>,
    ) -> Result<VerifiedToken, VerifyError> {
        let token = AccessToken::read(text)?;
        let server = self.server_of(&token).ok_or(SignedFault::Issuer)?;
        let key = server.find(token.key_id()).await?.ok_or(UnauthorizedReason::UnknownKey)?;
        if let Some(known) = known.filter(|known| Arc::ptr_eq(known.key(), &key)) {
            return Ok(known);
        }
        if !key.has_signed_access(&token) {
            return Err(UnauthorizedReason::WrongSignature.into());
        }
        let is_kept = key.is_held();
        let verified = VerifiedToken::of_access_token(&token, server.issuer().clone(), key);
        verified.check_times(self.0.clock.now())?;
        let audience = self.0.audience.as_ref().map_or(server.issuer().as_str(), Audience::as_str);
        if !token.claims().registered.audiences.contain(audience) {
            return Err(UnauthorizedReason::WrongAudience.into());
        }
        if is_kept {
            self.0.tokens.keep(digest, verified.clone());
        }
        Ok(verified)
    }

    /// Whether what a token has proved to be still counts.
    fn counts(&self, token: &VerifiedToken) -> bool {
        if !token.is_access_token() {
            return self.0.keys.counts(token.key());
        }
        let server = self.0.servers.iter().find(|server| server.issuer() == token.issuer());
        server.is_some_and(|server| server.counts(token.key()))
    }

    /// The authorization server that a token names as its issuer.
    fn server_of(&self, token: &AccessToken<'_>) -> Option<&ServerKeys> {
        let issuer = &token.claims().registered.issuer;
        self.0.servers.iter().find(|server| server.issuer().as_str() == issuer)
    }

    /// The base issuer of a token that was read, and its place in the list.
    fn issuer_of(&self, token: &SignedToken<'_>) -> Option<(usize, &BaseIssuer)> {
        let issuers = &self.0.issuers;
        let (base, _) = issuers.split(&token.registered().issuer)?;
        issuers.iter().enumerate().find(|(_, known)| *known == base)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<_> = self.0.issuers.iter().map(BaseIssuer::as_str).collect();
        let servers: Vec<_> =
            self.0.servers.iter().map(|server| server.issuer().as_str()).collect();
        f.debug_struct("Verifier")
            .field("issuers", &issuers)
            .field("authorization_servers", &servers)
            .field("audience", &self.0.audience)
            .field("follows", &self.0.follower.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use keyward_core::jose::PublicKey;
    use serde_json::Value;

    use super::*;

    /// Tokens of the published package, which their own verifier takes.
    #[tokio::test]
    async fn tokens_that_japikey_has_minted_are_verified() {
        let vectors = include_str!("../../../vectors/japikey.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let valid = vectors["valid"].as_array().unwrap();
        for vector in valid {
            let text = |name: &str| vector[name].as_str().unwrap();
            let builder = Verifier::builder().issuer(text("base_issuer").parse().unwrap());
            let ours = builder.audience("api-key".parse().unwrap()).build().unwrap();
            let (key, _) = PublicKey::read(&vector["jwk"].to_string()).unwrap();
            ours.0.keys.take_over(KeyName { issuer: 0, id: text("kid").parse().unwrap() }, key);
            let token = text("token");
            assert!(ours.should_authenticate(token));
            let verified = ours.verify(token).await.unwrap();
            assert_eq!(verified.claims().read::<Value>().unwrap(), vector["claims"]);
            let scopes = vector["claims"]["scopes"].as_array();
            let scopes = scopes.into_iter().flatten().filter_map(Value::as_str);
            assert!(verified.has_scopes(scopes) && !verified.has_scope("admin"));
        }
        assert_eq!(valid.len(), 4);
    }
}
