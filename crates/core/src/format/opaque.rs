//! An optional prefix and random characters, nothing else: the record is found by the digest.

use serde::{Deserialize, Serialize};

use super::{Alphabet, Malformed, Minted, Prefix};
use crate::{Entropy, Invalid, Secret};

/// Settings of the `opaque` format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Settings", into = "Settings")]
pub struct Opaque {
    prefix: Option<Prefix>,
    length: usize,
    alphabet: Alphabet,
}

impl Opaque {
    /// Random characters where no length is given.
    pub const DEFAULT_LENGTH: usize = 32;
    /// The most random characters.
    pub const MOST_LENGTH: usize = 256;
    /// The fewest bits of chance that a secret may hold.
    pub const LEAST_BITS: f64 = 128.0;

    /// Secrets of a prefix and `length` characters of an alphabet; refused below 128 bits.
    pub fn new(prefix: Option<Prefix>, length: usize, alphabet: Alphabet) -> Result<Self, Invalid> {
        if length > Self::MOST_LENGTH {
            return Err(Invalid::new("must be at most 256 characters long"));
        }
        if alphabet.bits(length) < Self::LEAST_BITS {
            return Err(Invalid::new("must give at least 128 bits of chance with its alphabet"));
        }
        Ok(Self { prefix, length, alphabet })
    }

    /// The prefix, which an underscore divides from the random characters.
    pub const fn prefix(&self) -> Option<&Prefix> {
        self.prefix.as_ref()
    }

    /// How many characters are random.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// What the random characters are drawn from.
    pub const fn alphabet(&self) -> &Alphabet {
        &self.alphabet
    }

    /// Bytes in every secret of these settings.
    pub(crate) fn text_length(&self) -> usize {
        self.prefix.as_ref().map_or(0, |prefix| prefix.as_str().len() + 1) + self.length
    }

    /// The prefix alone: any further character would be secret.
    pub(crate) fn hint(&self) -> String {
        self.prefix.as_ref().map(|prefix| format!("{prefix}_")).unwrap_or_default()
    }

    /// Draws a secret.
    pub(crate) fn mint(&self, entropy: &dyn Entropy) -> Minted {
        let hint = self.hint();
        let random = self.alphabet.draw(entropy, self.length);
        let mut text = String::with_capacity(self.text_length());
        text.push_str(&hint);
        text.push_str(&random);
        Minted { secret: Secret::new(text), hint }
    }

    /// Whether a text of the right length is written as these settings would.
    pub(crate) fn check(&self, text: &str) -> Result<(), Malformed> {
        let random = match &self.prefix {
            Some(prefix) => text.strip_prefix(prefix.as_str()).and_then(|t| t.strip_prefix('_')),
            None => Some(text),
        };
        match random {
            None => Err(Malformed::Form),
            Some(random) if self.alphabet.covers(random) => Ok(()),
            Some(_) => Err(Malformed::Alphabet),
        }
    }
}

/// The settings as they are stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    prefix: Option<Prefix>,
    length: usize,
    alphabet: Alphabet,
}

impl TryFrom<Settings> for Opaque {
    type Error = Invalid;

    fn try_from(settings: Settings) -> Result<Self, Invalid> {
        Self::new(settings.prefix, settings.length, settings.alphabet)
    }
}

impl From<Opaque> for Settings {
    fn from(opaque: Opaque) -> Self {
        Self { prefix: opaque.prefix, length: opaque.length, alphabet: opaque.alphabet }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_than_128_bits_are_refused() {
        let alphanumeric = Alphabet::alphanumeric;
        assert!(Opaque::new(None, 22, alphanumeric().clone()).is_ok());
        assert!(Opaque::new(None, 21, alphanumeric().clone()).is_err());
        assert!(Opaque::new(None, 127, Alphabet::parse("01").unwrap()).is_err());
        assert!(Opaque::new(None, 128, Alphabet::parse("01").unwrap()).is_ok());
        assert!(Opaque::new(None, 257, Alphabet::parse("01").unwrap()).is_err());
        assert!(Opaque::new(None, 0, alphanumeric().clone()).is_err());
    }
}
