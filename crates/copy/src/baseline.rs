//! What had been carried over of each key's usage when the source was sealed.
//!
//! From then on the destination counts uses of its own, so that only what the source has counted since
//! then is to be added. In a sealed store keys neither come nor go: their order tells them apart, and a
//! key takes about three bytes here.

use keyward_core::KeyId;
use keyward_store::Usage;
use sha2::{Digest as _, Sha256};

/// Counts of use in the order of the keys.
#[derive(Debug, Default)]
pub(crate) struct Baseline {
    bytes: Vec<u8>,
}

impl Baseline {
    pub(crate) fn push(&mut self, key: &KeyId, usage: &Usage) {
        self.bytes.push(check(key));
        self.push_number(usage.uses);
        if usage.uses > 0 {
            self.push_number(usage.previous_uses);
        }
    }

    pub(crate) const fn counts(&self) -> Counts<'_> {
        Counts { bytes: self.bytes.as_slice() }
    }

    /// Seven bits a byte, the least significant ones first; the eighth says that there are more.
    fn push_number(&mut self, mut number: u64) {
        loop {
            let bits = u8::try_from(number & 0x7f).unwrap_or_default();
            number >>= 7;
            self.bytes.push(if number > 0 { bits | 0x80 } else { bits });
            if number == 0 {
                return;
            }
        }
    }
}

/// Reads counts in the order in which they were written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts<'a> {
    bytes: &'a [u8],
}

impl Counts<'_> {
    /// The uses, and those by the secret before the last rotation, of the next key, if it is this one.
    pub(crate) fn next(&mut self, key: &KeyId) -> Option<(u64, u64)> {
        if self.byte()? != check(key) {
            return None;
        }
        let uses = self.number()?;
        let previous_uses = if uses > 0 { self.number()? } else { 0 };
        Some((uses, previous_uses))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }
}

/// A byte of a key's own: several keys that are not the expected ones are noticed at once.
fn check(key: &KeyId) -> u8 {
    Sha256::digest(key.as_str()).first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> KeyId {
        KeyId::parse(id).unwrap()
    }

    #[test]
    fn counts_are_read_as_they_were_written() {
        let all = [(0, 0), (1, 0), (127, 128), (300, 1), (u64::MAX, u64::MAX)];
        let mut baseline = Baseline::default();
        for (uses, previous_uses) in all {
            baseline.push(&key("k"), &Usage { last_used_at: None, uses, previous_uses });
        }
        let mut counts = baseline.counts();
        for expected in all {
            assert_eq!(counts.next(&key("k")), Some(expected));
        }
        assert_eq!(counts.next(&key("k")), None);
    }

    #[test]
    fn keys_that_are_not_the_expected_ones_are_noticed() {
        let mut baseline = Baseline::default();
        baseline.push(&key("a"), &Usage::default());
        assert_eq!(baseline.counts().next(&key("b")), None);
    }
}
