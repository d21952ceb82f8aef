//! What is printed.

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::Folder;
use crate::scan::{finds, hides, made_up};

/// A key that is always the same: one of the vectors.
const KEY: &str = "kw_4mGJ7cKxWq2Z_KEjVRNBcg1LEtJpNMd32g3Eo1q67NzsE3nRvE7";

#[test]
fn finds_are_told_in_words_and_as_json() {
    let folder = Folder::new();
    folder.write("b.txt", format!("one {KEY} and {KEY}\r\n\r\n{KEY}"));
    folder.write("a.txt", format!("{KEY}\n"));
    let in_words = folder.cli().run(&["scan", "--prefix", "kw"]);
    assert_snapshot!(in_words.stdout, @"
    a.txt:1:1: kw_4mGJ7cKxWq2Z
    b.txt:1:5: kw_4mGJ7cKxWq2Z
    b.txt:1:64: kw_4mGJ7cKxWq2Z
    b.txt:3:1: kw_4mGJ7cKxWq2Z
    ");
    assert_snapshot!(in_words.stderr, @"keyward: found 4, searched 2");
    let as_json = folder.cli().run(&["--json", "scan", "--prefix", "kw", "a.txt"]);
    assert_snapshot!(as_json.stdout, @r#"{"column":1,"hint":"kw_4mGJ7cKxWq2Z","key":"4mGJ7cKxWq2Z","keyspace":null,"line":1,"path":"a.txt"}"#);
    for ended in [in_words, as_json] {
        hides(&ended, KEY);
    }
}

#[test]
fn names_of_files_neither_steer_the_terminal_nor_tell_secrets() {
    let folder = Folder::new();
    let (inside, named) = (made_up("kw"), made_up("kw"));
    folder.write("\u{1b}[2J\n\r\u{7}x", &inside);
    folder.write(&named, &inside);
    let in_words = folder.cli().run(&["scan", "--prefix", "kw"]);
    assert_eq!((in_words.code, in_words.stdout.lines().count()), (1, 2), "{in_words:?}");
    let is_plain = |c: char| c == '\n' || !c.is_control();
    assert!(in_words.stdout.chars().all(is_plain), "{in_words:?}");
    let as_json = folder.cli().run(&["--json", "scan", "--prefix", "kw"]);
    assert!(as_json.stdout.chars().all(is_plain), "{as_json:?}");
    assert_eq!(finds(&as_json)[0]["path"], "\u{1b}[2J\n\r\u{7}x");
    let missing = folder.cli().run(&["scan", "--prefix", "kw", "\u{1b}[2J"]);
    assert_eq!(missing.stderr, "keyward: there is no \"\\u{1b}[2J\"\n");
    std::os::unix::fs::symlink("nowhere", folder.file("\u{7}broken")).unwrap();
    let broken = folder.cli().run(&["scan", "--prefix", "kw", "\u{7}broken"]);
    assert!(broken.code == 3 && broken.stderr.chars().all(is_plain), "{broken:?}");
    for ended in [in_words, as_json, missing, broken] {
        hides(&ended, &inside);
        hides(&ended, &named);
    }
}

#[test]
fn names_of_files_give_no_commands_to_what_reads_the_output() {
    let folder = Folder::new();
    let names = ["##[error]x", " ::add-mask::x", "::stop-commands::x", "x"];
    for name in names {
        folder.write(name, KEY);
    }
    let of_directory = folder.cli().run(&["scan", "--prefix", "kw"]).stdout;
    let of_files = folder.cli().run(&[&["scan", "--prefix", "kw"], &names[..]].concat()).stdout;
    for stdout in [of_directory, of_files] {
        let mut lines: Vec<_> = stdout.lines().collect();
        lines.sort_unstable();
        let expected = ["./ ::add-mask::x", "./##[error]x", "./::stop-commands::x", "x"];
        assert_eq!(lines, expected.map(|name| format!("{name}:1:1: kw_4mGJ7cKxWq2Z")));
    }
    let as_json = folder.cli().run(&["--json", "scan", "--prefix", "kw", "::stop-commands::x"]);
    assert_eq!(finds(&as_json)[0]["path"], "::stop-commands::x");
}

#[test]
fn a_prefix_that_is_given_twice_has_one_rule() {
    let folder = Folder::new();
    let twice =
        ["scan", "--prefix", "kw", "--prefix", "b", "--prefix", "kw", "--rules", "gitleaks"];
    let rules = folder.cli().done(&twice);
    let ids: Vec<_> = rules.lines().filter(|line| line.starts_with("id = ")).collect();
    assert_eq!(ids, [r#"id = "keyward-kw""#, r#"id = "keyward-b""#]);
}

#[test]
fn rules_for_other_scanners_are_printed_as_those_read_them() {
    let folder = Folder::new();
    let rules = |scanner: &str| {
        folder.cli().done(&["scan", "--prefix", "kw", "--prefix", "acme_live", "--rules", scanner])
    };
    assert_snapshot!(rules("gitleaks"), @r#"
    [[rules]]
    id = "keyward-kw"
    description = "A key of Keyward: kw"
    regex = '\b(kw_[1-9A-HJ-NP-Za-km-z]{12}_[1-9A-HJ-NP-Za-km-z]{38})\b'
    secretGroup = 1
    keywords = ["kw_"]

    [[rules]]
    id = "keyward-acme_live"
    description = "A key of Keyward: acme_live"
    regex = '\b(acme_live_[1-9A-HJ-NP-Za-km-z]{12}_[1-9A-HJ-NP-Za-km-z]{38})\b'
    secretGroup = 1
    keywords = ["acme_live_"]
    "#);
    assert_snapshot!(rules("trufflehog"), @r#"
    detectors:
      - name: "keyward-kw"
        keywords:
          - "kw_"
        regex:
          key: "\\b(kw_[1-9A-HJ-NP-Za-km-z]{12}_[1-9A-HJ-NP-Za-km-z]{38})\\b"
      - name: "keyward-acme_live"
        keywords:
          - "acme_live_"
        regex:
          key: "\\b(acme_live_[1-9A-HJ-NP-Za-km-z]{12}_[1-9A-HJ-NP-Za-km-z]{38})\\b"
    "#);
    let github: Value = serde_json::from_str(&rules("github")).unwrap();
    assert_snapshot!(github["patterns"][0], @r#"{"end_delimiter":"\\z|[^0-9A-Z_a-z]","name":"Keyward kw","pattern":"kw_[1-9A-HJ-NP-Za-km-z]{12}_[1-9A-HJ-NP-Za-km-z]{38}","start_delimiter":"\\A|[^0-9A-Z_a-z]"}"#);
}
