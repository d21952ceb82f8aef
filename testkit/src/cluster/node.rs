//! One node of a cluster.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::ports::free_address;
use crate::server::Server;
use crate::waiting::wait_for;

/// What a node is started with.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// The database's URL, as this node shall reach it.
    pub database: String,
    /// Further configuration, as TOML.
    pub config: String,
}

impl NodePlan {
    /// A node of that database, with nothing else said.
    pub fn new(database: impl Into<String>) -> Self {
        Self { database: database.into(), config: String::new() }
    }

    /// The same with further configuration.
    #[must_use]
    pub fn with(self, config: impl Into<String>) -> Self {
        Self { config: config.into(), ..self }
    }
}

/// A node: its place, and the server that runs there now, if one does.
#[derive(Debug)]
pub struct Node {
    address: SocketAddr,
    arguments: Vec<String>,
    folder: PathBuf,
    program: PathBuf,
    server: Option<Server>,
}

impl Node {
    pub(super) fn start(program: &Path, folder: &Path, number: usize, plan: NodePlan) -> Self {
        let config = format!("node-{number}.toml");
        fs::write(folder.join(&config), plan.config).unwrap();
        let address = free_address();
        let listen = address.to_string();
        let arguments = [
            ["--listen", &listen],
            ["--database", &plan.database],
            ["--config", &config],
            ["--root-key-file", "root.key"],
        ];
        let arguments = arguments.concat().into_iter().map(ToOwned::to_owned).collect();
        let (folder, program) = (folder.to_owned(), program.to_owned());
        let mut node = Self { address, arguments, folder, program, server: None };
        node.launch();
        node.wait_until_ready();
        node
    }

    /// Where it listens, whenever it runs.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, for clients of HTTP.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether it runs and says that it can answer.
    pub fn is_ready(&self) -> bool {
        self.server.as_ref().is_some_and(Server::is_ready)
    }

    /// Waits until it can answer.
    pub fn wait_until_ready(&self) {
        wait_for("the node to be ready", || self.is_ready().then_some(()));
    }

    /// Starts it, and waits until it listens: it may have to wait for its database.
    pub fn launch(&mut self) {
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        self.server = Some(Server::launch(&self.program, &self.folder, &arguments, &[]));
    }

    /// Asks it to end, and waits until it has. Returns its log.
    pub fn stop(&mut self) -> String {
        self.resume();
        self.server.take().map(|server| server.stop().stderr).unwrap_or_default()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill();
        }
    }

    /// Takes all processors away from it, without its knowing.
    pub fn pause(&self) {
        self.server.iter().for_each(Server::pause);
    }

    /// Lets it go on after a pause.
    pub fn resume(&self) {
        self.server.iter().for_each(Server::resume);
    }

    /// What it has logged since it was started.
    pub fn log(&self) -> String {
        self.server.as_ref().map(Server::log).unwrap_or_default()
    }
}
