//! Hashes as somebody else has stored them, and how they are stored here.

use arrayvec::ArrayVec;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Digest, DigestScheme, Hasher, HexDigest, unhex};
use crate::dialect::from_base58;
use crate::{Dialect, FieldError, Format, Invalid, KeyId};

/// How a stored hash that comes from elsewhere was made and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignHash {
    /// `fork4`: base58 of the SHA-256 of a secret part's decoded bytes.
    Fork4,
    /// `sha256-hex` and so on: hexadecimal digits; in a keyspace with the secrets of another library,
    /// of the secret part alone, and else of the whole text.
    Hex(HexDigest),
    /// `sanctum`: the number of a Laravel Sanctum token, `|`, and the hexadecimal SHA-256 of the rest.
    Sanctum,
    /// `sha256-base64`: base64 (RFC 4648) of either alphabet, padded or not.
    Sha256Base64,
    /// One of ours, in hexadecimal digits.
    Tagged(DigestScheme),
}

impl ForeignHash {
    /// Reads the name of a scheme. Of `hmac-sha256`, `keypal-salted-sha256` and
    /// `keypal-salted-sha512`, the newest configured pepper or salt is meant.
    pub fn parse(name: &str, hasher: &Hasher) -> Result<Self, Invalid> {
        let rule = || Invalid::new("must name a known scheme, whose pepper or salt is configured");
        let (pepper, salt) = (hasher.newest_pepper(), hasher.newest_keypal_salt());
        let tagged = match name {
            "fork4" => return Ok(Self::Fork4),
            "sanctum" => return Ok(Self::Sanctum),
            "sha256-base64" => return Ok(Self::Sha256Base64),
            "hmac-sha256" => DigestScheme::HmacSha256(pepper.ok_or_else(rule)?),
            "keypal-salted-sha256" => DigestScheme::KeypalSaltedSha256(salt.ok_or_else(rule)?),
            "keypal-salted-sha512" => DigestScheme::KeypalSaltedSha512(salt.ok_or_else(rule)?),
            name => match name.strip_suffix("-hex") {
                Some(hash) => return hash.parse().map(Self::Hex).map_err(|_| rule()),
                None => name.parse().map_err(|_| rule())?,
            },
        };
        if hasher.knows(tagged) { Ok(Self::Tagged(tagged)) } else { Err(rule()) }
    }

    /// The digest to store for a key of that format and id.
    pub fn digest(
        self,
        value: &str,
        format: &Format,
        id: Option<&KeyId>,
    ) -> Result<Digest, FieldError> {
        let at_hash = |rule: &'static str| Invalid::new(rule).at("hash");
        let bytes = self.bytes(value).ok_or_else(|| at_hash("must be written as its scheme says"));
        match (self, format) {
            (Self::Sanctum, Format::Opaque(_)) => {
                let rule = "must be the number of a token, '|' and hexadecimal digits";
                let (number, _) = value.split_once('|').ok_or_else(|| at_hash(rule))?;
                if !is_number(number) {
                    return Err(at_hash(rule));
                }
                let scheme = DigestScheme::Part(HexDigest::Sha256);
                Digest::of_part(scheme, &format!("{number}|"), &bytes?)
            }
            (Self::Tagged(scheme), format) if format.fits_scheme(scheme) => {
                Digest::new(scheme, &bytes?)
            }
            (Self::Fork4 | Self::Hex(_) | Self::Sha256Base64, Format::Foreign(foreign)) => {
                let is_fork4 = foreign.profile().dialect() == Dialect::Fork4;
                if is_fork4 != (self == Self::Fork4) {
                    return Err(at_hash("must be of the scheme of its keyspace's profile"));
                }
                let missing = || Invalid::new("must be given: it is part of the secret").at("id");
                let before = format!("{}_", foreign.hint(id.ok_or_else(missing)?));
                let scheme = match self {
                    Self::Hex(hash) => DigestScheme::Part(hash),
                    Self::Fork4 => DigestScheme::PartFork4,
                    _ => DigestScheme::Part(HexDigest::Sha256),
                };
                Digest::of_part(scheme, &before, &bytes?)
            }
            (Self::Hex(HexDigest::Sha256) | Self::Sha256Base64, _) => {
                Digest::new(DigestScheme::Sha256, &bytes?)
            }
            (Self::Hex(HexDigest::Sha512), _) => Digest::new(DigestScheme::Sha512, &bytes?),
            _ => Err(Invalid::new("must be of a scheme that its keyspace's format can have")),
        }
        .map_err(|invalid| invalid.at("hash"))
    }

    /// The digest to store for a secret that was hashed as a whole and has no format of ours.
    pub fn digest_of_text(self, value: &str) -> Result<Digest, FieldError> {
        let scheme = match self {
            Self::Hex(HexDigest::Sha256) | Self::Sha256Base64 => DigestScheme::Sha256,
            Self::Hex(HexDigest::Sha512) => DigestScheme::Sha512,
            Self::Tagged(scheme)
                if !matches!(scheme, DigestScheme::Part(_) | DigestScheme::PartFork4) =>
            {
                scheme
            }
            _ => return Err(Invalid::new("must be the hash of the whole secret").at("hash")),
        };
        let bytes = self.bytes(value);
        let bytes = bytes.ok_or_else(|| Invalid::new("must be written as its scheme says"));
        bytes.and_then(|bytes| Digest::new(scheme, &bytes)).map_err(|invalid| invalid.at("hash"))
    }

    /// The bytes of a written hash.
    fn bytes(self, value: &str) -> Option<ArrayVec<u8, 64>> {
        match self {
            Self::Fork4 => from_base58(value),
            Self::Hex(_) | Self::Tagged(_) => unhex(value),
            Self::Sanctum => unhex(value.split_once('|')?.1),
            Self::Sha256Base64 => {
                let plain = value.trim_end_matches('=').replace('+', "-").replace('/', "_");
                let bytes = URL_SAFE_NO_PAD.decode(plain).ok()?;
                bytes.as_slice().try_into().ok()
            }
        }
    }
}

/// Whether a text is a number as it stands before the `|` of a token.
pub(crate) fn is_number(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
