//! A popular key that is changed elsewhere: of all that ask for it then, one asks the store.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::{PostgresSite, wait_for};
use crate::metrics::{scrape, value};

const CALLERS: usize = 24;
/// How long each of them rests: less than a read takes, so that all of them ask during one.
const BETWEEN_CALLS: Duration = Duration::from_millis(20);
const SLOWNESS: Duration = Duration::from_millis(50);
const CHANGES: usize = 20;
/// How many reads a change may cost. One would be enough, but the node may hear of one twice: by a hint, and
/// when it looks by itself.
const READS: usize = 3;
/// How often a change reads and writes the key's record by itself.
const SCANS: usize = 8;

#[test]
fn a_change_of_a_popular_key_costs_the_store_a_few_reads() {
    let site = PostgresSite::start();
    site.questions[0].delay(SLOWNESS);
    let mut elsewhere = site.cluster.client(1);
    let key = elsewhere.issue(&json!({"owner": "x"}));
    let (verified, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let wait_for_more = || {
        let target = verified.load(Ordering::SeqCst) + 10 * CALLERS;
        wait_for("verifications", || (verified.load(Ordering::SeqCst) >= target).then_some(()));
    };
    let [before, after] = thread::scope(|scope| {
        for _ in 0..CALLERS {
            let mut client = site.cluster.client(0);
            let (key, verified, is_over) = (&key, &verified, &is_over);
            scope.spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    assert_eq!(client.verify(&key.secret), "valid");
                    verified.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(BETWEEN_CALLS);
                }
            });
        }
        let end = EndOnDrop(&is_over);
        wait_for_more();
        let before = Counts::of(&site);
        for change in 0..CHANGES {
            let path = format!("/v1/keys/{}", key.id);
            elsewhere.granted("PATCH", &path, &json!({"name": format!("change {change}")}));
            wait_for_more();
        }
        let after = Counts::of(&site);
        drop(end);
        [before, after]
    });
    // While the machine was too busy for the node to follow the feed, each verification asked the store.
    let bypassed = after.bypassed - before.bypassed;
    let (read, scanned) = (after.reads - before.reads, after.scans - before.scans);
    println!("{read} reads, {scanned} scans, {bypassed} bypasses");
    assert!(read >= CHANGES / 2, "only {read} reads: were there changes at all?");
    assert!(read <= CHANGES * READS, "{read} reads for {CHANGES} changes");
    let expected = CHANGES * (READS + SCANS) + bypassed;
    assert!(scanned <= expected, "{scanned} scans for {CHANGES} changes, and {bypassed} bypasses");
}

/// What was read until now, as the node tells it, and as PostgreSQL does.
struct Counts {
    bypassed: usize,
    reads: usize,
    scans: usize,
}

impl Counts {
    fn of(site: &PostgresSite) -> Self {
        // What its sessions count is told by them now and then.
        thread::sleep(Duration::from_secs(2));
        let page = scrape(site.cluster.nodes()[0].address());
        let total = |name: &str| format!("{:.0}", value(&page, name)).parse().unwrap();
        let sql = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'keys_pkey'";
        Self {
            bypassed: total("keyward_cache_bypassed_total"),
            reads: total("keyward_cache_reads_total"),
            scans: site.postgres.execute("keyward", sql).trim().parse().unwrap(),
        }
    }
}

/// Ends the traffic, also if something fails: or else the test would never end.
struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
