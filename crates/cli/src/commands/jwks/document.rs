//! The documents, and the ids that name them.

use std::fmt;

use anyhow::Context;
use keyward::jose::{KeySet, PublicKey, SignedToken};
use serde_json::Value;

/// The id of a signed key: a UUID in lower case. Nothing else names a file, so that no name leads out
/// of the destination.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kid(String);

impl Kid {
    /// Nothing, if the text is no id of a signed key.
    pub(super) fn parse(text: &str) -> Option<Self> {
        SignedToken::fits_id(text).then(|| Self(text.to_owned()))
    }

    /// That of the key of this view, if it is a signed one.
    pub(super) fn of(view: &Value) -> Option<Self> {
        view.get("jwk")?;
        Self::parse(view.get("id")?.as_str()?)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The document of a signed key, from its view: to the byte what its server serves.
pub(super) fn document(kid: &Kid, view: &Value) -> anyhow::Result<String> {
    let jwk = view.get("jwk").map(Value::to_string).unwrap_or_default();
    // Read, not copied: the order of members and the lack of any other are part of the document.
    let (key, id) = PublicKey::read(&jwk).with_context(|| format!("the key {kid}"))?;
    anyhow::ensure!(id.as_deref() == Some(kid.as_str()), "the key {kid} names another key");
    Ok(KeySet::of(&key, kid.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    #[test]
    fn only_ids_of_signed_keys_name_files() {
        assert_eq!(Kid::parse(ID).unwrap().as_str(), ID);
        let upper = ID.to_uppercase();
        let long = format!("{ID}/..");
        let odd = ["", ".", "..", "../..", "4kzR2mPq8sTb", "a/b", &upper, &long, "a\0b", "%2e%2e"];
        for odd in odd {
            assert_eq!(Kid::parse(odd), None, "{odd}");
            assert_eq!(Kid::of(&json!({"id": odd, "jwk": {}})), None, "{odd}");
        }
        assert_eq!(Kid::of(&json!({ "id": ID })), None);
    }

    #[test]
    fn a_document_holds_the_one_key_of_its_name() {
        let kid = Kid::parse(ID).unwrap();
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": ID, "further": 1});
        let written = document(&kid, &json!({"id": ID, "jwk": jwk})).unwrap();
        let expected =
            format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{ID}"}}]}}"#);
        assert_eq!(written, expected);
        let mut other = jwk.clone();
        other["kid"] = json!("01890a5d-ac96-774b-bcce-b302099a8058");
        let mut private = jwk;
        private["d"] = json!(x);
        for jwk in [other, private, json!({}), json!(null)] {
            assert!(document(&kid, &json!({"id": ID, "jwk": jwk})).is_err(), "{jwk}");
        }
    }
}
