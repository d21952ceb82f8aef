//! How a secret is written and read back. One file per format holds both directions.

mod alphabet;
mod checksum;
mod foreign;
mod locator;
mod opaque;
mod prefix;
mod prefixed;
mod signed;

pub use alphabet::Alphabet;
use arrayvec::ArrayVec;
pub(crate) use foreign::is_prefix as is_foreign_prefix;
pub use foreign::{Foreign, ForeignPrefix, WeakSecrets};
pub use locator::Locator;
pub use opaque::Opaque;
pub use prefix::Prefix;
pub(crate) use prefixed::Parts as PrefixedParts;
pub use prefixed::Prefixed;
use serde::{Deserialize, Serialize};
pub use signed::{Audience, MintError, Signed};

use crate::jose::{SignedFault, SignedToken};
use crate::{Digest, DigestScheme, Entropy, Hasher, HexDigest, KeyId, Secret, Timestamp};

/// The longest text that is looked at as a secret, in bytes. Longer ones are malformed unread. Signed
/// keys have a bound of their own: [`SignedToken::MOST_LENGTH`].
pub const MAX_SECRET_LENGTH: usize = 512;

/// A format with its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum Format {
    /// `prefix_id_secret` as another library writes it; the record is found by the id.
    Foreign(Foreign),
    /// A prefix and random characters; the record is found by the digest.
    Opaque(Opaque),
    /// `prefix_id_secret` with a checksum; the record is found by the id.
    Prefixed(Prefixed),
    /// A JWT with a key pair of its own; the record is found by the id, which is its `kid`.
    Signed(Signed),
}

/// The name of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormatKind {
    /// See [`Format::Opaque`].
    Opaque,
    /// See [`Format::Prefixed`] and [`Format::Foreign`].
    Prefixed,
    /// See [`Format::Signed`].
    Signed,
}

impl FormatKind {
    /// Whether a key's id stands in its secret and finds its record; or else a digest does.
    pub const fn is_found_by_id(self) -> bool {
        matches!(self, Self::Prefixed | Self::Signed)
    }
}

impl Format {
    /// The format's name.
    pub const fn kind(&self) -> FormatKind {
        match self {
            Self::Opaque(_) => FormatKind::Opaque,
            Self::Foreign(_) | Self::Prefixed(_) => FormatKind::Prefixed,
            Self::Signed(_) => FormatKind::Signed,
        }
    }

    /// The prefix of the format's secrets, if they have one.
    pub fn prefix(&self) -> Option<&str> {
        match self {
            Self::Foreign(foreign) => Some(foreign.prefix().as_str()),
            Self::Opaque(opaque) => opaque.prefix().map(Prefix::as_str),
            Self::Prefixed(prefixed) => Some(prefixed.prefix().as_str()),
            Self::Signed(_) => None,
        }
    }

    /// What becomes of new secrets, if they are weak: if they hold fewer than 128 bits of chance.
    pub fn weakness(&self) -> Option<WeakSecrets> {
        match self {
            Self::Foreign(foreign) if !foreign.profile().is_strong() => {
                Some(foreign.weak_secrets())
            }
            _ => None,
        }
    }

    /// Whether a key of these secrets can have that id.
    pub fn fits_id(&self, id: &KeyId) -> bool {
        match self {
            Self::Foreign(foreign) => foreign.profile().check_id(id.as_str()).is_ok(),
            Self::Opaque(_) => true,
            Self::Prefixed(_) => {
                id.as_str().len() == KeyId::LENGTH && Alphabet::base58().covers(id.as_str())
            }
            Self::Signed(_) => SignedToken::fits_id(id.as_str()),
        }
    }

    /// Whether a key of these secrets can have a digest of that scheme.
    pub const fn fits_scheme(&self, scheme: DigestScheme) -> bool {
        match (self, scheme) {
            // A number in front of an opaque secret.
            (Self::Opaque(_), DigestScheme::Part(hash)) => matches!(hash, HexDigest::Sha256),
            (Self::Foreign(_), _) => true,
            (Self::Signed(_), _) | (_, DigestScheme::Part(_) | DigestScheme::PartFork4) => false,
            _ => true,
        }
    }

    /// Draws the id of a new key.
    pub fn draw_id(&self, entropy: &dyn Entropy, now: Timestamp) -> KeyId {
        match self {
            Self::Foreign(foreign) => foreign.draw_id(entropy),
            Self::Opaque(_) | Self::Prefixed(_) => KeyId::generate(entropy),
            Self::Signed(_) => Signed::draw_id(entropy, now),
        }
    }

    /// What lists show of a key of that id: see [`Minted::hint`].
    pub fn hint(&self, id: &KeyId) -> String {
        match self {
            Self::Foreign(foreign) => foreign.hint(id),
            Self::Opaque(opaque) => opaque.hint(),
            Self::Prefixed(prefixed) => prefixed.hint(id),
            Self::Signed(_) => Signed::hint(id),
        }
    }

    /// Draws a new secret for the key of that id. None: those of the format are signed, see
    /// [`Signed::mint`].
    pub fn mint(&self, entropy: &dyn Entropy, id: &KeyId) -> Option<Minted> {
        match self {
            Self::Foreign(foreign) => Some(foreign.mint(entropy, id)),
            Self::Opaque(opaque) => Some(opaque.mint(entropy)),
            Self::Prefixed(prefixed) => Some(prefixed.mint(entropy, id)),
            Self::Signed(_) => None,
        }
    }

    /// The settings, if secrets are signed.
    pub const fn as_signed(&self) -> Option<&Signed> {
        match self {
            Self::Signed(signed) => Some(signed),
            _ => None,
        }
    }
}

/// A new secret and what may be shown of it later.
#[derive(Debug)]
pub struct Minted {
    /// The text that is handed out once.
    pub secret: Secret,
    /// What lists show to tell keys apart: never a character of the secret part.
    pub hint: String,
}

/// A presented secret that has the form of one of ours: what finds its record, what proves it.
#[derive(Clone, Debug)]
pub struct Token<'t> {
    text: Presented<'t>,
    route: Route<'t>,
}

/// The presented text; not printed.
#[derive(Clone, Copy)]
struct Presented<'t>(&'t str);

impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hidden")
    }
}

/// By what a record can be found: its id in the text, or one of a few digests of the text. What is
/// signed proves itself by its signature, everything else by a digest.
#[derive(Clone, Debug)]
enum Route<'t> {
    Digests(ArrayVec<DigestScheme, { Token::MOST_SCHEMES }>),
    KeyId(&'t str),
    Signed(Box<SignedToken<'t>>),
}

impl<'t> Token<'t> {
    /// The most digest schemes that are tried for one presented secret.
    pub const MOST_SCHEMES: usize = 8;

    pub(crate) const fn found_by_id(text: &'t str, id: &'t str) -> Self {
        Self { text: Presented(text), route: Route::KeyId(id) }
    }

    pub(crate) const fn found_by_digest(
        text: &'t str,
        schemes: ArrayVec<DigestScheme, { Token::MOST_SCHEMES }>,
    ) -> Self {
        Self { text: Presented(text), route: Route::Digests(schemes) }
    }

    pub(crate) fn signed(token: SignedToken<'t>) -> Self {
        Self { text: Presented(token.text()), route: Route::Signed(Box::new(token)) }
    }

    /// The text that was presented.
    pub(crate) const fn text(&self) -> &'t str {
        self.text.0
    }

    /// The token as a signed one, if it is.
    pub fn as_signed(&self) -> Option<&SignedToken<'t>> {
        match &self.route {
            Route::Signed(token) => Some(token),
            Route::Digests(_) | Route::KeyId(_) => None,
        }
    }

    /// The places where this token's record may be, in the order in which to look.
    pub fn locators<'a>(&'a self, hasher: &'a Hasher) -> impl Iterator<Item = Locator> + 'a {
        let (id, schemes) = match &self.route {
            Route::KeyId(id) => (Some(Locator::KeyId(KeyId::from_checked(id))), [].as_slice()),
            Route::Digests(schemes) => (None, schemes.as_slice()),
            Route::Signed(token) => (Some(Locator::KeyId(token.id().clone())), [].as_slice()),
        };
        let digests = schemes.iter().filter_map(|&scheme| self.digest(hasher, scheme));
        id.into_iter().chain(digests.map(Locator::Digest))
    }

    /// The digest of the whole text under a scheme; absent if its pepper is not configured.
    pub(crate) fn digest(&self, hasher: &Hasher, scheme: DigestScheme) -> Option<Digest> {
        hasher.digest(scheme, self.text.0)
    }
}

/// Why a text is no secret of any keyspace. For the operator's eyes: callers hear "malformed".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A character that the format does not use.
    #[error("the secret holds a character outside of its alphabet")]
    Alphabet,
    /// The checksum is not that of the text before it: a typing error, or made up.
    #[error("the secret's checksum is wrong")]
    Checksum,
    /// No keyspace has secrets of that prefix and length.
    #[error("the secret has the form of no keyspace")]
    Form,
    /// It looks like a signed key and is none of these issuers'.
    #[error("no signed key: {0}")]
    Signed(SignedFault),
    /// Longer than [`MAX_SECRET_LENGTH`].
    #[error("the secret is too long")]
    TooLong,
}
