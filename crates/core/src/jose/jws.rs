//! A signed key's text (RFC 7515 §7.1): `header.payload.signature`, each in base64url.

use std::borrow::Cow;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::encoding::{decode, decode_into, encode_into, encoded_length};
use super::json::present;
use super::{Claims, Issuers, PairKind, RegisteredClaims, SignatureAlgorithm, SignatureError};
use crate::{KeyId, Secret};

/// A signed key's text as it was read. Nothing of it is proved yet.
#[derive(Clone)]
pub struct SignedToken<'t> {
    text: &'t str,
    /// Bytes of `text` that are signed: all before the last dot.
    signed_length: usize,
    algorithm: SignatureAlgorithm,
    id: KeyId,
    payload: String,
    registered: RegisteredClaims,
    signature: Vec<u8>,
}

/// Why a text is no signed key of these issuers. For the operator's eyes: callers hear "malformed".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignedFault {
    /// An algorithm other than RS256, ES256 and EdDSA, or not a text.
    #[error("the header names no algorithm that is allowed")]
    Algorithm,
    /// A registered claim is missing or of another type, or a member is repeated.
    #[error("the claims cannot be read, or one is missing, repeated or of another type")]
    Claims,
    /// A part is not base64url in its one way to be written.
    #[error("a part is not base64url without padding")]
    Encoding,
    /// Not three parts.
    #[error("there are not three parts")]
    Form,
    /// Not an object of `alg`, `kid` and perhaps `typ`, each once.
    #[error("the header holds something else than alg, kid and typ")]
    Header,
    /// Not the issuer of a key with that id, at none of the base issuers.
    #[error("the issuer is none of those allowed, or not that of the key's id")]
    Issuer,
    /// Not a UUID (RFC 9562) in lower case.
    #[error("the key's id is not a UUID in lower case")]
    KeyId,
    /// Longer than [`SignedToken::MOST_LENGTH`].
    #[error("the token is too long")]
    TooLong,
    /// Another version than `japikey-v1`.
    #[error("the token is of another version")]
    Version,
}

impl<'t> SignedToken<'t> {
    /// Bytes in the longest text that is looked at. Longer ones are refused unread.
    pub const MOST_LENGTH: usize = 4_096;

    /// Reads a text, in this order: length, three parts, header, payload, version, issuer and id,
    /// registered claims, signature as bytes.
    pub fn read(text: &'t str, issuers: &Issuers) -> Result<Self, SignedFault> {
        let parts = Parts::split(text)?;
        let (algorithm, id) = read_header(parts.header, algorithm_and_id)?;
        let payload = decode(parts.payload).ok_or(SignedFault::Encoding)?;
        let payload = String::from_utf8(payload).map_err(|_| SignedFault::Encoding)?;
        let registered = RegisteredClaims::read(&payload, |issuer| {
            let is_of_key = issuers.split(issuer).is_some_and(|(_, rest)| rest == id.as_str());
            if is_of_key { Ok(()) } else { Err(SignedFault::Issuer) }
        })?;
        let signature = decode(parts.signature).ok_or(SignedFault::Encoding)?;
        let signed_length = text.len() - parts.signature.len() - 1;
        Ok(Self { text, signed_length, algorithm, id, payload, registered, signature })
    }

    /// The key's id, if the text begins with a header as we write it: for finding what is known of that
    /// very text. Proves nothing, and does not replace reading it.
    pub fn glance(text: &str) -> Option<KeyId> {
        let (header, _) = text.split_at_checked(HEADER_LENGTH)?;
        let (head, rest) = header.split_at_checked(HEAD_LENGTH)?;
        let mut place = [0; 40];
        let rest = HEADS.contains(&head).then(|| decode_into(rest, &mut place)).flatten()?;
        let id = rest.strip_prefix(b"\"")?.strip_suffix(b"\"}")?;
        let id = std::str::from_utf8(id).ok().filter(|id| Self::fits_id(id))?;
        Some(KeyId::from_checked(id))
    }

    /// Whether a text begins as a JSON object does in base64, and so may be one of these.
    pub fn is_likely(text: &str) -> bool {
        text.starts_with("eyJ")
    }

    /// Whether an id has the form of a signed key's: a UUID of RFC 9562, in lower case.
    pub fn fits_id(id: &str) -> bool {
        let bytes = id.as_bytes();
        let is_hyphen = |place: usize| matches!(place, 8 | 13 | 18 | 23);
        bytes.len() == 36
            && bytes.iter().enumerate().all(|(place, byte)| match byte {
                b'-' => is_hyphen(place),
                b'0'..=b'9' | b'a'..=b'f' => !is_hyphen(place),
                _ => false,
            })
            && matches!(bytes.get(14), Some(b'1'..=b'8'))
            && matches!(bytes.get(19), Some(b'8' | b'9' | b'a' | b'b'))
    }

    /// The text itself.
    pub const fn text(&self) -> &'t str {
        self.text
    }

    /// The algorithm that the header names. It chooses nothing: it must be that of the key's record.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The key's id: header and issuer agree about it.
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// What the token says of itself.
    pub const fn registered(&self) -> &RegisteredClaims {
        &self.registered
    }

    /// All claims, as JSON text.
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// All claims.
    pub fn claims(&self) -> Claims {
        Claims::parse(&self.payload).unwrap_or_default()
    }

    /// The bytes that are signed.
    pub fn message(&self) -> &'t [u8] {
        self.text.as_bytes().get(..self.signed_length).unwrap_or_default()
    }

    /// The signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// The id alone: the rest is a secret, or somebody's claims.
impl std::fmt::Debug for SignedToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedToken").field("id", &self.id).finish_non_exhaustive()
    }
}

/// `{"alg":"…","kid":`, of each algorithm.
const HEADS: [&str; 3] = [
    "eyJhbGciOiJFZERTQSIsImtpZCI6",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6",
    "eyJhbGciOiJSUzI1NiIsImtpZCI6",
];
/// Characters of those.
const HEAD_LENGTH: usize = 28;
/// Characters of a whole header as we write it.
const HEADER_LENGTH: usize = 80;

/// A text's three parts.
pub(super) struct Parts<'t> {
    pub(super) header: &'t str,
    pub(super) payload: &'t str,
    pub(super) signature: &'t str,
}

impl<'t> Parts<'t> {
    pub(super) fn split(text: &'t str) -> Result<Self, SignedFault> {
        if text.len() > SignedToken::MOST_LENGTH {
            return Err(SignedFault::TooLong);
        }
        let (header, rest) = text.split_once('.').ok_or(SignedFault::Form)?;
        let (payload, signature) = rest.split_once('.').ok_or(SignedFault::Form)?;
        if signature.contains('.') || [header, payload, signature].contains(&"") {
            return Err(SignedFault::Form);
        }
        Ok(Self { header, payload, signature })
    }
}

/// A header holds this and nothing else: neither keys nor extensions come with a token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    pub(super) alg: Cow<'a, str>,
    pub(super) kid: Cow<'a, str>,
    #[serde(default, deserialize_with = "present")]
    pub(super) typ: Option<Cow<'a, str>>,
}

/// Reads a header and makes something of it.
pub(super) fn read_header<T>(
    part: &str,
    make: impl FnOnce(Header<'_>) -> Result<T, SignedFault>,
) -> Result<T, SignedFault> {
    let bytes = decode(part).ok_or(SignedFault::Encoding)?;
    // A list of the members in their order would be taken by serde, too.
    if bytes.first() != Some(&b'{') {
        return Err(SignedFault::Header);
    }
    make(serde_json::from_slice(&bytes).map_err(|_| SignedFault::Header)?)
}

/// What the header of a signed key says.
fn algorithm_and_id(header: Header<'_>) -> Result<(SignatureAlgorithm, KeyId), SignedFault> {
    let is_jwt = header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
    if !is_jwt {
        return Err(SignedFault::Header);
    }
    let algorithm = SignatureAlgorithm::parse(&header.alg).map_err(|_| SignedFault::Algorithm)?;
    if !SignedToken::fits_id(&header.kid) {
        return Err(SignedFault::KeyId);
    }
    let id = KeyId::parse(&*header.kid).map_err(|_| SignedFault::KeyId)?;
    Ok((algorithm, id))
}

/// A token that lacks its signature.
pub struct UnsignedToken {
    /// The token's bytes; those of the signature are zero.
    text: Zeroizing<Vec<u8>>,
    /// Bytes that are signed: all before the last dot.
    signed_length: usize,
}

impl UnsignedToken {
    /// A header of `alg` and `kid`, and that payload. `None`: with its signature, it would be too long.
    pub(crate) fn new(pair: PairKind, kid: &KeyId, payload: &str) -> Option<Self> {
        let header = format!(r#"{{"alg":"{}","kid":"{kid}"}}"#, pair.algorithm().as_str());
        Self::with_header(&header, pair, payload)
    }

    /// The same with another header.
    pub(super) fn with_header(header: &str, pair: PairKind, payload: &str) -> Option<Self> {
        let (header, payload) = (header.as_bytes(), payload.as_bytes());
        let signed_length = encoded_length(header.len()) + 1 + encoded_length(payload.len());
        let length = signed_length + 1 + encoded_length(pair.signature_length());
        if length > SignedToken::MOST_LENGTH {
            return None;
        }
        // As long as it is going to be: a text that grows would leave copies of itself behind.
        let mut text = Zeroizing::new(vec![b'.'; length]);
        let (first, rest) = text.split_at_mut_checked(encoded_length(header.len()))?;
        encode_into(header, first)?;
        encode_into(payload, rest.get_mut(1..=encoded_length(payload.len()))?)?;
        Some(Self { text, signed_length })
    }

    /// The bytes to sign.
    pub fn message(&self) -> &[u8] {
        self.text.get(..self.signed_length).unwrap_or_default()
    }

    /// The token with its signature, which must be of the length that its algorithm has.
    pub fn signed(mut self, signature: &[u8]) -> Result<Secret, SignatureError> {
        let place = self.text.get_mut(self.signed_length + 1..);
        let written = place.and_then(|place| encode_into(signature, place));
        written.ok_or(SignatureError)?;
        let text = String::from_utf8(std::mem::take(&mut *self.text));
        text.map(Secret::new).map_err(|_| SignatureError)
    }
}

impl std::fmt::Debug for UnsignedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnsignedToken").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoding::encode;
    use super::*;

    const KID: &str = "01a200f5-34df-703a-b461-85a5d3a08f33";

    fn header(algorithm: SignatureAlgorithm) -> String {
        encode(format!(r#"{{"alg":"{}","kid":"{KID}"}}"#, algorithm.as_str()).as_bytes())
    }

    #[test]
    fn our_own_headers_are_recognised_at_a_glance() {
        for algorithm in SignatureAlgorithm::ALL {
            let header = header(algorithm);
            assert_eq!(header.len(), HEADER_LENGTH);
            let glanced = SignedToken::glance(&format!("{header}.payload.signature"));
            assert_eq!(glanced.unwrap().as_str(), KID);
        }
    }

    #[test]
    fn other_texts_are_not() {
        let header = header(SignatureAlgorithm::Rs256);
        let written = |text: &str| encode(text.as_bytes());
        let upper = written(&format!(r#"{{"alg":"RS256","kid":"{}"}}"#, KID.to_uppercase()));
        let turned = written(&format!(r#"{{"kid":"{KID}","alg":"RS256"}}"#));
        for text in ["", "eyJ", header.get(..79).unwrap(), &upper, &turned, &"é".repeat(60)] {
            assert!(SignedToken::glance(text).is_none(), "{text}");
        }
    }
}
