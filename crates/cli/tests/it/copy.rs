//! Moving to another database.

mod backends;
mod cut_off;
mod refusals;
mod switch;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Cli, Folder};

const FROM_TO: [&str; 5] = ["copy", "--from", "sqlite:keyward.db", "--to", "sqlite:new.db"];

/// The arguments of a copy, and these.
fn copy<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&FROM_TO[..], arguments].concat()
}

fn issue(cli: &Cli<'_>, count: usize) {
    let line = r#"{"owner": "o", "scopes": ["read"]}"#;
    cli.clone().stdin(&format!("{line}\n").repeat(count)).done(&["keys", "issue-many"]);
}

/// How many there are at both ends, by kind.
fn counts(report: &Value) -> Vec<(&str, u64, u64)> {
    let kinds = report["kinds"].as_array().unwrap().iter();
    let count = |kind: &Value, side: &str| kind[side]["count"].as_u64().unwrap();
    let counts = kinds.map(|kind| {
        (kind["kind"].as_str().unwrap(), count(kind, "source"), count(kind, "destination"))
    });
    counts.collect()
}

#[test]
fn everything_is_copied_and_compared() {
    let folder = Folder::new();
    let cli = folder.cli();
    drop(folder.serve().stop());
    cli.done(&["accounts", "create", "--owner", "o"]);
    issue(&cli, 3);
    let report = cli.json(&copy(&[]));
    assert_eq!(report["equal"], true, "{report}");
    let expected = [
        ("keyspaces", 2, 2),
        ("service_accounts", 1, 1),
        ("keys", 4, 4),
        ("usage", 0, 0),
        ("signing_keys", 0, 0),
        ("revoked_tokens", 0, 0),
        ("audit_events", 7, 7),
    ];
    assert_eq!(counts(&report), expected);
    for kind in report["kinds"].as_array().unwrap() {
        assert_eq!(kind["source"]["sha256"], kind["destination"]["sha256"], "{kind}");
    }
    let table = cli.done(&copy(&["--check"]));
    assert!(table.contains(" keys              4       4 "), "{table}");
    assert!(table.ends_with("both hold the same\n"), "{table}");
}

#[test]
fn a_check_finds_what_differs_and_tells_ids_alone() {
    let folder = Folder::new();
    let cli = folder.cli();
    issue(&cli, 3);
    cli.done(&copy(&[]));
    let file = Connection::open(folder.file("new.db")).unwrap();
    file.execute("UPDATE keys SET digest = zeroblob(32) WHERE id = (SELECT min(id) FROM keys)", [])
        .unwrap();
    let id: String = file.query_row("SELECT min(id) FROM keys", [], |row| row.get(0)).unwrap();
    let ended = cli.run(&copy(&["--check"]));
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stdout.contains(&format!("keys: 1 differ: {id}\nboth differ\n")), "{ended:?}");
    let ended = cli.run(&[&["--json"], &copy(&["--check"])[..]].concat());
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, &report["kinds"][2]["ids"]), (1, &json!([id])), "{report}");
}

#[test]
fn a_copy_that_stays_follows_and_tells_how_far_it_is() {
    let folder = Folder::new();
    let cli = folder.cli();
    issue(&cli, 3);
    let mut follower = cli.start(&copy(&["--follow"]));
    follower.complains("following the changes");
    issue(&cli, 2);
    let copied = || Connection::open(folder.file("new.db")).unwrap();
    crate::harness::wait_for("the keys", || {
        let sql = "SELECT count(*) FROM keys";
        let keys: i64 = copied().query_row(sql, [], |row| row.get(0)).unwrap();
        (keys == 5).then_some(())
    });
    let ended = follower.stop();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.starts_with("0 changes followed, 0 behind, lag 0."), "{ended:?}");
    assert_eq!(cli.json(&copy(&[]))["equal"], true);
}
