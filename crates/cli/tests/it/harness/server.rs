//! A server in a process of its own.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use super::client::Client;
use super::command::bare;
use super::wait_for;

static STARTED: AtomicUsize = AtomicUsize::new(0);

/// A server that is ready. It is killed when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    child: Child,
    folder: PathBuf,
    name: String,
}

/// A server that ended when it was asked to.
pub(crate) struct Stopped {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Server {
    /// Starts a server in a folder and waits until it is ready. Unless the arguments name one, the
    /// system chooses the port, so that no other process can take it in between, and the log tells
    /// which one it is.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_with(folder, arguments, &[])
    }

    /// The same with an environment.
    pub(crate) fn start_with(
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let name = format!("server-{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let file = |kind: &str| File::create(folder.join(format!("{name}.{kind}"))).unwrap();
        let listen: &[_] =
            if arguments.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let mut child = bare(folder)
            .envs(environment.iter().copied())
            .arg("serve")
            .args(listen)
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
        let server = Self { address, child, folder: folder.to_owned(), name };
        wait_for("the server to be ready", || {
            let answer = Client::new(address, "").send("GET", "/readyz", "", b"").ok()?;
            (answer.status == 200).then_some(())
        });
        server
    }

    /// The same at a port that is known before, for servers that must know their own address. Another
    /// process may take it in between, but the system does not give the same one out again so soon.
    pub(crate) fn start_at_known_port(folder: &Path, arguments: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        Self::start(folder, &[&["--listen", &free], arguments].concat())
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client with the root key in the server's folder.
    pub(crate) fn client(&self) -> Client {
        let key = fs::read_to_string(self.folder.join("root.key")).unwrap();
        Client::new(self.address, key.trim())
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Stopped {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = wait_for("the server to stop", || self.child.try_wait().unwrap());
        let read =
            |kind| fs::read_to_string(self.folder.join(format!("{}.{kind}", self.name))).unwrap();
        Stopped { status, stdout: read("out"), stderr: read("err") }
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
