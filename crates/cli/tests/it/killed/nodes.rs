//! The same over PostgreSQL: the server is killed, or one of three nodes, and what is left recovers by
//! itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use keyward_testkit::postgres::Postgres;

use super::ledger::Ledger;
use super::whole;
use crate::harness::{Client, Dice, NODES, PostgresSite};

/// Together a hundred, each about half a second.
const ROUNDS_OF_POSTGRES: u64 = 40;
const ROUNDS_OF_NODES: u64 = 60;
const WRITERS: u64 = 4;
/// How long a node may lag behind, by default.
const MAX_STALENESS: Duration = Duration::from_secs(1);
/// How many milliseconds a round has for its acts, at the most.
const TIME_TO_WRITE: usize = 200;
/// The acts that must have been acknowledged, or else the test proves little.
const ENOUGH: usize = 100;

#[test]
fn every_acknowledged_act_survives_the_killing_of_postgres() {
    let mut site = PostgresSite::start_with(Postgres::start(&["fsync = on"]), "", "");
    let mut books = Books::new();
    let dice = Dice::new(7);
    for round in 0..ROUNDS_OF_POSTGRES {
        books.write_until(clients(&site), || {
            rest(&dice);
            site.postgres.kill();
        });
        site.postgres.start_again();
        // Without being started again themselves.
        site.cluster.wait_until_ready();
        books.check_touched(&site, &dice, round);
    }
    books.close(&site);
}

#[test]
fn every_acknowledged_act_survives_the_killing_of_nodes() {
    let mut site = PostgresSite::start();
    let mut books = Books::new();
    let dice = Dice::new(8);
    for round in 0..ROUNDS_OF_NODES {
        let victim = dice.roll(NODES);
        books.write_until(clients(&site), || {
            rest(&dice);
            site.cluster.node(victim).kill();
        });
        let node = site.cluster.node(victim);
        node.launch();
        node.wait_until_ready();
        books.check_touched(&site, &dice, round);
    }
    books.close(&site);
}

/// What all writers were told.
struct Books(Vec<Ledger>);

impl Books {
    fn new() -> Self {
        let ledger = |number| Ledger::new(Dice::new(number), MAX_STALENESS);
        Self((0..WRITERS).map(ledger).collect())
    }

    /// Lets all of them write until this has happened, each until the first answer that does not come.
    fn write_until(&mut self, clients: Vec<Vec<Client>>, happens: impl FnOnce()) {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            for (ledger, mut clients) in self.0.iter_mut().zip(clients) {
                let is_over = &is_over;
                scope.spawn(move || {
                    while !is_over.load(Ordering::SeqCst) {
                        clients.rotate_left(1);
                        if ledger.act(&mut clients[0]).is_err() {
                            return;
                        }
                    }
                });
            }
            happens();
            is_over.store(true, Ordering::SeqCst);
        });
    }

    fn check_touched(&mut self, site: &PostgresSite, dice: &Dice, round: u64) {
        let mut client = site.cluster.client(dice.roll(NODES));
        for ledger in &mut self.0 {
            ledger.check_touched(&mut client, round);
        }
    }

    /// Checks everything, and that it was enough.
    #[expect(clippy::print_stdout, reason = "whoever runs it wants to know")]
    fn close(mut self, site: &PostgresSite) {
        let mut client = site.cluster.client(0);
        for ledger in &mut self.0 {
            ledger.check_all(&mut client);
        }
        let acknowledged = self.0.iter().map(|ledger| ledger.acknowledged).sum();
        let interrupted: usize = self.0.iter().map(|ledger| ledger.interrupted).sum();
        println!("{acknowledged} acts acknowledged, {interrupted} interrupted");
        assert!(acknowledged > ENOUGH, "only {acknowledged} acts were acknowledged");
        whole::check_postgres(&site.postgres, acknowledged, interrupted);
        let log = site.postgres.log();
        assert!(!log.contains("deadlock detected"), "{log}");
    }
}

/// For each writer, clients of all nodes.
fn clients(site: &PostgresSite) -> Vec<Vec<Client>> {
    (0..WRITERS).map(|_| (0..NODES).map(|node| site.cluster.client(node)).collect()).collect()
}

fn rest(dice: &Dice) {
    thread::sleep(Duration::from_millis(u64::try_from(dice.roll(TIME_TO_WRITE)).unwrap()));
}
