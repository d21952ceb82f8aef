//! A cluster of Redis servers.

use super::{DURABLE, Redis, happens};

/// Three servers, each of which has a third of the slots.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Redis>,
}

impl Cluster {
    /// Starts them, and waits until they have found together.
    pub fn start() -> Self {
        let settings = [DURABLE, &["cluster-enabled yes", "cluster-node-timeout 2000"]].concat();
        let nodes: Vec<_> = (0..3).map(|_| Redis::start(&settings)).collect();
        let hosts: Vec<_> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        let mut create = vec!["--cluster", "create"];
        create.extend(hosts.iter().map(String::as_str));
        create.push("--cluster-yes");
        if let Some(node) = nodes.first() {
            let said = node.cli(&create);
            assert!(said.contains("All 16384 slots covered"), "no cluster is made: {said}");
        }
        let cluster = Self { nodes };
        let is_ready = |node: &Redis| node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
        assert!(happens(|| cluster.nodes.iter().all(is_ready)), "the cluster is not ready");
        cluster
    }

    /// The address, for clients.
    pub fn url(&self) -> String {
        let hosts: Vec<_> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// The servers.
    pub fn nodes(&mut self) -> &mut [Redis] {
        &mut self.nodes
    }
}
