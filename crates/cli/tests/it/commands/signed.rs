//! Signed keys by commands alone.

use rstest::rstest;
use serde_json::{Value, json};

use super::Site;

const ISSUER: &str = "https://keys.example/jwks";

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn a_signed_key_can_be_managed_by_commands_alone(#[case] site: Site) {
    let cli = site.cli();
    let create = ["keyspaces", "create", "services", "--format", "signed"];
    let how = ["--key-size", "2048", "--keyspace-issuer", ISSUER, "--audience", "api"];
    let keyspace = cli.json(&[&create[..], &how[..]].concat());
    assert_eq!(
        [&keyspace["issuer"], &keyspace["audience"], &keyspace["key_size"]],
        [&json!(ISSUER), &json!("api"), &json!(2048)]
    );
    let issue = ["keys", "issue", "--keyspace", "services", "--owner", "o", "--expires-in", "1h"];
    let issued = cli.json(&[&issue[..], &["--claims", r#"{"plan":"gold"}"#]].concat());
    let (id, secret) = (text(&issued["key"]["id"]), text(&issued["secret"]));
    // A token is longer than every other secret, and it comes whole through the standard input.
    let verified = site.cli().stdin(&format!("{secret}\n")).json(&["verify"]);
    assert_eq!([&verified["valid"], &verified["claims"]["plan"]], [&json!(true), &json!("gold")]);
    let rotated = cli.json(&["keys", "rotate", id, "--claims", r#"{"plan":"silver"}"#]);
    assert_eq!(rotated["previous"]["rotated_to"], rotated["key"]["id"]);
    let verified = cli.json(&["verify", text(&rotated["secret"])]);
    assert_eq!(verified["claims"]["plan"], "silver");
    assert_eq!(cli.run(&["verify", secret]).code, 1, "the old one is revoked");
}

#[test]
fn signed_keys_are_taken_over_from_lines_and_tables() {
    let site = Site::local();
    let cli = site.cli();
    let vectors = include_str!("../../../../../vectors/japikey.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let vector = |place: usize| &vectors["valid"][place];
    let create = ["keyspaces", "create", "old", "--format", "signed"];
    let issuer = text(&vector(0)["base_issuer"]);
    cli.json(&[&create[..], &["--keyspace-issuer", issuer]].concat());
    let line = json!({"owner": "user-1", "jwk": vector(0)["jwk"]}).to_string();
    let lines = site.folder.write("keys.jsonl", line);
    let quoted = vector(1)["jwk"].to_string().replace('"', "\"\"");
    let table = site.folder.write("keys.csv", format!("owner,jwk\nuser-1,\"{quoted}\"\n"));
    for file in [&lines, &table, &lines] {
        cli.done(&["keys", "import", file.to_str().unwrap(), "--keyspace", "old"]);
    }
    for place in [0, 1] {
        let verified = cli.json(&["verify", text(&vector(place)["token"])]);
        assert_eq!(verified["valid"], true, "{verified}");
    }
}
