//! Counting lines and columns while a text passes by.

use memchr::{memchr_iter, memrchr};

/// The line and column of a byte of a text that is seen in pieces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines {
    /// Up to where the present piece is counted.
    at: usize,
    line: u64,
    column: u64,
}

impl Lines {
    pub(crate) const START: Self = Self { at: 0, line: 1, column: 1 };

    /// Counts on to a later byte of the present piece, and tells its line and column.
    pub(crate) fn at(&mut self, piece: &[u8], byte: usize) -> (u64, u64) {
        let passed = piece.get(self.at..byte).unwrap_or_default();
        match memrchr(b'\n', passed) {
            None => self.column += number(passed.len()),
            Some(last) => {
                self.line += number(memchr_iter(b'\n', passed).count());
                self.column = number(passed.len() - last);
            }
        }
        self.at = self.at.max(byte);
        (self.line, self.column)
    }

    /// The next piece begins with what the present one has from this byte on.
    pub(crate) const fn drop_before(&mut self, byte: usize) {
        self.at = self.at.saturating_sub(byte);
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
