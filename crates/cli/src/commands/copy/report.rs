//! What both databases hold, as a table or as JSON.

use std::io;

use keyward_copy::{Report, Row, Sum};
use serde_json::{Value, json};

use crate::printer;

/// So many hexadecimal digits of a digest tell any two apart that a person compares.
const SHORT: usize = 12;

/// Prints a line for each kind, and which records differ.
pub(super) fn print(report: &Report) -> io::Result<()> {
    let rows: Vec<_> = report.rows.iter().map(line).collect();
    let columns =
        ["kind", "source", "destination", "source_digest", "destination_digest", "verdict"];
    printer::list(&rows.into(), &columns)?;
    for row in report.rows.iter().filter(|row| row.differing > 0) {
        let Row { kind, differing, named, .. } = row;
        let more = if usize::try_from(*differing) == Ok(named.len()) { "" } else { ", …" };
        printer::say(format_args!("{kind}: {differing} differ: {}{more}", named.join(", ")))?;
    }
    Ok(())
}

/// The same as JSON.
pub(super) fn kinds(report: &Report) -> Value {
    let kind = |row: &Row| {
        json!({
            "kind": row.kind.as_str(),
            "source": sum(&row.source),
            "destination": sum(&row.destination),
            "verdict": row.verdict.as_str(),
            "differing": row.differing,
            "ids": row.named,
        })
    };
    report.rows.iter().map(kind).collect()
}

fn line(row: &Row) -> Value {
    let short = |sum: &Sum| hex(sum).chars().take(SHORT).collect::<String>();
    json!({
        "kind": row.kind.as_str(),
        "source": row.source.count,
        "destination": row.destination.count,
        "source_digest": short(&row.source),
        "destination_digest": short(&row.destination),
        "verdict": row.verdict.as_str(),
    })
}

fn sum(sum: &Sum) -> Value {
    json!({"count": sum.count, "sha256": hex(sum)})
}

fn hex(sum: &Sum) -> String {
    let digits = sum.digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
