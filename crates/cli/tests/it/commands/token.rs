//! Tokens of Keyward and of others, without any database.

use rstest::rstest;
use serde_json::Value;

use crate::harness::Folder;

/// The token and hash of a profile, from the vectors.
fn made(profile: &str) -> (String, String) {
    let vectors = include_str!("../../../../../vectors/dialects.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let (made_by, version) = match profile {
        "seam" => ("seamapi", "1.1.1"),
        "fork4" => ("bencmbrook", "4.0.0"),
        "fork3" => ("bencmbrook", "3.0.1"),
        _ => ("brahmlower-rust", "0.3.0"),
    };
    let is_it = |v: &&Value| v["impl"] == made_by && v["version"] == version;
    let vector = vectors["vectors"].as_array().unwrap().iter().find(is_it).unwrap();
    let text = |name: &str| vector[name].as_str().unwrap().to_owned();
    (text("token"), text("secretHash"))
}

#[rstest]
#[case("seam")]
#[case("fork3")]
#[case("fork4")]
#[case("rust")]
fn tokens_of_others_are_accepted_refused_or_the_call_is_unusable(#[case] profile: &str) {
    let folder = Folder::new();
    let cli = folder.cli();
    let (token, hash) = made(profile);
    let check = |token: &str, hash: &str, more: &[&str]| {
        let call = ["token", "check", "--profile", profile, "--stored-hash", hash];
        cli.run(&[&call[..], more, &[token]].concat())
    };
    assert_eq!(check(&token, &hash, &[]).code, 0);
    let (prefix, id) = (token.split('_').next().unwrap(), token.split('_').nth(1).unwrap());
    assert_eq!(check(&token, &hash, &["--prefix", prefix, "--id", id]).code, 0);
    for (token, hash, more, code) in [
        (format!("{token}1"), hash.as_str(), &[][..], 1),
        (token.replace(id, "1"), &hash, &[], 1),
        (format!("Bearer {token}"), &hash, &[], 1),
        (String::new(), &hash, &[], 1),
        (token.clone(), &hash, &["--prefix", "other"], 1),
        (token.clone(), &hash, &["--id", "other"], 1),
        (token.clone(), "nonsense", &[], 2),
        (token.clone(), &hash, &["--secret-length", "0"], 2),
        (token.clone(), &hash, &["--digest", "md5"], 2),
    ] {
        let ended = check(&token, hash, more);
        assert_eq!(ended.code, code, "{ended:?}");
        let secret = token.rsplit('_').next().unwrap();
        assert!(secret.len() < 8 || !ended.stderr.contains(secret));
    }
    assert!(!folder.file("keyward.db").exists(), "no database is made");
}

#[test]
fn an_unknown_profile_and_a_missing_hash_are_unusable_calls() {
    let folder = Folder::new();
    let cli = folder.cli();
    assert_eq!(cli.run(&["token", "check", "--profile", "x", "--stored-hash", "0", "t"]).code, 2);
    assert_eq!(cli.run(&["token", "check", "t"]).code, 2);
}

#[rstest]
#[case("keyward")]
#[case("seam")]
#[case("fork4")]
#[case("rust")]
fn what_is_generated_is_inspected_hashed_and_accepted(#[case] profile: &str) {
    let folder = Folder::new();
    let cli = folder.cli();
    let made = cli.json(&["token", "generate", "--profile", profile, "--prefix", "my_app"]);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let (token, id, hash) = (text("token"), text("id"), text("hash"));
    let call = |command: &'static str| ["token", command, "--profile", profile];
    assert_eq!(cli.clone().stdin(&token).done(&call("hash")).trim(), hash);
    let parts = cli.json(&[&call("inspect")[..], &[&token]].concat());
    assert_eq!((&parts["prefix"], &parts["id"]), (&"my_app".into(), &Value::from(id)));
    assert!(parts.get("secret").is_none());
    let whole = cli.json(&[&call("inspect")[..], &["--show-secret", &token]].concat());
    assert!(token.ends_with(whole["secret"].as_str().unwrap()));
    let check = [&call("check")[..], &["--stored-hash", &hash]].concat();
    assert_eq!(cli.clone().stdin(&token).json(&check)["accepted"], true);
}

#[test]
fn a_key_that_the_server_issued_is_one_of_ours() {
    let folder = Folder::new();
    let cli = folder.cli();
    cli.done(&["migrate"]);
    let issued = cli.json(&["keys", "issue", "--owner", "o"]);
    let secret = issued["secret"].as_str().unwrap();
    let parts = cli.json(&["token", "inspect", secret]);
    assert_eq!(parts["id"], issued["key"]["id"]);
}

#[test]
fn weak_tokens_are_made_on_request_alone() {
    let folder = Folder::new();
    let generate = ["token", "generate", "--profile", "fork3", "--prefix", "my"];
    assert_eq!(folder.cli().run(&generate).code, 2);
    assert_eq!(folder.cli().run(&[&generate[..], &["--allow-weak"]].concat()).code, 0);
}
