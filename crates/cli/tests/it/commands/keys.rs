//! What commands do.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Site, shape};
use crate::harness::Cli;

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn a_key_can_be_managed_by_commands_alone(#[case] site: Site) {
    let cli = site.cli();
    let issued = cli.json(&[
        "keys",
        "issue",
        "--owner",
        "o",
        "--scope",
        "read",
        "--scope",
        "write",
        "--tag",
        "T",
        "--resource",
        "project:1=admin,read",
        "--metadata",
        r#"{"plan": 1}"#,
        "--name",
        "N",
        "--expires-in",
        "30d",
        "--disabled",
    ]);
    let (id, secret) = (text(&issued["key"]["id"]), text(&issued["secret"]));
    let key = &issued["key"];
    assert_eq!(key["scopes"], json!(["read", "write"]));
    assert_eq!(key["resources"], json!({"project:1": ["admin", "read"]}));
    assert_eq!([&key["tags"], &key["metadata"]], [&json!(["t"]), &json!({"plan": 1})]);
    assert_eq!([&key["name"], &key["enabled"]], [&json!("N"), &json!(false)]);
    assert_eq!(refusal(&cli, &secret), "disabled");
    assert_eq!(cli.json(&["keys", "enable", &id])["state"], "active");
    assert!(cli.json(&["verify", &secret, "--scope", "read"])["valid"] == true);
    let on_resource = ["verify", &secret, "--scope", "admin", "--resource", "project:1"];
    assert!(cli.json(&on_resource)["valid"] == true);
    assert!(
        cli.json(&["verify", &secret, "--scope", "x", "--scope", "read", "--any"])["valid"] == true
    );
    assert_eq!(cli.run(&["verify", &secret, "--scope", "admin"]).code, 1);

    let update = ["keys", "update", &id, "--name", "", "--scope", "read", "--expires-at", "never"];
    let updated = cli.json(&[&update[..], &["--if-version", "2"]].concat());
    assert_eq!(updated["scopes"], json!(["read"]));
    assert_eq!([&updated["name"], &updated["expires_at"]], [&Value::Null, &Value::Null]);
    assert_eq!(cli.run(&[&update[..], &["--if-version", "2"]].concat()).code, 1);
    assert_eq!(cli.json(&["keys", "disable", &id])["enabled"], false);
    cli.done(&["keys", "enable", &id]);

    let rotated = cli.json(&["keys", "rotate", &id, "--grace", "1h", "--name", "R"]);
    let second = text(&rotated["secret"]);
    assert_eq!([&rotated["key"]["id"], &rotated["key"]["name"]], [&json!(id), &json!("R")]);
    assert_eq!(cli.run(&["verify", &secret]).code, 0);
    let successor = cli.json(&["keys", "rotate", &id, "--successor"]);
    assert_eq!(successor["previous"]["rotated_to"], successor["key"]["id"]);
    assert_eq!(refusal(&cli, &second), "revoked");

    let third = text(&successor["key"]["id"]);
    assert_eq!(cli.json(&["keys", "revoke", &third, "--reason", "lost"])["revoked_reason"], "lost");
    assert_eq!(refusal(&cli, &text(&successor["secret"])), "revoked");
    assert_eq!(cli.json(&["keys", "delete", &third])["state"], "deleted");
    assert_eq!(cli.json(&["keys", "restore", &third])["state"], "revoked");
    assert_eq!(cli.run(&["keys", "purge", &third]).code, 1);
    cli.done(&["keys", "delete", &third]);
    cli.done(&["keys", "purge", &third]);
    assert_eq!(cli.run(&["keys", "show", &third]).code, 1);
    assert_eq!(ids(&cli.json(&["keys", "list", "--owner", "o"])), [id]);
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn lists_are_filtered_sorted_and_paged(#[case] site: Site) {
    let cli = site.cli();
    let issue = |owner: &str, name: &str| {
        let issued = cli.json(&["keys", "issue", "--owner", owner, "--name", name, "--tag", name]);
        text(&issued["key"]["id"])
    };
    let [a, b, c] = [issue("x", "a"), issue("x", "b"), issue("y", "c")];
    let list = |filter: &[&str]| ids(&cli.json(&[&["keys", "list"], filter].concat()));
    assert_eq!(list(&["--owner", "x"]), [b.clone(), a.clone()]);
    assert_eq!(list(&["--tag", "c"]), [c.as_str()]);
    assert_eq!(list(&["--search", &b]), [b.as_str()]);
    assert_eq!(list(&["--owner", "x", "--sort", "name", "--order", "asc"]), [a.clone(), b.clone()]);
    let first = cli.run(&["keys", "list", "--owner", "x", "--limit", "1"]);
    let cursor = first.stderr.trim().strip_prefix("keyward: there is more: --cursor ").unwrap();
    assert_eq!(list(&["--owner", "x", "--limit", "1", "--cursor", cursor]), [a.as_str()]);

    assert_eq!(cli.json(&["keys", "revoke-all", "--owner", "x", "--reason", "gone"])["revoked"], 2);
    assert_eq!(list(&["--state", "revoked"]), [b, a]);
    assert_eq!(list(&["--state", "active", "--owner", "y"]), [c]);
}

#[rstest]
#[case::locally(Site::local(), "local")]
#[case::on_a_server(Site::remote(), "key:")]
fn keyspaces_and_the_audit_trail_have_commands(#[case] site: Site, #[case] actor: &str) {
    let cli = site.cli();
    let created = cli.json(&[
        "keyspaces",
        "create",
        "short",
        "--format",
        "opaque",
        "--prefix",
        "s",
        "--length",
        "40",
        "--default-lifetime",
        "1h",
        "--maximum-lifetime",
        "2h",
        "--rate-limit",
        "2/1m",
    ]);
    assert_eq!([&created["length"], &created["rate_limit"]["requests"]], [&json!(40), &json!(2)]);
    assert_eq!(cli.json(&["keyspaces", "show", "short"]), created);
    let updated =
        cli.json(&["keyspaces", "update", "short", "--rate-limit", "", "--if-version", "1"]);
    assert_eq!(updated["rate_limit"], Value::Null);
    let listed = cli.json(&["keyspaces", "list"]);
    assert!(ids(&listed).contains(&"short".to_owned()));

    let issued = cli.json(&["keys", "issue", "--owner", "o", "--keyspace", "short"]);
    let id = text(&issued["key"]["id"]);
    assert!(issued["key"]["expires_at"].is_string());
    cli.done(&["keys", "revoke", &id]);
    let events = cli.json(&["audit", "list", "--of-key", &id]);
    let actions: Vec<_> = events["data"].as_array().unwrap().iter().map(|e| &e["action"]).collect();
    assert_eq!(actions, ["key.revoked", "key.issued"]);
    assert!(text(&events["data"][0]["actor"]).starts_with(actor));
    let of_action = ["audit", "list", "--action", "keyspace.updated", "--keyspace", "short"];
    assert_eq!(cli.json(&of_action)["data"].as_array().unwrap().len(), 1);
}

#[test]
fn answers_have_the_same_shape_locally_and_on_a_server() {
    let sites = [Site::local(), Site::remote()];
    let [local, remote] = sites.each_ref().map(|site| shapes(&site.cli()));
    for ((command, local), (_, remote)) in local.iter().zip(&remote) {
        assert_eq!(local, remote, "{command}");
    }
}

fn shapes(cli: &Cli<'_>) -> Vec<(String, Value)> {
    let issue = ["keys", "issue", "--owner", "o", "--scope", "s"];
    let issued = cli.json(&issue);
    let (id, secret) = (text(&issued["key"]["id"]), text(&issued["secret"]));
    let id = id.as_str();
    let commands: &[&[&str]] = &[
        &issue,
        &["verify", &secret],
        &["keys", "list"],
        &["keys", "show", id],
        &["keys", "update", id, "--name", "n"],
        &["keys", "disable", id],
        &["keys", "enable", id],
        &["keys", "rotate", id],
        &["keys", "revoke", id],
        &["keys", "revoke-all", "--owner", "o"],
        &["keys", "delete", id],
        &["keys", "restore", id],
        &["keys", "delete", id],
        &["keys", "purge", id],
        &["reap", "--older-than", "1d"],
        &["keyspaces", "create", "k", "--prefix", "k"],
        &["keyspaces", "list"],
        &["keyspaces", "show", "k"],
        &["keyspaces", "update", "k", "--description", "d"],
        &["audit", "list", "--keyspace", "k"],
        // Refused, each with its problem or decision.
        &["keys", "show", id],
        &["keys", "issue", "--owner", ""],
        &["reap", "--older-than", "0s"],
        &["keyspaces", "create", "k", "--prefix", "k"],
        &["verify", &secret],
        &["verify", "garbage"],
    ];
    let run = |command: &&[&str]| {
        let ended = cli.run(&[&["--json"], *command].concat());
        let answer = serde_json::from_str(&ended.stdout).unwrap();
        (command.join(" "), json!([ended.code, shape(&answer)]))
    };
    commands.iter().map(run).collect()
}

fn refusal(cli: &Cli<'_>, secret: &str) -> String {
    let ended = cli.run(&["--json", "verify", secret]);
    assert_eq!(ended.code, 1, "{ended:?}");
    text(&serde_json::from_str::<Value>(&ended.stdout).unwrap()["code"])
}

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|item| text(&item["id"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
