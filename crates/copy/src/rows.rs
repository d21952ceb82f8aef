//! From a record on both sides to the row to write.

use keyward_core::{Row, RowWrite};

use crate::listed::Pair;

/// What makes the destination's row the source's, if that takes anything.
pub(crate) fn row_write<R: Row + Clone + PartialEq>(pair: &Pair<R>) -> Option<RowWrite<R>> {
    match (&pair.source, &pair.destination) {
        (None, None) => None,
        (None, Some(gone)) => Some(RowWrite::Purge(Box::new(gone.clone()))),
        (Some(new), None) => Some(RowWrite::Insert(Box::new(new.clone()))),
        (Some(after), Some(before)) => (after != before).then(|| RowWrite::Update {
            before: Box::new(before.clone()),
            after: Box::new(after.clone()),
        }),
    }
}
