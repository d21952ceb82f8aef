//! `prefix_id_secret` as other libraries write it, without a checksum: see [`crate::Dialect`].

use serde::{Deserialize, Serialize};

use super::{Malformed, Minted};
use crate::text::text;
use crate::{Entropy, Invalid, KeyId, Profile, Secret, TokenFault};

text! {
    /// What foreign prefixed secrets begin with: 1 to 64 characters, groups of letters, digits and
    /// hyphens joined by single underscores.
    ForeignPrefix, |text| {
        if text.len() <= 64 && is_prefix(text) {
            Ok(())
        } else {
            Err(Invalid::new(
                "must be groups of letters, digits and hyphens joined by single underscores, at most \
                 64 characters",
            ))
        }
    }
}

/// Whether a text has the form of a foreign prefix, its length aside.
pub(crate) fn is_prefix(text: &str) -> bool {
    let mut in_group = false;
    let is_well_formed = text.bytes().all(|byte| {
        let was_in_group = in_group;
        in_group = byte.is_ascii_alphanumeric() || byte == b'-';
        in_group || (byte == b'_' && was_in_group)
    });
    is_well_formed && in_group
}

/// Settings of a keyspace whose secrets are those of another library.
///
/// The record is found by the id, which stays the same where a key is taken over. New keys get the
/// digest that all of Keyward's have, which covers the whole text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Foreign {
    prefix: ForeignPrefix,
    profile: Profile,
    weak_secrets: WeakSecrets,
}

/// What becomes of new secrets with fewer than 128 bits of chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeakSecrets {
    /// None are made. Those that were taken over are verified all the same.
    #[default]
    Refuse,
    /// They are made, and the log tells of it.
    Warn,
}

impl Foreign {
    /// Secrets of that prefix and profile. Refused if its ids may be longer than [`KeyId`]s.
    pub fn new(
        prefix: ForeignPrefix,
        profile: Profile,
        weak_secrets: WeakSecrets,
    ) -> Result<Self, Invalid> {
        if *profile.id_lengths().end() > KeyId::MOST_LENGTH {
            return Err(Invalid::new("must give ids of at most 64 characters"));
        }
        Ok(Self { prefix, profile, weak_secrets })
    }

    /// The prefix.
    pub const fn prefix(&self) -> &ForeignPrefix {
        &self.prefix
    }

    /// How ids and secrets are written.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What becomes of new secrets that are weak.
    pub const fn weak_secrets(&self) -> WeakSecrets {
        self.weak_secrets
    }

    /// The prefix and the id.
    pub(crate) fn hint(&self, id: &KeyId) -> String {
        format!("{}_{}", self.prefix, id)
    }

    /// Draws an id as the other library does.
    pub(crate) fn draw_id(&self, entropy: &dyn Entropy) -> KeyId {
        KeyId::from_checked(&self.profile.draw_id(entropy))
    }

    /// Draws a secret for the key of that id.
    pub(crate) fn mint(&self, entropy: &dyn Entropy, id: &KeyId) -> Minted {
        let hint = self.hint(id);
        let random = self.profile.draw_secret(entropy);
        let mut text = String::with_capacity(hint.len() + 1 + random.len());
        text.push_str(&hint);
        text.push('_');
        text.push_str(&random);
        Minted { secret: Secret::new(text), hint }
    }

    /// The id of a text that is written as these settings would.
    pub(crate) fn id_of<'t>(&self, text: &'t str) -> Result<&'t str, Malformed> {
        match self.profile.components(text) {
            Ok(parts) if parts.prefix == self.prefix.as_str() => Ok(parts.id),
            Err(TokenFault::Alphabet) => Err(Malformed::Alphabet),
            Err(TokenFault::TooLong) => Err(Malformed::TooLong),
            _ => Err(Malformed::Form),
        }
    }
}
