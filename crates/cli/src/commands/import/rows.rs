//! The rows of a file: read one by one, so that its size does not matter.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value};

use crate::args::FileFormat;

/// The longest line that is looked at, in bytes: with it, a request is as large as the interface
/// takes.
pub(super) const MOST_LINE: usize = 60 * 1_024;

/// The most bytes between two rows: a quotation mark that is not closed makes one of all that follows.
const MOST_ROW: usize = 1024 * 1024;

/// A row: where it begins, and its columns by name, or why it cannot be read.
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) columns: Result<Map<String, Value>, &'static str>,
}

/// The rows of a file, from some line on.
pub(super) struct Rows {
    from_line: u64,
    reader: Reader,
}

enum Reader {
    Csv { names: Vec<String>, reader: csv::Reader<Bounded>, behind: u64, since: Arc<AtomicUsize> },
    Lines { line: u64, reader: BufReader<Box<dyn Read + Send>> },
}

/// A file of which no row may be too long.
struct Bounded {
    file: Box<dyn Read + Send>,
    /// Bytes that were read since the last row.
    since: Arc<AtomicUsize>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        if self.since.fetch_add(read, Ordering::Relaxed) > MOST_ROW {
            let rule = "a row is longer than 1 MiB: is a quotation mark not closed?";
            return Err(io::Error::new(io::ErrorKind::InvalidData, rule));
        }
        Ok(read)
    }
}

impl Rows {
    /// Reads the first line, too, of a CSV file.
    pub(super) fn new(
        file: Box<dyn Read + Send>,
        format: FileFormat,
        from_line: u64,
    ) -> io::Result<Self> {
        let reader = match format {
            FileFormat::Csv => {
                let file = Bounded { file, since: Arc::default() };
                let since = Arc::clone(&file.since);
                let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
                let names: Vec<_> =
                    reader.headers()?.iter().map(|name| name.trim().to_owned()).collect();
                // Where lines end with CR LF, it counts a line when it begins with the next one.
                let breaks = names.iter().map(|name| name.matches('\n').count()).sum::<usize>();
                let lines = u64::try_from(breaks).unwrap_or_default() + 2;
                let behind = lines.saturating_sub(reader.position().line());
                Reader::Csv { names, reader, behind, since }
            }
            FileFormat::Jsonl => Reader::Lines { line: 0, reader: BufReader::new(file) },
        };
        Ok(Self { from_line, reader })
    }

    /// The names that the first line gives to the columns, if there is such a line.
    pub(super) fn names(&self) -> Option<&[String]> {
        match &self.reader {
            Reader::Csv { names, .. } => Some(names),
            Reader::Lines { .. } => None,
        }
    }
}

impl Iterator for Rows {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<io::Result<Row>> {
        loop {
            let row = match &mut self.reader {
                Reader::Csv { names, reader, behind, since } => {
                    since.store(0, Ordering::Relaxed);
                    csv_row(names, reader, *behind)
                }
                Reader::Lines { line, reader } => json_row(line, reader),
            };
            match row.transpose()? {
                Ok(row) if row.line < self.from_line => {}
                row => return Some(row),
            }
        }
    }
}

fn csv_row(
    names: &[String],
    reader: &mut csv::Reader<Bounded>,
    behind: u64,
) -> io::Result<Option<Row>> {
    let mut record = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut record)? {
        return Ok(None);
    }
    let line = record.position().map_or(0, csv::Position::line) + behind;
    let columns = if record.as_slice().len() > MOST_LINE {
        Err("must be at most 60 KiB long")
    } else if record.len() != names.len() {
        Err("must have as many columns as the first line")
    } else {
        let text = |value| std::str::from_utf8(value).map(Value::from);
        let pairs = names.iter().zip(record.iter()).filter(|(_, value)| !value.is_empty());
        let columns = pairs.map(|(name, value)| Ok((name.clone(), text(value)?)));
        columns.collect::<Result<_, std::str::Utf8Error>>().map_err(|_| "must be UTF-8")
    };
    Ok(Some(Row { line, columns }))
}

fn json_row(
    number: &mut u64,
    reader: &mut BufReader<Box<dyn Read + Send>>,
) -> io::Result<Option<Row>> {
    loop {
        let mut line = Vec::new();
        let limit = u64::try_from(MOST_LINE).unwrap_or(u64::MAX);
        if reader.by_ref().take(limit + 1).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        *number += 1;
        let is_cut = line.len() > MOST_LINE && line.last() != Some(&b'\n');
        if is_cut {
            reader.skip_until(b'\n')?;
        }
        // Some programs begin a file with a byte order mark.
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line).trim_ascii();
        if line.is_empty() {
            continue;
        }
        let columns = if is_cut {
            Err("must be at most 60 KiB long")
        } else {
            serde_json::from_slice(line).map_err(|_| "must be a JSON object")
        };
        return Ok(Some(Row { line: *number, columns }));
    }
}
