//! A popular key that is changed elsewhere: of all that ask for it then, one asks the store.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::{PostgresSite, wait_for};
use crate::metrics::{scrape, value};

const CALLERS: usize = 24;
const CHANGES: usize = 20;
/// How many reads a change may cost. One would be enough, but a reader that comes between two changes reads
/// for both, and the feed may be told of one twice.
const READS: f64 = 3.0;

#[test]
fn a_change_of_a_popular_key_costs_the_store_a_few_reads() {
    let site = PostgresSite::start();
    let mut elsewhere = site.cluster.client(1);
    let key = elsewhere.issue(&json!({"owner": "x"}));
    let node = site.cluster.nodes()[0].address();
    let reads = || {
        let page = scrape(node);
        value(&page, "keyward_cache_reads_total") + value(&page, "keyward_cache_bypassed_total")
    };
    let scans = || {
        // What sessions count is told by them now and then.
        thread::sleep(Duration::from_secs(2));
        let sql = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'keys_pkey'";
        site.postgres.execute("keyward", sql).trim().parse::<f64>().unwrap()
    };
    let (verified, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let wait_for_more = || {
        let target = verified.load(Ordering::SeqCst) + 5 * CALLERS;
        wait_for("verifications", || (verified.load(Ordering::SeqCst) >= target).then_some(()));
    };
    let (read, scanned) = thread::scope(|scope| {
        for _ in 0..CALLERS {
            let mut client = site.cluster.client(0);
            let (key, verified, is_over) = (&key, &verified, &is_over);
            scope.spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    assert_eq!(client.verify(&key.secret), "valid");
                    verified.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let end = EndOnDrop(&is_over);
        wait_for_more();
        let before = (reads(), scans());
        for change in 0..CHANGES {
            let path = format!("/v1/keys/{}", key.id);
            elsewhere.granted("PATCH", &path, &json!({"name": format!("change {change}")}));
            wait_for_more();
        }
        let after = (reads(), scans());
        drop(end);
        (after.0 - before.0, after.1 - before.1)
    });
    let verified = verified.into_inner();
    println!("{verified} verifications: {read} reads by the node, {scanned} scans by PostgreSQL");
    let changes = f64::from(u32::try_from(CHANGES).unwrap());
    assert!(read >= changes / 2.0, "only {read} reads: were there changes at all?");
    assert!(read <= changes * READS, "{read} reads for {changes} changes");
    // A change itself reads and writes the key, and its author's, a few times.
    assert!(scanned <= changes * (READS + 8.0), "{scanned} scans for {changes} changes");
}

/// Ends the traffic, also if something fails: or else the test would never end.
struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
