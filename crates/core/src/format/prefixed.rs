//! `prefix_` + 12-character id + `_` + 32 random base58 characters + 6-character checksum.

use serde::{Deserialize, Serialize};

use super::{Alphabet, Malformed, Minted, Prefix, checksum};
use crate::{Entropy, KeyId, Secret};

/// Settings of the `prefixed` format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefixed {
    prefix: Prefix,
}

/// A secret's text taken apart, its shape being right and nothing else looked at.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'t> {
    pub(crate) prefix: &'t str,
    pub(crate) id: &'t str,
    secret: &'t str,
    checksum: &'t str,
}

impl Prefixed {
    /// Random characters in a secret: 187 bits.
    pub const SECRET_LENGTH: usize = 32;

    /// Secrets that begin with this prefix.
    pub const fn new(prefix: Prefix) -> Self {
        Self { prefix }
    }

    /// The prefix.
    pub const fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// The prefix and the id.
    pub(crate) fn hint(&self, id: &KeyId) -> String {
        format!("{}_{}", self.prefix, id)
    }

    /// Draws a secret for the key of that id.
    pub(crate) fn mint(&self, entropy: &dyn Entropy, id: &KeyId) -> Minted {
        let hint = self.hint(id);
        let random = Alphabet::base58().draw(entropy, Self::SECRET_LENGTH);
        // Reserved once, so that no half-written copy is left behind by growing.
        let length = hint.len() + 1 + Self::SECRET_LENGTH + checksum::LENGTH;
        let mut text = String::with_capacity(length);
        text.push_str(&hint);
        text.push('_');
        text.push_str(&random);
        checksum::append(&mut text);
        Minted { secret: Secret::new(text), hint }
    }
}

impl<'t> Parts<'t> {
    /// Takes a text of the right shape apart, from the right: only the prefix may hold the separator.
    pub(crate) fn split(text: &'t str) -> Option<Self> {
        // All lengths but the prefix's are fixed, so nothing needs to be searched for.
        let (text, checksum) = split_from_end(text, checksum::LENGTH)?;
        let (text, secret) = split_from_end(text, Prefixed::SECRET_LENGTH)?;
        let (text, id) = split_from_end(text.strip_suffix('_')?, KeyId::LENGTH)?;
        let prefix = text.strip_suffix('_')?;
        Some(Self { prefix, id, secret, checksum })
    }

    /// Checks alphabet and checksum; `text` is what the parts were split from.
    pub(crate) fn check(self, text: &'t str) -> Result<Self, Malformed> {
        let base58 = Alphabet::base58();
        if !(base58.covers(self.id) && base58.covers(self.secret)) {
            return Err(Malformed::Alphabet);
        }
        let covered = text.len().checked_sub(checksum::LENGTH).and_then(|end| text.get(..end));
        if covered.is_some_and(|covered| checksum::is_right(covered, self.checksum)) {
            Ok(self)
        } else {
            Err(Malformed::Checksum)
        }
    }
}

fn split_from_end(text: &str, length: usize) -> Option<(&str, &str)> {
    text.split_at_checked(text.len().checked_sub(length)?)
}
