//! What a token says (RFC 7519 §4): the registered claims with their types, and all others as they stand.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::json::{OrderedMembers, present, read_object};
use super::jws::SignedFault;
use crate::{Invalid, Timestamp};

/// Claims as JSON: members in the order in which they were given, each once, also inside of them.
#[derive(Clone, Default)]
pub struct Claims(Vec<(String, Box<RawValue>)>);

impl Claims {
    /// Reads a JSON object.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let read = serde_json::from_str(text);
        read.map_err(|_| Invalid::new("must be a JSON object that holds each member once"))
    }

    /// The same claims with another one at their end, or with another value for it.
    pub fn with(mut self, name: &str, value: &impl Serialize) -> Result<Self, Invalid> {
        let value = serde_json::value::to_raw_value(value);
        let value = value.map_err(|_| Invalid::new("must be writable as JSON"))?;
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
        Ok(self)
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A claim as JSON text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.get())
    }

    /// All claims as a value of the application's own type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.to_json())
    }

    /// The claims as a JSON object.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Names alone: values are the business of whoever made them.
impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl PartialEq for Claims {
    fn eq(&self, other: &Self) -> bool {
        self.to_json() == other.to_json()
    }
}

impl Serialize for Claims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            object.serialize_entry(name, value)?;
        }
        object.end()
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        OrderedMembers::deserialize(deserializer).map(|OrderedMembers(members)| Self(members))
    }
}

/// The registered claims of a token that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredClaims {
    /// `iss`: where the key's public half is found.
    pub issuer: String,
    /// `sub`: whoever the key acts for.
    pub subject: String,
    /// `aud`: for whom the token is.
    pub audiences: Audiences,
    /// `exp`: the token is expired at and after this instant.
    pub expires_at: Timestamp,
    /// `nbf`: the token is not valid before this instant.
    pub not_before: Option<Timestamp>,
    /// `iat`: when it was signed.
    pub issued_at: Option<Timestamp>,
}

/// For whom a token is (RFC 7519 §4.1.3): nobody in particular, or some by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audiences(Vec<String>);

impl Audiences {
    /// One alone.
    pub fn one(audience: &str) -> Self {
        Self(vec![audience.to_owned()])
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether this is one of them.
    pub fn contain(&self, audience: &str) -> bool {
        self.0.iter().any(|known| known == audience)
    }
}

/// The claims that are looked at. Those of other types than RFC 7519 says do not read.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    ver: Option<Cow<'a, str>>,
    iss: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "present")]
    sub: Option<String>,
    #[serde(default, deserialize_with = "present")]
    aud: Option<OneOrMany>,
    #[serde(default, deserialize_with = "present")]
    exp: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    iat: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    #[expect(dead_code, reason = "it must be a text, whatever it says")]
    jti: Option<String>,
}

/// How audiences are written.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Audiences {
    fn from(written: OneOrMany) -> Self {
        match written {
            OneOrMany::One(audience) => Self(vec![audience]),
            OneOrMany::Many(audiences) => Self(audiences),
        }
    }
}

impl Serialize for Audiences {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [audience] => serializer.serialize_str(audience),
            audiences => serializer.collect_seq(audiences),
        }
    }
}

impl RegisteredClaims {
    /// What stands in `ver`.
    pub(crate) const VERSION: &str = "japikey-v1";

    /// Reads a payload of version 1. `check_issuer` says what it thinks of the issuer, and comes after
    /// the version and before everything else.
    pub(crate) fn read(
        payload: &str,
        check_issuer: impl FnOnce(&str) -> Result<(), SignedFault>,
    ) -> Result<Self, SignedFault> {
        let payload: Payload<'_> = read_object(payload).ok_or(SignedFault::Claims)?;
        if payload.ver.as_deref() != Some(Self::VERSION) {
            return Err(SignedFault::Version);
        }
        let issuer = payload.iss.unwrap_or_default().into_owned();
        check_issuer(&issuer)?;
        let subject = payload.sub.filter(|subject| !subject.is_empty());
        let instant = |claim: Option<f64>| claim.map(instant).transpose();
        Ok(Self {
            issuer,
            subject: subject.ok_or(SignedFault::Claims)?,
            audiences: payload.aud.map(Audiences::from).unwrap_or_default(),
            expires_at: instant(payload.exp)?.ok_or(SignedFault::Claims)?,
            not_before: instant(payload.nbf)?,
            issued_at: instant(payload.iat)?,
        })
    }
}

/// A `NumericDate` (RFC 7519 §2): seconds since 1970, which may have a fraction.
pub(super) fn instant(seconds: f64) -> Result<Timestamp, SignedFault> {
    let micros = (seconds * 1e6).floor();
    // Up to here every whole number is exact; it is the year 2255. Later ones are exact to 1 us or so.
    #[expect(clippy::cast_possible_truncation, reason = "the range was looked at")]
    let micros = (-9e18..9e18).contains(&micros).then_some(micros as i64);
    let instant = micros.and_then(|micros| Timestamp::from_micros(micros).ok());
    instant.ok_or(SignedFault::Claims)
}

/// Writes a payload: the caller's claims where they stand, with our values in place of those that
/// are ours to say, and the rest of ours behind them.
pub(crate) struct PayloadWriter<'a> {
    pub(crate) claims: &'a Claims,
    pub(crate) subject: &'a str,
    pub(crate) issuer: &'a str,
    pub(crate) audience: Option<&'a str>,
    pub(crate) expires_at: Timestamp,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) issued_at: Timestamp,
}

impl PayloadWriter<'_> {
    pub(crate) fn write(&self) -> String {
        let text = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let seconds = |at: Timestamp| at.as_micros().div_euclid(1_000_000).to_string();
        // In japikey's order. None: the caller must not say it, and we do not.
        let mut ours = [
            ("sub", Some(text(self.subject))),
            ("iss", Some(text(self.issuer))),
            ("aud", self.audience.map(text)),
            ("exp", Some(seconds(self.expires_at))),
            ("nbf", self.not_before.map(seconds)),
            ("ver", Some(text(RegisteredClaims::VERSION))),
            ("iat", Some(seconds(self.issued_at))),
        ]
        .map(|(name, value)| (name, value, false));
        let mut payload = String::from("{");
        for (name, value) in &self.claims.0 {
            match ours.iter_mut().find(|(own, ..)| own == name) {
                // What the caller says about when it begins counts, unless the key itself says it.
                Some(("nbf", None, _)) | None => append(name, value.get(), &mut payload),
                Some((_, our_value, is_written)) => {
                    *is_written = true;
                    if let Some(value) = our_value {
                        append(name, value, &mut payload);
                    }
                }
            }
        }
        for (name, value, is_written) in &ours {
            if let (Some(value), false) = (value, is_written) {
                append(name, value, &mut payload);
            }
        }
        payload.push('}');
        payload
    }
}

fn append(name: &str, value: &str, payload: &mut String) {
    if payload.len() > 1 {
        payload.push(',');
    }
    payload.push_str(&serde_json::to_string(name).unwrap_or_default());
    payload.push(':');
    payload.push_str(value);
}
