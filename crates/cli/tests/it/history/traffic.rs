//! Writers and verifiers at the nodes of a cluster, while something happens to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use super::MAX_STALENESS;
use super::board::Board;
use super::event::History;
use super::verifier::Verifier;
use super::writer::{Tally, Writer};
use crate::harness::Dice;

const WRITERS: u64 = 6;
/// How long a secret is asked for often after something has happened to it: until every node must know, and
/// as long again.
const HEAT: Duration = MAX_STALENESS.saturating_mul(2);
/// How many secrets every node is asked about when all is over.
const SWEPT: usize = 300;

/// What a run needs to know.
pub(super) struct Traffic {
    pub(super) nodes: Vec<SocketAddr>,
    pub(super) root_key: String,
    pub(super) duration: Duration,
    pub(super) seed: u64,
}

/// A run that is over.
pub(super) struct Run {
    pub(super) history: History,
    pub(super) tally: Tally,
    /// How often something happened to the cluster.
    pub(super) faults: usize,
}

impl Traffic {
    /// Lets `fault` happen again and again. It must leave the cluster as whole as it found it.
    pub(super) fn during(&self, mut fault: impl FnMut(&Dice)) -> Run {
        let board = Board::new(HEAT);
        let dice = |number| Dice::new(self.seed * 100 + number);
        let dices: Vec<_> = (0..WRITERS).map(dice).collect();
        let nodes: Vec<_> = self.nodes.iter().copied().enumerate().collect();
        let verifier = |node| Verifier::new(&board, node, &self.root_key);
        let mut faults = 0;
        let (mut verifications, written) = thread::scope(|scope| {
            let verifiers = nodes.iter().flat_map(|node| {
                let (pursuer, patrol) = (verifier(*node), verifier(*node));
                let dice = dice(50 + u64::try_from(node.0).unwrap());
                [scope.spawn(|| pursuer.pursue()), scope.spawn(move || patrol.patrol(&dice))]
            });
            let verifiers: Vec<_> = verifiers.collect();
            let writers = dices.iter().map(|dice| {
                let writer = Writer::new(&board, &nodes, &self.root_key, dice);
                scope.spawn(|| writer.write())
            });
            let writers: Vec<_> = writers.collect();
            let end = EndOnDrop(&board);
            let dice = dice(99);
            while board.moment() < self.duration {
                fault(&dice);
                faults += 1;
            }
            drop(end);
            let verifications = verifiers.into_iter().flat_map(|thread| thread.join().unwrap());
            let verifications: Vec<_> = verifications.collect();
            let written: Vec<_> = writers.into_iter().map(|w| w.join().unwrap()).collect();
            (verifications, written)
        });
        // By now everybody knows everything.
        thread::sleep(MAX_STALENESS);
        for node in &nodes {
            verifications.extend(verifier(*node).sweep(SWEPT));
        }
        let mut acts = Vec::new();
        let mut tally = Tally::new();
        for one in written {
            acts.extend(one.acts);
            add(&mut tally, one.tally);
        }
        Run { history: board.history(acts, verifications), tally, faults }
    }
}

fn add(tally: &mut Tally, other: BTreeMap<&'static str, [usize; 2]>) {
    for (name, [done, unknown]) in other {
        let sum = tally.entry(name).or_default();
        *sum = [sum[0] + done, sum[1] + unknown];
    }
}

/// Ends the run also if something fails: or else its threads would never end.
struct EndOnDrop<'a>(&'a Board);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
