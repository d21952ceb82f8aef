//! Which keys were changed lately, and at which place of the feed: what it takes to tell whether an
//! entry of the shared cache is older than a change.

use std::collections::HashMap;

use keyward_core::{Locator, Sequence};
use parking_lot::RwLock;

/// How many changed locators are remembered.
const MOST: usize = 100_000;

/// Behind every place of the feed.
const NOWHERE: Sequence = Sequence::new(u64::MAX);

/// The changes since some place of the feed, by locator.
#[derive(Debug, Default)]
pub(crate) struct Recent(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Of changes up to here nothing is known.
    floor: Sequence,
    /// All changes up to here are known.
    position: Sequence,
    /// The place of the last change, or a later one; absent: there may be one, and nobody knows where.
    touched: HashMap<Locator, Option<Sequence>>,
}

impl Recent {
    /// Everything up to here is unknown, and what comes is known.
    pub(crate) fn begin(&self, position: Sequence) {
        *self.0.write() = Known { floor: position, position, touched: HashMap::new() };
    }

    /// These locators were changed, at or before this place, and there are no other changes before.
    pub(crate) fn note(&self, locators: &[Locator], position: Sequence) {
        let mut known = self.0.write();
        if known.touched.len() + locators.len() > MOST || known.floor == NOWHERE {
            known.touched.clear();
            known.floor = position;
        }
        known.touch(locators, Some(position));
        known.position = position;
    }

    /// These locators were changed by this instance at this place, which the feed has yet to tell;
    /// absent: perhaps they were.
    pub(crate) fn note_own(&self, locators: &[Locator], position: Option<Sequence>) {
        let mut known = self.0.write();
        if known.touched.len() + locators.len() > MOST {
            // Nothing is current until the feed tells more.
            known.touched.clear();
            known.floor = NOWHERE;
        }
        known.touch(locators, position);
    }

    /// The place up to which all changes are known.
    pub(crate) fn position(&self) -> Sequence {
        self.0.read().position
    }

    /// Whether no change of the locator is newer than what was read when all changes up to `position`
    /// were known.
    pub(crate) fn is_current(&self, locator: &Locator, position: Sequence) -> bool {
        let known = self.0.read();
        let touched = known.touched.get(locator);
        position >= known.floor && touched.is_none_or(|at| at.is_some_and(|at| at <= position))
    }
}

impl Known {
    /// Notes the latest place. What the feed has told before a change of our own takes nothing back.
    fn touch(&mut self, locators: &[Locator], position: Option<Sequence>) {
        for locator in locators {
            let noted = self.touched.entry(locator.clone()).or_insert(position);
            *noted = noted.zip(position).map(|(noted, position)| noted.max(position));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(id: &str) -> Locator {
        Locator::KeyId(id.parse().unwrap())
    }

    #[test]
    fn what_is_older_than_a_change_or_than_what_is_known_is_not_current() {
        let recent = Recent::default();
        recent.begin(Sequence::new(10));
        assert!(!recent.is_current(&at("a"), Sequence::new(9)));
        assert!(recent.is_current(&at("a"), Sequence::new(10)));
        recent.note(&[at("a")], Sequence::new(12));
        assert_eq!(recent.position(), Sequence::new(12));
        assert!(!recent.is_current(&at("a"), Sequence::new(11)));
        assert!(recent.is_current(&at("a"), Sequence::new(12)));
        assert!(recent.is_current(&at("b"), Sequence::new(11)));
    }

    #[test]
    fn a_change_of_our_own_counts_before_the_feed_tells_it() {
        let recent = Recent::default();
        recent.note_own(&[at("a")], Some(Sequence::new(7)));
        // The feed, as it was read just before that change, tells an older one.
        recent.note(&[at("a")], Sequence::new(6));
        assert!(!recent.is_current(&at("a"), Sequence::new(6)));
        recent.note(&[at("a")], Sequence::new(7));
        assert!(recent.is_current(&at("a"), Sequence::new(7)));
    }

    #[test]
    fn where_a_change_may_have_been_made_nothing_is_current() {
        let recent = Recent::default();
        recent.note_own(&[at("a")], None);
        recent.note(&[at("a")], Sequence::new(3));
        assert!(!recent.is_current(&at("a"), Sequence::new(9)));
    }

    #[test]
    fn of_very_many_changes_that_may_have_been_made_none_is_forgotten() {
        let recent = Recent::default();
        for n in 0..=MOST {
            recent.note_own(&[at(&format!("k{n}"))], None);
        }
        assert!(!recent.is_current(&at("k1"), Sequence::new(7)));
        recent.note(&[], Sequence::new(8));
        assert!(!recent.is_current(&at("k1"), Sequence::new(7)));
        assert!(recent.is_current(&at("k1"), Sequence::new(8)));
    }

    #[test]
    fn after_very_many_changes_only_what_is_newer_is_current() {
        let recent = Recent::default();
        let many: Vec<_> = (0..MOST).map(|n| at(&format!("k{n}"))).collect();
        recent.note(&many, Sequence::new(5));
        assert!(recent.is_current(&at("other"), Sequence::new(1)));
        recent.note(&[at("one-more")], Sequence::new(6));
        assert!(!recent.is_current(&at("other"), Sequence::new(5)));
        assert!(recent.is_current(&at("k1"), Sequence::new(6)));
    }
}
