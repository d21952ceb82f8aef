//! Where random bytes come from.

use std::fmt;

/// A source of random bytes.
///
/// Behaviour:
/// - every byte is unpredictable to whoever has seen all others (a CSPRNG, or the system's own);
/// - two calls never return related bytes, from whichever threads they come;
/// - a source that cannot deliver panics rather than returning weak bytes.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// `N` random bytes.
    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
