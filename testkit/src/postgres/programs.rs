//! The programs of a server, and as whom they run.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// How often it is asked whether a server is ready, and how long in between.
const LOOKS: usize = 1_200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// Options for what shall also end when the test is killed, where the system can do that.
pub(crate) const ENDS_WITH_TEST: &[&str] =
    if cfg!(target_os = "linux") { &["--pdeathsig=QUIT"] } else { &[] };
/// How often a port is looked for.
const ATTEMPTS: usize = 5;
/// The port that a server of the machine's own would have.
const USUAL_PORT: u16 = 5432;

/// The programs of PostgreSQL, and as whom they run: it refuses to run as root.
#[derive(Debug)]
pub(crate) struct Programs {
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
    pub(crate) fn find() -> Self {
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

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.folder.as_ref().map_or_else(|| program.into(), |folder| folder.join(program))
    }

    /// A program as that user.
    pub(crate) fn command(&self, program: &str) -> Command {
        self.command_with(program, &[])
    }

    /// The same with what `setpriv` shall do besides: of two, the outer one would be undone.
    pub(crate) fn command_with(&self, program: &str, options: &[&str]) -> Command {
        self.other(self.path(program), options)
    }

    /// Any program as that user, with such options.
    pub(crate) fn other(&self, program: impl AsRef<OsStr>, options: &[&str]) -> Command {
        if self.user.is_none() && options.is_empty() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(options);
        if let Some(User { uid, gid }) = self.user {
            command.args([format!("--reuid={uid}"), format!("--regid={gid}")]);
            // Where it may look around: the test's own folder may be closed to it.
            command.arg("--clear-groups").current_dir("/");
        }
        command.arg(program);
        command
    }

    /// The server, which also ends when the test is killed, where the system can do that.
    fn serve(&self, data: &Path, port: u16, log: &Path) -> Child {
        let mut server = self.command_with("postgres", ENDS_WITH_TEST);
        let log = fs::File::options().create(true).append(true).open(log);
        let log = log.unwrap_or_else(|e| panic!("no log for PostgreSQL: {e}"));
        server.arg("-D").arg(data).arg("-p").arg(port.to_string());
        let child = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        child.unwrap_or_else(|e| panic!("{server:?} cannot be started: {e}"))
    }

    /// A server that is ready, unless it has ended.
    pub(crate) fn served(&self, folder: &Path, port: u16) -> Option<Child> {
        let mut server = self.serve(&folder.join("data"), port, &folder.join("log"));
        self.is_ready(port, &mut server).then_some(server)
    }

    /// An empty folder, which the user has.
    pub(crate) fn folder(&self) -> TempDir {
        let folder = TempDir::new().unwrap_or_else(|e| panic!("no folder for a server: {e}"));
        self.hand_over(folder.path());
        folder
    }

    /// Writes a file that is the user's alone.
    pub(crate) fn write(&self, path: &Path, content: &str) {
        let mut file = fs::File::options();
        file.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
        let written = file.open(path).and_then(|mut file| file.write_all(content.as_bytes()));
        written.unwrap_or_else(|e| panic!("{} cannot be written: {e}", path.display()));
        self.hand_over(path);
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

    /// Lets the user have a file or folder.
    fn hand_over(&self, path: &Path) {
        #[cfg(unix)]
        if let Some(User { uid, gid }) = self.user {
            let given = std::os::unix::fs::chown(path, Some(uid), Some(gid));
            given.unwrap_or_else(|e| panic!("{} cannot be handed over: {e}", path.display()));
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
pub(crate) fn free_port() -> u16 {
    let mut ports = (0..ATTEMPTS).filter_map(|_| {
        let listener = TcpListener::bind("127.0.0.1:0").ok()?;
        Some(listener.local_addr().ok()?.port())
    });
    let port = ports.find(|port| *port != USUAL_PORT);
    port.unwrap_or_else(|| panic!("there is no free port"))
}

/// Ends a server with all its processes, which it does not get to tell.
pub(crate) fn kill(server: &Child) {
    let id = server.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    let children = children.unwrap_or_else(|e| panic!("no processes of {id}: {e}"));
    let ids = std::iter::once(id.to_string()).chain(children.split(' ').map(str::to_owned));
    let ids = ids.filter(|id| !id.is_empty());
    // Some may have ended by themselves.
    drop(Command::new("kill").arg("-KILL").args(ids).output());
}
