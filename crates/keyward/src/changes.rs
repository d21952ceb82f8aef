//! The store's changes as a stream, for verifiers elsewhere which keep what they know of keys.

mod news;

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use keyward_core::{Asked, KeyId, Moment, Sequence};
use keyward_store::StoreError;
pub(crate) use news::News;
use news::{Subscription, Told, parts};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::{Error, Keyward, Permit};

/// What a stream of changes tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedEvent {
    /// What is known of these must be read anew.
    Changes {
        /// All changes up to this place have been told, by this event and those before.
        sequence: Sequence,
        /// The keys that were issued, changed, rotated, revoked, deleted, restored or purged, as far
        /// as they are found by their ids.
        keys: Arc<[KeyId]>,
        /// Whether a keyspace was made or changed.
        keyspaces: bool,
        /// Whether keys changed that are found by their digests, which are not told.
        others: bool,
    },
    /// The feed was read to its end: whatever was acknowledged a quarter of `max_staleness` (250 ms at
    /// most) before this event has been told.
    Current(Sequence),
    /// Changes are missing: everything that is known must be read anew.
    Reset(Sequence),
}

impl FeedEvent {
    /// Where to go on from, after this event.
    pub const fn sequence(&self) -> Sequence {
        match self {
            Self::Changes { sequence, .. } | Self::Current(sequence) | Self::Reset(sequence) => {
                *sequence
            }
        }
    }
}

/// The store's changes as they become known, from whichever process they are.
///
/// Behaviour:
/// - first comes what changed after the place that was asked for, then [`FeedEvent::Current`];
/// - a change of this instance's own is told at once, one of another's after the next look at the
///   feed, and [`FeedEvent::Current`] after each look that reached its end. While the store does not
///   answer, the stream is silent;
/// - whoever is slow to take events and falls too far behind is told [`FeedEvent::Reset`];
/// - it ends with [`Keyward::end_streams`], and when the store fails before what was missed is told.
pub struct ChangeStream(BoxStream<'static, FeedEvent>);

impl Stream for ChangeStream {
    type Item = FeedEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<FeedEvent>> {
        self.0.poll_next_unpin(context)
    }
}

impl fmt::Debug for ChangeStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeStream").finish_non_exhaustive()
    }
}

impl Keyward {
    /// The changes after a place in the feed, or, absent, from now on.
    ///
    /// An error says that the store failed, or ([`Error::NoFurtherStream`]) that as many streams are
    /// open as may be.
    pub async fn changes(&self, since: Option<Sequence>) -> Result<ChangeStream, Error> {
        let mut teller = Teller::new(self, since).ok_or(Error::NoFurtherStream)?;
        teller.read_on().await?;
        let events = stream::unfold(teller, async |mut teller| {
            let event = teller.next().await?;
            Some((event, teller))
        });
        Ok(ChangeStream(events.boxed()))
    }

    /// Ends all streams of changes, and lets no further one begin: for a server that is going to
    /// stop, which would otherwise wait for them.
    pub fn end_streams(&self) {
        self.inner.news.end();
    }

    /// Whether what a permit was given for would be allowed still: for answers that take long, such
    /// as streams. At most `max_staleness` out of date, and as good as free where the key is cached.
    pub async fn still_allows(
        &self,
        permit: &Permit,
        asked: &Asked<'_>,
    ) -> Result<bool, StoreError> {
        let moment = self.inner.clock.moment();
        for locator in permit.key().locators() {
            if let Some(key) = self.inner.lookup.find(&locator, moment).await? {
                let account = self.account_state(key.record(), moment, false).await?;
                return Ok(permit.holds_for(key.record(), account, asked, self.now()));
            }
        }
        Ok(false)
    }
}

/// One stream: what it has told, and what it is going to tell.
struct Teller {
    /// The moment of the last look at the feed that was not told yet.
    confirmed: Option<Moment>,
    /// Whether there is more of what was missed.
    has_missed: bool,
    keyward: Keyward,
    _place: OwnedSemaphorePermit,
    /// All changes up to here have been told.
    position: Sequence,
    subscription: Subscription,
    waiting: VecDeque<Told>,
}

impl Teller {
    fn new(keyward: &Keyward, since: Option<Sequence>) -> Option<Self> {
        let place = Arc::clone(&keyward.inner.stream_places).try_acquire_owned().ok()?;
        // Before what was missed is read, so that nothing falls in between.
        let subscription = keyward.inner.news.subscribe()?;
        Some(Self {
            confirmed: None,
            has_missed: true,
            keyward: keyward.clone(),
            _place: place,
            position: since.unwrap_or(subscription.position),
            subscription,
            waiting: VecDeque::new(),
        })
    }

    /// The next event, or nothing if the stream ends.
    async fn next(&mut self) -> Option<FeedEvent> {
        loop {
            if self.subscription.changes.is_closed() {
                return None;
            }
            if let Some(told) = self.waiting.pop_front() {
                if let Some(event) = self.event(told) {
                    return Some(event);
                }
            } else if self.has_missed {
                let read = self.read_on().await;
                read.inspect_err(|error| tracing::warn!(%error, "a stream of changes ends"))
                    .ok()?;
            } else if !self.hear_waiting()? {
                // All that was told before the feed was confirmed has been passed on.
                if let Some(event) = self.current() {
                    return Some(event);
                }
                self.hear().await?;
            }
        }
    }

    /// Reads a part of what was missed.
    async fn read_on(&mut self) -> Result<(), StoreError> {
        let (clock, store) = (&self.keyward.inner.clock, &self.keyward.inner.store);
        let moment = clock.moment();
        let feed = store.changes_since(self.position).await?;
        // A place that the feed has not reached is one of another feed, such as that of a file before
        // it was restored.
        if feed.has_gap || feed.position < self.position {
            self.waiting.push_back(Told::Reset(store.position().await?));
            self.has_missed = false;
        } else {
            self.waiting.extend(parts(&feed));
            self.has_missed = feed.has_more;
        }
        self.confirmed = (!self.has_missed).then_some(moment);
        Ok(())
    }

    /// Takes a message that is there. Returns whether there was one, or nothing if the stream ends.
    fn hear_waiting(&mut self) -> Option<bool> {
        match self.subscription.changes.try_recv() {
            Ok(told) => self.waiting.push_back(told),
            Err(TryRecvError::Empty) => return Some(false),
            Err(TryRecvError::Lagged(_)) => self.start_over()?,
            Err(TryRecvError::Closed) => return None,
        }
        Some(true)
    }

    /// Waits for a message, or for a look at the feed that reached its end.
    async fn hear(&mut self) -> Option<()> {
        let Subscription { changes, confirmed, .. } = &mut self.subscription;
        tokio::select! {
            told = changes.recv() => match told {
                Ok(told) => self.waiting.push_back(told),
                Err(RecvError::Lagged(_)) => self.start_over()?,
                Err(RecvError::Closed) => return None,
            },
            changed = confirmed.changed() => {
                changed.ok()?;
                self.confirmed = Some(confirmed.borrow_and_update().moment);
            }
        }
        Some(())
    }

    /// Goes on from the present: messages were lost, as they were not taken in time.
    fn start_over(&mut self) -> Option<()> {
        self.subscription = self.keyward.inner.news.subscribe()?;
        self.waiting.clear();
        self.waiting.push_back(Told::Reset(self.subscription.position));
        self.confirmed = None;
        Some(())
    }

    /// A message as an event, unless it says nothing new.
    fn event(&mut self, told: Told) -> Option<FeedEvent> {
        match told {
            Told::Changes(changed) => {
                if changed.until <= self.position {
                    return None;
                }
                if changed.is_last {
                    self.position = changed.until;
                }
                let news::Changed { keys, keyspaces, others, .. } = changed;
                let sequence = self.position;
                let is_something = !keys.is_empty() || keyspaces || others;
                is_something.then_some(FeedEvent::Changes { sequence, keys, keyspaces, others })
            }
            Told::Reset(sequence) => {
                self.position = sequence;
                Some(FeedEvent::Reset(sequence))
            }
        }
    }

    /// That all is told, if the look at the feed is recent enough for that to be worth something.
    fn current(&mut self) -> Option<FeedEvent> {
        let since = self.keyward.inner.clock.moment().since(self.confirmed.take()?);
        (since <= self.keyward.inner.follower.interval())
            .then_some(FeedEvent::Current(self.position))
    }
}
