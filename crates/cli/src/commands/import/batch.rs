//! Rows in batches, as the interface takes them.

use std::io;
use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};

use super::columns::Mapping;
use super::noun::Noun;
use super::rows::{MOST_LINE, Row, Rows};
use super::seen::Fingerprints;
use crate::api::Api;
use crate::outcome::Outcome;

/// How many items the interface takes at once.
const MOST_ITEMS: usize = 100;

/// What the interface is asked to do with items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Check,
    Each,
}

/// The batches of a file.
pub(super) struct Batches {
    mapping: Arc<Mapping>,
    mode: Mode,
    /// The first row of the next batch, if the one before had no room for it.
    next: Option<Prepared>,
    rows: Rows,
}

/// A row as an item for the interface, or why it is none.
struct Prepared {
    line: u64,
    item: Result<Item, Problem>,
}

struct Item {
    fingerprints: Fingerprints,
    keyspace: Option<String>,
    size: usize,
    value: Value,
}

/// Why an item was not taken over, as the interface says it.
pub(super) type Problem = Value;

/// A row, and why it is not acceptable, if it is not.
pub(super) struct Line {
    pub(super) fingerprints: Fingerprints,
    pub(super) number: u64,
    pub(super) problem: Option<Problem>,
}

/// Rows that go together: keys are all for one keyspace.
pub(super) struct Batch {
    keyspace: Option<String>,
    is_check: bool,
    items: Vec<Value>,
    size: usize,
    /// A line for each row; those without a problem are the items, in their order.
    lines: Vec<Line>,
    noun: Noun,
}

/// What became of a batch.
pub(super) enum Answered {
    /// A line for each row, with its problem if there is one.
    Lines(Vec<Line>),
    /// The request as a whole was refused, and that was told.
    Refused(Outcome),
}

impl Batches {
    pub(super) fn new(rows: Rows, mapping: Arc<Mapping>, mode: Mode) -> Self {
        Self { mapping, mode, next: None, rows }
    }

    fn prepare(&self, Row { line, columns }: Row) -> Prepared {
        let unreadable = |field: &str, rule: &str| {
            let errors = json!([{ "field": field, "message": rule }]);
            let detail = "the line has fields that are not acceptable";
            json!({"code": "invalid_request", "detail": detail, "errors": errors})
        };
        let columns = columns.map_err(|rule| unreadable("line", rule));
        let item = columns.and_then(|columns| {
            let mapped = self.mapping.item(columns);
            let (keyspace, item) = mapped.map_err(|e| unreadable(&e.field, &e.message))?;
            let fingerprints = match self.mode {
                Mode::Check => Fingerprints::of(&item),
                Mode::Each => Fingerprints::default(),
            };
            let value = Value::Object(item);
            let size = value.to_string().len();
            if size > MOST_LINE {
                return Err(unreadable("line", "must be at most 60 KiB long"));
            }
            Ok(Item { fingerprints, keyspace, size, value })
        });
        Prepared { line, item }
    }
}

impl Iterator for Batches {
    type Item = io::Result<Batch>;

    fn next(&mut self) -> Option<io::Result<Batch>> {
        let mut batch = Batch::new(self.mapping.noun(), self.mode);
        loop {
            let prepared = match self.next.take() {
                Some(prepared) => prepared,
                None => match self.rows.next() {
                    Some(Ok(row)) => self.prepare(row),
                    Some(Err(error)) => return Some(Err(error)),
                    None => return (!batch.lines.is_empty()).then_some(Ok(batch)),
                },
            };
            if !batch.has_room_for(&prepared) {
                self.next = Some(prepared);
                return Some(Ok(batch));
            }
            batch.add(prepared);
        }
    }
}

impl Batch {
    const fn new(noun: Noun, mode: Mode) -> Self {
        let is_check = matches!(mode, Mode::Check);
        Self { keyspace: None, is_check, items: Vec::new(), size: 0, lines: Vec::new(), noun }
    }

    fn has_room_for(&self, prepared: &Prepared) -> bool {
        match &prepared.item {
            Err(_) => self.lines.len() < MOST_ITEMS,
            Ok(_) if self.items.is_empty() => true,
            Ok(item) => {
                self.lines.len() < MOST_ITEMS
                    && self.size + item.size <= MOST_LINE
                    && self.keyspace == item.keyspace
            }
        }
    }

    fn add(&mut self, Prepared { line: number, item }: Prepared) {
        match item {
            Err(problem) => {
                let (fingerprints, problem) = (Fingerprints::default(), Some(problem));
                self.lines.push(Line { fingerprints, number, problem });
            }
            Ok(item) => {
                // And a comma.
                self.size += item.size + 1;
                self.keyspace = item.keyspace;
                self.items.push(item.value);
                let fingerprints = item.fingerprints;
                self.lines.push(Line { fingerprints, number, problem: None });
            }
        }
    }

    /// Sends the items, if there are any.
    pub(super) async fn send(self, api: &Api) -> anyhow::Result<Answered> {
        let Self { keyspace, is_check, items, mut lines, noun, .. } = self;
        if items.is_empty() {
            return Ok(Answered::Lines(lines));
        }
        let mode = if is_check { "check" } else { "each" };
        let body = noun.body(keyspace.as_deref(), mode, items);
        let answer = api.call(Method::POST, noun.path(), Some(&body)).await?;
        let mut answer = match answer.granted(false)? {
            Ok(answer) => answer,
            Err(outcome) => return Ok(Answered::Refused(outcome)),
        };
        let failed = answer.get_mut("failed").map(Value::take);
        let mut sent: Vec<_> = lines.iter_mut().filter(|line| line.problem.is_none()).collect();
        for mut problem in failed.iter().filter_map(Value::as_array).flatten().cloned() {
            let index = problem.as_object_mut().and_then(|members| members.remove("index"));
            let index = index.and_then(|index| usize::try_from(index.as_u64()?).ok());
            if let Some(line) = index.and_then(|index| sent.get_mut(index)) {
                line.problem = Some(problem);
            }
        }
        Ok(Answered::Lines(lines))
    }
}
