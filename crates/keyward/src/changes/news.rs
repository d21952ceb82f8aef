//! What the instance has read of the feed, told to every stream: one reader, many listeners.

use std::collections::BTreeSet;
use std::sync::Arc;

use keyward_core::{KeyId, Locator, Moment, Sequence};
use keyward_store::Feed;
use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};

/// Messages that are kept for a stream which is slow to take them.
const MOST_WAITING: usize = 256;
/// Keys in one message.
const MOST_KEYS: usize = 1_000;

/// A message to the streams.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// Changes up to a place in the feed, or a part of them.
    Changes(Changed),
    /// What was told before this place does not count any more.
    Reset(Sequence),
}

/// What changed.
#[derive(Clone, Debug)]
pub(super) struct Changed {
    pub(super) keys: Arc<[KeyId]>,
    pub(super) keyspaces: bool,
    pub(super) others: bool,
    /// Whether there is no further part.
    pub(super) is_last: bool,
    pub(super) until: Sequence,
}

/// That the feed was read to its end at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Confirmed {
    pub(super) moment: Moment,
}

/// Tells streams what was read.
#[derive(Debug)]
pub(crate) struct News {
    desk: Mutex<Desk>,
}

#[derive(Debug)]
struct Desk {
    /// What was told leads up to here.
    position: Sequence,
    /// Gone when the streams are to end.
    senders: Option<Senders>,
}

#[derive(Debug)]
struct Senders {
    changes: broadcast::Sender<Told>,
    confirmed: watch::Sender<Confirmed>,
}

/// What a stream listens to.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) changes: broadcast::Receiver<Told>,
    pub(super) confirmed: watch::Receiver<Confirmed>,
    /// All changes after this place are going to be told.
    pub(super) position: Sequence,
}

impl News {
    pub(crate) fn new() -> Self {
        let changes = broadcast::Sender::new(MOST_WAITING);
        let confirmed = watch::Sender::new(Confirmed::default());
        let senders = Some(Senders { changes, confirmed });
        Self { desk: Mutex::new(Desk { position: Sequence::START, senders }) }
    }

    /// How many streams listen.
    pub(crate) fn listeners(&self) -> usize {
        let desk = self.desk.lock();
        desk.senders.as_ref().map_or(0, |senders| senders.changes.receiver_count())
    }

    /// Begins at a place, before anybody listens.
    pub(crate) fn begin(&self, position: Sequence) {
        self.desk.lock().position = position;
    }

    /// Tells what was read after the last place.
    pub(crate) fn tell(&self, feed: &Feed) {
        let mut desk = self.desk.lock();
        if !feed.has_gap && feed.position == desk.position {
            return;
        }
        desk.position = feed.position;
        let Some(Senders { changes, .. }) = &desk.senders else { return };
        if changes.receiver_count() == 0 {
            return;
        }
        let parts = parts(feed);
        for part in parts {
            if changes.send(part).is_err() {
                return;
            }
        }
    }

    /// Tells that the feed was read to its end, which began at that moment. All that was read must
    /// have been told before.
    pub(crate) fn confirm(&self, moment: Moment) {
        if let Some(senders) = &self.desk.lock().senders {
            senders.confirmed.send_replace(Confirmed { moment });
        }
    }

    /// Begins to listen, unless the streams are to end.
    pub(super) fn subscribe(&self) -> Option<Subscription> {
        let desk = self.desk.lock();
        let senders = desk.senders.as_ref()?;
        Some(Subscription {
            changes: senders.changes.subscribe(),
            confirmed: senders.confirmed.subscribe(),
            position: desk.position,
        })
    }

    /// Ends all streams, and lets no further one begin.
    pub(crate) fn end(&self) {
        self.desk.lock().senders = None;
    }
}

/// What was read, in messages of a bounded size. Digests stay here.
pub(super) fn parts(feed: &Feed) -> Vec<Told> {
    // Which keys an account has is not known here, and may be very many.
    if feed.has_gap || feed.touched.account_states {
        return vec![Told::Reset(feed.position)];
    }
    let (mut ids, mut others) = (BTreeSet::new(), false);
    for locator in &feed.touched.locators {
        if let Locator::KeyId(id) = locator {
            ids.insert(id);
        } else {
            others = true;
        }
    }
    let ids: Vec<_> = ids.into_iter().cloned().collect();
    let count = ids.len().div_ceil(MOST_KEYS).max(1);
    let part = |number| {
        let keys = ids.iter().skip(number * MOST_KEYS).take(MOST_KEYS).cloned().collect();
        let is_last = number + 1 == count;
        let keyspaces = is_last && feed.touched.keyspaces;
        let others = is_last && others;
        Told::Changes(Changed { keys, keyspaces, others, is_last, until: feed.position })
    };
    (0..count).map(part).collect()
}

#[cfg(test)]
mod tests {
    use keyward_core::{Digest, DigestScheme, Touched};

    use super::*;

    fn key(number: usize) -> Locator {
        Locator::KeyId(KeyId::parse(format!("key-{number:04}")).unwrap())
    }

    fn parts_of(locators: Vec<Locator>) -> Vec<Changed> {
        let touched = Touched { keyspaces: true, locators, ..Touched::default() };
        let feed = Feed { position: Sequence::new(7), touched, ..Feed::default() };
        let parts = parts(&feed).into_iter().map(|told| match told {
            Told::Changes(changed) => changed,
            Told::Reset(_) => panic!("it tells of changes"),
        });
        parts.collect()
    }

    #[test]
    fn each_key_is_told_once_and_a_digest_never() {
        let digest = Digest::new(DigestScheme::Sha256, &[7; 32]).unwrap();
        let parts = parts_of(vec![key(2), Locator::Digest(digest), key(1), key(2)]);
        let [part] = parts.as_slice() else { panic!("one message is enough") };
        assert_eq!(
            part.keys.iter().map(KeyId::as_str).collect::<Vec<_>>(),
            ["key-0001", "key-0002"]
        );
        assert!(part.others && part.keyspaces && part.is_last);
    }

    #[test]
    fn many_keys_are_told_in_parts_of_which_only_the_last_leads_to_the_place() {
        let parts = parts_of((0..=2 * MOST_KEYS).map(key).collect());
        let sizes: Vec<_> = parts.iter().map(|part| (part.keys.len(), part.is_last)).collect();
        assert_eq!(sizes, [(MOST_KEYS, false), (MOST_KEYS, false), (1, true)]);
    }

    #[test]
    fn what_touches_nothing_that_is_told_still_leads_to_its_place() {
        let feed = Feed { position: Sequence::new(7), ..Feed::default() };
        assert_eq!(parts(&feed).len(), 1);
    }
}
