//! The pairs that sign access tokens: made here, held in memory alone, and replaced every so often.
//!
//! ```text
//!  published        signs                      retires        no token of it is valid any more
//!  ├─ publish_ahead ─┤────── rotate_every ───────┤─ overtime ─┤─ token_lifetime ─┤
//!                             next is published ─┤ signs …
//! ```
//!
//! The first pair is made when the first token is asked for, and signs at once: there is none that could
//! sign meanwhile. Its public half goes to the store before that, where all nodes find it; the private half
//! goes nowhere. A process that starts again makes another pair.

use std::sync::{Arc, Weak};
use std::time::Duration;

use keyward_core::jose::Signer;
use keyward_core::{SigningKey, Timestamp};
use parking_lot::Mutex;
use tokio::time::MissedTickBehavior;

use super::OAuthSettings;
use crate::keyward::Inner;
use crate::{Error, Keyward};

/// How often it is looked whether the next pair is due.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// By how much clocks may differ: a key stays published that much longer than it must.
const CLOCKS_DIFFER: Duration = Duration::from_mins(1);

/// A pair, and when it signs.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) public: SigningKey,
    pub(super) signer: Box<dyn Signer>,
    signs_from: Timestamp,
    /// From then on the next one should be published.
    next_due_at: Timestamp,
    signs_until: Timestamp,
}

/// The pairs of this instance.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    held: Mutex<Held>,
    /// Taken by whoever makes one.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Held {
    current: Option<Arc<Pair>>,
    /// Published, and not to sign yet.
    next: Option<Arc<Pair>>,
}

impl Pairs {
    /// The pair that signs now, if there is one.
    fn ready(&self, now: Timestamp) -> Option<Arc<Pair>> {
        let mut held = self.held.lock();
        if held.next.as_ref().is_some_and(|next| next.signs_from.has_come(now)) {
            held.current = held.next.take();
        }
        held.current.clone().filter(|pair| !pair.signs_until.has_come(now))
    }

    /// Whether there is a pair, and it is time to publish the one after it.
    fn is_next_due(&self, now: Timestamp) -> bool {
        let current = self.ready(now);
        let is_due = current.is_some_and(|pair| pair.next_due_at.has_come(now));
        is_due && self.held.lock().next.is_none()
    }
}

impl Keyward {
    /// The pair that signs now; one is made, off the threads that serve, if there is none.
    pub(super) async fn signing_pair(&self) -> Result<Arc<Pair>, Error> {
        let pairs = &self.inner.oauth.pairs;
        if let Some(pair) = pairs.ready(self.now()) {
            return Ok(pair);
        }
        let _turn = pairs.turn.lock().await;
        // Somebody else may have made it meanwhile.
        if let Some(pair) = pairs.ready(self.now()) {
            return Ok(pair);
        }
        let pair = self.publish_pair(Duration::ZERO).await?;
        pairs.held.lock().current = Some(Arc::clone(&pair));
        Ok(pair)
    }

    /// Makes and publishes the pair that is going to sign access tokens, if it is time for it. The
    /// background does so every minute.
    pub async fn rotate_signing_pairs(&self) -> Result<(), Error> {
        let pairs = &self.inner.oauth.pairs;
        let _turn = pairs.turn.lock().await;
        if pairs.is_next_due(self.now()) {
            let next = self.publish_pair(self.inner.oauth.settings.publish_ahead).await?;
            pairs.held.lock().next = Some(next);
        }
        Ok(())
    }

    /// Lets the pairs go, as they sign no more, and their public halves soon after the last tokens: or
    /// else each start of a process would leave keys behind for a day.
    pub(crate) async fn retire_pairs(&self) -> Result<(), Error> {
        let Held { current, next } = std::mem::take(&mut *self.inner.oauth.pairs.held.lock());
        if current.is_none() && next.is_none() {
            return Ok(());
        }
        let now = self.now();
        let lifetime = self.inner.oauth.settings.token_lifetime.duration();
        let ends = [(current, later(now, lifetime + CLOCKS_DIFFER)), (next, now)];
        let ends = ends.into_iter().filter_map(|(pair, end)| Some((pair?, end)));
        let mut change = self.change(now);
        change.signing_keys = ends
            .map(|(pair, end)| SigningKey {
                expires_at: end.min(pair.public.expires_at),
                ..pair.public.clone()
            })
            .collect();
        self.commit(change).await.map(drop)
    }

    /// Makes a pair and publishes its public half, so long before it signs.
    async fn publish_pair(&self, ahead: Duration) -> Result<Arc<Pair>, Error> {
        let settings = &self.inner.oauth.settings;
        let kind = settings.pair;
        let made = tokio::task::spawn_blocking(move || keyward_signatures::signer(kind)).await;
        let signer = made.ok().and_then(Result::ok).ok_or(Error::Signing)?;
        let pair = Pair::new(self, signer, ahead, settings);
        let mut change = self.change(pair.public.created_at);
        change.signing_keys.push(pair.public.clone());
        self.commit(change).await?;
        tracing::info!(key = %pair.public.id, "a key for access tokens was published");
        Ok(Arc::new(pair))
    }
}

impl Pair {
    fn new(
        keyward: &Keyward,
        signer: Box<dyn Signer>,
        ahead: Duration,
        settings: &OAuthSettings,
    ) -> Self {
        let now = keyward.now();
        let lead = settings.publish_ahead + LOOK_EVERY;
        let signs_from = later(now, ahead);
        let retires_at = later(signs_from, settings.rotate_every.duration());
        let signs_until = later(retires_at, lead);
        let last_end = later(signs_until, settings.token_lifetime.duration());
        let public = SigningKey {
            id: SigningKey::draw_id(&*keyward.inner.entropy, now),
            key: signer.public_key().clone(),
            created_at: now,
            expires_at: later(last_end, CLOCKS_DIFFER),
        };
        let next_due_at = earlier(retires_at, lead);
        Self { public, signer, signs_from, next_due_at, signs_until }
    }
}

/// Rotates the pairs every so often, until the instance is dropped.
pub(crate) fn spawn(inner: Weak<Inner>) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::spawn(async move {
        loop {
            ticks.tick().await;
            let Some(keyward) = inner.upgrade().map(|inner| Keyward { inner }) else { return };
            if let Err(error) = keyward.rotate_signing_pairs().await {
                tracing::warn!(%error, "the next key for access tokens could not be published");
            }
        }
    });
}

/// An instant that much later, or as late as can be written.
pub(super) fn later(at: Timestamp, duration: Duration) -> Timestamp {
    let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(at.as_micros().saturating_add(micros)).unwrap_or(at)
}

fn earlier(at: Timestamp, duration: Duration) -> Timestamp {
    let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(at.as_micros().saturating_sub(micros)).unwrap_or(at)
}
