//! Keys that we issue, as services see them that verify with the published client.

use rstest::rstest;
use serde_json::{Value, json};

use super::World;
use crate::harness::wait_for;

/// What the published client says when there is no document.
const NO_DOCUMENT: &str = "403 ERR_JOSE_GENERIC";

#[rstest]
#[case(2_048)]
#[case(3_072)]
#[case(4_096)]
fn an_rsa_key_is_good_there_and_says_the_same(#[case] bits: usize) {
    let mut world = World::new();
    world.keyspace("rsa", "RS256", Some(bits));
    let body = json!({"owner": "user-1", "keyspace": "rsa", "expires_in": "1h", "scopes": ["read"],
        "claims": {"plan": "gold", "deep": {"a": [1, null, "ä\u{1f511}"]}}});
    let key = world.client.issue(&body);
    let there = world.peer.verify(&key.secret, &world.issuer);
    assert_eq!(there["ok"], true, "{there}");
    assert_eq!(there["claims"], world.claims(&key.secret));
    assert_eq!(there["claims"]["iss"], format!("{}/{}", world.issuer, key.id));
    assert_eq!(there["claims"]["scopes"], json!(["read"]));

    let mut verify = |options: Value| {
        let token = &key.secret;
        let command = json!({"do": "verify", "token": token, "base_issuer": world.issuer,
            "options": options});
        world.peer.ask(&command)["ok"].clone()
    };
    assert_eq!(verify(json!({"audience": "api-key", "subject": "user-1"})), true);
    assert_eq!(verify(json!({"audience": "another"})), false);

    let url = format!("{}/{}/.well-known/jwks.json", world.issuer, key.id);
    let command = json!({"do": "jose_verify", "token": key.secret, "jwks_url": url});
    let by_jose = world.peer.done(&command);
    assert_eq!(by_jose["header"], json!({"alg": "RS256", "kid": key.id}));
    assert_eq!(by_jose["claims"], there["claims"]);
}

#[rstest]
#[case("ES256")]
#[case("EdDSA")]
fn a_shorter_key_is_good_by_jose_and_refused_by_the_published_client(#[case] algorithm: &str) {
    let mut world = World::new();
    world.keyspace("short", algorithm, None);
    let key = world.issue("short");
    let url = format!("{}/{}/.well-known/jwks.json", world.issuer, key.id);
    let command = json!({"do": "jose_verify", "token": key.secret, "jwks_url": url});
    let by_jose = world.peer.done(&command);
    assert_eq!(by_jose["header"]["alg"], algorithm);
    assert_eq!(by_jose["claims"], world.claims(&key.secret));
    assert_eq!(world.verdicts(&key.secret), ["403 ERR_JOSE_ALG_NOT_ALLOWED", "valid"]);
    let command =
        json!({"do": "should_authenticate", "token": key.secret, "base_issuer": world.issuer});
    assert_eq!(world.peer.done(&command)["answer"], true);
    world.client.act(&key.id, "revoke");
    let command = json!({"do": "jose_verify", "token": key.secret, "jwks_url": url});
    assert_eq!(world.peer.ask(&command)["ok"], false);
}

#[test]
fn what_is_taken_away_here_is_refused_there_at_once() {
    let mut world = World::new();
    let key = world.issue("japikey");
    assert_eq!(world.verdicts(&key.secret), ["valid", "valid"]);
    world.client.act(&key.id, "disable");
    assert_eq!(world.verdicts(&key.secret), [NO_DOCUMENT, "disabled"]);
    world.client.act(&key.id, "enable");
    assert_eq!(world.verdicts(&key.secret), ["valid", "valid"]);
    world.client.act(&key.id, "revoke");
    assert_eq!(world.verdicts(&key.secret), [NO_DOCUMENT, "revoked"]);

    let other = world.issue("japikey");
    world.client.granted("DELETE", &format!("/v1/keys/{}", other.id), &Value::Null);
    assert_eq!(world.verdicts(&other.secret), [NO_DOCUMENT, "unknown"]);
}

#[test]
fn a_key_that_expires_is_refused_by_both() {
    let mut world = World::new();
    let body = json!({"owner": "user-1", "keyspace": "japikey", "expires_in": "2s"});
    let key = world.client.issue(&body);
    wait_for("the key to expire here", || {
        (world.client.verify(&key.secret) == "expired").then_some(())
    });
    let there = world.peer.verdict(&key.secret, &world.issuer);
    assert!(["403 ERR_JWT_EXPIRED", NO_DOCUMENT].contains(&there.as_str()), "{there}");
}

#[test]
fn a_successor_is_good_there_and_so_is_the_old_key_until_the_grace_is_over() {
    let mut world = World::new();
    let key = world.issue("japikey");
    let path = format!("/v1/keys/{}/rotate", key.id);
    let rotated = world.client.granted("POST", &path, &json!({"grace": "1h"}));
    let successor = rotated["secret"].as_str().unwrap();
    for token in [key.secret.as_str(), successor] {
        assert_eq!(world.verdicts(token), ["valid", "valid"]);
    }
    let next = format!("/v1/keys/{}/rotate", rotated["key"]["id"].as_str().unwrap());
    world.client.granted("POST", &next, &Value::Null);
    assert_eq!(world.verdicts(successor), [NO_DOCUMENT, "revoked"]);
}

#[test]
fn only_what_is_ours_looks_like_it() {
    let mut world = World::new();
    world.keyspace("short", "EdDSA", None);
    let ours = [world.issue("japikey").secret, world.issue("short").secret];
    let others =
        [world.folder.root_key(), "eyJ".to_owned(), "eyJ.eyJ.eyJ".to_owned(), String::new()];
    let issuer = world.issuer.clone();
    let (server, elsewhere) = (world.server.url(), format!("{issuer}/more"));
    let mut looks = |token: &str, base_issuer: &str| {
        let command = json!({"do": "should_authenticate", "token": token,
            "base_issuer": base_issuer});
        world.peer.done(&command)["answer"].clone()
    };
    for token in &ours {
        assert_eq!(looks(token, &issuer), true);
        assert_eq!(looks(token, &format!("{issuer}/")), true);
        for base_issuer in [&server, &elsewhere] {
            assert_eq!(looks(token, base_issuer), false, "{base_issuer}");
        }
    }
    for token in &others {
        assert_eq!(looks(token, &issuer), false);
    }
}
