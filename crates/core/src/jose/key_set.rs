//! Documents with public keys (JWK Set, RFC 7517 §5).

use serde::Deserialize;

use super::json::read_object;
use super::jwk::Jwk;
use super::{InvalidJwk, PublicKey};

/// The document with public keys (RFC 7517 §5): `{"keys":[…]}`, with one key at the well-known URL of a
/// signed key, with several for the access tokens of an authorization server.
#[derive(Clone, Copy, Debug)]
pub struct KeySet;

impl KeySet {
    /// The document with the key of that id.
    pub fn of(key: &PublicKey, kid: &str) -> String {
        format!(r#"{{"keys":[{}]}}"#, key.to_jwk(kid))
    }

    /// Reads a document that should hold the key of that id and no other. None: it holds no key at
    /// all, which says that there is none any more.
    pub fn read(text: &str, kid: &str) -> Result<Option<PublicKey>, InvalidJwk> {
        let document: Document<'_> = read_object(text).ok_or(InvalidJwk::Json)?;
        let mut keys = document.keys.into_iter();
        let Some(jwk) = keys.next() else { return Ok(None) };
        if keys.next().is_some() {
            return Err(InvalidJwk::SeveralKeys);
        }
        match jwk.read()? {
            (key, Some(id)) if id == kid => Ok(Some(key)),
            _ => Err(InvalidJwk::OtherKey),
        }
    }

    /// The document with several keys.
    pub fn of_all<'k>(keys: impl IntoIterator<Item = (&'k str, &'k PublicKey)>) -> String {
        let keys: Vec<_> = keys.into_iter().map(|(kid, key)| key.to_listed_jwk(kid)).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    /// Reads a document of several keys, each with an id of its own. Keys of kinds that are not taken, weak
    /// ones, and those without an id are passed over (RFC 7517 §5); a private half is refused.
    pub fn read_all(text: &str) -> Result<Vec<(String, PublicKey)>, InvalidJwk> {
        let document: Document<'_> = read_object(text).ok_or(InvalidJwk::Json)?;
        let mut keys: Vec<(String, PublicKey)> = Vec::new();
        for jwk in document.keys {
            match jwk.read() {
                Ok((_, Some(id))) if keys.iter().any(|(known, _)| *known == id) => {
                    return Err(InvalidJwk::RepeatedKey);
                }
                Ok((key, Some(id))) => keys.push((id, key)),
                Ok((_, None)) | Err(InvalidJwk::Foreign | InvalidJwk::Weak) => {}
                Err(invalid) => return Err(invalid),
            }
        }
        Ok(keys)
    }
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<Jwk<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn keys(text: &str) -> Result<Vec<String>, InvalidJwk> {
        KeySet::read_all(text).map(|keys| keys.into_iter().map(|(id, _)| id).collect())
    }

    #[test]
    fn what_is_written_reads_back() {
        let (one, other) = (PublicKey::Ed25519([7; 32]), PublicKey::rsa(&[0xff; 256]).unwrap());
        let text = KeySet::of_all([("one", &one), ("other", &other)]);
        assert!(text.contains(r#""kid":"one","use":"sig","alg":"EdDSA"}"#), "{text}");
        let read = KeySet::read_all(&text).unwrap();
        assert_eq!(read, [("one".to_owned(), one), ("other".to_owned(), other)]);
        assert_eq!(keys(&KeySet::of_all([])), Ok(vec![]));
    }

    #[test]
    fn what_is_of_no_use_is_passed_over() {
        let text = format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{X}"}},
            {{"kty":"OKP","crv":"X25519","x":"{X}","kid":"a"}},
            {{"kty":"OKP","crv":"Ed25519","x":"{X}","kid":"b","use":"enc"}},
            {{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"c"}},
            {{"kty":"OKP","crv":"Ed25519","x":"{X}","kid":"d"}}]}}"#
        );
        assert_eq!(keys(&text), Ok(vec!["d".to_owned()]));
    }

    #[test]
    fn what_is_suspicious_is_refused() {
        let key = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","kid":"a"}}"#);
        assert_eq!(keys(&format!(r#"{{"keys":[{key},{key}]}}"#)), Err(InvalidJwk::RepeatedKey));
        let private = key.replace("\"kid\"", "\"d\":\"AA\",\"kid\"");
        assert_eq!(keys(&format!(r#"{{"keys":[{private}]}}"#)), Err(InvalidJwk::Private));
        let symmetric = r#"{"kty":"oct","k":"AA","kid":"a"}"#;
        assert_eq!(keys(&format!(r#"{{"keys":[{symmetric}]}}"#)), Err(InvalidJwk::Private));
        assert_eq!(keys(&format!(r#"{{"keys":[{key}],"keys":[]}}"#)), Err(InvalidJwk::Json));
    }
}
