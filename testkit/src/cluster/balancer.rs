//! `HAProxy` in front of the nodes.

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::client::Client;
use crate::ports::free_address;
use crate::waiting::wait_for;

/// A balancer that sends each request to a node that says it is ready. It ends when it is dropped.
#[derive(Debug)]
pub struct Balancer {
    address: SocketAddr,
    process: Child,
}

/// How it is set up, but for the addresses. A node that does not answer for a second is left out.
const SETTINGS: &str = "\
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    retries 2
    option redispatch
";

impl Balancer {
    pub(super) fn start(folder: &Path, nodes: &[SocketAddr]) -> Self {
        let address = free_address();
        let mut settings = format!(
            "{SETTINGS}\
             frontend keyward\n    bind {address}\n    default_backend nodes\n\
             backend nodes\n    balance roundrobin\n    option httpchk GET /readyz\n    \
             http-check expect status 200\n    \
             default-server check inter 500ms fastinter 250ms fall 2 rise 1\n"
        );
        for (number, node) in nodes.iter().enumerate() {
            writeln!(settings, "    server node-{number} {node}").unwrap();
        }
        let file = folder.join("haproxy.cfg");
        fs::write(&file, settings).unwrap();
        let log = fs::File::create(folder.join("haproxy.log")).unwrap();
        let process = Command::new(program())
            .arg("-db")
            .arg("-f")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let process = process.unwrap_or_else(|e| {
            panic!("HAProxy cannot be started ({e}); if it is not installed, ./dev cluster does it")
        });
        let balancer = Self { address, process };
        wait_for("the balancer", || {
            let answer = Client::new(address, "").send("GET", "/readyz", "", b"").ok()?;
            (answer.status == 200).then_some(())
        });
        balancer
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // They fail only if it has ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Where the system's packages put it, which is not where everybody's shell looks.
fn program() -> &'static str {
    let usual = "/usr/sbin/haproxy";
    if Path::new(usual).exists() { usual } else { "haproxy" }
}
