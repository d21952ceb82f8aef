//! A command that ends by itself.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;

use keyward_testkit::server;
use serde_json::Value;

use super::{Running, Server, now};

/// The binary.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_keyward"))
}

/// The binary in a folder, without any environment.
pub(crate) fn bare(folder: &Path) -> Command {
    server::bare(program(), folder)
}

/// A command to run, with what surrounds it.
#[derive(Clone)]
pub(crate) struct Cli<'a> {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    folder: &'a Path,
    stdin: String,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl<'a> Cli<'a> {
    pub(crate) const fn new(folder: &'a Path) -> Self {
        Self { arguments: Vec::new(), environment: Vec::new(), folder, stdin: String::new() }
    }

    /// Arguments that every command gets.
    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(ToString::to_string));
        self
    }

    /// Commands go to that server, with the root key.
    pub(crate) fn remote(self, server: &Server) -> Self {
        self.with(&["--server", &server.url(), "--key-file", "root.key"])
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn stdin(self, text: &str) -> Self {
        Self { stdin: text.to_owned(), ..self }
    }

    /// Runs a command until it ends, or until patience does.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let mut files = [(); 3].map(|()| tempfile::tempfile().unwrap());
        let [stdin, stdout, stderr] = &mut files;
        stdin.write_all(self.stdin.as_bytes()).unwrap();
        stdin.rewind().unwrap();
        let mut child = self
            .command(arguments)
            .stdin(stdin.try_clone().unwrap())
            .stdout(stdout.try_clone().unwrap())
            .stderr(stderr.try_clone().unwrap())
            .spawn()
            .unwrap();
        let start = now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if now() - start > super::PATIENCE {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{arguments:?} does not end");
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        };
        let code = status.code().unwrap_or(-1);
        Ended { code, stdout: content(stdout), stderr: content(stderr) }
    }

    /// Starts a command that stays.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(self.folder);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(&self.arguments).args(arguments);
        command
    }

    /// The standard output of a command that is done.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        ended.stdout
    }

    /// The JSON that a command prints when it is done.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let stdout = self.done(&[&["--json"], arguments].concat());
        serde_json::from_str(&stdout).unwrap()
    }
}

/// What a file holds, from its beginning.
pub(super) fn content(file: &mut File) -> String {
    file.seek(SeekFrom::Start(0)).unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}
