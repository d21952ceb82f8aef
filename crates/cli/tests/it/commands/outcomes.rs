//! How commands end, and where they print what.

use std::io::Read;
use std::process::Stdio;

use keyward_store_sqlite::SqliteStore;
use rstest::rstest;

use super::Site;
use crate::harness::{Folder, bare};

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn secrets_are_printed_when_issued_or_rotated_and_only_there(#[case] site: Site) {
    let cli = site.cli();
    let issued = cli.run(&["keys", "issue", "--owner", "o"]);
    let secret = issued.stdout.lines().last().unwrap().to_owned();
    assert!(secret.starts_with("kw_"), "{issued:?}");
    assert_eq!(issued.stdout.matches(&secret).count(), 1);
    assert_eq!(issued.stderr, "keyward: this is the key's secret, which is shown only now:\n");
    let id = secret.split('_').nth(1).unwrap();
    let rotated = cli.run(&["keys", "rotate", id, "--grace", "1h"]);
    let second = rotated.stdout.lines().last().unwrap().to_owned();
    assert!(second.starts_with("kw_") && second != secret, "{rotated:?}");
    let commands: &[&[&str]] = &[
        &["keys", "show", id],
        &["keys", "list"],
        &["keys", "disable", id],
        &["audit", "list"],
        &["verify", &secret],
        &["verify", &secret, "--scope", "x"],
        &["keys", "show", &secret],
        &["keys", "issue", "--owner", ""],
    ];
    for command in commands {
        for format in [&["--json"][..], &[]] {
            let ended = cli.run(&[format, command].concat());
            for random in [&secret, &second].map(|secret| secret.rsplit('_').next().unwrap()) {
                let printed = format!("{}{}", ended.stdout, ended.stderr);
                assert!(!printed.contains(random), "{command:?}");
            }
        }
    }
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn a_key_can_be_verified_without_showing_it_to_other_users(#[case] site: Site) {
    let cli = site.cli();
    let issued = cli.json(&["keys", "issue", "--owner", "o"]);
    let secret = issued["secret"].as_str().unwrap();
    for written in [secret.to_owned(), format!("{secret}\n"), format!("{secret}\r\n")] {
        assert_eq!(cli.clone().stdin(&written).run(&["verify"]).code, 0);
    }
    for written in [String::new(), "\n".to_owned(), format!("{secret}x"), "x".repeat(1_000_000)] {
        let ended = cli.clone().stdin(&written).run(&["verify"]);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(!ended.stdout.contains(secret), "{ended:?}");
    }
}

#[test]
fn unusable_calls_end_with_2_and_failures_with_3() {
    let site = Site::remote();
    let url = site.server.as_ref().unwrap().url();
    let cli = site.folder.cli();
    let code = |arguments: &[&str]| {
        let ended = cli.run(arguments);
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert!(!ended.stderr.contains("geheim"), "{ended:?}");
        ended.code
    };
    assert_eq!(code(&[]), 2);
    assert_eq!(code(&["keys", "unlock"]), 2);
    assert_eq!(code(&["keys", "issue"]), 2);
    assert_eq!(code(&["keys", "issue", "--owner", "o", "--metadata", "{"]), 2);
    assert_eq!(code(&["keys", "issue", "--owner", "o", "--resource", "project:1"]), 2);
    assert_eq!(
        code(&["keys", "issue", "--owner", "o", "--expires-in", "1h", "--expires-at", "never"]),
        2
    );
    assert_eq!(code(&["keyspaces", "update", "default", "--rate-limit", "often"]), 2);
    assert_eq!(code(&["keys", "list", "--state", "lost"]), 2);
    assert_eq!(code(&["--server", &url, "keys", "list"]), 2);
    assert_eq!(code(&["--server", &url, "--key-file", "missing", "keys", "list"]), 2);
    assert_eq!(
        code(&["--server", &url, "--key-file", "root.key", "--key", "geheim", "keys", "list"]),
        2
    );
    assert_eq!(code(&["--server", &url, "--key", "geheim", "keys", "list"]), 1);
    assert_eq!(code(&["--server", "http://127.0.0.1:1", "--key", "geheim", "keys", "list"]), 3);
    assert_eq!(code(&["--server", "nonsense", "--key", "geheim", "keys", "list"]), 3);
}

#[test]
fn migrations_are_told_before_and_done_once() {
    let folder = Folder::new();
    let cli = folder.cli();
    let all = SqliteStore::pending_migrations(folder.file("keyward.db")).unwrap();
    let check = cli.run(&["migrate", "--check"]);
    assert_eq!((check.code, check.stdout), (1, format!("{all} migrations are pending\n")));
    assert!(!folder.file("keyward.db").exists());
    assert_eq!(cli.done(&["migrate"]), format!("{all} migrations were applied\n"));
    assert_eq!(cli.done(&["migrate"]), "0 migrations were applied\n");
    assert_eq!(cli.done(&["migrate", "--check"]), "0 migrations are pending\n");
}

#[test]
fn a_reader_that_goes_away_is_no_panic_and_no_success() {
    let folder = Folder::new();
    for arguments in
        [&["config", "print"][..], &["--json", "keys", "list"], &["completions", "bash"]]
    {
        let mut child = bare(folder.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(3), ""), "{arguments:?}");
    }
}
