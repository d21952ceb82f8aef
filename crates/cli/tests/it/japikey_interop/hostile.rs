//! Tokens that no honest signer makes, of a key that is known to both: what the published client takes
//! of them, and what we take.

use serde_json::{Value, json};

use super::World;

const KID: &str = "0197f3a0-1111-7000-8000-000000000001";

/// A key that is known here, and whose private half signs whatever it is asked to.
struct Signer {
    world: World,
    private_jwk: Value,
    honest: String,
}

impl Signer {
    fn new() -> Self {
        let mut world = World::new();
        let payload = honest(&world.issuer);
        let command = json!({"do": "sign", "kid": KID, "payload": payload});
        let signed = world.peer.done(&command);
        world.take_over(&signed["jwk"]);
        let honest = signed["token"].as_str().unwrap().to_owned();
        Self { world, private_jwk: signed["private_jwk"].clone(), honest }
    }

    fn sign(&mut self, header: &Value, payload: &Value) -> String {
        let command = json!({"do": "sign", "kid": KID, "header": header, "payload": payload,
            "private_jwk": self.private_jwk});
        self.world.peer.done(&command)["token"].as_str().unwrap().to_owned()
    }

    /// Compares all decisions at once, so that a failure shows each that is wrong.
    fn check(&mut self, cases: &[(&str, String, [&str; 2])]) {
        let mut wrong = Vec::new();
        for (name, token, expected) in cases {
            let verdicts = self.world.verdicts(token);
            if verdicts != *expected {
                wrong.push(format!("{name}: {verdicts:?} instead of {expected:?}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(self.world.verdicts(&self.honest.clone()), ["valid", "valid"]);
    }
}

fn honest(issuer: &str) -> Value {
    json!({"sub": "user-1", "iss": format!("{issuer}/{KID}"), "aud": "api-key",
        "exp": 4_070_908_800_u64, "ver": "japikey-v1", "iat": 1_700_000_000})
}

const MALFORMED: [&str; 2] = ["401", "malformed"];
const INVALID: [&str; 2] = ["403 ERR_JWT_CLAIM_VALIDATION_FAILED", "malformed"];
const FORGED: [&str; 2] = ["403 ERR_JWS_SIGNATURE_VERIFICATION_FAILED", "unknown"];
/// What the published client should not take, and does.
const TAKEN_THERE: [&str; 2] = ["valid", "malformed"];

#[test]
fn claims_that_an_honest_signer_would_not_make() {
    let mut signer = Signer::new();
    let issuer = signer.world.issuer.clone();
    let cases = [
        ("exp missing", json!({"exp": null}), TAKEN_THERE),
        ("exp as a text", json!({"exp": "4070908800"}), INVALID),
        ("exp beyond time", json!({"exp": 1e300}), TAKEN_THERE),
        ("exp in the past", json!({"exp": 1_700_000_000}), ["403 ERR_JWT_EXPIRED", "expired"]),
        ("exp zero", json!({"exp": 0}), ["403 ERR_JWT_EXPIRED", "expired"]),
        (
            "nbf in the future",
            json!({"nbf": 4_000_000_000_u64}),
            ["403 ERR_JWT_CLAIM_VALIDATION_FAILED", "not_yet_valid"],
        ),
        ("nbf as a text", json!({"nbf": "1"}), INVALID),
        ("iat as a text", json!({"iat": "1"}), INVALID),
        ("jti as a number", json!({"jti": 5}), TAKEN_THERE),
        ("ver 0", json!({"ver": "japikey-v0"}), TAKEN_THERE),
        ("ver 01", json!({"ver": "japikey-v01"}), TAKEN_THERE),
        ("ver 001", json!({"ver": "japikey-v001"}), TAKEN_THERE),
        ("ver 2", json!({"ver": "japikey-v2"}), MALFORMED),
        ("ver in another case", json!({"ver": "JAPIKEY-V1"}), MALFORMED),
        ("ver as a number", json!({"ver": 1}), MALFORMED),
        ("ver missing", json!({"ver": null}), MALFORMED),
        ("sub missing", json!({"sub": null}), TAKEN_THERE),
        ("sub empty", json!({"sub": ""}), TAKEN_THERE),
        ("sub as a number", json!({"sub": 1}), TAKEN_THERE),
        ("aud of another", json!({"aud": "another"}), ["valid", "unknown"]),
        ("aud missing", json!({"aud": null}), ["valid", "unknown"]),
        ("aud as a number", json!({"aud": 1}), TAKEN_THERE),
        ("iss missing", json!({"iss": null}), MALFORMED),
        ("iss without an id", json!({"iss": issuer}), MALFORMED),
        (
            "iss of another key",
            json!({"iss": format!("{issuer}/0197f3a0-1111-7000-8000-000000000002")}),
            MALFORMED,
        ),
        ("iss of another", json!({"iss": format!("https://elsewhere.example/{KID}")}), MALFORMED),
        ("iss with a slash more", json!({"iss": format!("{issuer}/{KID}/")}), MALFORMED),
        ("iss with a step up", json!({"iss": format!("{issuer}/x/../{KID}")}), MALFORMED),
        ("iss in a list", json!({"iss": [format!("{issuer}/{KID}")]}), MALFORMED),
        ("too long", json!({"a": "a".repeat(4_096)}), TAKEN_THERE),
    ];
    let cases = cases.map(|(name, change, expected)| {
        let mut payload = honest(&issuer);
        payload.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        // A member that is null here is one that is missing.
        payload.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        (name, signer.sign(&json!({}), &payload), expected)
    });
    signer.check(&cases);
}

#[test]
fn headers_that_an_honest_signer_would_not_make() {
    let mut signer = Signer::new();
    let issuer = signer.world.issuer.clone();
    let upper = KID.to_uppercase();
    let cases = [
        ("typ JWT", json!({"typ": "JWT"}), ["valid", "valid"]),
        ("another typ", json!({"typ": "at+jwt"}), TAKEN_THERE),
        (
            "crit unknown",
            json!({"crit": ["x"], "x": 1}),
            ["403 ERR_JOSE_NOT_SUPPORTED", "malformed"],
        ),
        ("crit empty", json!({"crit": []}), ["403 ERR_JWS_INVALID", "malformed"]),
        (
            "not encoded",
            json!({"b64": false, "crit": ["b64"]}),
            ["403 ERR_JWT_INVALID", "malformed"],
        ),
        ("a key of its own", json!({"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}), TAKEN_THERE),
        ("where a key is", json!({"jku": "https://elsewhere.example/jwks.json"}), TAKEN_THERE),
        ("certificates", json!({"x5c": ["AQAB"]}), TAKEN_THERE),
        ("alg none", json!({"alg": "none"}), ["403 ERR_JOSE_ALG_NOT_ALLOWED", "malformed"]),
        ("alg HS256", json!({"alg": "HS256"}), ["403 ERR_JOSE_ALG_NOT_ALLOWED", "malformed"]),
        ("alg PS256", json!({"alg": "PS256"}), ["403 ERR_JOSE_ALG_NOT_ALLOWED", "malformed"]),
        (
            "alg in another case",
            json!({"alg": "rs256"}),
            ["403 ERR_JOSE_ALG_NOT_ALLOWED", "malformed"],
        ),
        (
            "alg of another kind of key",
            json!({"alg": "ES256"}),
            ["403 ERR_JOSE_ALG_NOT_ALLOWED", "unknown"],
        ),
        ("kid of another key", json!({"kid": "0197f3a0-1111-7000-8000-000000000002"}), MALFORMED),
        ("kid in upper case", json!({"kid": upper}), MALFORMED),
        ("kid as a path", json!({"kid": "../../x"}), MALFORMED),
        ("kid as a number", json!({"kid": 1}), MALFORMED),
        ("kid in a list", json!({"kid": [KID]}), MALFORMED),
    ];
    let payload = honest(&issuer);
    let mut cases = cases
        .map(|(name, header, expected)| (name, signer.sign(&header, &payload), expected))
        .to_vec();
    // Also the issuer may be written so; there is no such document.
    let mut shouted = payload.clone();
    shouted["iss"] = json!(format!("{issuer}/{upper}"));
    let token = signer.sign(&json!({"kid": upper}), &shouted);
    cases.push(("kid in upper case twice", token, ["403 ERR_JOSE_GENERIC", "malformed"]));
    signer.check(&cases);
}

#[test]
fn texts_that_an_honest_signer_would_not_write() {
    let mut signer = Signer::new();
    let payload = honest(&signer.world.issuer).to_string();
    let header = json!({"alg": "RS256", "kid": KID}).to_string();
    let twice = |text: &str, first: &str| text.replacen('{', &format!("{{{first},"), 1);
    let cases = [
        ("a claim twice", header.clone(), twice(&payload, r#""sub":"admin""#), TAKEN_THERE),
        ("exp twice", header.clone(), twice(&payload, r#""exp":1"#), TAKEN_THERE),
        ("alg twice", twice(&header, r#""alg":"none""#), payload.clone(), TAKEN_THERE),
        ("kid twice", twice(&header, r#""kid":"x""#), payload.clone(), TAKEN_THERE),
        ("claims in a list", header.clone(), format!("[{payload}]"), MALFORMED),
        ("no claims", header.clone(), "null".to_owned(), MALFORMED),
        ("claims and more", header.clone(), format!("{payload}x"), MALFORMED),
        ("a mark before the claims", header.clone(), format!("\u{feff}{payload}"), TAKEN_THERE),
        ("no JSON", header.clone(), payload.replace('"', "'"), MALFORMED),
        ("spaces around", header.clone(), format!(" {payload}\n"), ["valid", "valid"]),
        ("header in a list", format!("[{header}]"), payload.clone(), MALFORMED),
    ];
    let cases = cases.map(|(name, header, payload, expected)| {
        (name, signer.sign(&json!(header), &json!(payload)), expected)
    });
    signer.check(&cases);
}

#[test]
fn a_token_that_was_changed_on_the_way() {
    let mut signer = Signer::new();
    let honest = signer.honest.clone();
    let (message, signature) = honest.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    // The last character of 256 bytes has four bits that nobody reads.
    let (start, last) = honest.split_at(honest.len() - 1);
    let unread = format!("{start}{}", char::from(last.as_bytes()[0] + 1));
    let (before, after) = honest.split_at(honest.len() - 100);
    let (changed, rest) = after.split_at(1);
    let other = if changed == "A" { "B" } else { "A" };
    let (shorter, _) = signature.split_at(340);
    let cases = [
        ("padding", format!("{honest}=="), TAKEN_THERE),
        ("bits that nobody reads", unread, TAKEN_THERE),
        ("newline behind", format!("{honest}\n"), TAKEN_THERE),
        ("space in the signature", format!("{before} {after}"), TAKEN_THERE),
        ("padding in the header", format!("{header}==.{payload}.{signature}"), MALFORMED),
        ("signature changed", format!("{before}{other}{rest}"), FORGED),
        ("signature shorter", format!("{message}.{shorter}"), FORGED),
        ("signature empty", format!("{message}."), [FORGED[0], "malformed"]),
        ("signature missing", message.to_owned(), MALFORMED),
        ("a fourth part", format!("{honest}.x"), MALFORMED),
        ("claims empty", format!("{header}..{signature}"), MALFORMED),
        ("claims of another token", format!("{header}.e30.{signature}"), MALFORMED),
        ("nothing", String::new(), ["401", "missing"]),
        ("dots", "..".to_owned(), MALFORMED),
    ];
    signer.check(&cases);
}

#[test]
fn a_token_of_another_key_under_the_same_id() {
    let mut signer = Signer::new();
    let payload = honest(&signer.world.issuer);
    for (alg, there) in [
        ("RS256", "403 ERR_JWS_SIGNATURE_VERIFICATION_FAILED"),
        ("ES256", "403 ERR_JOSE_ALG_NOT_ALLOWED"),
        ("EdDSA", "403 ERR_JOSE_ALG_NOT_ALLOWED"),
    ] {
        let command = json!({"do": "sign", "kid": KID, "alg": alg, "payload": payload});
        let token = signer.world.peer.done(&command)["token"].as_str().unwrap().to_owned();
        signer.check(&[(alg, token, [there, "unknown"])]);
    }
}

#[test]
fn a_weak_key_is_not_even_taken_over() {
    let mut world = World::new();
    let served = world.peer.done(&json!({"do": "serve_jwks"}));
    let issuer = served["base_issuer"].as_str().unwrap().to_owned();
    let command = json!({"do": "sign", "kid": KID, "bits": 1_024, "payload": honest(&issuer)});
    let signed = world.peer.done(&command);
    world.peer.done(&json!({"do": "serve_jwks", "jwk": signed["jwk"]}));
    assert_eq!(world.peer.verdict(signed["token"].as_str().unwrap(), &issuer), "403 TypeError");
    let body = json!({"keyspace": "japikey", "keys": [{"owner": "user-1", "jwk": signed["jwk"]}]});
    let answer = world.client.granted("POST", "/v1/keys/import", &body);
    assert_eq!(answer["failed"][0]["errors"][0]["field"], "jwk", "{answer}");
}
