//! New tokens, as each dialect draws them: of the same bytes, the same token.

use super::{Dialect, Length, Profile, is_prefix};
use crate::{Entropy, Format, Invalid, KeyId, Prefix, Prefixed, Secret};

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
        let (token, id) = if self.dialect == Dialect::Keyward {
            let format = Format::Prefixed(Prefixed::new(Prefix::parse(prefix)?));
            let id = KeyId::generate(entropy);
            (format.mint(entropy, &id).secret, id.to_string())
        } else {
            if !is_prefix(prefix) {
                return Err(Invalid::new(
                    "must be groups of letters, digits and hyphens joined by single underscores",
                ));
            }
            let id = self.draw_id(entropy);
            let secret = self.secret.draw(entropy);
            (Secret::new(format!("{prefix}_{id}_{secret}")), id)
        };
        let unreadable = |_| Invalid::new("must give a token that can be read back");
        let hash = self.hash(token.expose()).map_err(unreadable)?;
        Ok(Generated { token, id, hash })
    }

    fn draw_id(&self, entropy: &dyn Entropy) -> String {
        let drawn = self.id.draw(entropy);
        if self.short_prefix.is_empty() {
            return drawn;
        }
        let (Length::Bytes(length) | Length::Characters(length)) = self.id;
        let whole = self.short_prefix.chars().chain(drawn.chars());
        whole.take(length).collect()
    }
}

impl Length {
    /// Draws as many bytes as the number says, and writes them as base58. What is measured in
    /// characters is then cut: it never has fewer, for base58 of n bytes has at least n characters.
    fn draw(self, entropy: &dyn Entropy) -> String {
        let (Self::Bytes(length) | Self::Characters(length)) = self;
        let mut bytes = vec![0; length];
        entropy.fill(&mut bytes);
        let text = bs58::encode(bytes).into_string();
        match self {
            Self::Bytes(_) => text,
            Self::Characters(_) => text.chars().take(length).collect(),
        }
    }
}
