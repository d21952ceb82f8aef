//! A standby server that answers where its answer is as good as the primary's.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use keyward_core::{Clock, Moment, Sequence};
use parking_lot::Mutex;

use crate::connection::Connection;
use crate::readers::Readers;
use crate::row::Shape;
use crate::sql::Sql;

/// For how long one is left alone that failed, or did not answer in time.
const LONG_REST: Duration = Duration::from_secs(5);
/// For how long one is left alone that is behind.
const SHORT_REST: Duration = Duration::from_millis(50);

/// A standby server, and what this process has learned of the changes that it must know of.
#[derive(Clone)]
pub(crate) struct Standby(Arc<Inner>);

struct Inner {
    readers: Readers,
    clock: Arc<dyn Clock>,
    max_staleness: Duration,
    /// The largest place in the feed that this process has heard of.
    learned: AtomicU64,
    /// When the feed was asked for last, of the times that it was answered to its end.
    confirmed: Mutex<Option<Moment>>,
    rests_until: Mutex<Moment>,
    is_connecting: AtomicBool,
}

impl Standby {
    pub(crate) fn new(readers: Readers, clock: Arc<dyn Clock>, max_staleness: Duration) -> Self {
        Self(Arc::new(Inner {
            readers,
            clock,
            max_staleness,
            learned: AtomicU64::new(0),
            confirmed: Mutex::new(None),
            rests_until: Mutex::new(Moment::from_nanos(0)),
            is_connecting: AtomicBool::new(false),
        }))
    }

    /// Takes note of a change that was made.
    pub(crate) fn learn(&self, position: Sequence) {
        self.0.learned.fetch_max(position.get(), Ordering::SeqCst);
    }

    /// The present moment, for [`Standby::confirm`].
    pub(crate) fn moment(&self) -> Moment {
        self.0.clock.moment()
    }

    /// Takes note that everything is known that was acknowledged before a moment.
    pub(crate) fn confirm(&self, moment: Moment) {
        let mut confirmed = self.0.confirmed.lock();
        *confirmed = (*confirmed).max(Some(moment));
    }

    /// What the standby server finds; nothing if the primary has to be asked. Whether there is something
    /// to find, it says for itself.
    pub(crate) async fn find<T>(&self, shape: &Shape<T>, sql: &Sql) -> Option<Option<T>> {
        if self.0.rests() || !self.0.is_confirmed() {
            return None;
        }
        let connection = self.connection()?;
        let answer = match connection.run(sql).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%error, "the replica failed");
                self.0.rest(if connection.is_usable() { SHORT_REST } else { LONG_REST });
                return None;
            }
        };
        let (position, found) = shape.beside_position(answer.rows.first()?).ok()?;
        // What was learned meanwhile counts, too: a change may have been acknowledged since.
        if position.get() < self.0.learned.load(Ordering::SeqCst) {
            self.0.rest(SHORT_REST);
            return None;
        }
        self.0.is_confirmed().then_some(found)
    }

    /// A connection, if there is one by now: nobody waits for one to be made.
    fn connection(&self) -> Option<Arc<Connection>> {
        let usable = self.0.readers.usable();
        if usable.is_none() && !self.0.is_connecting.swap(true, Ordering::SeqCst) {
            let inner = Arc::clone(&self.0);
            tokio::spawn(async move {
                if let Err(error) = inner.readers.fill().await {
                    tracing::debug!(%error, "the replica cannot be reached");
                    inner.rest(LONG_REST);
                }
                inner.is_connecting.store(false, Ordering::SeqCst);
            });
        }
        usable
    }
}

impl fmt::Debug for Standby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Standby").field(&self.0.readers).finish()
    }
}

impl Inner {
    /// Whether everything is known that was acknowledged until lately.
    fn is_confirmed(&self) -> bool {
        let confirmed = *self.confirmed.lock();
        confirmed.is_some_and(|confirmed| {
            let age = self.clock.moment().since(confirmed) + self.clock.moment_lag();
            age <= self.max_staleness
        })
    }

    fn rests(&self) -> bool {
        self.clock.moment() < *self.rests_until.lock()
    }

    fn rest(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let end = self.clock.moment().as_nanos().saturating_add(nanos);
        *self.rests_until.lock() = Moment::from_nanos(end);
    }
}
