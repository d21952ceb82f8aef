//! Calling scripts and commands, and telling what went wrong.

use keyward_store::StoreError;
use redis::{Cmd, Value};

use crate::failure::failure;
use crate::link::{Link, LinkError, Repeat};
use crate::script::Script;

/// A server, and what the names of everything in it begin with.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(crate) link: Link,
    pub(crate) names: String,
}

impl Calls {
    /// Runs a script that may be run again if it is not known whether it was.
    pub(crate) async fn run(
        &self,
        operation: &'static str,
        script: &Script,
        arguments: &[Vec<u8>],
    ) -> Result<Value, StoreError> {
        self.run_repeating(operation, script, arguments, Repeat::Harmless).await
    }

    /// Runs a script that must not be run again if it may have been.
    pub(crate) async fn run_once(
        &self,
        operation: &'static str,
        script: &Script,
        arguments: &[Vec<u8>],
    ) -> Result<Value, StoreError> {
        self.run_repeating(operation, script, arguments, Repeat::Never).await
    }

    async fn run_repeating(
        &self,
        operation: &'static str,
        script: &Script,
        arguments: &[Vec<u8>],
        repeat: Repeat,
    ) -> Result<Value, StoreError> {
        let run = |connection| script.run(connection, &self.names, arguments);
        self.link.call(repeat, run).await.map_err(|error| failure(operation, error))
    }

    /// Asks with a command of Redis about one of the names.
    pub(crate) async fn ask(
        &self,
        operation: &'static str,
        command: &str,
        name: &str,
        arguments: &[&str],
    ) -> Result<Value, StoreError> {
        let mut cmd = redis::cmd(command);
        cmd.arg(format!("{}{name}", self.names)).arg(arguments);
        self.send(&cmd).await.map_err(|error| failure(operation, error))
    }

    pub(crate) async fn send(&self, command: &Cmd) -> Result<Value, LinkError> {
        let ask = |mut connection| async move { command.query_async(&mut connection).await };
        self.link.call(Repeat::Harmless, ask).await
    }
}
