//! `keyward scan`: what is found, how it is told, and what becomes of it.
#![expect(clippy::string_slice, reason = "keys and names of objects are ASCII")]

mod history;
mod outcomes;
mod revoke;
mod words;

use serde_json::Value;

use crate::harness::{Cli, Ended, Folder, Server};

/// A folder to search, and a server whose keys are in it. The server's own files are elsewhere.
struct Site {
    files: Folder,
    home: Folder,
    server: Server,
}

impl Site {
    fn new() -> Self {
        let home = Folder::new();
        let server = home.serve();
        Self { files: Folder::new(), home, server }
    }

    /// Commands in the folder, on the server.
    fn cli(&self) -> Cli<'_> {
        let key_file = self.home.file("root.key");
        let remote = ["--server", &self.server.url(), "--key-file", key_file.to_str().unwrap()];
        self.files.cli().with(&remote)
    }

    /// A new key of a keyspace.
    fn issue(&self, keyspace: &str) -> (String, String) {
        let issued = self.cli().json(&["keys", "issue", "--owner", "o", "--keyspace", keyspace]);
        (text(&issued["key"]["id"]), text(&issued["secret"]))
    }

    fn state(&self, id: &str) -> String {
        text(&self.cli().json(&["keys", "show", id])["state"])
    }

    /// Searches the folder and reads what is printed, having looked that no secret is in it.
    fn scan(&self, arguments: &[&str], secrets: &[&str]) -> Vec<Value> {
        let scan = [&["--json", "scan"], arguments].concat();
        let ended = self.cli().run(&scan);
        assert_eq!(ended.code, 1, "{ended:?}");
        let in_words = self.cli().run(&scan[1..]);
        for secret in secrets {
            hides(&ended, secret);
            hides(&in_words, secret);
        }
        finds(&ended)
    }
}

/// The finds that were printed as JSON.
fn finds(ended: &Ended) -> Vec<Value> {
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// No character of a secret part is printed, the first ones included. A token is public up to its
/// first dot, another secret up to its last underscore.
fn hides(ended: &Ended, secret: &str) {
    let parts: Vec<_> = if secret.starts_with("eyJ") {
        secret.split('.').skip(1).collect()
    } else {
        secret.rsplit('_').take(1).collect()
    };
    let printed = format!("{}{}", ended.stdout, ended.stderr);
    for part in parts {
        for length in [4, part.len()] {
            let (beginning, end) = (&part[..length], &part[part.len() - length..]);
            assert!(!printed.contains(beginning) && !printed.contains(end), "{ended:?}");
        }
    }
}

/// A key of Keyward that no server knows.
fn made_up(prefix: &str) -> String {
    let folder = Folder::new();
    text(&folder.cli().json(&["token", "generate", "--prefix", prefix])["token"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Where programs are: the commands under test get no environment by themselves.
fn path_variable() -> String {
    std::env::var_os("PATH").unwrap().into_string().unwrap()
}
