//! A token that was verified.

use std::fmt;
use std::sync::{Arc, OnceLock};

use keyward_core::jose::{AccessToken, BaseIssuer, Claims, RegisteredClaims, SignedToken};
use keyward_core::{KeyId, Scope, ScopeSet, Timestamp};

use crate::error::UnauthorizedReason;
use crate::keys::KnownKey;

/// A token that was verified. Cheap to clone.
#[derive(Clone)]
pub struct VerifiedToken(Arc<Inner>);

struct Inner {
    /// What an access token says beside that.
    access: Option<Access>,
    claims: Claims,
    id: KeyId,
    issuer: BaseIssuer,
    /// The public key that proved it.
    key: Arc<KnownKey>,
    registered: RegisteredClaims,
    scopes: OnceLock<ScopeSet>,
}

struct Access {
    client_id: String,
    id: String,
}

impl VerifiedToken {
    /// For an access token whose signature was checked with that key.
    pub(crate) fn of_access_token(
        token: &AccessToken<'_>,
        issuer: BaseIssuer,
        key: Arc<KnownKey>,
    ) -> Self {
        let claims = token.claims();
        let access = Access { client_id: claims.client_id.clone(), id: claims.id.clone() };
        Self(Arc::new(Inner {
            access: Some(access),
            claims: token.all_claims(),
            id: token.key_id().clone(),
            issuer,
            key,
            registered: claims.registered.clone(),
            // Those of the claim `scope` alone, whatever else there is.
            scopes: OnceLock::from(claims.scopes.clone()),
        }))
    }

    /// For a token whose signature was checked with that key.
    pub(crate) fn new(token: &SignedToken<'_>, issuer: BaseIssuer, key: Arc<KnownKey>) -> Self {
        Self(Arc::new(Inner {
            access: None,
            claims: token.claims(),
            id: token.id().clone(),
            issuer,
            key,
            registered: token.registered().clone(),
            scopes: OnceLock::new(),
        }))
    }

    /// Whether it is an access token, and not a signed key.
    pub fn is_access_token(&self) -> bool {
        self.0.access.is_some()
    }

    /// The client that an access token was issued to (`client_id`).
    pub fn client_id(&self) -> Option<&str> {
        self.0.access.as_ref().map(|access| access.client_id.as_str())
    }

    /// What tells an access token from others (`jti`).
    pub fn token_id(&self) -> Option<&str> {
        self.0.access.as_ref().map(|access| access.id.as_str())
    }

    /// The key's id (`kid`): of an access token, that of the key that signed it.
    pub fn id(&self) -> &KeyId {
        &self.0.id
    }

    /// Whoever the key acts for (`sub`).
    pub fn subject(&self) -> &str {
        &self.0.registered.subject
    }

    /// The base issuer that the key is of.
    pub fn issuer(&self) -> &BaseIssuer {
        &self.0.issuer
    }

    /// The registered claims, with their types.
    pub fn registered(&self) -> &RegisteredClaims {
        &self.0.registered
    }

    /// All claims.
    pub fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// What the key may do: the list in the claim `scopes`, or else the words of the claim `scope`
    /// (RFC 8693 §4.2). None at all if the claim is of another type or holds something that is no scope.
    pub fn scopes(&self) -> &ScopeSet {
        self.0.scopes.get_or_init(|| read_scopes(&self.0.claims).unwrap_or_default())
    }

    /// Whether the key has the scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().iter().any(|held| held == scope)
    }

    /// Whether the key has each of the scopes.
    pub fn has_scopes<'s>(&self, scopes: impl IntoIterator<Item = &'s str>) -> bool {
        scopes.into_iter().all(|scope| self.has_scope(scope))
    }

    pub(crate) fn key(&self) -> &Arc<KnownKey> {
        &self.0.key
    }

    /// The part of the judgement that changes with time.
    pub(crate) fn check_times(&self, now: Timestamp) -> Result<(), UnauthorizedReason> {
        let registered = self.registered();
        if registered.expires_at.has_come(now) {
            return Err(UnauthorizedReason::Expired);
        }
        if registered.not_before.is_some_and(|first| !first.has_come(now)) {
            return Err(UnauthorizedReason::NotYetValid);
        }
        Ok(())
    }
}

/// The id and the issuer: the rest is the business of whoever made the claims.
impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("id", &self.0.id)
            .field("issuer", &self.0.issuer)
            .finish_non_exhaustive()
    }
}

fn read_scopes(claims: &Claims) -> Option<ScopeSet> {
    match (claims.get("scopes"), claims.get("scope")) {
        (Some(list), _) => serde_json::from_str(list).ok(),
        (None, Some(words)) => {
            let words: String = serde_json::from_str(words).ok()?;
            let scopes = words.split(' ').filter(|word| !word.is_empty()).map(Scope::parse);
            ScopeSet::new(scopes.collect::<Result<Vec<_>, _>>().ok()?).ok()
        }
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_list(r#"{"scopes":["read","write"]}"#, "read write")]
    #[case::words(r#"{"scope":"read  write"}"#, "read write")]
    #[case::the_list_counts(r#"{"scope":"admin","scopes":["read"]}"#, "read")]
    #[case::an_empty_list_counts(r#"{"scope":"admin","scopes":[]}"#, "")]
    #[case::nothing("{}", "")]
    #[case::words_as_a_list(r#"{"scopes":"read"}"#, "")]
    #[case::a_list_as_words(r#"{"scope":["read"]}"#, "")]
    #[case::other_types(r#"{"scopes":["read",1]}"#, "")]
    #[case::no_scopes(r#"{"scopes":["read","two words"]}"#, "")]
    #[case::null(r#"{"scopes":null,"scope":"read"}"#, "")]
    fn scopes_are_read_from_either_claim(#[case] claims: &str, #[case] expected: &str) {
        let scopes = read_scopes(&Claims::parse(claims).unwrap()).unwrap_or_default();
        assert_eq!(scopes.iter().collect::<Vec<_>>().join(" "), expected);
    }
}
