//! Access tokens as JWT (RFC 9068): what an authorization server signs for its clients.
//!
//! They are told from signed keys by the header's `typ`, which is `at+jwt` here and must not be there: so
//! neither is ever taken for the other, whoever signed it.

use serde::{Deserialize, Serialize};

use super::claims::{OneOrMany, instant};
use super::encoding::decode;
use super::json::{present, read_object};
use super::jws::{Header, Parts, read_header};
use super::{
    Audiences, Claims, RegisteredClaims, SignatureAlgorithm, SignatureError, SignedFault,
    SignedToken, Signer, UnsignedToken,
};
use crate::{KeyId, ScopeSet, Secret, Timestamp};

/// What an access token says (RFC 9068 §2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// `iss`, `sub`, `aud`, `exp`, `nbf` and `iat`.
    pub registered: RegisteredClaims,
    /// `client_id`: the client that the token was issued to.
    pub client_id: String,
    /// `jti`: what tells the token from all others.
    pub id: String,
    /// `scope`: what the token is good for.
    pub scopes: ScopeSet,
}

impl AccessClaims {
    /// The token, signed by that pair, whose public half is known as `kid`. None: it would be longer than
    /// any that is read, as it has very many scopes.
    pub fn sign(&self, signer: &dyn Signer, kid: &KeyId) -> Result<Option<Secret>, SignatureError> {
        let pair = signer.public_key().kind();
        let algorithm = pair.algorithm().as_str();
        let header = format!(r#"{{"typ":"at+jwt","alg":"{algorithm}","kid":"{kid}"}}"#);
        let Some(unsigned) = UnsignedToken::with_header(&header, pair, &self.to_json()) else {
            return Ok(None);
        };
        let signature = signer.sign(unsigned.message())?;
        unsigned.signed(&signature).map(Some)
    }

    fn to_json(&self) -> String {
        let seconds = |at: Timestamp| at.as_micros().div_euclid(1_000_000);
        let written = Written {
            iss: &self.registered.issuer,
            sub: &self.registered.subject,
            aud: &self.registered.audiences,
            exp: seconds(self.registered.expires_at),
            nbf: self.registered.not_before.map(seconds),
            iat: self.registered.issued_at.map(seconds),
            jti: &self.id,
            client_id: &self.client_id,
            scope: Some(self.scopes.as_words()).filter(|words| !words.is_empty()),
        };
        serde_json::to_string(&written).unwrap_or_default()
    }

    fn read(payload: &str) -> Option<Self> {
        let payload: Payload = read_object(payload)?;
        let texts = [&payload.iss, &payload.sub, &payload.jti, &payload.client_id];
        if texts.iter().any(|text| text.is_empty()) {
            return None;
        }
        let scopes = payload.scope.filter(|words| !words.is_empty());
        let scopes = scopes.map(|words| ScopeSet::parse_words(&words)).transpose().ok()?;
        let registered = RegisteredClaims {
            issuer: payload.iss,
            subject: payload.sub,
            audiences: payload.aud.into(),
            expires_at: instant(payload.exp).ok()?,
            not_before: payload.nbf.map(instant).transpose().ok()?,
            issued_at: Some(instant(payload.iat).ok()?),
        };
        let scopes = scopes.unwrap_or_default();
        Some(Self { registered, client_id: payload.client_id, id: payload.jti, scopes })
    }
}

/// An access token's text as it was read. Nothing of it is proved yet.
#[derive(Clone)]
pub struct AccessToken<'t> {
    text: &'t str,
    /// Bytes of `text` that are signed: all before the last dot.
    signed_length: usize,
    algorithm: SignatureAlgorithm,
    key_id: KeyId,
    payload: String,
    claims: AccessClaims,
    signature: Vec<u8>,
}

impl<'t> AccessToken<'t> {
    /// Whether a text says of itself that it is an access token. Proves nothing.
    pub fn is_likely(text: &str) -> bool {
        let is_one = |header: Header<'_>| Ok(is_access_token(&header));
        SignedToken::is_likely(text)
            && Parts::split(text).is_ok_and(|parts| read_header(parts.header, is_one) == Ok(true))
    }

    /// Reads a text, in this order: length, three parts, header, claims, signature as bytes.
    ///
    /// The header must hold `alg`, `kid` and `typ`, and nothing else: there is no `crit` (RFC 7515 §4.1.11)
    /// that would be understood.
    pub fn read(text: &'t str) -> Result<Self, SignedFault> {
        let parts = Parts::split(text)?;
        let (algorithm, key_id) = read_header(parts.header, |header| {
            if !is_access_token(&header) {
                return Err(SignedFault::Header);
            }
            let algorithm = SignatureAlgorithm::parse(&header.alg);
            let algorithm = algorithm.map_err(|_| SignedFault::Algorithm)?;
            Ok((algorithm, KeyId::parse(&*header.kid).map_err(|_| SignedFault::KeyId)?))
        })?;
        let payload = decode(parts.payload).ok_or(SignedFault::Encoding)?;
        let payload = String::from_utf8(payload).map_err(|_| SignedFault::Encoding)?;
        let claims = AccessClaims::read(&payload).ok_or(SignedFault::Claims)?;
        let signature = decode(parts.signature).ok_or(SignedFault::Encoding)?;
        let signed_length = text.len() - parts.signature.len() - 1;
        Ok(Self { text, signed_length, algorithm, key_id, payload, claims, signature })
    }

    /// The algorithm that the header names. It chooses nothing: it must be that of the key.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The id of the key that signed it, as the token has it.
    pub const fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// What the token says of itself.
    pub const fn claims(&self) -> &AccessClaims {
        &self.claims
    }

    /// All that it says, also what is not looked at.
    pub fn all_claims(&self) -> Claims {
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

/// The id of its key alone: the rest is a secret, or somebody's claims.
impl std::fmt::Debug for AccessToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// Whether the header's `typ` is that of access tokens (RFC 9068 §4): a media type, in any case, whose
/// beginning may be left out (RFC 7515 §4.1.9).
fn is_access_token(header: &Header<'_>) -> bool {
    let typ = header.typ.as_deref().unwrap_or_default();
    ["at+jwt", "application/at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known))
}

#[derive(Serialize)]
struct Written<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a Audiences,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    jti: &'a str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

/// The claims that are looked at; all but the last two must be there (RFC 9068 §2.2).
#[derive(Deserialize)]
struct Payload {
    iss: String,
    sub: String,
    aud: OneOrMany,
    exp: f64,
    iat: f64,
    jti: String,
    client_id: String,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    scope: Option<String>,
}
