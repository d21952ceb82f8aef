//! Nothing secret is printed.

use std::path::Path;

use keyward_scan::{Pattern, Scanner};

use crate::{formats, key, mint, scanner};

#[test]
fn finds_and_reports_print_no_secret() {
    for (name, format) in formats() {
        let secret = mint(&format, 1).0;
        let report = scanner().read(Path::new("-"), secret.as_bytes());
        let printed = format!("{report:?} {:?}", report.finds);
        let random = secret.rsplit('_').next().unwrap();
        assert!(!printed.contains(random) && printed.contains(&report.finds[0].hint), "{name}");
    }
}

#[test]
fn secrets_in_names_are_blotted_out() {
    let (one, other) = (key(1), key(2));
    let hint = |key: &str| key.rsplit_once('_').unwrap().0.to_owned();
    let redacted = scanner().redact(&format!("a/{one}/\u{e4}{other}.txt"));
    assert_eq!(redacted, format!("a/{}\u{2026}/\u{e4}{}\u{2026}.txt", hint(&one), hint(&other)));
    assert_eq!(scanner().redact("src/main.rs"), "src/main.rs");
}

#[test]
fn secrets_without_a_prefix_have_no_pattern() {
    let alphabet = keyward_core::Alphabet::alphanumeric().clone();
    let opaque = keyward_core::Opaque::new(None, 32, alphabet).unwrap();
    assert!(Pattern::new(None, keyward_core::Format::Opaque(opaque)).is_none());
}

#[test]
fn without_patterns_nothing_is_found() {
    let scanner = Scanner::new(None).unwrap();
    let report = scanner.read(Path::new("-"), key(1).as_bytes());
    assert!(report.finds.is_empty() && report.searched == 1);
}
