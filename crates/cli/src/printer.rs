//! The only place that prints.
#![expect(clippy::print_stderr, reason = "this is the printer")]

use std::fmt::Display;
use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

/// Prints a line to the standard output.
///
/// Whoever reads may have gone away, and that must not pass for success: it may have been a secret.
pub(crate) fn say(line: impl Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// Prints a line to the standard error.
pub(crate) fn complain(line: &str) {
    eprintln!("keyward: {line}");
}

/// Prints an answer as JSON.
pub(crate) fn json(value: &Value) -> io::Result<()> {
    say(format_args!("{value:#}"))
}

/// Prints the members of an object that have a value, one a line.
pub(crate) fn object(value: &Value) -> io::Result<()> {
    let mut table = table();
    for (name, value) in value.as_object().into_iter().flatten() {
        let is_empty = value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(serde_json::Map::is_empty);
        if !value.is_null() && !is_empty {
            table.add_row([name.clone(), text(value)]);
        }
    }
    say(table)
}

/// Prints some members of each object of a list, one object a line.
pub(crate) fn list(items: &Value, columns: &[&str]) -> io::Result<()> {
    let mut table = table();
    table.set_header(columns.iter().map(|column| column.replace('_', " ").to_uppercase()));
    for item in items.as_array().into_iter().flatten() {
        table.add_row(columns.iter().map(|column| item.get(column).map(text).unwrap_or_default()));
    }
    say(table)
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// A value as a person would write it. Control characters, which could steer a terminal, are shown.
pub(crate) fn text(value: &Value) -> String {
    let written = match value {
        Value::Null => String::new(),
        Value::String(string) => string.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    written.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
