//! How many fetches may be made at the same time.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::FetchLimits;

/// Two shares of the same size: one for keys that are known and must be asked for again, one for ids
/// that nobody has seen, which anybody can make up.
pub(super) struct Slots {
    known: Share,
    unknown: Share,
    patience: Duration,
}

/// Held while a fetch is made: the issuer's turn, and that of all.
pub(super) type Slot<'a> = [SemaphorePermit<'a>; 2];

struct Share {
    all: Semaphore,
    each: Box<[Semaphore]>,
}

impl Slots {
    pub(super) fn new(limits: &FetchLimits, issuers: usize) -> Self {
        let share = || Share {
            all: Semaphore::new(limits.most_at_once.div_ceil(2).max(1)),
            each: (0..issuers)
                .map(|_| Semaphore::new(limits.most_of_issuer.div_ceil(2).max(1)))
                .collect(),
        };
        Self { known: share(), unknown: share(), patience: limits.timeout }
    }

    /// Waits for a turn, in the order in which others came. None: it took as long as a fetch may take.
    pub(super) async fn take(&self, issuer: usize, is_known: bool) -> Option<Slot<'_>> {
        let share = if is_known { &self.known } else { &self.unknown };
        let turn = async {
            // The issuer's first: whoever waits for a slow issuer must not hold a place of all others.
            let of_issuer = share.each.get(issuer)?.acquire().await.ok()?;
            let of_all = share.all.acquire().await.ok()?;
            Some([of_issuer, of_all])
        };
        timeout(self.patience, turn).await.ok().flatten()
    }
}
