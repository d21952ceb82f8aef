//! A server of Keyward in a process of its own.
#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::Client;
use crate::waiting::wait_for;

static STARTED: AtomicUsize = AtomicUsize::new(0);

/// A server that is ready. It is killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    child: Child,
    folder: PathBuf,
    name: String,
}

/// A server that ended when it was asked to.
#[derive(Debug)]
pub struct Stopped {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it logged.
    pub stderr: String,
}

/// A program in a folder, without any environment.
pub fn bare(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder);
    command
}

impl Server {
    /// Starts `keyward serve` in a folder and waits until it is ready. The log must tell the address:
    /// a port that the system chooses cannot be taken by another process in between.
    pub fn start(
        program: &Path,
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let server = Self::launch(program, folder, arguments, environment);
        wait_for("the server to be ready", || server.is_ready().then_some(()));
        server
    }

    /// The same without waiting until it is ready: only until it listens.
    pub fn launch(
        program: &Path,
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let name = format!("server-{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let file = |kind: &str| File::create(folder.join(format!("{name}.{kind}"))).unwrap();
        let mut child = bare(program, folder)
            .envs(environment.iter().copied())
            .arg("serve")
            .args(arguments)
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap();
        let log = folder.join(format!("{name}.err"));
        let address = wait_for("the server's address", || {
            let log = fs::read_to_string(&log).unwrap();
            let status = child.try_wait().unwrap();
            assert!(status.is_none(), "the server ended with {status:?}:\n{log}");
            address_in(&log)
        });
        Self { address, child, folder: folder.to_owned(), name }
    }

    /// Whether it says that it can answer.
    pub fn is_ready(&self) -> bool {
        let answer = Client::new(self.address, "").send("GET", "/readyz", "", b"");
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// The id of its process.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, for clients of HTTP.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client with the root key in the server's folder.
    pub fn client(&self) -> Client {
        let key = fs::read_to_string(self.folder.join("root.key")).unwrap();
        Client::new(self.address, key.trim())
    }

    /// What it has logged until now.
    pub fn log(&self) -> String {
        self.read("err")
    }

    /// Ends it as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Takes all processors away from it, without its knowing.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after a pause.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> Stopped {
        self.signal(Signal::TERM);
        let status = wait_for("the server to stop", || self.child.try_wait().unwrap());
        Stopped { status, stdout: self.read("out"), stderr: self.read("err") }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn read(&self, kind: &str) -> String {
        fs::read_to_string(self.folder.join(format!("{}.{kind}", self.name))).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The address that the log says the server listens on.
fn address_in(log: &str) -> Option<SocketAddr> {
    let line = log.lines().find(|line| line.contains("listening"))?;
    let is_address = |c: char| c.is_ascii_digit() || ".:".contains(c);
    line.split(|c| !is_address(c)).find_map(|part| part.parse().ok())
}
