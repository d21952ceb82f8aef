//! Every command, on the database of the machine and on a server: one behaviour.

mod accounts;
mod accounts_import;
mod import;
mod keys;
mod many;
mod outcomes;
mod reap;
mod signed;
mod token;
mod words;

use serde_json::{Map, Value};

use crate::harness::{Cli, Folder, Server};

/// Where commands work.
pub(crate) struct Site {
    pub(crate) folder: Folder,
    pub(crate) server: Option<Server>,
}

impl Site {
    /// On the database in the folder.
    pub(crate) fn local() -> Self {
        Self { folder: Folder::new(), server: None }
    }

    /// On a server, which keeps its database out of the way.
    pub(crate) fn remote() -> Self {
        let folder = Folder::new();
        let server = folder.serve_with(&["--database", "memory:"]);
        Self { folder, server: Some(server) }
    }

    pub(crate) fn cli(&self) -> Cli<'_> {
        let cli = self.folder.cli();
        match &self.server {
            Some(server) => cli.remote(server),
            None => cli,
        }
    }
}

/// A value's members without what they hold.
fn shape(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), shape(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}
