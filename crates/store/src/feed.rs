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
