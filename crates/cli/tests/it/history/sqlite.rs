//! Runs on one file.

use std::thread::sleep;
use std::time::Duration;

use super::checker::{ViolationKind, violations};
use super::report::Report;
use super::site::{on_sqlite, traffic};
use super::{MAX_STALENESS, keeps_the_promise};

#[test]
fn three_servers_on_one_file_keep_the_promise() {
    let cluster = on_sqlite("");
    let run = traffic(&cluster).during(|_| sleep(Duration::from_millis(100)));
    keeps_the_promise("one file", &run);
}

#[test]
fn servers_that_are_stopped_and_continued_keep_the_promise() {
    let cluster = on_sqlite("");
    let run = traffic(&cluster).during(|dice| {
        let node = &cluster.nodes()[dice.roll(3)];
        node.pause();
        sleep(Duration::from_millis(200 + u64::try_from(dice.roll(2_800)).unwrap()));
        node.resume();
        sleep(Duration::from_millis(500));
    });
    keeps_the_promise("one file, servers stopped", &run);
}

/// A checker that cannot fail is worth nothing.
#[test]
fn servers_that_promise_less_than_the_checker_was_told_are_found_out() {
    let cluster = on_sqlite("[cache]\nmax_staleness = \"10s\"\n");
    let traffic = traffic(&cluster);
    let run = traffic.during(|_| sleep(Duration::from_millis(100)));
    println!("{}", Report::of(&run));
    // The nodes look at the file four times a second, however much they promise.
    let told = MAX_STALENESS / 50;
    let found = violations(&run.history, told);
    let allowed = found.iter().filter(|found| found.kind == ViolationKind::Allowed).count();
    println!("{allowed} verifications came too late for {told:?}");
    assert!(allowed > 20, "only {allowed} violations were found");
}
