//! Running git in a repository that nobody vouches for.
//!
//! A repository's own configuration can name programs. The commands used here print objects and
//! differences of trees; what they could be made to run is a monitor of the file system, hooks,
//! whatever fetches objects that are missing, and a pager. All of these are switched off, twice where
//! older versions of git do not know the one way. Replacements and grafts, which show another history
//! than there is, do not count.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use super::HistoryError;

const SETTINGS: [&str; 5] = [
    // There is no hint about what is switched off below.
    "advice.graftFileDeprecated=false",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    // Larger objects go through git in pieces, too.
    "core.bigFileThreshold=16m",
    "protocol.allow=never",
];

const ENVIRONMENT: [(&str, &str); 6] = [
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("GIT_GRAFT_FILE", "/dev/null"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
];

/// What git sets for its hooks, and what would turn it to another repository than was asked for.
const FOREIGN_ENVIRONMENT: [&str; 8] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// The most of a complaint of git that is kept.
const COMPLAINT: u64 = 4 * 1024;

/// Git in a directory.
#[derive(Debug)]
pub(super) struct Git {
    directory: PathBuf,
}

/// A running git. It is ended when it is dropped.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    complaint: Option<JoinHandle<String>>,
}

impl Git {
    pub(super) fn at(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        // The directory is git's business: were it this process's, a relative PATH would count from
        // there.
        command.arg("-C").arg(&self.directory).arg("--no-pager");
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        command.args(arguments).envs(ENVIRONMENT);
        for name in FOREIGN_ENVIRONMENT {
            command.env_remove(name);
        }
        command
    }

    /// The first line that a command prints.
    pub(super) fn line(&self, arguments: &[&str]) -> Result<OsString, HistoryError> {
        let output = self.command(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(HistoryError::NoGit)?;
        if !output.status.success() {
            return Err(HistoryError::NoRepository(one_line(&output.stderr)));
        }
        let line = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
        Ok(from_bytes(line))
    }

    /// Starts a command that reads `input` and whose output is read from what is returned.
    pub(super) fn start(
        &self,
        arguments: &[&str],
        input: Stdio,
    ) -> Result<(Running, ChildStdout), HistoryError> {
        let mut command = self.command(arguments);
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(HistoryError::NoGit)?;
        let complaint = child.stderr.take().map(keep_beginning);
        let output = child.stdout.take();
        let running = Running { child, complaint };
        let no_output = || HistoryError::Failed("its output cannot be read".to_owned());
        Ok((running, output.ok_or_else(no_output)?))
    }
}

impl Running {
    /// Waits until it ends; it is an error if it ends badly.
    pub(super) fn end(mut self) -> Result<(), HistoryError> {
        let status = self.child.wait().map_err(|error| HistoryError::Failed(error.to_string()))?;
        if status.success() {
            return Ok(());
        }
        let complaint = self.complaint.take().and_then(|complaint| complaint.join().ok());
        Err(HistoryError::Failed(complaint.unwrap_or_else(|| status.to_string())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads all, so that git never waits for a reader, and keeps the beginning.
fn keep_beginning(mut stderr: ChildStderr) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut beginning = Vec::new();
        // What cannot be read of a complaint is not worth another.
        drop(stderr.by_ref().take(COMPLAINT).read_to_end(&mut beginning));
        drop(io::copy(&mut stderr, &mut io::sink()));
        one_line(&beginning)
    })
}

fn one_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(unix)]
fn from_bytes(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).to_owned()
}

#[cfg(not(unix))]
fn from_bytes(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}
