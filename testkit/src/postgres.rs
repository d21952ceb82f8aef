//! A PostgreSQL server of the test's own, for what only a real one can show.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

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
/// How often it is asked whether it is ready, and how long in between.
const LOOKS: usize = 1_200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// The port that a server of the machine's own would have.
const USUAL_PORT: u16 = 5432;

impl Postgres {
    /// Starts a server with further lines of `postgresql.conf`, such as `timezone = 'Asia/Tokyo'`.
    pub fn start(settings: &[&str]) -> Self {
        let programs = Programs::find();
        let folder = TempDir::new().unwrap_or_else(|e| panic!("no folder for PostgreSQL: {e}"));
        programs.hand_over(folder.path());
        let data = folder.path().join("data");
        let mut initdb = programs.command("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"]);
        done(initdb.arg("--no-sync").arg("--pgdata").arg(&data));
        // What is written here need not survive the machine.
        let usual = ["fsync = off", "listen_addresses = '127.0.0.1'", "max_connections = 200"];
        let sockets = format!("unix_socket_directories = '{}'", folder.path().display());
        let lines = usual.iter().chain(settings).map(|line| format!("{line}\n"));
        append(&data.join("postgresql.conf"), &format!("{}{sockets}\n", lines.collect::<String>()));
        for _ in 0..ATTEMPTS {
            let port = free_port();
            let mut server = programs.serve(&data, port, &folder.path().join("log"));
            if programs.is_ready(port, &mut server) {
                return Self { folder, port, programs, server };
            }
        }
        let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start:\n{log}")
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
        let mut stop = self.programs.command("pg_ctl");
        stop.args(["stop", "--mode=immediate", "--silent", "--pgdata"]);
        // They fail only if it has ended already.
        drop(stop.arg(self.folder.path().join("data")).output());
        drop(self.server.kill());
        drop(self.server.wait());
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

/// The programs of PostgreSQL, and as whom they run: it refuses to run as root.
#[derive(Debug)]
struct Programs {
    folder: Option<PathBuf>,
    user: Option<User>,
}

/// Somebody with few rights.
#[derive(Debug)]
struct User {
    uid: u32,
    gid: u32,
}

impl Programs {
    /// Those of the newest version where the system's packages lie, or else those that the shell finds.
    fn find() -> Self {
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let folders = versions.map(|version| version.path().join("bin"));
        let with_version = folders.filter(|folder| folder.join("initdb").exists()).map(|folder| {
            let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
            (version.and_then(|version| version.parse::<u32>().ok()), folder)
        });
        let folder = with_version.max().map(|(_, folder)| folder);
        let found = Self { folder, user: User::of_tests() };
        let version = Command::new(found.path("initdb")).arg("--version").output();
        assert!(version.is_ok(), "PostgreSQL is not installed: ./dev test does it");
        found
    }

    fn path(&self, program: &str) -> PathBuf {
        self.folder.as_ref().map_or_else(|| program.into(), |folder| folder.join(program))
    }

    /// A program as that user.
    fn command(&self, program: &str) -> Command {
        self.command_with(program, &[])
    }

    /// The same with what `setpriv` shall do besides: of two, the outer one would be undone.
    fn command_with(&self, program: &str, options: &[&str]) -> Command {
        if self.user.is_none() && options.is_empty() {
            return Command::new(self.path(program));
        }
        let mut command = Command::new("setpriv");
        command.args(options);
        if let Some(User { uid, gid }) = self.user {
            command.args([format!("--reuid={uid}"), format!("--regid={gid}")]);
            // Where it may look around: the test's own folder may be closed to it.
            command.arg("--clear-groups").current_dir("/");
        }
        command.arg(self.path(program));
        command
    }

    /// The server, which also ends when the test is killed, where the system can do that.
    fn serve(&self, data: &Path, port: u16, log: &Path) -> Child {
        let options: &[_] = if cfg!(target_os = "linux") { &["--pdeathsig=QUIT"] } else { &[] };
        let mut server = self.command_with("postgres", options);
        let log = fs::File::options().create(true).append(true).open(log);
        let log = log.unwrap_or_else(|e| panic!("no log for PostgreSQL: {e}"));
        server.arg("-D").arg(data).arg("-p").arg(port.to_string());
        let child = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        child.unwrap_or_else(|e| panic!("{server:?} cannot be started: {e}"))
    }

    fn is_ready(&self, port: u16, server: &mut Child) -> bool {
        for _ in 0..LOOKS {
            if server.try_wait().is_ok_and(|ended| ended.is_some()) {
                return false;
            }
            let mut ask = Command::new(self.path("pg_isready"));
            ask.args(["--quiet", "--host=127.0.0.1", &format!("--port={port}")]);
            if ask.status().is_ok_and(|status| status.success()) {
                return true;
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        false
    }

    /// Lets the user have a folder.
    fn hand_over(&self, folder: &Path) {
        #[cfg(unix)]
        if let Some(User { uid, gid }) = self.user {
            let given = std::os::unix::fs::chown(folder, Some(uid), Some(gid));
            given.unwrap_or_else(|e| panic!("{} cannot be handed over: {e}", folder.display()));
        }
    }
}

impl User {
    /// Somebody else than root, if that is who runs the tests.
    fn of_tests() -> Option<Self> {
        let number = |arguments: &[&str]| -> Option<u32> {
            let output = Command::new("id").args(arguments).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        if number(&["-u"]) != Some(0) {
            return None;
        }
        let known = |name| Some(Self { uid: number(&["-u", name])?, gid: number(&["-g", name])? });
        let user = known("postgres").or_else(|| known("nobody"));
        Some(user.unwrap_or_else(|| panic!("there is nobody but root to run PostgreSQL")))
    }
}

/// A port that nobody uses now.
fn free_port() -> u16 {
    let mut ports = (0..ATTEMPTS).filter_map(|_| {
        let listener = TcpListener::bind("127.0.0.1:0").ok()?;
        Some(listener.local_addr().ok()?.port())
    });
    let port = ports.find(|port| *port != USUAL_PORT);
    port.unwrap_or_else(|| panic!("there is no free port"))
}

fn append(file: &Path, text: &str) {
    let written = fs::File::options().append(true).open(file);
    let written = written.and_then(|mut file| file.write_all(text.as_bytes()));
    written.unwrap_or_else(|e| panic!("{} cannot be written: {e}", file.display()));
}
