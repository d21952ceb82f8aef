//! Service accounts: made, shown, changed and presented by commands alone.

use rstest::rstest;
use serde_json::{Value, json};

use super::Site;
use crate::harness::{Cli, Folder, wait_for};

/// Creates an account and returns its id and client secret.
fn create(cli: &Cli<'_>, arguments: &[&str]) -> (String, String) {
    let created = cli.json(&[&["accounts", "create"][..], arguments].concat());
    assert_eq!(created["client_id"], created["service_account"]["id"]);
    (text(&created["client_id"]), text(&created["client_secret"]))
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn a_service_account_can_be_managed_by_commands_alone(#[case] site: Site) {
    let cli = site.cli();
    let arguments = ["--owner", "o", "--description", "D", "--scope", "read", "--scope", "write"];
    let (id, secret) = create(&cli, &[&arguments[..], &["--disabled"]].concat());
    let shown = cli.json(&["accounts", "show", &id]);
    assert_eq!([&shown["owner"], &shown["description"]], [&json!("o"), &json!("D")]);
    assert_eq!(
        [&shown["scopes"], &shown["state"]],
        [&json!(["read", "write"]), &json!("disabled")]
    );
    assert!(!shown.to_string().contains(&secret));
    assert_eq!(cli.json(&["accounts", "enable", &id])["state"], "active");

    let update =
        ["accounts", "update", &id, "--description", "", "--no-scopes", "--if-version", "2"];
    let updated = cli.json(&update);
    assert_eq!([&updated["description"], &updated["scopes"]], [&Value::Null, &json!([])]);
    assert_eq!(cli.run(&update).code, 1, "it has another version by now");
    assert_eq!(cli.json(&["accounts", "update", &id, "--scope", "x"])["scopes"], json!(["x"]));
    assert_eq!(cli.run(&["accounts", "update", &id]).code, 1, "nothing is to be changed");

    let key = cli.json(&["keys", "issue", "--owner", "o", "--service-account", &id]);
    assert_eq!(key["key"]["service_account_id"], json!(id));
    let (key_id, key) = (text(&key["key"]["id"]), text(&key["secret"]));
    let listed = cli.json(&["keys", "list", "--service-account", &id]);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(cli.json(&["accounts", "disable", &id])["enabled"], false);
    assert_eq!(cli.run(&["verify", &key]).code, 1);
    cli.done(&["accounts", "enable", &id]);
    cli.done(&["verify", &key]);

    let rotated = cli.json(&["accounts", "rotate", &id, "--grace", "1h"]);
    assert_ne!(rotated["client_secret"], json!(secret));
    assert!(rotated["service_account"]["previous_secret_until"].is_string());

    assert_eq!(cli.json(&["accounts", "delete", &id])["state"], "deleted");
    assert_eq!(cli.run(&["verify", &key]).code, 1);
    assert_eq!(cli.json(&["accounts", "restore", &id])["state"], "active");
    cli.done(&["verify", &key]);
    assert_eq!(cli.run(&["accounts", "purge", &id]).code, 1, "it is not deleted");
    cli.done(&["accounts", "delete", &id]);
    cli.done(&["accounts", "purge", &id]);
    for gone in [["accounts", "show", &id], ["keys", "show", &key_id]] {
        assert_eq!(cli.run(&gone).code, 1);
    }
    let events = cli.json(&["audit", "list", "--of-account", &id]);
    assert_eq!(events["data"][0]["action"], "service_account.purged");
    assert_eq!(events["data"].as_array().unwrap().len(), 13);
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn service_accounts_are_listed_filtered_and_paged(#[case] site: Site) {
    let cli = site.cli();
    cli.done(&["keyspaces", "create", "own", "--prefix", "own", "--service-account", "primary"]);
    cli.done(&["keys", "issue", "--owner", "x", "--keyspace", "own"]);
    let (a, _) = create(&cli, &["--owner", "x", "--description", "Größe"]);
    let (b, _) = create(&cli, &["--owner", "y", "--disabled"]);
    let (c, _) = create(&cli, &["--owner", "y"]);
    cli.done(&["accounts", "delete", &c]);
    let list = |arguments: &[&str]| {
        let page = cli.json(&[&["accounts", "list"][..], arguments].concat());
        let ids = page["data"].as_array().unwrap().iter();
        ids.map(|account| text(&account["id"])).collect::<Vec<_>>()
    };
    assert_eq!(list(&["--owner", "x", "--primary", "false"]), [a.as_str()]);
    assert_eq!(list(&["--primary"]).len(), 1);
    assert_eq!(list(&["--search", "GRÖSSE"]).len() + list(&["--search", "größe"]).len(), 1);
    assert_eq!(list(&["--state", "disabled"]), [b.as_str()]);
    assert_eq!(list(&["--state", "deleted"]), [c.as_str()]);
    let oldest_first = ["--include-deleted", "--sort", "created_at", "--order", "asc"];
    let all = list(&oldest_first);
    assert_eq!(all.get(1..).unwrap(), [a, b, c]);
    let second = list(&[&oldest_first[..], &["--limit", "3", "--page", "2"]].concat());
    assert_eq!(second, all.get(3..).unwrap());

    let arguments = ["accounts", "list", "--limit", "1", "--page", "2"];
    let told = cli.run(&arguments).stderr;
    assert!(told.ends_with("keyward: page 2 of 3, 3 in all\n"), "{told}");
    let both = [&arguments[..], &["--cursor", "x"]].concat();
    assert_eq!(cli.run(&both).code, 2, "a page has a number or a cursor");
}

#[test]
fn keys_are_listed_by_account_number_state_and_change() {
    let site = Site::local();
    let cli = site.cli();
    let (account, _) = create(&cli, &["--owner", "o"]);
    let issue = |name: &str, more: &[&str]| {
        let arguments = ["keys", "issue", "--owner", "o", "--name", name];
        text(&cli.json(&[&arguments[..], more].concat())["key"]["id"])
    };
    let first = issue("first", &["--service-account", &account]);
    let (second, third) = (issue("second", &["--disabled"]), issue("third", &[]));
    cli.done(&["keys", "update", &first, "--name", "changed"]);
    cli.done(&["keys", "delete", &third]);
    let list = |arguments: &[&str]| {
        let page = cli.json(&[&["keys", "list"][..], arguments].concat());
        let ids = page["data"].as_array().unwrap().iter();
        ids.map(|key| text(&key["id"])).collect::<Vec<_>>()
    };
    assert_eq!(list(&["--service-account", &account]), [first.as_str()]);
    assert_eq!(list(&["--state", "inactive"]), [second.as_str()]);
    assert_eq!(list(&["--sort", "updated_at"]), [first.clone(), second.clone()]);
    assert_eq!(list(&["--sort", "enabled", "--order", "asc"]), [second, first.clone()]);
    assert_eq!(list(&["--include-deleted", "--limit", "2", "--page", "2"]), [first.as_str()]);
    assert_eq!(list(&["--include-deleted", "--page", "1"]).len(), 3);
}

#[test]
fn secrets_of_accounts_go_to_the_standard_output_when_they_are_made_and_nowhere_else() {
    let site = Site::local();
    let cli = site.cli();
    let created = cli.run(&["accounts", "create", "--owner", "o"]);
    let secret = created.stdout.lines().last().unwrap().to_owned();
    assert!(secret.starts_with("kwcs_") && !created.stderr.contains(&secret), "{created:?}");
    let told = "keyward: this is the service account's client secret, which is shown only now:\n";
    assert_eq!(created.stderr, told);

    cli.done(&["keyspaces", "create", "own", "--prefix", "own", "--service-account", "primary"]);
    let issued = cli.run(&["keys", "issue", "--owner", "o", "--keyspace", "own"]);
    let secrets: Vec<_> = issued.stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(secrets.len(), 2, "{issued:?}");
    assert!(secrets[0].starts_with("kwcs_") && secrets[1].starts_with("own_"), "{issued:?}");
    assert!(!issued.stderr.contains("own_"), "{issued:?}");
    let again = cli.done(&["keys", "issue", "--owner", "o", "--keyspace", "own"]);
    assert!(!again.contains("kwcs_"), "the account is there already: {again}");

    let keys = "{\"owner\": \"p\", \"keyspace\": \"own\"}\n";
    let many = cli.clone().stdin(keys).done(&["keys", "issue-many"]);
    let words: Vec<_> = many.split_whitespace().collect();
    assert_eq!(words.len(), 4, "{many}");
    assert!(words[1].starts_with("own_") && words[3].starts_with("kwcs_"), "{many}");
    for shown in [&["accounts", "list"][..], &["audit", "list"], &["keys", "list"]] {
        let shown = cli.done(&[shown, &["--json"]].concat());
        assert!(!shown.contains("kwcs_"), "{shown}");
    }
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn a_key_is_verified_together_with_the_credentials_of_its_account(#[case] site: Site) {
    let cli = site.cli();
    let (id, secret) = create(&cli, &["--owner", "o"]);
    let (other, other_secret) = create(&cli, &["--owner", "o"]);
    let issued = cli.json(&["keys", "issue", "--owner", "o", "--service-account", &id]);
    let key = text(&issued["secret"]);
    site.folder.write("right.txt", format!("{secret}\n"));
    site.folder.write("wrong.txt", &other_secret);
    let code = |id: &str, file: &str, stdin: &str, key: &[&str]| {
        let options = ["verify", "--client-id", id, "--client-secret-file", file];
        cli.clone().stdin(stdin).run(&[&options[..], key].concat()).code
    };
    assert_eq!(code(&id, "right.txt", "", &[&key]), 0);
    assert_eq!(code(&id, "right.txt", &key, &[]), 0);
    assert_eq!(code(&id, "-", &secret, &[&key]), 0);
    assert_eq!(code(&id, "-", &format!("{key}\n{secret}\n"), &[]), 0);
    assert_eq!(code(&id, "wrong.txt", "", &[&key]), 1);
    assert_eq!(code(&other, "wrong.txt", "", &[&key]), 1, "the key is another account's");
    assert_eq!(code(&id, "none.txt", "", &[&key]), 2);
    assert_eq!(code(&id, "-", &key, &[]), 2, "there is no second line");
    assert_eq!(cli.run(&["verify", "--client-id", &id, &key]).code, 2);
    assert_eq!(cli.run(&["verify", "--client-secret-file", "right.txt", &key]).code, 2);
}

#[test]
fn deleted_accounts_and_keys_are_reaped_by_how_long_ago_they_were_deleted() {
    let folder = Folder::new();
    let cli = folder.cli();
    let (id, _) = create(&cli, &["--owner", "o"]);
    cli.done(&["keys", "issue", "--owner", "o", "--service-account", &id]);
    cli.done(&["accounts", "delete", &id]);
    assert_eq!(cli.json(&["reap", "--older-than", "1ms"]), json!({"purged": 0, "accounts": 0}));
    let reap = ["reap", "--deleted-older-than", "1ms"];
    assert_eq!(cli.json(&reap), json!({"purged": 1, "accounts": 1}));
    assert_eq!(cli.json(&reap), json!({"purged": 0, "accounts": 0}));
    let both = ["reap", "--deleted-older-than", "1ms", "--older-than", "1ms"];
    assert_eq!(cli.json(&both), json!({"purged": 0, "accounts": 0}));
}

#[test]
fn a_server_purges_deleted_accounts_by_itself_if_it_is_told_to() {
    let folder = Folder::new();
    let cli = folder.cli();
    let (id, _) = create(&cli, &["--owner", "o"]);
    cli.done(&["accounts", "delete", &id]);
    folder.write("keyward.toml", "[reap]\ndeleted_after = \"1ms\"\n");
    let printed = cli.done(&["--config", "keyward.toml", "config", "print"]);
    assert!(printed.contains("[reap]\ndeleted_after = \"1ms\"\n"), "{printed}");
    cli.done(&["--config", "keyward.toml", "accounts", "show", &id]);
    let server = folder.serve_with(&["--config", "keyward.toml"]);
    let is_gone = || cli.run(&["accounts", "show", &id]).code == 1;
    wait_for("the account to go", || is_gone().then_some(()));
    drop(server);
    folder.write("keyward.toml", "[reap]\ndeleted_before = \"1ms\"\n");
    assert_eq!(cli.run(&["--config", "keyward.toml", "config", "check"]).code, 2);
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
