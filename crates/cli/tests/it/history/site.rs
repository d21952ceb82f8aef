//! Where runs take place.

use std::thread::sleep;
use std::time::Duration;

use keyward_testkit::cluster::{Cluster, Node, NodePlan};

use super::traffic::Traffic;
use crate::harness::{Dice, NODES, program};

const SECONDS: u64 = 5;
/// Three nodes on one file, with further configuration.
pub(super) fn on_sqlite(config: &str) -> Cluster {
    let plan = NodePlan::new("sqlite:keyward.db").with(config);
    Cluster::start(program(), vec![plan; NODES])
}

/// Traffic at all nodes of a cluster.
pub(super) fn traffic(cluster: &Cluster) -> Traffic {
    Traffic {
        nodes: cluster.nodes().iter().map(Node::address).collect(),
        root_key: cluster.root_key(),
        duration: Duration::from_secs(number("KEYWARD_HISTORY_SECONDS").unwrap_or(SECONDS)),
        seed: number("KEYWARD_HISTORY_SEED").unwrap_or(1),
    }
}

/// Sleeps for some milliseconds between these.
pub(super) fn rest(dice: &Dice, least: usize, most: usize) {
    let millis = least + dice.roll(most - least);
    sleep(Duration::from_millis(u64::try_from(millis).unwrap()));
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the test says how long it shall take")]
fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} must be a number")))
}
