//! Files that do what happens to the keys.

use std::path::Path;
use std::time::Duration;

use rstest::rstest;

use super::{EXPORT, file_of, files_of, issue, issue_for, keyspace, names_in};
use crate::commands::Site;
use crate::harness::{Folder, now, wait_for};

/// Waits until these files are there, and no others.
pub(super) fn wait_for_files(folder: &Path, kids: &[&String]) {
    let expected = files_of(kids);
    wait_for("the files to follow", || {
        (folder.exists() && names_in_the_making(folder) == expected).then_some(())
    });
}

/// The names without those of files that are just being written or removed.
fn names_in_the_making(folder: &Path) -> Vec<String> {
    let names = std::panic::catch_unwind(|| names_in(folder)).unwrap_or_default();
    names.into_iter().filter(|name| !name.contains('#')).collect()
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn files_come_and_go_with_their_keys(#[case] site: Site) {
    let (cli, public) = (site.cli(), site.folder.file("public"));
    keyspace(&cli, "ed", "EdDSA");
    let [first, second] = [issue(&cli, "ed"), issue(&cli, "ed")];
    let follower = cli.start(&[&EXPORT[..], &["public", "--follow"]].concat());
    wait_for_files(&public, &[&first, &second]);
    let third = issue(&cli, "ed");
    wait_for_files(&public, &[&first, &second, &third]);
    for (act, kids) in [
        ("revoke", &[&second, &third][..]),
        ("disable", &[&second, &third]),
        ("enable", &[&second, &third]),
    ] {
        let kid = if act == "revoke" { &first } else { &third };
        cli.done(&["keys", act, kid]);
        let start = now();
        let kids = if act == "disable" { &kids[..1] } else { kids };
        wait_for_files(&public, kids);
        // Well before all is compared again, also on a machine that is busy.
        assert!(start.elapsed() < Duration::from_secs(10), "{act}: {:?}", start.elapsed());
    }
    // A keyspace that did not exist when it began.
    keyspace(&cli, "late", "EdDSA");
    let late = issue(&cli, "late");
    cli.done(&["keys", "issue", "--owner", "o"]);
    cli.done(&["keys", "delete", &second]);
    cli.done(&["keys", "purge", &second]);
    wait_for_files(&public, &[&third, &late]);
    let ended = follower.stop();
    let notice = "keyward: following the changes\n";
    assert_eq!((ended.code, ended.stderr.as_str()), (0, notice), "{ended:?}");
    let told = ended.stdout;
    assert!(told.contains("removed 1, unchanged 0, written 0\n"), "{told}");
}

#[test]
fn a_key_that_expires_loses_its_file_when_all_is_compared() {
    let folder = Folder::new();
    let (cli, public) = (folder.cli(), folder.file("public"));
    keyspace(&cli, "ed", "EdDSA");
    let living = issue(&cli, "ed");
    let follow = ["public", "--follow", "--interval", "200ms", "--json"];
    let follower = cli.start(&[&EXPORT[..], &follow].concat());
    wait_for_files(&public, &[&living]);
    let mortal = issue_for(&cli, "ed", "3s");
    wait_for_files(&public, &[&living, &mortal]);
    wait_for_files(&public, &[&living]);
    let ended = follower.stop();
    assert_eq!(ended.code, 0, "{ended:?}");
    let last = ended.stdout.lines().last().unwrap();
    assert_eq!(last, r#"{"removed":1,"unchanged":1,"written":0}"#);
}

#[test]
fn a_server_that_goes_away_takes_no_file_with_it() {
    let folder = Folder::new();
    let server = folder.serve();
    let (cli, public) = (folder.cli().remote(&server), folder.file("public"));
    keyspace(&cli, "ed", "EdDSA");
    let kid = issue(&cli, "ed");
    let mut follower = cli.start(&[&EXPORT[..], &["public", "--follow"]].concat());
    follower.complains("following");
    let address = server.address().to_string();
    server.kill();
    // One for the stream, and one for what was tried after it.
    follower.complains("trying again in 1s");
    assert_eq!(names_in(&public), [file_of(&kid)]);
    folder.cli().done(&["keys", "revoke", &kid]);
    let successor = issue(&folder.cli(), "ed");
    let again = folder.serve_with(&["--listen", &address]);
    wait_for_files(&public, &[&successor]);
    assert_eq!(follower.stop().code, 0);
    drop(again);
}

#[test]
fn a_follower_whose_management_key_is_revoked_ends() {
    let folder = Folder::new();
    let server = folder.serve();
    let root = folder.cli().remote(&server);
    keyspace(&root, "ed", "EdDSA");
    let kid = issue(&root, "ed");
    let issue = ["keys", "issue", "--keyspace", "management", "--owner", "o"];
    let scopes = ["--scope", "changes:read", "--scope", "keys:read", "--scope", "keyspaces:read"];
    let key = root.json(&[&issue[..], &scopes].concat());
    let cli = folder.cli().with(&["--server", &server.url()]);
    let cli = cli.with(&["--key", key["secret"].as_str().unwrap()]);
    let mut follower = cli.start(&[&EXPORT[..], &["public", "--follow"]].concat());
    follower.complains("following");
    root.done(&["keys", "revoke", &super::id_in(&key)]);
    let ended = follower.end();
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("(revoked)"), "{ended:?}");
    assert_eq!(names_in(&folder.file("public")), [file_of(&kid)]);
}
