//! What is found in the history of a repository.

use std::process::Command;

use crate::harness::Folder;
use crate::scan::{finds, hides, made_up, path_variable};

fn git(folder: &Folder, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder.path())
        .args(["-c", "user.name=A", "-c", "user.email=a@example.org"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository with a key in a removed file, and one in a commit's message.
fn repository() -> (Folder, [String; 2]) {
    let folder = Folder::new();
    let secrets = [made_up("kw"), made_up("kw")];
    git(&folder, &["init", "--quiet"]);
    folder.write("leaked.env", format!("KEY={}\n", secrets[0]));
    git(&folder, &["add", "--all"]);
    git(&folder, &["commit", "--quiet", "--message", "add"]);
    git(&folder, &["rm", "--quiet", "leaked.env"]);
    git(&folder, &["commit", "--quiet", "--message", &secrets[1]]);
    (folder, secrets)
}

#[test]
fn history_is_searched_on_request_and_told_with_object_and_commit() {
    let (folder, secrets) = repository();
    let cli = folder.cli().env("PATH", &path_variable());
    assert_eq!(cli.run(&["scan", "--prefix", "kw"]).code, 0);
    let as_json = cli.run(&["--json", "scan", "--prefix", "kw", "--history"]);
    let in_words = cli.run(&["scan", "--prefix", "kw", "--history"]);
    assert_eq!((as_json.code, in_words.code), (1, 1));
    let [first, last] =
        [git(&folder, &["rev-parse", "HEAD^"]), git(&folder, &["rev-parse", "HEAD"])];
    let blob = git(&folder, &["rev-parse", "HEAD^:leaked.env"]);
    let [in_message, in_file] = &finds(&as_json)[..] else { panic!("{as_json:?}") };
    assert_eq!((&in_file["path"], &in_file["column"]), (&"leaked.env".into(), &5.into()));
    assert_eq!(in_file["object"], serde_json::json!({"kind": "blob", "id": blob, "commit": first}),);
    assert_eq!(in_message["path"], serde_json::Value::Null);
    assert_eq!(
        in_message["object"],
        serde_json::json!({"kind": "commit", "id": last, "commit": last}),
    );
    let hint = |secret: &str| secret.rsplit_once('_').unwrap().0.to_owned();
    assert_eq!(
        in_words.stdout,
        format!(
            "commit {last}:6:1: {}\nleaked.env:1:5: {} (blob {blob}, commit {first})\n",
            hint(&secrets[1]),
            hint(&secrets[0]),
        ),
    );
    for secret in &secrets {
        hides(&as_json, secret);
        hides(&in_words, secret);
    }
}

#[test]
fn a_repository_that_is_named_twice_is_searched_once() {
    let (folder, _) = repository();
    std::fs::create_dir(folder.file("below")).unwrap();
    let cli = folder.cli().env("PATH", &path_variable());
    let found = cli.run(&["--json", "scan", "--prefix", "kw", "--history", ".", "below"]);
    assert_eq!(finds(&found).len(), 2, "{found:?}");
}

#[test]
fn variables_that_git_sets_for_hooks_do_not_lead_elsewhere() {
    let (folder, _) = repository();
    let (other, _) = repository();
    git(&other, &["checkout", "--quiet", "--orphan", "empty"]);
    let cli = folder.cli().env("PATH", &path_variable());
    let cli = cli.env("GIT_DIR", other.file(".git").to_str().unwrap());
    let cli = cli.env("GIT_OBJECT_DIRECTORY", "/nowhere").env("GIT_INDEX_FILE", "/nowhere");
    let found = finds(&cli.run(&["--json", "scan", "--prefix", "kw", "--history"]));
    let last = git(&folder, &["rev-parse", "HEAD"]);
    assert_eq!(found[0]["object"]["id"], last.as_str());
}

#[test]
fn history_that_cannot_be_read_is_a_failure() {
    let (folder, _) = repository();
    let commit = git(&folder, &["rev-parse", "HEAD"]);
    let loose = folder.file(".git/objects").join(&commit[..2]).join(&commit[2..]);
    std::fs::remove_file(&loose).unwrap();
    std::fs::write(&loose, "nonsense").unwrap();
    let cli = folder.cli().env("PATH", &path_variable());
    let failed = cli.run(&["scan", "--prefix", "kw", "--history"]);
    assert_eq!(failed.code, 3, "{failed:?}");
}

#[test]
fn a_shallow_clone_is_a_failure_if_nothing_is_found_in_it() {
    let (folder, _) = repository();
    git(&folder, &["commit", "--quiet", "--allow-empty", "--message", "harmless"]);
    let clone = Folder::new();
    let url = format!("file://{}", folder.path().display());
    git(&clone, &["clone", "--quiet", "--depth=1", &url, "."]);
    let cli = clone.cli().env("PATH", &path_variable());
    let shallow = cli.run(&["scan", "--prefix", "kw", "--history"]);
    assert_eq!(shallow.code, 3, "{shallow:?}");
    assert!(shallow.stderr.contains("shallow clone"), "{shallow:?}");
    assert_eq!(cli.run(&["scan", "--prefix", "kw"]).code, 0);
    git(&clone, &["fetch", "--quiet", "--unshallow"]);
    assert_eq!(cli.run(&["scan", "--prefix", "kw", "--history"]).code, 1);
}
