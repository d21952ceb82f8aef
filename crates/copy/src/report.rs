//! What both stores were found to hold.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{Kind, Side};

/// How many of the records that differ are named.
const MOST_NAMED: usize = 10;

/// What both stores hold, kind by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// A row for each kind.
    pub rows: Vec<Row>,
}

impl Report {
    /// Whether nothing differs but counts that go on growing at the source.
    pub fn is_equal(&self) -> bool {
        self.rows.iter().all(|row| row.verdict != Verdict::Differs)
    }
}

/// What both stores hold of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The kind.
    pub kind: Kind,
    /// What the source holds.
    pub source: Sum,
    /// What the destination holds.
    pub destination: Sum,
    /// How they compare.
    pub verdict: Verdict,
    /// How many records differ.
    pub differing: u64,
    /// The ids of the first few of them.
    pub named: Vec<String>,
}

/// How both sides compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Some records differ, or only one side has them.
    Differs,
    /// All are the same.
    Equal,
    /// The source goes on counting, and the destination has everything but the latest of it.
    Moving,
}

impl Verdict {
    /// The verdict's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Differs => "differs",
            Self::Equal => "equal",
            Self::Moving => "moving",
        }
    }
}

/// What one side holds of one kind.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many records.
    pub count: u64,
    /// The SHA-256 over all of them in their order, each with its length before it.
    pub digest: [u8; 32],
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, digest } = self;
        write!(f, "{count} (")?;
        digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// A report that grows as records are read.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    kinds: BTreeMap<Kind, KindTally>,
}

#[derive(Debug, Default)]
struct KindTally {
    destination: SideTally,
    differing: u64,
    named: Vec<String>,
    source: SideTally,
}

#[derive(Debug, Default)]
struct SideTally {
    count: u64,
    hash: Sha256,
}

impl Tally {
    /// Takes note of a record as one side has it.
    pub(crate) fn add(&mut self, side: Side, kind: Kind, written: &[u8]) {
        let tally = self.kinds.entry(kind).or_default();
        let tally = match side {
            Side::Destination => &mut tally.destination,
            Side::Source => &mut tally.source,
        };
        tally.count += 1;
        // With the length before it, so that no two lists of records are the same bytes.
        tally.hash.update(u64::try_from(written.len()).unwrap_or(u64::MAX).to_be_bytes());
        tally.hash.update(written);
    }

    /// Takes note of a record that differs.
    pub(crate) fn add_differing(&mut self, kind: Kind, name: String) {
        let tally = self.kinds.entry(kind).or_default();
        tally.differing += 1;
        if tally.named.len() < MOST_NAMED {
            tally.named.push(name);
        }
    }

    pub(crate) fn report(mut self) -> Report {
        let row = |kind| self.kinds.remove(&kind).unwrap_or_default().row(kind);
        Report { rows: Kind::ALL.map(row).into() }
    }
}

impl KindTally {
    fn row(self, kind: Kind) -> Row {
        let (source, destination) = (self.source.sum(), self.destination.sum());
        let verdict = match (self.differing, source == destination) {
            (0, true) => Verdict::Equal,
            (0, false) if kind == Kind::Usage => Verdict::Moving,
            _ => Verdict::Differs,
        };
        let Self { differing, named, .. } = self;
        Row { kind, source, destination, verdict, differing, named }
    }
}

impl SideTally {
    fn sum(self) -> Sum {
        Sum { count: self.count, digest: self.hash.finalize().into() }
    }
}
