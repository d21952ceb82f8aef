//! How much is kept.

use std::path::Path;

use keyward_scan::{Limits, Report, Walk};

use crate::repository::Git;
use crate::{Folder, key, scanner};

fn counts(report: &Report) -> (usize, u64) {
    (report.finds.len(), report.not_kept)
}

#[test]
fn of_one_text_no_more_than_a_thousand_finds_are_kept_and_the_rest_is_counted() {
    let line = format!("{}\n", key(1));
    let report = scanner().read(Path::new("-"), line.repeat(20_000).as_bytes());
    assert_eq!(counts(&report), (1_000, 19_000));
    assert_eq!(report.finds.last().unwrap().place.line, 1_000);
}

#[test]
fn the_limit_of_a_search_is_shared_by_all_files_and_threads() {
    let folder = Folder::new();
    for n in 0..10 {
        folder.write(&format!("{n}"), format!("{}\n", key(1)).repeat(50));
    }
    let limited = scanner().with_limits(Limits { in_one_text: 20, in_all: 130 });
    for threads in [1, 4] {
        let walk = Walk { threads, ..Walk::default() };
        let report = limited.files(&[folder.path().to_owned()], &walk);
        assert_eq!(counts(&report), (130, 370));
    }
}

#[test]
fn history_has_limits_as_files_have() {
    let repository = Git::new();
    for n in 0..3 {
        repository.commit("file", format!("{n}\n{}", key(1).repeat(50)));
    }
    let limited = scanner().with_limits(Limits { in_one_text: 20, in_all: 50 });
    let repository = keyward_scan::Repository::of(repository.path()).unwrap();
    assert_eq!(counts(&limited.history(&repository).unwrap()), (50, 100));
}
