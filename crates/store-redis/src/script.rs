//! The scripts that Redis runs, each as one atomic step.

use std::sync::LazyLock;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};

/// A script, which Redis knows by its digest once it has seen it.
pub(crate) struct Script {
    digest: String,
    source: &'static str,
}

/// Declares scripts, each of a first line for Redis and the files of which it is put together.
macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident: $flags:literal, $($file:literal)+;)*) => {
        $(
            $(#[$doc])*
            pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| Script::new(concat!(
                "#!lua", $flags, "\n",
                include_str!("../scripts/common.lua"),
                $(include_str!(concat!("../scripts/", $file, ".lua")),)+
            )));
        )*

        #[cfg(test)]
        static ALL: &[(&str, &LazyLock<Script>)] = &[$((stringify!($name), &$name),)*];
    };
}

scripts! {
    ACCOUNTS: " flags=no-writes", "walk" "accounts";
    APPLY: "", "places" "walk" "events" "apply_check" "apply_write";
    AUDIT: " flags=no-writes", "walk" "events" "audit";
    FEED: " flags=no-writes", "feed";
    FIND: " flags=no-writes", "find";
    HEALTH: "", "health";
    KEY: " flags=no-writes", "key";
    LIST: " flags=no-writes", "places" "walk" "list";
    OPEN: "", "open";
    SEAL: "", "seal";
    SUMMARIZE: " flags=no-writes", "walk" "events" "summarize";
    USAGE: "", "usage";
}

impl Script {
    fn new(source: &'static str) -> Self {
        Self { digest: redis::Script::new(source).get_hash().to_owned(), source }
    }

    /// Runs the script.
    pub(crate) async fn run(
        &self,
        mut connection: MultiplexedConnection,
        names: &str,
        arguments: &[Vec<u8>],
    ) -> Result<Value, RedisError> {
        match self.known(names, arguments).query_async(&mut connection).await {
            Err(error) if is_unknown(&error) => {
                self.whole(names, arguments).query_async(&mut connection).await
            }
            done => done,
        }
    }

    /// Runs the script, and then waits until so many replicas have what it has written. Returns what
    /// it returned and how many have it.
    pub(crate) async fn run_and_wait(
        &self,
        mut connection: MultiplexedConnection,
        names: &str,
        arguments: &[Vec<u8>],
        wait: &Cmd,
    ) -> Result<(Value, u32), RedisError> {
        match both(&mut connection, self.known(names, arguments), wait).await {
            Err(error) if is_unknown(&error) => {
                both(&mut connection, self.whole(names, arguments), wait).await
            }
            done => done,
        }
    }

    fn known(&self, names: &str, arguments: &[Vec<u8>]) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&self.digest).arg(1).arg(names).arg(arguments);
        command
    }

    fn whole(&self, names: &str, arguments: &[Vec<u8>]) -> Cmd {
        let mut command = redis::cmd("EVAL");
        command.arg(self.source).arg(1).arg(names).arg(arguments);
        command
    }
}

/// Two commands, between which no other one gets onto the connection.
async fn both(
    connection: &mut MultiplexedConnection,
    command: Cmd,
    wait: &Cmd,
) -> Result<(Value, u32), RedisError> {
    let mut commands = redis::pipe();
    commands.add_command(command).add_command(wait.clone());
    let answers = connection.req_packed_commands(&commands, 0, 2).await?;
    let [done, waited] = <[Value; 2]>::try_from(answers).map_err(|_| {
        RedisError::from((ErrorKind::UnexpectedReturnType, "two commands have two answers"))
    })?;
    Ok((done.extract_error()?, redis::from_redis_value(waited.extract_error()?)?))
}

fn is_unknown(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_begins_with_a_line_for_redis() {
        for (name, script) in ALL {
            assert!(script.source.starts_with("#!lua"), "{name}");
            assert_eq!(script.digest.len(), 40, "{name}");
        }
    }
}
