//! The published packages in a process of Node, spoken to in lines of JSON: see `interop/japikey.mjs`.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};

use super::PATIENCE;

/// A process of Node. It is killed when it is dropped.
pub(crate) struct Peer {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<String>,
}

impl Peer {
    /// Starts the process.
    pub(crate) fn start() -> Self {
        let folder = interop();
        let child = Command::new("node")
            .arg("japikey.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.unwrap_or_else(|error| panic!("Node 20 or newer is needed: {error}"));
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, answers) = channel();
        // On a thread of its own, so that a peer that hangs does not hang the test.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                if sender.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        Self { child, stdin, answers }
    }

    /// Has the peer do something; the answer may be a refusal.
    pub(crate) fn ask(&mut self, command: &Value) -> Value {
        writeln!(self.stdin, "{command}").unwrap();
        let line = self.answers.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|error| panic!("{command} is not answered: {error}"));
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer.get("broken").is_none(), "{command}: {answer}");
        answer
    }

    /// The same where there is no reason to refuse.
    pub(crate) fn done(&mut self, command: &Value) -> Value {
        let answer = self.ask(command);
        assert_eq!(answer["ok"], true, "{command}: {answer}");
        answer
    }

    /// What the published client finds in a token, whose key it fetches.
    pub(crate) fn verify(&mut self, token: &str, base_issuer: &str) -> Value {
        self.ask(&json!({"do": "verify", "token": token, "base_issuer": base_issuer}))
    }

    /// The same in a word: `valid`, or the status and, of a token that looked like one of theirs, the
    /// code of jose's complaint.
    pub(crate) fn verdict(&mut self, token: &str, base_issuer: &str) -> String {
        let answer = self.verify(token, base_issuer);
        if answer["ok"] == true {
            return "valid".to_owned();
        }
        if answer["status"] == 401 {
            return "401".to_owned();
        }
        let code = answer["cause"]["code"].as_str().or(answer["cause"]["name"].as_str());
        format!("{} {}", answer["status"], code.unwrap_or_default())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Where the published packages are. A test that lacks them fails: it must not seem to have passed.
pub(crate) fn interop() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop");
    assert!(
        folder.join("node_modules").is_dir(),
        "the published packages are not installed: run `npm ci --prefix interop`, or ./dev test"
    );
    folder
}
