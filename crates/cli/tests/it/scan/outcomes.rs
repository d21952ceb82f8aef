//! How a search ends, and which files it looks into.

use std::fs;
use std::path::Path;

use crate::harness::Folder;
use crate::scan::{Site, finds, hides, made_up, path_variable};

const OURS: [&str; 3] = ["scan", "--prefix", "kw"];

#[test]
fn the_exit_code_says_whether_something_was_found() {
    let folder = Folder::new();
    let run = |more: &[&str]| folder.cli().run(&[&OURS[..], more].concat());
    folder.write("a.txt", "kw_nothing\n");
    let nothing = run(&[]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (0, ""));
    assert_eq!(nothing.stderr, "keyward: found 0, searched 1\n");
    folder.write("b.txt", made_up("kw"));
    assert_eq!(run(&[]).code, 1);
    assert_eq!(run(&["a.txt"]).code, 0);
    assert_eq!(run(&["b.txt"]).code, 1);
    assert!(!folder.file("keyward.db").exists(), "no database is made");
}

#[test]
fn what_cannot_be_read_is_a_failure_if_nothing_else_is_found() {
    let folder = Folder::new();
    folder.write("a.txt", "nothing");
    std::os::unix::fs::symlink("nowhere", folder.file("broken")).unwrap();
    let run = |path: &str| folder.cli().run(&[&OURS[..], &["broken", path]].concat());
    let failed = run("a.txt");
    assert_eq!(failed.code, 3, "{failed:?}");
    assert!(failed.stderr.contains("broken: No such file"), "{failed:?}");
    folder.write("a.txt", made_up("kw"));
    let found = run("a.txt");
    assert_eq!((found.code, found.stdout.lines().count()), (1, 1), "{found:?}");
    assert!(found.stderr.contains("broken: No such file"), "{found:?}");
}

#[test]
fn calls_that_cannot_be_meant_are_refused_before_any_search() {
    let folder = Folder::new();
    folder.write("a.txt", made_up("kw"));
    let secret = made_up("kw");
    let calls: &[&[&str]] = &[
        &["scan"],
        &["scan", "--prefix", "KW"],
        &["scan", "--prefix", "kw", "--profile", "unknown"],
        &["scan", "--profile", "seam"],
        &["scan", "--prefix", "kw", "missing"],
        &["scan", "--prefix", "kw", "a.txt", &secret],
        &["scan", "--prefix", "kw", "--history"],
        &["scan", "--prefix", "kw", "--history", "-"],
        &["scan", "--prefix", "kw", "--reason", "because"],
        &["scan", "--prefix", "kw", "--revoke"],
        &["--server", "http://127.0.0.1:1", "--key", "x", "scan", "--revoke", "--reason", ""],
        &["--server", "http://127.0.0.1:1", "--key", "x", "scan", "--revoke", "--reason", " "],
        &["--server", "http://127.0.0.1:1", "--key-file", "missing", "scan", "--revoke"],
        &["scan", "--prefix", "kw", "--rules", "unknown"],
        &["scan", "--prefix", "kw", "--rules", "gitleaks", "--history"],
    ];
    for call in calls {
        let ended = folder.cli().env("PATH", &path_variable()).run(call);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{call:?}: {ended:?}");
        hides(&ended, &secret);
    }
    let without = folder.cli().run(&["scan"]);
    assert!(without.stderr.contains("--prefix"), "{without:?}");
    assert!(!folder.file("keyward.db").exists(), "no database is made");
    // Git is somewhere else.
    let no_git = folder.cli().env("PATH", "/nowhere").run(&["scan", "--prefix", "kw", "--history"]);
    assert_eq!(no_git.code, 2);
    assert!(no_git.stderr.contains("cannot run git"), "{no_git:?}");
}

#[test]
fn a_server_that_cannot_be_asked_is_a_failure_and_no_find() {
    let site = Site::new();
    let url = site.server.url();
    let wrong = ["--server", &url, "--key", "wrong", "scan"];
    let nobody = ["--server", "http://127.0.0.1:1", "--key", "wrong", "scan"];
    for call in [wrong, nobody] {
        assert_eq!(site.files.cli().run(&call).code, 3, "{call:?}");
    }
}

#[test]
fn keys_of_all_keyspaces_are_found_here_and_on_a_server() {
    let site = Site::new();
    let create = |more: &[&str]| site.cli().done(&[&["keyspaces", "create"], more].concat());
    create(&["hex", "--format", "opaque", "--prefix", "hex", "--alphabet", "0123456789abcdef"]);
    create(&["bare", "--format", "opaque"]);
    create(&["live", "--format", "prefixed", "--prefix", "acme_live"]);
    create(&["foreign", "--format", "prefixed", "--prefix", "My-App", "--profile", "seam"]);
    let keyspaces = ["bare", "default", "foreign", "hex", "live", "management"];
    let keys = keyspaces.map(|keyspace| (keyspace, site.issue(keyspace)));
    for (keyspace, (_, secret)) in &keys {
        site.files.write(keyspace, format!("key: {secret}\n"));
    }
    let secrets: Vec<_> = keys.iter().map(|(_, (_, secret))| secret.as_str()).collect();
    let finds = site.scan(&[], &secrets);
    let told: Vec<_> = finds.iter().map(|find| find["keyspace"].as_str().unwrap()).collect();
    assert_eq!(told, keyspaces[1..]);
    for (find, (keyspace, (id, _))) in finds.iter().zip(&keys[1..]) {
        assert_eq!((&find["path"], &find["column"]), (&(*keyspace).into(), &6.into()));
        assert!(find["key"] == id.as_str() || *keyspace == "hex", "{find}");
    }
    let locally = site.home.cli().run(&["scan", site.files.path().to_str().unwrap()]);
    assert_eq!((locally.code, locally.stdout.lines().count()), (1, 5), "{locally:?}");
    assert!(locally.stderr.contains("those of: bare\n"), "{locally:?}");
}

#[test]
fn keys_of_other_libraries_are_found_by_prefix_and_profile() {
    let folder = Folder::new();
    for profile in ["seam", "fork3", "fork4", "rust"] {
        let generate =
            ["token", "generate", "--allow-weak", "--profile", profile, "--prefix", "My"];
        let token = folder.cli().json(&generate)["token"].as_str().unwrap().to_owned();
        folder.write("file", &token);
        let found = folder.cli().run(&["scan", "--prefix", "My", "--profile", profile]);
        assert_eq!(found.code, 1, "{found:?}");
        hides(&found, &token);
        assert_eq!(folder.cli().run(&["scan", "--prefix", "Other", "--profile", profile]).code, 0);
    }
}

#[test]
fn the_standard_input_is_searched_where_it_is_asked_for() {
    let folder = Folder::new();
    folder.write("file", made_up("kw"));
    let cli = folder.cli().stdin(&format!("\n {}", made_up("kw")));
    let run = |paths: &[&str]| finds(&cli.run(&[&["--json"], &OURS[..], paths].concat()));
    let [find] = &run(&["-"])[..] else { panic!() };
    assert_eq!(
        (&find["path"], &find["line"], &find["column"]),
        (&"-".into(), &2.into(), &2.into())
    );
    assert_eq!(run(&["-", "file"]).len(), 2);
    assert_eq!(run(&[]).len(), 1);
}

#[test]
fn a_standard_input_that_cannot_be_read_does_not_hide_other_finds() {
    let folder = Folder::new();
    folder.write("file", made_up("kw"));
    folder.write("empty", "");
    let run = |file: &str| {
        let scan = ["scan", "--prefix", "kw", "-", file];
        let mut keyward = std::process::Command::new(env!("CARGO_BIN_EXE_keyward"));
        // A directory can be opened, and not be read.
        let stdin = fs::File::open(folder.path()).unwrap();
        let output = keyward.args(scan).current_dir(folder.path()).stdin(stdin).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("-: Is a directory"), "{stderr}");
        (output.status.code(), String::from_utf8(output.stdout).unwrap().lines().count())
    };
    assert_eq!(run("file"), (Some(1), 1));
    assert_eq!(run("empty"), (Some(3), 0));
}

#[test]
fn finds_beyond_what_is_kept_are_counted() {
    let folder = Folder::new();
    folder.write("file", format!("{}\n", made_up("kw")).repeat(1_234));
    let ended = folder.cli().run(&OURS);
    assert_eq!((ended.code, ended.stdout.lines().count()), (1, 1_000));
    let told = "keyward: 234 more finds are neither told nor revoked: too many\n";
    assert_eq!(ended.stderr, format!("{told}keyward: found 1000, searched 1\n"));
}

#[test]
fn ignore_files_count_unless_a_file_is_named_or_they_are_switched_off() {
    let folder = Folder::new();
    fs::create_dir(folder.file(".git")).unwrap();
    folder.write(".gitignore", "ignored\n");
    folder.write("ignored", made_up("kw"));
    folder.write(".env", made_up("kw"));
    let found = |more: &[&str]| {
        let ended = folder.cli().run(&[&["--json"], &OURS[..], more].concat());
        finds(&ended).iter().map(|find| find["path"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(found(&[]), [".env"]);
    assert_eq!(found(&["--no-ignore"]), [".env", "ignored"]);
    assert_eq!(found(&["--no-ignore", "--threads", "1"]), [".env", "ignored"]);
    assert_eq!(found(&["ignored"]), ["ignored"]);
}

#[test]
fn a_file_without_lines_is_not_held_whole() {
    let folder = Folder::new();
    let file = fs::File::create(folder.file("large")).unwrap();
    // It has no blocks on the disk but those of the key.
    file.set_len(1 << 30).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, made_up("kw").as_bytes(), (1 << 30) - 100)
        .unwrap();
    let limited =
        format!("ulimit -v 900000; exec {} scan --prefix kw", env!("CARGO_BIN_EXE_keyward"));
    let ended = std::process::Command::new("sh")
        .args(["-c", &limited])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert!(stdout.starts_with(&format!("large:1:{}: kw_", (1_u64 << 30) - 99)), "{stdout}");
    assert!(Path::new(&folder.file("large")).exists());
}
