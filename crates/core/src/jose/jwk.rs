//! Public keys as JSON (RFC 7517).

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

use super::encoding::{decode, encode};
use super::json::{Present, read_object};
use super::{PairKind, SignatureAlgorithm};

/// A public key of one of the [`PairKind`]s.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// An Ed25519 key (RFC 8032 §5.1.5).
    Ed25519([u8; 32]),
    /// A point on P-256. That it is on the curve is found out when the key is made ready.
    P256 {
        /// The first coordinate.
        x: [u8; 32],
        /// The second coordinate.
        y: [u8; 32],
    },
    /// An RSA modulus of 2,048, 3,072 or 4,096 bits; the exponent is 65537.
    Rsa(Box<[u8]>),
}

/// Why a public key is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJwk {
    /// Not base64url in its shortest form, or of the wrong length.
    #[error("a member of the key is not written as it must be")]
    Encoding,
    /// Another algorithm or use than the key would be needed for.
    #[error("the key is for something else")]
    Foreign,
    /// Not a JSON object with each member once.
    #[error("the key is not a JSON object with each member once")]
    Json,
    /// The key of somebody else.
    #[error("the key has another id")]
    OtherKey,
    /// It holds what must never leave whoever signs.
    #[error("the document holds a private key")]
    Private,
    /// Two keys with the same id.
    #[error("two keys have the same id")]
    RepeatedKey,
    /// More than one key where there must be one.
    #[error("the document holds several keys")]
    SeveralKeys,
    /// An RSA key of fewer than 2,048 bits, or of another exponent.
    #[error("the RSA key is not of 2048, 3072 or 4096 bits with the exponent 65537")]
    Weak,
}

/// The exponent of all RSA keys: 65537.
const EXPONENT: &str = "AQAB";

impl PublicKey {
    /// An RSA key with this modulus, its most significant byte first.
    pub fn rsa(modulus: &[u8]) -> Result<Self, InvalidJwk> {
        let bits =
            modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
        if modulus.first() == Some(&0) {
            return Err(InvalidJwk::Encoding);
        }
        let is_known = PairKind::ALL.iter().any(|kind| kind.bits() == Some(bits));
        if is_known { Ok(Self::Rsa(modulus.into())) } else { Err(InvalidJwk::Weak) }
    }

    /// The kind of pair that it is half of.
    pub fn kind(&self) -> PairKind {
        match self {
            Self::Ed25519(_) => PairKind::Ed25519,
            Self::P256 { .. } => PairKind::P256,
            Self::Rsa(modulus) => match modulus.len() {
                256 => PairKind::Rsa2048,
                384 => PairKind::Rsa3072,
                _ => PairKind::Rsa4096,
            },
        }
    }

    /// The one algorithm in which its signatures are checked, whatever a token says.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.kind().algorithm()
    }

    /// The key as JSON with the id `kid`: for RSA exactly the members `kty`, `n`, `e` and `kid`, as
    /// japikey writes and its Go port demands.
    pub fn to_jwk(&self, kid: &str) -> String {
        match self {
            Self::Ed25519(x) => {
                format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}","kid":"{kid}"}}"#, encode(x))
            }
            Self::P256 { x, y } => {
                let (x, y) = (encode(x), encode(y));
                format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","kid":"{kid}"}}"#)
            }
            Self::Rsa(modulus) => {
                let n = encode(modulus);
                format!(r#"{{"kty":"RSA","n":"{n}","e":"{EXPONENT}","kid":"{kid}"}}"#)
            }
        }
    }

    /// The same with what the key is for (RFC 7517 §4.2, §4.4), as verifiers look for it in lists of several
    /// keys.
    pub(super) fn to_listed_jwk(&self, kid: &str) -> String {
        let jwk = self.to_jwk(kid);
        let members = jwk.strip_suffix('}').unwrap_or_default();
        format!(r#"{members},"use":"sig","alg":"{}"}}"#, self.algorithm().as_str())
    }

    /// Reads a key, and the id that stands in it. A private half, another algorithm or use, several
    /// ways to write the same, and weak keys are refused; further members are passed over.
    pub fn read(text: &str) -> Result<(Self, Option<String>), InvalidJwk> {
        let jwk: Jwk<'_> = read_object(text).ok_or(InvalidJwk::Json)?;
        jwk.read()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.kind())
    }
}

/// A key as it is written.
#[derive(Deserialize)]
pub(super) struct Jwk<'a> {
    #[serde(borrow)]
    kty: Cow<'a, str>,
    kid: Option<String>,
    alg: Option<Cow<'a, str>>,
    r#use: Option<Cow<'a, str>>,
    key_ops: Option<Vec<Cow<'a, str>>>,
    crv: Option<Cow<'a, str>>,
    n: Option<Cow<'a, str>>,
    e: Option<Cow<'a, str>>,
    x: Option<Cow<'a, str>>,
    y: Option<Cow<'a, str>>,
    /// The members of private and symmetric keys (RFC 7518 §6.2.2, §6.3.2, §6.4).
    #[serde(default)]
    d: Present,
    #[serde(default)]
    p: Present,
    #[serde(default)]
    q: Present,
    #[serde(default)]
    dp: Present,
    #[serde(default)]
    dq: Present,
    #[serde(default)]
    qi: Present,
    #[serde(default)]
    oth: Present,
    #[serde(default)]
    k: Present,
}

impl Jwk<'_> {
    pub(super) fn read(self) -> Result<(PublicKey, Option<String>), InvalidJwk> {
        let private = [self.d, self.p, self.q, self.dp, self.dq, self.qi, self.oth, self.k];
        if private.iter().any(|member| member.0) {
            return Err(InvalidJwk::Private);
        }
        let key = match (&*self.kty, self.crv.as_deref()) {
            ("RSA", None) => self.read_rsa()?,
            ("EC", Some("P-256")) => PublicKey::P256 {
                x: coordinate(self.x.as_deref())?,
                y: coordinate(self.y.as_deref())?,
            },
            ("OKP", Some("Ed25519")) => PublicKey::Ed25519(coordinate(self.x.as_deref())?),
            _ => return Err(InvalidJwk::Foreign),
        };
        let is_of = |name: &str| name == key.algorithm().as_str();
        let is_meant = self.alg.as_deref().is_none_or(is_of)
            && self.r#use.as_deref().is_none_or(|name| name == "sig")
            && self.key_ops.as_ref().is_none_or(|names| names.iter().any(|name| name == "verify"));
        if is_meant { Ok((key, self.kid)) } else { Err(InvalidJwk::Foreign) }
    }

    fn read_rsa(&self) -> Result<PublicKey, InvalidJwk> {
        match self.e.as_deref() {
            Some(EXPONENT) => {}
            Some(other) if decode(other).is_some_and(|bytes| bytes.first() != Some(&0)) => {
                return Err(InvalidJwk::Weak);
            }
            _ => return Err(InvalidJwk::Encoding),
        }
        let modulus = self.n.as_deref().and_then(decode).ok_or(InvalidJwk::Encoding)?;
        PublicKey::rsa(&modulus)
    }
}

/// A coordinate: always of 32 bytes, also where the first ones are zero (RFC 7518 §6.2.1.2).
fn coordinate(text: Option<&str>) -> Result<[u8; 32], InvalidJwk> {
    let bytes = text.and_then(decode).ok_or(InvalidJwk::Encoding)?;
    bytes.try_into().map_err(|_| InvalidJwk::Encoding)
}

#[cfg(test)]
mod tests;
