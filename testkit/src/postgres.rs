//! A PostgreSQL server of the test's own, for what only a real one can show.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

mod programs;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

pub(crate) use programs::{ENDS_WITH_TEST, Programs, free_port};
use tempfile::TempDir;

/// A server in a temporary folder, on a port that was free, which takes anybody on this machine at their
/// word. It ends with the test, and its folder goes with it.
///
/// A test that cannot start one fails: it must not seem to have passed.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    port: u16,
    programs: Programs,
    server: Child,
}

/// How often it is tried to start a server: somebody else may take its port in between.
const ATTEMPTS: usize = 5;
impl Postgres {
    /// Starts a server with further lines of `postgresql.conf`, such as `timezone = 'Asia/Tokyo'`.
    pub fn start(settings: &[&str]) -> Self {
        Self::start_with(settings, &[])
    }

    /// The same with files in its own folder, by their names: a certificate and its key, say.
    pub fn start_with(settings: &[&str], files: &[(&str, &str)]) -> Self {
        let programs = Programs::find();
        let folder = programs.folder();
        let data = folder.path().join("data");
        let mut initdb = programs.command("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"]);
        done(initdb.arg("--no-sync").arg("--pgdata").arg(&data));
        // What is written here need not survive the machine.
        let usual = ["fsync = off", "listen_addresses = '127.0.0.1'", "max_connections = 200"];
        let sockets = format!("unix_socket_directories = '{}'", folder.path().display());
        let lines = usual.iter().chain(settings).map(|line| format!("{line}\n"));
        append(&data.join("postgresql.conf"), &format!("{}{sockets}\n", lines.collect::<String>()));
        for (name, content) in files {
            programs.write(&data.join(name), content);
        }
        Self::serve(programs, folder)
    }

    /// A standby server of this one, which follows it and can be read.
    #[must_use]
    pub fn standby(&self) -> Self {
        let programs = Programs::find();
        let folder = programs.folder();
        let mut copy = programs.command("pg_basebackup");
        copy.args(["--host=127.0.0.1", "--username=postgres", "--checkpoint=fast", "--no-sync"]);
        copy.args(["--write-recovery-conf", "--wal-method=stream"]);
        copy.arg(format!("--port={}", self.port)).arg("--pgdata");
        done(copy.arg(folder.path().join("data")));
        let sockets = format!("unix_socket_directories = '{}'\n", folder.path().display());
        append(&folder.path().join("data/postgresql.conf"), &sockets);
        Self::serve(programs, folder)
    }

    fn serve(programs: Programs, folder: TempDir) -> Self {
        for _ in 0..ATTEMPTS {
            let port = free_port();
            if let Some(server) = programs.served(folder.path(), port) {
                return Self { folder, port, programs, server };
            }
        }
        let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start:\n{log}")
    }

    /// Stops the server as an operator would, who does not wait for its clients.
    pub fn stop(&mut self) {
        self.end("fast");
    }

    /// Ends the server and all its processes at once, with SIGKILL.
    pub fn kill(&mut self) {
        programs::kill(&self.server);
        drop(self.server.wait());
    }

    /// Starts the server again, on the same port, after it was stopped or killed.
    pub fn start_again(&mut self) {
        // For a while, memory that it shared may still seem to be in use.
        for _ in 0..ATTEMPTS * ATTEMPTS {
            if let Some(server) = self.programs.served(self.folder.path(), self.port) {
                self.server = server;
                return;
            }
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start again:\n{log}")
    }

    fn end(&mut self, mode: &str) {
        let mut stop = self.programs.command("pg_ctl");
        stop.args(["stop", "--silent", &format!("--mode={mode}"), "--pgdata"]);
        // It fails only if the server has ended already.
        drop(stop.arg(self.folder.path().join("data")).output());
        drop(self.server.kill());
        drop(self.server.wait());
    }

    /// The port on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database, for clients.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database.
    pub fn create_database(&self, name: &str) {
        self.execute("postgres", &format!("create database \"{name}\""));
    }

    /// The program `psql` in a database, in a session that stops at the first error.
    pub fn psql(&self, database: &str) -> Command {
        let mut psql = Command::new(self.programs.path("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]).arg(self.url(database));
        psql
    }

    /// What `psql` prints when it has done all of a script.
    pub fn execute(&self, database: &str, script: &str) -> String {
        fed(self.psql(database).args(["--tuples-only", "--no-align"]), script)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end("immediate");
    }
}

/// What `psql` or another program prints when it has done what its standard input says.
pub fn fed(program: &mut Command, input: &str) -> String {
    let child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|e| panic!("{program:?} cannot be started: {e}"));
    if let Some(mut stdin) = child.stdin.take() {
        // If it does not read on, it says why when it ends.
        drop(stdin.write_all(input.as_bytes()));
    }
    output(program, child.wait_with_output())
}

/// What a program prints when it is done.
fn done(program: &mut Command) -> String {
    let ended = program.output();
    output(program, ended)
}

fn output(program: &Command, ended: std::io::Result<Output>) -> String {
    let ended = ended.unwrap_or_else(|e| panic!("{program:?} cannot be started: {e}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(ended.status.success(), "{program:?} failed: {}", text(&ended.stderr));
    text(&ended.stdout)
}

fn append(file: &Path, text: &str) {
    let written = fs::File::options().append(true).open(file);
    let written = written.and_then(|mut file| file.write_all(text.as_bytes()));
    written.unwrap_or_else(|e| panic!("{} cannot be written: {e}", file.display()));
}
