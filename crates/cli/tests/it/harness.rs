//! Runs the binary in a folder of its own, and talks to it.

mod bucket;
mod command;
#[cfg(target_os = "linux")]
mod memory;
mod peer;
mod running;
mod server;
mod site;
mod stream;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use bucket::Bucket;
pub(crate) use command::{Cli, Ended, bare, program};
use keyward_testkit::SeededEntropy;
pub(crate) use keyward_testkit::client::{Answer, Client, Issued, verdict};
use keyward_testkit::folder::in_memory;
pub(crate) use keyward_testkit::server::Server;
pub(crate) use keyward_testkit::waiting::{PATIENCE, now, wait_for};
#[cfg(target_os = "linux")]
pub(crate) use memory::Memory;
pub(crate) use peer::{Peer, interop};
pub(crate) use running::Running;
pub(crate) use server::{serve, serve_at_known_port, serve_with};
pub(crate) use site::{DATABASE, NODES, PostgresSite};
pub(crate) use stream::Stream;
use tempfile::TempDir;

/// A folder with nothing in it, where the binary works.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// A disk that is busy with builds can hold a commit up for half a minute.
    pub(crate) fn new() -> Self {
        Self(in_memory())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    /// The root key that a server wrote into this folder.
    pub(crate) fn root_key(&self) -> String {
        self.read("root.key").trim().to_owned()
    }

    /// A server without any configuration, which writes its root key into `root.key`.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// The same with further arguments.
    pub(crate) fn serve_with(&self, arguments: &[&str]) -> Server {
        let root_key = ["--root-key-file", "root.key"];
        serve(self.path(), &[&root_key[..], arguments].concat())
    }

    /// A command in this folder.
    pub(crate) fn cli(&self) -> Cli<'_> {
        Cli::new(self.path())
    }
}

/// Chance that repeats for the same seed.
pub(crate) struct Dice(SeededEntropy);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    /// A number below `sides`.
    pub(crate) fn roll(&self, sides: usize) -> usize {
        let mut bytes = [0; 4];
        keyward::Entropy::fill(&self.0, &mut bytes);
        usize::try_from(u32::from_le_bytes(bytes)).unwrap() % sides
    }
}
