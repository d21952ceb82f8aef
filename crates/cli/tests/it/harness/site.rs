//! Three nodes over PostgreSQL, with networks that can fail.

use keyward_testkit::cluster::{Cluster, NodePlan};
use keyward_testkit::postgres::Postgres;
use keyward_testkit::proxy::Proxy;

use super::command::program;

/// How many nodes there are.
pub(crate) const NODES: usize = 3;
/// What every configuration of these tests says: no call may take long, so that faults are met often. A
/// machine that is busy with other tests needs some of that by itself.
pub(crate) const DATABASE: &str = "connect_timeout = \"3s\"\nstatement_timeout = \"3s\"\n";

/// Three nodes over one PostgreSQL, each with networks of its own to it.
pub(crate) struct PostgresSite {
    // Before what they stand on.
    pub(crate) cluster: Cluster,
    /// By node, what its questions and its changes go through.
    pub(crate) questions: Vec<Proxy>,
    /// By node, what it hears of changes through.
    pub(crate) feeds: Vec<Proxy>,
    pub(crate) postgres: Postgres,
}

impl PostgresSite {
    pub(crate) fn start() -> Self {
        Self::start_with(Postgres::start(&[]), "", "")
    }

    /// The same with further lines in the section of the database, and further sections.
    pub(crate) fn start_with(postgres: Postgres, database: &str, sections: &str) -> Self {
        postgres.create_database("keyward");
        let proxies = || (0..NODES).map(|_| Proxy::start(postgres.port())).collect::<Vec<_>>();
        let (questions, feeds) = (proxies(), proxies());
        let url = |proxy: &Proxy| format!("postgres://postgres@127.0.0.1:{}/keyward", proxy.port());
        let mut cluster = Cluster::empty(program());
        cluster.run(&["migrate", "--database", &postgres.url("keyward")]);
        for (questions, feed) in questions.iter().zip(&feeds) {
            let feed = url(feed);
            let config = format!("[database]\n{DATABASE}feed = \"{feed}\"\n{database}\n{sections}");
            cluster.add(NodePlan::new(url(questions)).with(config));
        }
        Self { cluster, questions, feeds, postgres }
    }

    /// Cuts a node off from its store, which it hears of at once.
    pub(crate) fn refuse(&self, node: usize) {
        self.questions[node].refuse();
        self.feeds[node].refuse();
    }

    /// Lets a node hear nothing of its store any more.
    pub(crate) fn stall(&self, node: usize) {
        self.questions[node].stall();
        self.feeds[node].stall();
    }

    /// Gives a node its store back.
    pub(crate) fn heal(&self, node: usize) {
        self.questions[node].heal();
        self.feeds[node].heal();
    }
}
