//! Redis servers of which one takes writes, and sentinels that choose another one when it fails.

use std::path::PathBuf;

use super::{Certificates, DURABLE, Redis, happens};

/// The name under which the sentinels know the server that takes writes.
pub const PRIMARY: &str = "mymaster";

/// Three servers, of which one takes writes, and three sentinels.
#[derive(Debug)]
pub struct Sentinels {
    sentinels: Vec<Redis>,
    servers: Vec<Redis>,
}

impl Sentinels {
    /// Starts them, and waits until all know each other.
    pub fn start() -> Self {
        Self::start_as(None)
    }

    /// Starts servers and sentinels that speak TLS alone.
    pub fn start_with_tls() -> Self {
        Self::start_as(Some(&Certificates::new()))
    }

    fn start_as(certificates: Option<&Certificates>) -> Self {
        let start = |settings: &[&str]| Redis::start_as(&[], settings, certificates.cloned());
        let primary = start(DURABLE);
        let port = primary.port();
        let of_primary = format!("replicaof 127.0.0.1 {port}");
        let replica = [DURABLE, &[of_primary.as_str(), "repl-diskless-sync-delay 0"]].concat();
        let mut servers = vec![primary];
        servers.extend((0..2).map(|_| start(&replica)));
        let monitor = format!("sentinel monitor {PRIMARY} 127.0.0.1 {port} 2");
        let patience = format!("sentinel down-after-milliseconds {PRIMARY} 700");
        let timeout = format!("sentinel failover-timeout {PRIMARY} 3000");
        let settings = [monitor.as_str(), patience.as_str(), timeout.as_str()];
        let start = |_| Redis::start_as(&["--sentinel"], &settings, certificates.cloned());
        let group = Self { sentinels: (0..3).map(start).collect(), servers };
        let know_all = || {
            group.sentinels.iter().all(|sentinel| {
                let info = sentinel.cli(&["INFO", "sentinel"]);
                info.contains("status=ok") && info.contains("slaves=2,sentinels=3")
            })
        };
        assert!(happens(know_all), "the sentinels do not find together");
        group.wait_until_followed();
        group
    }

    /// Waits until both replicas follow whoever takes writes.
    fn wait_until_followed(&self) {
        let is_followed = |server: &Redis| {
            server.cli(&["INFO", "replication"]).matches("state=online").count() == 2
        };
        assert!(happens(|| self.servers.iter().any(is_followed)), "no replica follows");
    }

    /// The address, for clients.
    pub fn url(&self) -> String {
        format!("{}/{PRIMARY}", super::url_of("sentinel", &self.sentinels))
    }

    /// The file with the authority that has signed their certificates, if they speak TLS.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.sentinels.first().and_then(Redis::ca_file)
    }

    /// The server that takes writes, as the sentinels say.
    pub fn primary(&mut self) -> &mut Redis {
        let ports = self.known_ports();
        let primary = self.servers.iter_mut().find(|server| ports.contains(&server.port()));
        primary.unwrap_or_else(|| panic!("no sentinel knows who takes writes"))
    }

    /// Waits until all sentinels say that another server takes writes than the one with this port.
    pub fn wait_for_another_than(&self, port: u16) {
        assert!(happens(|| !self.known_ports().contains(&port)), "there is no fail-over");
    }

    /// Starts the server with this port again, as one that follows another.
    pub fn restart(&mut self, port: u16) {
        let server = self.servers.iter_mut().find(|server| server.port() == port);
        server.unwrap_or_else(|| panic!("there is no server at {port}")).restart();
        self.wait_until_followed();
    }

    /// The ports of the servers that take writes, as each sentinel says.
    fn known_ports(&self) -> Vec<u16> {
        let ask =
            |sentinel: &Redis| sentinel.cli(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", PRIMARY]);
        let known = self.sentinels.iter().map(ask);
        known.filter_map(|said| said.lines().nth(1)?.parse().ok()).collect()
    }
}
