//! Metrics, as a scraper reads them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::harness::{Folder, Stream, wait_for};

/// The whole answer to a scraper, which has no key.
fn scrape(address: SocketAddr) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// The value of a gauge without labels.
fn value(answer: &str, name: &str) -> f64 {
    let line = answer.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("no {name} in {answer}")).parse().unwrap()
}

#[test]
fn metrics_are_written_for_prometheus_and_need_no_key() {
    let folder = Folder::new();
    let server = folder.serve();
    let answer = scrape(server.address());
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    let version = env!("CARGO_PKG_VERSION");
    assert!(answer.contains(&format!("keyward_build_info{{version=\"{version}\"}} 1\n")));
    for name in [
        "keyward_access_tokens_issued_total",
        "keyward_build_info",
        "keyward_cache_bypassed_total",
        "keyward_cache_confirmed",
        "keyward_cache_keys",
        "keyward_cache_reads_total",
        "keyward_feed_lag_seconds",
        "keyward_feed_streams",
        "keyward_pairs_made_total",
        "keyward_pairs_ready",
        "keyward_pairs_waited_total",
        "keyward_pairs_waiting",
        "keyward_shared_cache_failures_total",
        "keyward_shared_cache_forgeries_total",
        "keyward_shared_cache_hits_total",
        "keyward_shared_cache_misses_total",
    ] {
        assert!(answer.contains(&format!("# HELP {name} ")), "{answer}");
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        assert!(answer.contains(&format!("# TYPE {name} {kind}\n")), "{answer}");
    }
    let lag = value(&answer, "keyward_feed_lag_seconds");
    assert!((0.0..10.0).contains(&lag), "{lag}");
}

#[test]
fn open_streams_are_counted() {
    let folder = Folder::new();
    let server = folder.serve();
    let streams = || value(&scrape(server.address()), "keyward_feed_streams");
    let is = |count: f64| (streams() - count).abs() < 0.5;
    assert!(is(0.0));
    let mut open: Vec<_> =
        (0..3).map(|_| Stream::open(server.address(), &folder.root_key(), None)).collect();
    assert!(is(3.0));
    open.pop();
    wait_for("the stream to be closed", || is(2.0).then_some(()));
}
