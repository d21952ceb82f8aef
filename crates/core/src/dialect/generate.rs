//! New tokens, as each dialect draws them: of the same bytes, the same token.

use zeroize::Zeroizing;

use super::{Components, Dialect, Length, Profile};
use crate::base58;
use crate::{
    Entropy, Foreign, ForeignPrefix, Invalid, KeyId, Prefix, Prefixed, Secret, WeakSecrets,
};

/// A new token.
#[derive(Debug)]
pub struct Generated {
    /// The text to hand out.
    pub token: Secret,
    /// Its id.
    pub id: String,
    /// What to store of it.
    pub hash: String,
}

impl Profile {
    /// Whether a secret of these lengths holds at least 128 bits of chance.
    pub const fn is_strong(&self) -> bool {
        match self.secret {
            Length::Bytes(bytes) => bytes >= 16,
            // A character of base58 holds 5.86 bits; cutting a number off costs up to 1.4 of all.
            Length::Characters(characters) => characters >= 23,
        }
    }

    /// Draws a token: first the bytes of the id, then those of the secret.
    pub fn generate(&self, prefix: &str, entropy: &dyn Entropy) -> Result<Generated, Invalid> {
        let (id, minted) = if self.dialect == Dialect::Keyward {
            let (prefixed, id) = (Prefixed::new(Prefix::parse(prefix)?), KeyId::generate(entropy));
            let minted = prefixed.mint(entropy, &id);
            (id, minted)
        } else {
            let prefix = ForeignPrefix::parse(prefix)?;
            let foreign = Foreign::new(prefix, self.clone(), WeakSecrets::Warn)?;
            let id = foreign.draw_id(entropy);
            let minted = foreign.mint(entropy, &id);
            (id, minted)
        };
        let token = minted.secret;
        let text = token.expose();
        let (_, secret) = text.rsplit_once('_').unwrap_or_default();
        let parts = Components { prefix, id: id.as_str(), secret };
        let unreadable = |_| Invalid::new("must give a token that can be read back");
        let hash = self.hash_bytes(text, &parts).map_err(unreadable)?;
        let hash = self.write_hash(&hash);
        Ok(Generated { token, id: id.to_string(), hash })
    }

    /// Draws an id.
    pub(crate) fn draw_id(&self, entropy: &dyn Entropy) -> String {
        let drawn = self.id.draw(entropy);
        if self.short_prefix.is_empty() {
            return drawn.as_str().to_owned();
        }
        let whole = self.short_prefix.chars().chain(drawn.chars());
        whole.take(self.id.number()).collect()
    }

    /// Draws the part that is secret.
    pub(crate) fn draw_secret(&self, entropy: &dyn Entropy) -> Zeroizing<String> {
        self.secret.draw(entropy)
    }
}

impl Length {
    /// Draws as many bytes as the number says, and writes them as base58. What is measured in
    /// characters is then cut: it never has fewer, for base58 of n bytes has at least n characters.
    fn draw(self, entropy: &dyn Entropy) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; Self::MOST]);
        let bytes = bytes.get_mut(..self.number()).unwrap_or_default();
        entropy.fill(bytes);
        let mut text = base58::encode(bytes);
        if let Self::Characters(length) = self {
            text.truncate(length);
        }
        text
    }
}
