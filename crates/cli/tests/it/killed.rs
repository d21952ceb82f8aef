//! Whatever was acknowledged survives `kill -9`, and nothing is ever half done.

mod ledger;
mod nodes;
mod whole;

use std::thread;
use std::time::Duration;

use ledger::Ledger;

use crate::harness::{Client, Dice, Folder, now};

const ROUNDS: u64 = 200;
const WRITERS: u64 = 4;
/// The acts that must have been acknowledged, or else the test proves little.
const ENOUGH: usize = 500;

#[test]
fn every_acknowledged_act_survives_being_killed_and_none_is_half_done() {
    let folder = Folder::new();
    let mut server = folder.serve();
    let mut ledgers: Vec<_> =
        (0..WRITERS).map(|n| Ledger::new(Dice::new(n), Duration::ZERO)).collect();
    let delays = Dice::new(99);
    for round in 0..ROUNDS {
        let delay = Duration::from_micros(u64::try_from(delays.roll(40_000)).unwrap());
        let mut clients: Vec<_> = ledgers.iter().map(|_| server.client()).collect();
        thread::scope(|scope| {
            for (ledger, client) in ledgers.iter_mut().zip(&mut clients) {
                scope.spawn(|| write_until_it_dies(ledger, client));
            }
            let begin = now();
            thread::sleep(delay.saturating_sub(now() - begin));
            server.kill();
        });
        server = folder.serve();
        let mut client = server.client();
        for ledger in &mut ledgers {
            ledger.check_touched(&mut client, round);
        }
    }
    let mut client = server.client();
    for ledger in &mut ledgers {
        ledger.check_all(&mut client);
    }
    let acknowledged = ledgers.iter().map(|ledger| ledger.acknowledged).sum();
    let interrupted: usize = ledgers.iter().map(|ledger| ledger.interrupted).sum();
    let keys: usize = ledgers.iter().map(Ledger::keys).sum();
    println!("{acknowledged} acts acknowledged, {interrupted} interrupted, {keys} keys");
    assert!(acknowledged > ENOUGH, "only {acknowledged} acts were acknowledged");
    assert_eq!(server.stop().status.code(), Some(0));
    whole::check_file(&folder, acknowledged, interrupted);
}

fn write_until_it_dies(ledger: &mut Ledger, client: &mut Client) {
    while ledger.act(client).is_ok() {}
}
