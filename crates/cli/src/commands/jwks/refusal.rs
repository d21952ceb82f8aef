//! Why an export goes no further, though nothing failed.

use std::fmt;

use crate::api::Answer;
use crate::outcome::Outcome;
use crate::printer;

/// A refusal, as an error, so that it need not be handed on by hand.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The server's, which may also have failed.
    Answer(Box<Answer>),
    /// Our own.
    Rule(String),
}

impl Refusal {
    pub(super) fn of(answer: Answer) -> Self {
        Self::Answer(Box::new(answer))
    }

    /// Whether asking again is of no use: the management key is not good enough.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Answer(answer) if matches!(answer.status().as_u16(), 401 | 403))
    }

    /// Prints it.
    pub(super) fn tell(self, as_json: bool) -> anyhow::Result<Outcome> {
        match self {
            Self::Answer(answer) => Ok(answer.granted(as_json)?.err().unwrap_or(Outcome::Refused)),
            Self::Rule(rule) => {
                printer::complain(&rule);
                Ok(Outcome::Refused)
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(answer) => f.write_str(&answer.problem()),
            Self::Rule(rule) => f.write_str(rule),
        }
    }
}

impl std::error::Error for Refusal {}
