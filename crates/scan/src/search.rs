//! Searching a text of any length in bounded memory.
//!
//! Ripgrep's searcher holds lines whole. A secret never crosses a line, but a line may have gigabytes
//! and may come through a pipe, so the text is taken in pieces here, whatever its lines: each piece
//! begins with the end of the one before.

use std::io::{self, Read};

use encoding_rs_io::DecodeReaderBytesBuilder;

use crate::lines::Lines;
use crate::scanner::Scanner;
use crate::shape::BEFORE;
use crate::{Find, Place};

/// How much is read at once.
const PIECE: usize = 256 * 1024;

/// A search with its buffer, to be used for one text after the other.
pub(crate) struct Search<'s> {
    scanner: &'s Scanner,
    buffer: Vec<u8>,
    /// How many bytes behind the beginning of a secret decide whether it is one.
    behind: usize,
}

impl<'s> Search<'s> {
    pub(crate) fn new(scanner: &'s Scanner) -> Self {
        let behind = scanner.longest() + 1;
        Self { scanner, buffer: vec![0; PIECE + behind + BEFORE], behind }
    }

    /// Searches a text to its end. UTF-16 is read where a byte order mark tells of it.
    pub(crate) fn read(
        &mut self,
        mut reader: impl Read,
        place: impl Fn((u64, u64)) -> Place,
        finds: &mut Vec<Find>,
    ) -> io::Result<()> {
        let filled = fill(&mut reader, &mut self.buffer)?;
        let beginning = self.buffer.get(..filled).unwrap_or_default();
        if beginning.starts_with(b"\xff\xfe") || beginning.starts_with(b"\xfe\xff") {
            let whole = io::Cursor::new(beginning.to_vec()).chain(reader);
            let mut decoder = DecodeReaderBytesBuilder::new().build(whole);
            let filled = fill(&mut decoder, &mut self.buffer)?;
            return self.read_on(decoder, filled, place, finds);
        }
        self.read_on(reader, filled, place, finds)
    }

    /// Searches what is in the buffer, and what the reader has behind it.
    fn read_on(
        &mut self,
        mut reader: impl Read,
        mut filled: usize,
        place: impl Fn((u64, u64)) -> Place,
        finds: &mut Vec<Find>,
    ) -> io::Result<()> {
        let (mut lines, mut from) = (Lines::START, 0);
        loop {
            let piece = self.buffer.get(..filled).unwrap_or_default();
            let is_last = filled < self.buffer.len();
            let to = if is_last { filled } else { filled - self.behind };
            for (start, recognised) in self.scanner.recognise(piece, from, to) {
                finds.push(recognised.found(place(lines.at(piece, start))));
            }
            if is_last {
                return Ok(());
            }
            lines.at(piece, to);
            let kept = to - BEFORE;
            lines.drop_before(kept);
            self.buffer.copy_within(kept.., 0);
            let held = filled - kept;
            from = BEFORE;
            let free = self.buffer.get_mut(held..).unwrap_or_default();
            filled = held + fill(&mut reader, free)?;
        }
    }
}

/// Reads until the buffer is full or there is no more. Returns how many bytes were read.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
        match reader.read(free) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
