//! What an authorization server keeps (RFC 6749): the public halves of the pairs that sign access tokens,
//! and which tokens were revoked. No private half is ever kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::jose::PublicKey;
use crate::{Entropy, Invalid, KeyId, Lifetime, Timestamp, TokenId};

/// The public half of a pair that signs access tokens, as it is told to all nodes and to verifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// The `kid` of its tokens: a UUID of version 7.
    pub id: KeyId,
    /// The key.
    pub key: PublicKey,
    /// When it was published.
    pub created_at: Timestamp,
    /// No token that it signed is valid at and after this instant.
    pub expires_at: Timestamp,
}

impl SigningKey {
    /// Draws an identifier for a key of this instant.
    pub fn draw_id(entropy: &dyn Entropy, at: Timestamp) -> KeyId {
        KeyId::from_checked(&TokenId::generate(entropy, at).to_string())
    }

    /// The key with its id as JSON, as stores keep it.
    pub fn to_jwk(&self) -> String {
        self.key.to_jwk(self.id.as_str())
    }

    /// Reads a key that a store has kept.
    pub fn from_stored(
        jwk: &str,
        created_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Self, Invalid> {
        let read = PublicKey::read(jwk).ok().and_then(|(key, id)| Some((key, id?)));
        let (key, id) = read.ok_or_else(|| Invalid::new("must be a public key with its id"))?;
        Ok(Self { id: KeyId::parse(id)?, key, created_at, expires_at })
    }
}

/// An access token that counts no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokedToken {
    /// Which one.
    pub id: TokenId,
    /// At and after this instant it has expired, and need not be remembered any longer.
    pub until: Timestamp,
}

/// Declares a lifetime within bounds.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident, $least:expr, $most:expr, $default:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Duration);

        impl $name {
            /// One of this length.
            pub fn new(duration: Duration) -> Result<Self, Invalid> {
                let is_within = ($least..=$most).contains(&duration);
                if is_within { Ok(Self(duration)) } else { Err(Invalid::new($rule)) }
            }

            /// How long it is.
            pub const fn duration(self) -> Duration {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::new(Lifetime::parse(&text)?.duration())
            }
        }

        impl From<$name> for String {
            fn from(bounded: $name) -> Self {
                Lifetime::new(bounded.0).map(Self::from).unwrap_or_default()
            }
        }
    };
}

bounded! {
    /// How long access tokens are valid: between a second and an hour, as whoever verifies them elsewhere
    /// does not hear of revocations. By default 10 minutes.
    TokenLifetime,
    Duration::from_secs(1), Duration::from_hours(1), Duration::from_mins(10),
    "must be between a second and an hour"
}

bounded! {
    /// How long a pair signs access tokens before the next one does: between 10 minutes and 90 days. By
    /// default a day.
    RotationPeriod,
    Duration::from_mins(10), Duration::from_hours(90 * 24), Duration::from_hours(24),
    "must be between 10 minutes and 90 days"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_within_their_bounds() {
        for (text, is_taken) in [("1s", true), ("1h", true), ("999ms", false), ("61m", false)] {
            assert_eq!(TokenLifetime::try_from(text.to_owned()).is_ok(), is_taken, "{text}");
        }
        for (text, is_taken) in [("10m", true), ("90d", true), ("9m", false), ("91d", false)] {
            assert_eq!(RotationPeriod::try_from(text.to_owned()).is_ok(), is_taken, "{text}");
        }
        assert_eq!(String::from(TokenLifetime::default()), "10m");
    }
}
