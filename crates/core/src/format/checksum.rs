//! Six base58 characters of CRC-32 (ISO-HDLC) over the text before them.
//!
//! It proves nothing about who made a key. It tells a typing error and a random string from a key
//! without a storage read, and lets scanners confirm a find offline.

use super::Alphabet;

/// Characters in a checksum: 58^6 is more than 2^32.
pub(crate) const LENGTH: usize = 6;

/// Appends the checksum of a text to it.
pub(crate) fn append(text: &mut String) {
    let sum = crc32fast::hash(text.as_bytes());
    Alphabet::base58().write(sum, LENGTH, text);
}

/// Whether `checksum` is that of `text`.
pub(crate) fn is_right(text: &str, checksum: &str) -> bool {
    let sum = u64::from(crc32fast::hash(text.as_bytes()));
    checksum.len() == LENGTH && Alphabet::base58().read(checksum) == Some(sum)
}
