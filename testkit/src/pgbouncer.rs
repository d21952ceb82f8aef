//! A pooler in front of a PostgreSQL server, which hands out connections by the transaction.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::postgres::{ENDS_WITH_TEST, Postgres, Programs, free_port};

/// How often it is asked whether it is ready, and how long in between.
const LOOKS: usize = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// A pooler with few connections of its own. It ends with the test.
#[derive(Debug)]
pub struct PgBouncer {
    _folder: TempDir,
    port: u16,
    pooler: Child,
}

impl PgBouncer {
    /// Starts a pooler in front of a server.
    pub fn start(postgres: &Postgres) -> Self {
        let programs = Programs::find();
        let folder = programs.folder();
        let (port, file) = (free_port(), folder.path().join("pgbouncer.ini"));
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 500\n\
             server_idle_timeout = 5\n",
            postgres.port(),
        );
        programs.write(&file, &settings);
        let mut pooler = programs.other("pgbouncer", ENDS_WITH_TEST);
        pooler.arg("--quiet").arg(file).stdin(Stdio::null()).stdout(Stdio::null());
        let pooler = pooler.stderr(Stdio::null()).spawn();
        let pooler = pooler.unwrap_or_else(|e| panic!("pgbouncer cannot be started: {e}"));
        let is_ready = (0..LOOKS).any(|_| {
            std::thread::sleep(BETWEEN_LOOKS);
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        assert!(is_ready, "pgbouncer does not start: ./dev test installs it");
        Self { _folder: folder, port, pooler }
    }

    /// The address of a database through the pooler.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.pooler.kill());
        drop(self.pooler.wait());
    }
}
