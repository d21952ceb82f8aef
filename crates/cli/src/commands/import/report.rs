//! What became of the lines of a file, said as it is known, and counted.

use std::io;

use anyhow::anyhow;
use serde_json::{Value, json};

use super::batch::{Answered, Line, Mode, Problem};
use super::noun::Noun;
use super::seen::Seen;
use crate::outcome::Outcome;
use crate::printer;

/// A report that grows line by line.
pub(super) struct Report {
    already: u64,
    as_json: bool,
    failed: u64,
    good: u64,
    /// Whether lines without a problem are told, too.
    is_whole: bool,
    last_line: u64,
    mode: Mode,
    noun: Noun,
    refused: Option<Outcome>,
    /// In a pass that writes nothing.
    seen: Seen,
}

impl Report {
    /// For a pass that writes nothing and tells of each line.
    pub(super) fn of_each_line(noun: Noun, as_json: bool) -> Self {
        Self { is_whole: true, ..Self::of_a_check(noun, as_json) }
    }

    /// For a pass that writes nothing.
    pub(super) fn of_a_check(noun: Noun, as_json: bool) -> Self {
        Self { mode: Mode::Check, ..Self::of_failures(noun, as_json) }
    }

    /// For a pass that writes.
    pub(super) fn of_failures(noun: Noun, as_json: bool) -> Self {
        let (already, failed, good, last_line) = (0, 0, 0, 0);
        let (is_whole, mode, refused) = (false, Mode::Each, None);
        let seen = Seen::default();
        Self { already, as_json, failed, good, is_whole, last_line, mode, noun, refused, seen }
    }

    pub(super) const fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether some line is not acceptable.
    pub(super) const fn has_failures(&self) -> bool {
        self.failed > 0 || self.is_refused()
    }

    /// Whether there is no use in going on.
    pub(super) const fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Tells and counts what became of a batch.
    pub(super) fn add(&mut self, answered: Answered) -> anyhow::Result<()> {
        match answered {
            Answered::Lines(lines) => {
                for line in lines {
                    self.add_line(line)?;
                }
            }
            Answered::Refused(outcome) => self.refused = Some(outcome),
        }
        Ok(())
    }

    fn add_line(&mut self, Line { fingerprints, number: line, problem }: Line) -> io::Result<()> {
        self.last_line = line;
        let problem = problem.or_else(|| {
            let is_new = self.mode != Mode::Check || self.seen.is_new(fingerprints);
            (!is_new).then(|| self.noun.repeated())
        });
        let Some(problem) = problem else {
            self.good += 1;
            return if self.is_whole { self.tell(line, &json!({"code": "ok"})) } else { Ok(()) };
        };
        if problem.get("code").and_then(Value::as_str) == Some("already_imported") {
            self.already += 1;
            return if self.is_whole { self.tell(line, &problem) } else { Ok(()) };
        }
        self.failed += 1;
        if self.is_whole || self.as_json {
            self.tell(line, &problem)
        } else {
            printer::complain(&words(line, &problem));
            Ok(())
        }
    }

    fn tell(&self, line: u64, problem: &Problem) -> io::Result<()> {
        if !self.as_json {
            return printer::say(words(line, problem));
        }
        let mut told = json!({ "line": line });
        if let (Some(told), Some(problem)) = (told.as_object_mut(), problem.as_object()) {
            told.extend(problem.clone());
        }
        printer::say(told)
    }

    /// That it was interrupted, by what, and where to go on.
    pub(super) fn interrupted(&self, why: &dyn std::fmt::Display) -> anyhow::Error {
        let (last, next) = (self.last_line, self.last_line + 1);
        match self.mode {
            Mode::Check => anyhow!("interrupted after line {last}, {why:#}; nothing was written"),
            Mode::Each => {
                anyhow!("interrupted after line {last}, {why:#}; go on with --from-line {next}")
            }
        }
    }

    /// Says how many there were of which kind.
    pub(super) fn finish(self, done: &str) -> anyhow::Result<Outcome> {
        if let Some(outcome) = self.refused {
            if self.last_line > 0 {
                printer::complain(&format!("ended after line {}", self.last_line));
            }
            return Ok(outcome);
        }
        let Self { already, failed, good, last_line, noun, .. } = self;
        if self.as_json {
            let name = if self.mode == Mode::Check { "acceptable" } else { "imported" };
            printer::say(json!({
                name: good, "already_imported": already, "failed": failed, "last_line": last_line,
            }))?;
        } else {
            let more = [(already, "are there already"), (failed, "are not acceptable")];
            let more = more.iter().filter(|(count, _)| *count > 0);
            let more = more.map(|(count, what)| format!("{count} {what}"));
            let first = format!("{good} {} {done}", noun.plural());
            let counts: Vec<_> = [first].into_iter().chain(more).collect();
            printer::say(counts.join(", "))?;
        }
        Ok(if failed == 0 { Outcome::Done } else { Outcome::Refused })
    }
}

/// A problem in words.
fn words(line: u64, problem: &Problem) -> String {
    let text = |value: &Value, member: &str| {
        value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let errors = problem.get("errors").and_then(Value::as_array);
    let errors: Vec<_> = errors
        .into_iter()
        .flatten()
        .map(|error| format!("{} {}", text(error, "field"), text(error, "message")))
        .collect();
    let why = if errors.is_empty() { text(problem, "detail") } else { errors.join("; ") };
    let code = text(problem, "code");
    let said = if why.is_empty() { code } else { format!("{code}: {why}") };
    printer::text(&format!("line {line}: {said}").into())
}
