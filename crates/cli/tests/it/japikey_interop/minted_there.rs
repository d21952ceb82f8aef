//! Keys that the published package has minted, taken over with their public halves.

use rstest::rstest;
use serde_json::{Value, json};

use super::World;

const FAR: &str = "2099-01-01T00:00:00Z";

#[rstest]
#[case::as_it_is("", json!({}))]
#[case::slash_at_the_end("/", json!({"scopes": ["read"]}))]
#[case::query("?x=1", json!({"deep": {"a": [1, null, "ä"]}, "jti": "j", "nbf": 1}))]
fn a_key_of_the_published_package_is_good_here_once_it_is_known(
    #[case] behind: &str,
    #[case] claims: Value,
) {
    let mut world = World::new();
    let issuer = format!("{}{behind}", world.issuer);
    let command = json!({"do": "mint", "claims": claims, "sub": "user-1", "iss": issuer,
        "aud": "api-key", "expires_at": FAR});
    let minted = world.peer.done(&command);
    let token = minted["token"].as_str().unwrap();
    assert_eq!(world.verdicts(token), ["403 ERR_JOSE_GENERIC", "unknown"]);

    world.take_over(&minted["jwk"]);
    // Also by the published client, from our document.
    assert_eq!(world.verdicts(token), ["valid", "valid"]);
    let (issuer, there) = (world.issuer.clone(), &mut world.peer);
    assert_eq!(there.verify(token, &issuer)["claims"], world.claims(token));

    let kid = minted["kid"].as_str().unwrap();
    assert_eq!(world.client.show(kid)["jwk"], minted["jwk"]);
    world.client.act(kid, "revoke");
    assert_eq!(world.verdicts(token), ["403 ERR_JOSE_GENERIC", "revoked"]);
}

#[test]
fn a_dead_key_of_the_published_package_is_dead_here() {
    let mut world = World::new();
    let command = json!({"do": "mint", "sub": "user-1", "iss": world.issuer, "aud": "api-key",
        "expires_at": "2020-01-01T00:00:00Z"});
    let minted = world.peer.done(&command);
    world.take_over(&minted["jwk"]);
    let token = minted["token"].as_str().unwrap();
    assert_eq!(world.verdicts(token), ["403 ERR_JWT_EXPIRED", "expired"]);
}

#[rstest]
#[case::another_audience(json!({"aud": "another"}), ["valid", "unknown"])]
#[case::no_audience(json!({"aud": null}), ["valid", "unknown"])]
#[case::several_audiences(json!({"aud": ["another", "api-key"]}), ["valid", "valid"])]
#[case::another_issuer(json!({"iss": "https://elsewhere.example"}), ["401", "malformed"])]
fn a_key_for_somebody_else_is_not_for_us(#[case] change: Value, #[case] expected: [&str; 2]) {
    let mut world = World::new();
    let mut command = json!({"do": "mint", "sub": "user-1", "iss": world.issuer,
        "aud": "api-key", "expires_at": FAR});
    command.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    // A member that is null here is one that is missing.
    command.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let minted = world.peer.done(&command);
    world.take_over(&minted["jwk"]);
    assert_eq!(world.verdicts(minted["token"].as_str().unwrap()), expected);
}

#[test]
fn a_document_of_the_published_package_and_ours_are_the_same() {
    let mut world = World::new();
    let routers = world.peer.done(&json!({"do": "routers", "max_age": 60}));
    let command = json!({"do": "mint", "sub": "user-1", "iss": world.issuer, "aud": "api-key",
        "expires_at": FAR});
    let minted = world.peer.done(&command);
    world.take_over(&minted["jwk"]);
    let path = format!("/jwks/{}/.well-known/jwks.json", minted["kid"].as_str().unwrap());
    let ours = world.client.granted("GET", &path, &Value::Null);
    assert_eq!(ours, json!({"keys": [minted["jwk"]]}));
    assert!(routers["base_issuer"].as_str().unwrap().ends_with("/jwks"));
}
