//! Runs over PostgreSQL.

use std::thread::sleep;
use std::time::Duration;

use keyward_testkit::postgres::Postgres;
use keyward_testkit::proxy::Proxy;

use super::checker::{ViolationKind, violations};
use super::report::Report;
use super::site::{rest, traffic};
use super::{MAX_STALENESS, keeps_the_promise, keeps_the_promise_of};
use crate::harness::{NODES, PostgresSite};

#[test]
fn nodes_over_postgres_keep_the_promise() {
    let site = PostgresSite::start();
    let run = traffic(&site.cluster).during(|dice| rest(dice, 100, 200));
    keeps_the_promise("postgres", &run);
    let deadlocks = "SELECT sum(deadlocks) FROM pg_stat_database";
    assert_eq!(site.postgres.execute("keyward", deadlocks).trim(), "0");
}

/// What is promised then is that nothing is allowed that is asked after an acknowledgement.
#[test]
fn nodes_that_always_ask_postgres_keep_the_promise_at_once() {
    let never_cached = "[cache]\nmax_staleness = \"0s\"\n";
    let site = PostgresSite::start_with(Postgres::start(&[]), "", never_cached);
    let run = traffic(&site.cluster).during(|dice| rest(dice, 100, 200));
    keeps_the_promise_of("postgres, always asked", &run, Duration::ZERO);
}

#[test]
fn nodes_that_are_stopped_and_continued_keep_the_promise() {
    let site = PostgresSite::start();
    let run = traffic(&site.cluster).during(|dice| {
        let node = &site.cluster.nodes()[dice.roll(NODES)];
        node.pause();
        rest(dice, 200, 3_000);
        node.resume();
        rest(dice, 300, 800);
    });
    keeps_the_promise("postgres, nodes stopped", &run);
}

#[test]
fn a_node_that_does_not_hear_of_changes_keeps_the_promise() {
    let site = PostgresSite::start();
    let run = traffic(&site.cluster).during(|dice| {
        let feed = &site.feeds[dice.roll(NODES)];
        let cut = if dice.roll(2) == 0 { Proxy::refuse } else { Proxy::stall };
        cut(feed);
        rest(dice, 500, 2_500);
        feed.heal();
        rest(dice, 300, 800);
    });
    keeps_the_promise("postgres, feed cut", &run);
}

#[test]
fn a_node_that_hears_nothing_from_its_store_keeps_the_promise() {
    let site = PostgresSite::start();
    let run = traffic(&site.cluster).during(|dice| {
        let node = dice.roll(NODES);
        let cut = if dice.roll(2) == 0 { PostgresSite::stall } else { PostgresSite::refuse };
        cut(&site, node);
        rest(dice, 500, 3_000);
        site.heal(node);
        site.cluster.nodes()[node].wait_until_ready();
        rest(dice, 300, 800);
    });
    keeps_the_promise("postgres, store cut off", &run);
}

#[test]
fn nodes_over_a_slow_and_broken_network_keep_the_promise() {
    let site = PostgresSite::start();
    let run = traffic(&site.cluster).during(|dice| {
        let networks = if dice.roll(3) == 0 { &site.feeds } else { &site.questions };
        let network = &networks[dice.roll(NODES)];
        // What is held up is overtaken by what comes later on another connection.
        for _ in 0..20 {
            let delay = u64::try_from(dice.roll(500)).unwrap();
            network.delay(Duration::from_millis(delay));
            rest(dice, 1, 5);
            network.heal();
            rest(dice, 10, 50);
        }
        if dice.roll(2) == 0 {
            network.cut();
        }
    });
    keeps_the_promise("postgres, slow network", &run);
}

#[test]
fn nodes_whose_postgres_is_restarted_and_killed_keep_the_promise() {
    let mut site = PostgresSite::start_with(Postgres::start(&["fsync = on"]), "", "");
    let PostgresSite { cluster, postgres, .. } = &mut site;
    let run = traffic(cluster).during(|dice| {
        rest(dice, 800, 2_000);
        let end = if dice.roll(2) == 0 { Postgres::stop } else { Postgres::kill };
        end(postgres);
        rest(dice, 1, 1_500);
        postgres.start_again();
        cluster.wait_until_ready();
    });
    keeps_the_promise("postgres restarted and killed", &run);
}

#[test]
fn nodes_that_are_killed_and_started_again_keep_the_promise() {
    let mut site = PostgresSite::start();
    let cluster = &mut site.cluster;
    let run = traffic(cluster).during(|dice| {
        let node = cluster.node(dice.roll(NODES));
        rest(dice, 300, 1_000);
        node.kill();
        rest(dice, 1, 500);
        node.launch();
        node.wait_until_ready();
    });
    keeps_the_promise("postgres, nodes killed", &run);
}

/// A standby server may answer for the primary one, as long as it is not behind.
#[test]
fn nodes_with_a_replica_that_falls_behind_keep_the_promise() {
    let postgres = Postgres::start(&[]);
    let replica = postgres.standby();
    let database = format!("replica = \"{}\"\n", replica.url("keyward"));
    let site = PostgresSite::start_with(postgres, &database, "");
    let run = traffic(&site.cluster).during(|dice| {
        rest(dice, 100, 600);
        replica.execute("postgres", "SELECT pg_wal_replay_pause()");
        rest(dice, 100, 2_000);
        replica.execute("postgres", "SELECT pg_wal_replay_resume()");
    });
    keeps_the_promise("postgres, replica behind", &run);
    let read = "SELECT sum(idx_scan) FROM pg_stat_all_indexes WHERE schemaname = 'keyward'";
    let read: u64 = replica.execute("keyward", read).trim().parse().unwrap();
    assert!(read > 50, "the replica was asked only {read} times");
}

#[test]
fn nodes_that_promise_less_than_the_checker_was_told_are_found_out() {
    let late = "[cache]\nmax_staleness = \"60s\"\n";
    let site = PostgresSite::start_with(Postgres::start(&[]), "", late);
    // Cut off for longer than the checker allows, and for less than the nodes do.
    let run = traffic(&site.cluster).during(|dice| {
        let node = dice.roll(NODES);
        site.refuse(node);
        sleep(MAX_STALENESS * 5 / 2);
        site.heal(node);
        rest(dice, 300, 800);
    });
    println!("{}", Report::of(&run));
    let found = violations(&run.history, MAX_STALENESS);
    let allowed = found.iter().filter(|found| found.kind == ViolationKind::Allowed).count();
    println!("{allowed} verifications came too late");
    assert!(allowed > 5, "only {allowed} violations were found");
}
