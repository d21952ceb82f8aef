//! How a command ends: exit codes with a meaning.

use std::process::ExitCode;

use crate::printer;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was done: 0.
    Done,
    /// It was refused: 1. A key was denied, or the request was not acceptable.
    Refused,
}

/// What the command needs was not usable: 2, as for a call that clap refuses.
#[derive(Debug)]
pub(crate) struct Unusable(pub(crate) String);

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// Prints an error, if there is one, and says the exit code. Failures of the machine, the store or
/// the server are 3.
pub(crate) fn report(outcome: anyhow::Result<Outcome>) -> ExitCode {
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Refused) => ExitCode::from(1),
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::from(3),
        Err(error) => {
            printer::complain(&format!("{error:#}"));
            ExitCode::from(if error.is::<Unusable>() { 2 } else { 3 })
        }
    }
}

/// Whether nobody reads the output any more.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
