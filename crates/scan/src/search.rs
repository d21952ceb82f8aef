//! Searching a text of any length in bounded memory.
//!
//! Ripgrep's searcher holds lines whole. A secret never crosses a line, but a line may have gigabytes
//! and may come through a pipe, so the text is taken in pieces here, whatever its lines: each piece
//! begins with the end of the one before.

use std::cell::RefCell;
use std::io::{self, Read};

use encoding_rs_io::DecodeReaderBytesBuilder;

use crate::limits::Room;
use crate::lines::Lines;
use crate::pattern::Recognised;
use crate::scanner::Scanner;
use crate::shape::BEFORE;
use crate::{Place, Report};

/// How much is read at once.
const PIECE: usize = 256 * 1024;

/// A search with its buffer, to be used for one text after the other.
pub(crate) struct Search<'s> {
    scanner: &'s Scanner,
    room: &'s Room,
    pieces: Pieces<'s>,
}

impl<'s> Search<'s> {
    pub(crate) fn new(scanner: &'s Scanner, room: &'s Room) -> Self {
        Self { scanner, room, pieces: Pieces::new(scanner) }
    }

    /// Searches a text to its end, or to where it cannot be read. Where a byte order mark tells of
    /// UTF-16 it is read as that, too: the mark may be there to hide what is not.
    pub(crate) fn read(
        &mut self,
        mut reader: impl Read,
        place: impl Fn((u64, u64)) -> Place,
        report: &mut Report,
    ) -> io::Result<()> {
        let left = self.room.in_one_text();
        let kept = RefCell::new(Kept { place, report, room: self.room, left });
        let found = |at, recognised: Recognised<'_>| kept.borrow_mut().take(at, recognised);
        self.pieces.restart();
        let mut read = self.pieces.fill(&mut reader);
        if read.is_ok() && self.pieces.begin_with_a_mark() {
            let beginning = io::Cursor::new(self.pieces.filled().to_vec());
            let rest = Passing { reader, pieces: &mut self.pieces, found: &found };
            let decoder = DecodeReaderBytesBuilder::new().build(beginning.chain(rest));
            let mut utf_16 = Pieces::new(self.scanner);
            read = utf_16.read_all(decoder, &found);
            utf_16.finish(&found);
        } else if read.is_ok() && self.pieces.is_full() {
            read = self.pieces.read_all(reader, &found);
        }
        self.pieces.finish(&found);
        read
    }
}

/// Takes what is found, with its line and column.
type Found<'f> = dyn Fn((u64, u64), Recognised<'_>) + 'f;

/// The finds of one text, as many as there is room for.
struct Kept<'r, P> {
    place: P,
    report: &'r mut Report,
    room: &'r Room,
    left: usize,
}

impl<P: Fn((u64, u64)) -> Place> Kept<'_, P> {
    fn take(&mut self, at: (u64, u64), recognised: Recognised<'_>) {
        if self.left == 0 || !self.room.take() {
            self.report.not_kept += 1;
            return;
        }
        self.left -= 1;
        self.report.finds.push(recognised.found((self.place)(at)));
    }
}

/// Searches what it passes on.
struct Passing<'f, 's, R> {
    reader: R,
    pieces: &'f mut Pieces<'s>,
    found: &'f Found<'f>,
}

impl<R: Read> Read for Passing<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.pieces.push(buffer.get(..read).unwrap_or_default(), self.found);
        Ok(read)
    }
}

/// A text, one piece of it at a time.
struct Pieces<'s> {
    scanner: &'s Scanner,
    buffer: Vec<u8>,
    /// How many bytes behind the beginning of a secret decide whether it is one.
    behind: usize,
    filled: usize,
    /// Where the next secret may begin.
    from: usize,
    /// Where the last secret ends.
    ended: usize,
    lines: Lines,
}

impl<'s> Pieces<'s> {
    fn new(scanner: &'s Scanner) -> Self {
        let behind = scanner.longest() + 1;
        let buffer = vec![0; PIECE + behind + BEFORE];
        Self { scanner, buffer, behind, filled: 0, from: 0, ended: 0, lines: Lines::START }
    }

    fn restart(&mut self) {
        (self.filled, self.from, self.ended, self.lines) = (0, 0, 0, Lines::START);
    }

    fn filled(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    const fn is_full(&self) -> bool {
        self.filled == self.buffer.len()
    }

    fn begin_with_a_mark(&self) -> bool {
        let beginning = self.filled();
        beginning.starts_with(b"\xff\xfe") || beginning.starts_with(b"\xfe\xff")
    }

    /// Reads until the buffer is full or there is no more.
    fn fill(&mut self, reader: &mut impl Read) -> io::Result<()> {
        while let Some(free) = self.buffer.get_mut(self.filled..).filter(|free| !free.is_empty()) {
            match reader.read(free) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads to the end. The last piece is left to [`Self::finish`].
    fn read_all(&mut self, mut reader: impl Read, found: &Found<'_>) -> io::Result<()> {
        loop {
            let read = self.fill(&mut reader);
            if !self.is_full() {
                return read;
            }
            self.pass(found);
        }
    }

    fn push(&mut self, mut bytes: &[u8], found: &Found<'_>) {
        while !bytes.is_empty() {
            if self.is_full() {
                self.pass(found);
            }
            let free = self.buffer.get_mut(self.filled..).unwrap_or_default();
            let (now, later) = bytes.split_at(bytes.len().min(free.len()));
            for (place, byte) in free.iter_mut().zip(now) {
                *place = *byte;
            }
            self.filled += now.len();
            bytes = later;
        }
    }

    /// Searches a full buffer, and keeps of it what the next piece needs.
    fn pass(&mut self, found: &Found<'_>) {
        let to = self.filled.saturating_sub(self.behind);
        self.search(to, found);
        self.lines.at(self.buffer.get(..self.filled).unwrap_or_default(), to);
        let kept = to.saturating_sub(BEFORE);
        self.lines.drop_before(kept);
        self.buffer.copy_within(kept.., 0);
        self.filled -= kept;
        self.from = to - kept;
        self.ended = self.ended.saturating_sub(kept);
    }

    fn finish(&mut self, found: &Found<'_>) {
        self.search(self.filled, found);
    }

    fn search(&mut self, to: usize, found: &Found<'_>) {
        let Self { scanner, buffer, filled, ended, lines, .. } = self;
        let piece = buffer.get(..*filled).unwrap_or_default();
        for (start, recognised) in scanner.recognise(piece, self.from, to) {
            let end = start + recognised.text.len();
            // The end of a key may look like one of a shorter prefix, unless a checksum says no.
            if end == *ended && !recognised.is_certain {
                continue;
            }
            *ended = end.max(*ended);
            found(lines.at(piece, start), recognised);
        }
    }
}
