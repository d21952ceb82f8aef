//! Redis servers of which one takes writes, and sentinels that choose another one when it fails.

use super::{DURABLE, Redis, happens};

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
        let primary = Redis::start(DURABLE);
        let port = primary.port();
        let of_primary = format!("replicaof 127.0.0.1 {port}");
        let replica = [DURABLE, &[of_primary.as_str(), "repl-diskless-sync-delay 0"]].concat();
        let mut servers = vec![primary];
        servers.extend((0..2).map(|_| Redis::start(&replica)));
        let monitor = format!("sentinel monitor {PRIMARY} 127.0.0.1 {port} 2");
        let patience = format!("sentinel down-after-milliseconds {PRIMARY} 700");
        let timeout = format!("sentinel failover-timeout {PRIMARY} 3000");
        let settings = [monitor.as_str(), patience.as_str(), timeout.as_str()];
        let start = |_| Redis::start_as(&["--sentinel"], &settings, None);
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
    pub fn wait_until_followed(&self) {
        let is_followed = |server: &Redis| {
            server.cli(&["INFO", "replication"]).matches("state=online").count() == 2
        };
        assert!(happens(|| self.servers.iter().any(is_followed)), "no replica follows");
    }

    /// The address, for clients.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self
            .sentinels
            .iter()
            .map(|sentinel| format!("127.0.0.1:{}", sentinel.port()))
            .collect();
        format!("redis+sentinel://{}/{PRIMARY}", hosts.join(","))
    }

    /// The server that takes writes, as the sentinels say.
    pub fn primary(&mut self) -> &mut Redis {
        let known = self
            .sentinels
            .iter()
            .map(|sentinel| sentinel.cli(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", PRIMARY]));
        let ports: Vec<_> = known.filter_map(|said| said.lines().nth(1)?.parse().ok()).collect();
        let primary = self.servers.iter_mut().find(|server| ports.contains(&server.port()));
        primary.unwrap_or_else(|| panic!("no sentinel knows who takes writes"))
    }

    /// All servers that hold records.
    pub fn servers(&mut self) -> &mut [Redis] {
        &mut self.servers
    }
}
