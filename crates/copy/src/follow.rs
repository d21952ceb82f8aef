//! Following the source for as long as nobody says otherwise.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use keyward_core::Moment;

use crate::copier::Course;
use crate::{CopyError, Progress};

/// How often the feed is looked at where the source does not tell of changes.
const PACE: Duration = Duration::from_millis(250);
/// At least between two looks, so that changes which follow each other closely are read together.
const PAUSE: Duration = Duration::from_millis(20);
/// At least between two comparisons of all keys, which find the usage that no feed tells, and of the
/// audit trail, of which events may have been erased.
const WHOLE_PACE: Duration = Duration::from_secs(30);
/// The share of the time, as one in so many parts, that comparing all of these may take.
const WHOLE_SHARE: u32 = 5;

impl Course<'_> {
    /// Carries over what happens at the source, as it happens.
    pub(crate) async fn follow(&mut self) -> Result<Infallible, CopyError> {
        let mut hints = self.ends.source.hints().chain(stream::pending());
        let mut whole_due = Due { since: self.ends.clock.moment(), pause: WHOLE_PACE };
        loop {
            let began = self.ends.clock.moment();
            self.catch_up().await?;
            if self.has_gap {
                self.copy_all().await?;
            }
            self.tell(began).await;
            if whole_due.has_come(self.ends.clock.moment()) {
                whole_due = self.compare_whole().await?;
            }
            tokio::time::sleep(PAUSE).await;
            tokio::select! {
                _ = hints.next() => {}
                () = tokio::time::sleep(PACE) => {}
            }
        }
    }

    /// Finds what no feed tells, and says when that is due again.
    async fn compare_whole(&mut self) -> Result<Due, CopyError> {
        let began = self.ends.clock.moment();
        self.compare_keys().await?;
        self.compare_erased().await?;
        let since = self.ends.clock.moment();
        Ok(Due { since, pause: WHOLE_PACE.max(since.since(began) * WHOLE_SHARE) })
    }

    /// Whatever was acknowledged before `began` has arrived.
    async fn tell(&self, began: Moment) {
        let position = self.ends.source.position().await;
        // Should the source fail now, the next look at the feed will wait for it.
        let end = position.unwrap_or(self.position);
        self.ends.observer.follow(&Progress {
            changes: self.changes,
            behind: end.get().saturating_sub(self.position.get()),
            lag: self.ends.clock.moment().since(began),
        });
    }
}

/// When something is to be done again.
struct Due {
    since: Moment,
    pause: Duration,
}

impl Due {
    fn has_come(&self, now: Moment) -> bool {
        now.since(self.since) >= self.pause
    }
}
