//! A JWT that is signed once, by a key pair of its own: the record holds the public half, the private
//! half is gone.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Minted;
use crate::jose::{
    BaseIssuer, Claims, PairKind, PayloadWriter, RegisteredClaims, SignedToken, SigningPair,
    UnsignedToken,
};
use crate::text::{one_line, text};
use crate::{Entropy, FieldError, Invalid, KeyId, KeyRecord, NewKey, ScopeSet, Timestamp};

text! {
    /// For whom tokens are (RFC 7519 §4.1.3): 1 to 256 characters on one line.
    Audience, |text| one_line(text, 256)
}

/// Settings of the `signed` format. None of them can change: they stand in tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    pair: PairKind,
    issuer: BaseIssuer,
    audience: Option<Audience>,
}

impl Signed {
    /// Tokens that are signed by pairs of that kind, with that base issuer and audience. Without an
    /// audience, tokens say none, and every token's is taken.
    pub const fn new(pair: PairKind, issuer: BaseIssuer, audience: Option<Audience>) -> Self {
        Self { pair, issuer, audience }
    }

    /// The kind of the pairs.
    pub const fn pair(&self) -> PairKind {
        self.pair
    }

    /// What the issuers of tokens begin with.
    pub const fn issuer(&self) -> &BaseIssuer {
        &self.issuer
    }

    /// For whom tokens are.
    pub const fn audience(&self) -> Option<&Audience> {
        self.audience.as_ref()
    }

    /// Draws an id, which is the `kid`: a UUID of version 7 (RFC 9562 §5.7).
    pub(crate) fn draw_id(entropy: &dyn Entropy, now: Timestamp) -> KeyId {
        let millis = u64::try_from(now.as_micros().div_euclid(1_000)).unwrap_or_default();
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &entropy.bytes());
        KeyId::from_checked(&uuid.into_uuid().to_string())
    }

    /// What speaks against a key of these settings, before a pair is taken for it.
    pub(crate) fn check(
        &self,
        new: &NewKey,
        expires_at: Option<Timestamp>,
    ) -> Result<(), FieldError> {
        let expires_at = expires_at.ok_or_else(endless)?;
        let claims = said(&new.claims, &new.scopes)?;
        let (id, subject) = (KeyId::from_checked(LONGEST_ID), new.owner.as_str());
        // A successor has the claims and need not begin later: then their `nbf` counts.
        for not_before in [new.not_before, None] {
            self.unsigned(&id, subject, &claims, expires_at, not_before, expires_at)?;
        }
        Ok(())
    }

    /// The token of a key, signed by its pair, which is gone then. It says what the record says: the
    /// claims that were asked for, and the scopes as `scopes`.
    pub fn mint(&self, key: &KeyRecord, pair: Box<dyn SigningPair>) -> Result<Minted, MintError> {
        let unsigned = self.token_of(key).map_err(MintError::Invalid)?;
        let signature = pair.sign(unsigned.message()).map(Zeroizing::new);
        let signed = signature.and_then(|signature| unsigned.signed(&signature));
        Ok(Minted { secret: signed.map_err(|_| MintError::Signature)?, hint: Self::hint(&key.id) })
    }

    /// What speaks against a token for this record, before a pair is taken for it.
    pub fn check_record(&self, key: &KeyRecord) -> Result<(), FieldError> {
        self.token_of(key).map(drop)
    }

    fn token_of(&self, key: &KeyRecord) -> Result<UnsignedToken, FieldError> {
        let KeyRecord { id, owner, not_before, created_at, expires_at, scopes, .. } = key;
        let asked = key.secret.signature().map(|signature| &signature.claims);
        let claims = said(asked.unwrap_or(&Claims::default()), scopes)?;
        let expires_at = expires_at.ok_or_else(endless)?;
        self.unsigned(id, owner.as_str(), &claims, expires_at, *not_before, *created_at)
    }

    fn unsigned(
        &self,
        id: &KeyId,
        subject: &str,
        claims: &Claims,
        expires_at: Timestamp,
        not_before: Option<Timestamp>,
        issued_at: Timestamp,
    ) -> Result<UnsignedToken, FieldError> {
        let issuer = self.issuer.of_key(id.as_str());
        let audience = self.audience.as_ref().map(Audience::as_str);
        let issuer = issuer.as_str();
        let writer =
            PayloadWriter { claims, subject, issuer, audience, expires_at, not_before, issued_at };
        let payload = writer.write();
        let unsigned = UnsignedToken::new(self.pair, id, &payload).ok_or_else(|| {
            Invalid::new("must not make the token longer than 4,096 characters").at("claims")
        })?;
        // What would be refused when it is presented is not signed.
        RegisteredClaims::read(&payload, |_| Ok(())).map_err(|_| {
            let rule = "must hold a number of seconds as nbf, a text as jti, if any, and no more than \
                        126 levels";
            Invalid::new(rule).at("claims")
        })?;
        Ok(unsigned)
    }

    /// The id: there is nothing else of the token that people would recognise.
    pub(crate) fn hint(id: &KeyId) -> String {
        id.to_string()
    }

    /// Whether a token is of the issuer, and for the audience, of these settings.
    pub fn is_meant_by(&self, token: &SignedToken<'_>) -> bool {
        let RegisteredClaims { audiences, issuer, .. } = token.registered();
        *issuer == self.issuer.of_key(token.id().as_str())
            && self.audience.as_ref().is_none_or(|audience| audiences.contain(audience.as_str()))
    }
}

fn endless() -> FieldError {
    Invalid::new("must be given: a signed key cannot live for ever").at("expires_at")
}

/// The claims of a key with these scopes.
fn said(claims: &Claims, scopes: &ScopeSet) -> Result<Claims, FieldError> {
    if scopes.is_empty() {
        return Ok(claims.clone());
    }
    claims.clone().with("scopes", scopes).map_err(|invalid| invalid.at("scopes"))
}

/// As long as every id.
const LONGEST_ID: &str = "00000000-0000-7000-8000-000000000000";

/// A token cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// A field of the key stands against it.
    #[error("{0}")]
    Invalid(FieldError),
    /// The pair failed.
    #[error("the pair could not sign")]
    Signature,
}
