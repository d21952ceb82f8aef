//! Several nodes of Keyward on this machine over one database, with a balancer in front of them: for
//! tests, and to try it out.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod balancer;
mod node;

use std::fs;
use std::path::{Path, PathBuf};

pub use balancer::Balancer;
pub use node::{Node, NodePlan};
use tempfile::TempDir;

use crate::client::Client;
use crate::folder::in_memory;
use crate::server::bare;

/// Nodes that are ready, in a temporary folder. They are killed when it is dropped.
#[derive(Debug)]
pub struct Cluster {
    // Before the folder, which must not go while they write into it.
    nodes: Vec<Node>,
    folder: TempDir,
    program: PathBuf,
}

impl Cluster {
    /// Starts a node for each plan. The first one makes the root key.
    pub fn start(program: &Path, plans: Vec<NodePlan>) -> Self {
        let mut cluster = Self::empty(program);
        for plan in plans {
            cluster.add(plan);
        }
        cluster
    }

    /// A folder without nodes yet.
    pub fn empty(program: &Path) -> Self {
        Self { nodes: Vec::new(), folder: in_memory(), program: program.to_owned() }
    }

    /// Starts another node.
    pub fn add(&mut self, plan: NodePlan) {
        let number = self.nodes.len();
        self.nodes.push(Node::start(&self.program, self.folder.path(), number, plan));
    }

    /// The folder that the nodes work in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file with the root key.
    pub fn root_key_file(&self) -> PathBuf {
        self.folder.path().join("root.key")
    }

    /// The root key.
    pub fn root_key(&self) -> String {
        fs::read_to_string(self.root_key_file()).unwrap().trim().to_owned()
    }

    /// The nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node of that number, to be stopped, killed or started again.
    pub fn node(&mut self, number: usize) -> &mut Node {
        let count = self.nodes.len();
        self.nodes.get_mut(number).unwrap_or_else(|| panic!("there are {count} nodes"))
    }

    /// Waits until all nodes can answer.
    pub fn wait_until_ready(&self) {
        for node in &self.nodes {
            node.wait_until_ready();
        }
    }

    /// A client of the node of that number, with the root key.
    pub fn client(&self, number: usize) -> Client {
        let count = self.nodes.len();
        let node = self.nodes.get(number).unwrap_or_else(|| panic!("there are {count} nodes"));
        Client::new(node.address(), &self.root_key())
    }

    /// Starts a balancer in front of the nodes.
    pub fn balance(&self) -> Balancer {
        let addresses: Vec<_> = self.nodes.iter().map(Node::address).collect();
        Balancer::start(self.folder.path(), &addresses)
    }

    /// Runs a command of the program in the folder, such as `migrate`, which must succeed.
    pub fn run(&self, arguments: &[&str]) {
        let output = bare(&self.program, self.folder.path()).args(arguments).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
    }
}
