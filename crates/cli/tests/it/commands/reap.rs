//! Purging keys that ended long enough ago.

use rstest::rstest;
use serde_json::{Value, json};

use super::Site;
use crate::harness::{Cli, Folder, wait_for};

/// Issues a key and returns its id.
fn issue(cli: &Cli<'_>) -> String {
    let issued = cli.json(&["keys", "issue", "--owner", "o"]);
    issued["key"]["id"].as_str().unwrap().to_owned()
}

/// A key that was revoked, and when it may be purged by `--older-than 1ms`: right now.
fn revoked(cli: &Cli<'_>) -> String {
    let id = issue(cli);
    cli.done(&["keys", "revoke", &id]);
    id
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn old_keys_are_purged_and_counted(#[case] site: Site) {
    let cli = site.cli();
    let (living, gone) = (issue(&cli), [revoked(&cli), revoked(&cli)]);
    assert_eq!(cli.json(&["reap", "--older-than", "1h"]), json!({"purged": 0, "accounts": 0}));
    assert_eq!(cli.done(&["reap", "--older-than", "1ms"]), " accounts  0 \n purged    2 \n");
    for id in &gone {
        assert_eq!(cli.run(&["keys", "show", id]).code, 1);
    }
    cli.done(&["keys", "show", &living]);
    assert_eq!(cli.json(&["reap", "--older-than", "1ms"]), json!({"purged": 0, "accounts": 0}));
    let told = cli.json(&["audit", "list", "--action", "key.purged"]);
    assert_eq!(told["data"].as_array().unwrap().len(), 2);
}

#[test]
fn more_keys_than_one_call_takes_are_all_purged() {
    let folder = Folder::new();
    let cli = folder.cli();
    let past = r#"{"owner": "o", "expires_in": "1ms"}"#;
    cli.clone().stdin(&format!("{past}\n").repeat(1_100)).done(&["keys", "issue-many"]);
    assert_eq!(cli.json(&["reap", "--older-than", "1ms"]), json!({"purged": 1_100, "accounts": 0}));
    assert_eq!(cli.json(&["keys", "list"])["data"], Value::Array(Vec::new()));
}

#[rstest]
#[case(&["reap"], 2, "--older-than <DURATION>")]
#[case(&["reap", "--deleted-older-than", "0s"], 1, "deleted_older_than must be between a millisecond and 100 years")]
#[case(&["reap", "--older-than", "0s"], 1, "older_than must be between a millisecond and 100 years")]
#[case(&["reap", "--older-than", "soon"], 1, "older_than must be a duration")]
fn a_time_that_is_none_is_refused(
    #[case] arguments: &[&str],
    #[case] code: i32,
    #[case] complaint: &str,
) {
    let folder = Folder::new();
    let ended = folder.cli().run(arguments);
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}");
    assert!(ended.stderr.contains(complaint), "{ended:?}");
}

#[test]
fn a_server_purges_old_keys_by_itself_if_it_is_told_to() {
    let folder = Folder::new();
    let cli = folder.cli();
    let (living, gone) = (issue(&cli), revoked(&cli));
    folder.write("keyward.toml", "[reap]\nafter = \"1ms\"\n");
    for _ in 0..2 {
        let shown = cli.done(&["--config", "keyward.toml", "keys", "show", &gone]);
        assert!(shown.contains("revoked"), "a command that shows keys purges none: {shown}");
    }
    let server = folder.serve_with(&["--config", "keyward.toml"]);
    wait_for("the key to go", || (cli.run(&["keys", "show", &gone]).code == 1).then_some(()));
    cli.done(&["keys", "show", &living]);
    let told = cli.json(&["audit", "list", "--action", "key.purged"]);
    assert_eq!(told["data"][0]["actor"], "keyward");
    let log = server.stop().stderr;
    assert!(log.contains("old keys were purged"), "{log}");
}
