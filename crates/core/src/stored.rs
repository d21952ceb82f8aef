//! Records as JSON, for where they are kept.

use serde_json::de::SliceRead;
use serde_json::{Deserializer, Error, Serializer};

use crate::Invalid;

/// What is written of a record, with room for so many bytes.
pub(crate) fn write(
    room: usize,
    write: impl FnOnce(&mut Serializer<&mut Vec<u8>>) -> Result<(), Error>,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(room);
    // Nothing in a record cannot be written; were it so, what is kept could not be read back.
    if write(&mut Serializer::new(&mut bytes)).is_err() {
        bytes.clear();
    }
    bytes
}

/// The record in these bytes, and nothing after it. The complaint holds nothing of what stands there.
pub(crate) fn read<T>(
    bytes: &[u8],
    read: impl for<'de> FnOnce(&mut Deserializer<SliceRead<'de>>) -> Result<T, Error>,
) -> Result<T, Invalid> {
    let mut deserializer = Deserializer::from_slice(bytes);
    let record = read(&mut deserializer).ok().filter(|_| deserializer.end().is_ok());
    record.ok_or_else(|| Invalid::new("must be a stored record"))
}
