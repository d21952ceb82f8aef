//! What changed since a place in the change feed.

use keyward_core::{Sequence, Touched};

/// Changes after some place in the feed, taken together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// Whether changes are missing because they are no longer kept: everything may have changed.
    pub has_gap: bool,
    /// Whether there are more changes after `position` than one call returns.
    pub has_more: bool,
    /// The place of the last change that is in here.
    pub position: Sequence,
    /// What the changes made outdated.
    pub touched: Touched,
}

impl Feed {
    /// Takes changes together that a store has read: those from a place on, the change at the place itself
    /// among them, in their order; at least two more than `most` if there are so many.
    ///
    /// As numbers have no holes, the presence of the change at the place, or of the next one, tells that
    /// none is missing. Absent if there is no change: only the store knows its end then.
    pub fn of(
        changes: impl IntoIterator<Item = (Sequence, Touched)>,
        position: Sequence,
        most: usize,
    ) -> Option<Self> {
        let mut changes = changes.into_iter().peekable();
        let (first, _) = changes.peek()?;
        let has_gap = first.get() > position.get().saturating_add(1);
        let mut feed = Self { has_gap, position, ..Self::default() };
        let mut further = changes.skip_while(|(sequence, _)| *sequence <= position);
        for (sequence, touched) in further.by_ref().take(most) {
            feed.position = sequence;
            feed.touched.add(touched);
        }
        feed.has_more = further.next().is_some();
        Some(feed)
    }
}
