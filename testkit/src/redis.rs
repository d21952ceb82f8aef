//! Redis servers of the test's own, for what only real ones can show: alone, with replicas and
//! sentinels, and as a cluster.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

mod certificates;
mod cluster;
mod sentinels;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub use certificates::Certificates;
pub use cluster::Cluster;
pub use sentinels::{PRIMARY, Sentinels};
use tempfile::TempDir;

/// What makes a server keep all that it has acknowledged.
pub const DURABLE: &[&str] = &["appendonly yes", "appendfsync always"];

/// A server in a temporary folder, on a port that was free. It ends with the test, and its folder goes
/// with it.
///
/// A test that cannot start one fails: it must not seem to have passed.
#[derive(Debug)]
pub struct Redis {
    /// Programs that a server is started with, such as `redis-server --sentinel`.
    arguments: &'static [&'static str],
    certificates: Option<Certificates>,
    folder: TempDir,
    port: u16,
    server: Option<Child>,
}

/// How often it is tried to start a server: somebody else may take its port in between.
const ATTEMPTS: usize = 5;
/// How often it is looked whether something has happened, and how long in between.
const LOOKS: usize = 1_200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);
/// The port that a server of the machine's own would have.
const USUAL_PORT: u16 = 6379;
/// How far from its port nodes of a cluster talk with each other.
const BUS: u16 = 10_000;

impl Redis {
    /// Starts a server with further lines of `redis.conf`, such as those of [`DURABLE`].
    pub fn start(settings: &[&str]) -> Self {
        Self::start_as(&[], settings, None)
    }

    /// Starts one that speaks TLS alone.
    pub fn start_with_tls(settings: &[&str]) -> Self {
        Self::start_as(&[], settings, Some(Certificates::new()))
    }

    fn start_as(
        arguments: &'static [&'static str],
        settings: &[&str],
        certificates: Option<Certificates>,
    ) -> Self {
        let folder = TempDir::new().unwrap_or_else(|e| panic!("no folder for Redis: {e}"));
        let mut redis = Self { arguments, certificates, folder, port: 0, server: None };
        for _ in 0..ATTEMPTS {
            redis.port = free_port();
            redis.configure(settings);
            redis.spawn();
            if redis.is_ready() {
                return redis;
            }
            redis.kill();
        }
        panic!("Redis does not start:\n{}", redis.log())
    }

    fn configure(&self, settings: &[&str]) {
        let folder = self.folder.path();
        let port = self.port;
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            "protected-mode no".to_owned(),
            "save \"\"".to_owned(),
            format!("dir {}", folder.display()),
            format!("logfile {}", folder.join("log").display()),
        ];
        match &self.certificates {
            Some(certificates) => lines.extend(certificates.settings(folder, port)),
            None => lines.push(format!("port {port}")),
        }
        lines.extend(settings.iter().map(|line| (*line).to_owned()));
        if self.arguments.contains(&"--sentinel") {
            lines.retain(|line| !line.starts_with("save"));
        }
        write(&self.configuration(), lines.join("\n") + "\n");
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("redis.conf")
    }

    /// Starts the program, which also ends when the test is killed, where the system can do that.
    fn spawn(&mut self) {
        let mut command = if cfg!(target_os = "linux") {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig=KILL", "redis-server"]);
            command
        } else {
            Command::new("redis-server")
        };
        command.arg(self.configuration()).args(self.arguments);
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|e| {
            panic!("Redis cannot be started ({e}); if it is not installed, ./dev test does it")
        });
        self.server = Some(child);
    }

    /// Waits until it answers.
    fn is_ready(&mut self) -> bool {
        for _ in 0..LOOKS {
            let ended = self.server.as_mut().map(Child::try_wait);
            if ended.is_none_or(|ended| ended.is_ok_and(|ended| ended.is_some())) {
                return false;
            }
            let answer = self.cli_command(&["PING"]).output();
            if answer.is_ok_and(|answer| answer.stdout.starts_with(b"PONG")) {
                return true;
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        false
    }

    /// The port on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The address, for clients.
    pub fn url(&self) -> String {
        let scheme = if self.certificates.is_some() { "rediss" } else { "redis" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The folder that it keeps its data in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file with the authority that has signed its certificate, if it speaks TLS.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.certificates.as_ref().map(|_| self.folder.path().join(certificates::AUTHORITY))
    }

    /// What `redis-cli` prints for a command.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let mut command = self.cli_command(arguments);
        let output = command.output();
        let output = output.unwrap_or_else(|e| panic!("redis-cli cannot be started: {e}"));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn cli_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("redis-cli");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if let Some(ca_file) = self.ca_file() {
            command.arg("--tls").arg("--cacert").arg(ca_file);
        }
        command.args(arguments);
        command
    }

    /// Ends it at once, as if the machine had lost its power.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            // It fails only if it has ended already.
            drop(server.kill());
            drop(server.wait());
        }
    }

    /// Starts it again after it has ended, on the same port and with what it has kept.
    pub fn restart(&mut self) {
        self.kill();
        self.spawn();
        assert!(self.is_ready(), "Redis does not start again:\n{}", self.log());
    }

    /// Stops it from doing anything, without closing its connections.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Waits until `look` returns true.
    pub fn wait_until(&self, look: impl Fn(&Self) -> bool) {
        assert!(happens(|| look(self)), "it does not happen:\n{}", self.log());
    }

    fn signal(&self, signal: &str) {
        let pid = self.server.as_ref().map(|server| server.id().to_string()).unwrap_or_default();
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(&pid).status();
        assert!(sent.is_ok_and(|status| status.success()), "no {signal} for {pid}");
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether something happens before long.
fn happens(look: impl Fn() -> bool) -> bool {
    for _ in 0..LOOKS {
        if look() {
            return true;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    false
}

/// A port that nobody uses now, nor the one that a node of a cluster would use besides.
fn free_port() -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let mut ports = (0..ATTEMPTS * 100).filter_map(|_| {
        let listener = TcpListener::bind("127.0.0.1:0").ok()?;
        let port = listener.local_addr().ok()?.port();
        port.checked_add(BUS).is_some_and(is_free).then_some(port)
    });
    let port = ports.find(|port| *port != USUAL_PORT);
    port.unwrap_or_else(|| panic!("there is no free port"))
}

fn write(file: &Path, content: impl AsRef<[u8]>) {
    fs::write(file, content)
        .unwrap_or_else(|e| panic!("{} cannot be written: {e}", file.display()));
}
