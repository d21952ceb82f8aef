//! Switching from the source to the destination: sealing the one when the other has everything.

use std::time::Duration;

use keyward_core::{KeyId, Timestamp};
use keyward_store::UsageDelta;

use crate::baseline::{Baseline, Counts};
use crate::copier::Course;
use crate::ends::Ends;
use crate::listed::{Keys, Listed, Window};
use crate::mark::Mark;
use crate::{Copier, CopyError, Report};

/// Between two looks at the usage that is still written at the source.
const PACE: Duration = Duration::from_secs(2);
/// How much later than it happened a use may be written down, in microseconds, as clocks differ.
const LATE: i64 = 60_000_000;

/// How a switch ended.
#[derive(Debug)]
pub enum Switched {
    /// The stores differ. The source takes changes again.
    Differs(Report),
    /// The destination is to be used from now on. The source stays sealed.
    Done(Report, Remainder),
    /// It was asked to stop before that. The source takes changes again.
    Stopped,
}

impl Copier {
    /// Copies everything, follows the source until it is up to date, seals the source, carries over
    /// the last changes and compares both.
    ///
    /// Only if nothing differs does the source stay sealed; otherwise, and if it is asked to stop, the
    /// seal is lifted.
    pub async fn switch(&self, stop: impl Future<Output = ()>) -> Result<Switched, CopyError> {
        let mut stop = std::pin::pin!(stop);
        let mut sealing = Sealing { ends: self.ends(), is_sealed: false };
        let verified = tokio::select! {
            () = &mut stop => None,
            verified = Box::pin(sealing.verify()) => Some(verified),
        };
        let outcome = match verified {
            None => Ok(Switched::Stopped),
            Some(Err(error)) => Err(error),
            Some(Ok((report, _, _))) if !report.is_equal() => Ok(Switched::Differs(report)),
            // From here on it is not stopped: either the mark goes, or the seal.
            Some(Ok((report, remainder, mark))) => match mark.remove(self.ends()).await {
                Ok(()) => return Ok(Switched::Done(report, remainder)),
                Err(error) => Err(error),
            },
        };
        if sealing.is_sealed {
            let lifted = self.ends().seal(false).await;
            lifted.map_err(|error| CopyError::StillSealed(Box::new(error)))?;
        }
        outcome
    }

    /// Carries over the usage that is still written at the source after a switch, until it is asked to
    /// stop, and then what was written before that.
    pub async fn carry_usage(
        &self,
        remainder: Remainder,
        stop: impl Future<Output = ()>,
    ) -> Result<(), CopyError> {
        let mut stop = std::pin::pin!(stop);
        let Remainder { mut baseline, mut since } = remainder;
        loop {
            let is_last = tokio::select! {
                () = &mut stop => true,
                () = tokio::time::sleep(PACE) => false,
            };
            let began = self.ends().clock.now();
            baseline = self.ends().carry_usage(&baseline, since).await?;
            since = earlier(began);
            if is_last {
                return Ok(());
            }
        }
    }
}

/// What had been carried over of the usage when a switch was done.
#[derive(Debug)]
pub struct Remainder {
    baseline: Baseline,
    /// Uses before this instant have been carried over.
    since: Timestamp,
}

struct Sealing<'a> {
    ends: &'a Ends,
    /// Whether the source is, or may be, sealed by this.
    is_sealed: bool,
}

impl Sealing<'_> {
    async fn verify(&mut self) -> Result<(Report, Remainder, Mark), CopyError> {
        // Should this one fail, the seal of another would be lifted.
        if self.ends.is_sealed().await? {
            return Err(CopyError::Sealed);
        }
        let mark = Mark::begin(self.ends).await?;
        let mut course = Course::begin(self.ends).await?;
        course.copy_all().await?;
        self.is_sealed = true;
        self.ends.seal(true).await?;
        let since = earlier(self.ends.clock.now());
        course.catch_up().await?;
        let mut baseline = Baseline::default();
        let mut keep = |window: &Window<Keys>| {
            for key in &window.destination {
                baseline.push(&key.record.id, &key.usage);
            }
        };
        let report = course.verify_sealed(&mut keep).await?;
        Ok((report, Remainder { baseline, since }, mark))
    }
}

impl Ends {
    /// Adds at the destination what the source has counted beyond a baseline, and returns the new one.
    async fn carry_usage(
        &self,
        baseline: &Baseline,
        since: Timestamp,
    ) -> Result<Baseline, CopyError> {
        let mut counts = baseline.counts();
        let mut carried = Baseline::default();
        let keys = Keys { now: since };
        let mut after = None;
        loop {
            let mut patience = self.patience();
            let page = loop {
                match keys.page(&*self.source, after.as_ref()).await.map_err(CopyError::at_source) {
                    Ok(page) => break page,
                    Err(error) => patience.wait(error).await?,
                }
            };
            let mut deltas = Vec::new();
            for key in &page.items {
                let (id, usage) = (&key.record.id, &key.usage);
                let (uses, previous_uses) =
                    beyond(&mut counts, id, usage.uses, usage.previous_uses)?;
                if let Some(last_used_at) = usage.last_used_at
                    && (uses > 0 || previous_uses > 0 || last_used_at >= since)
                {
                    deltas.push(UsageDelta { key: id.clone(), last_used_at, uses, previous_uses });
                }
                carried.push(id, usage);
            }
            self.add_usage(&deltas).await?;
            after = page.end;
            if after.is_none() {
                return Ok(carried);
            }
        }
    }

    /// As the nodes do: what the destination may not have taken is sent again.
    async fn add_usage(&self, deltas: &[UsageDelta]) -> Result<(), CopyError> {
        let mut patience = self.patience();
        while !deltas.is_empty() {
            let recorded = self.destination.record_usage(deltas).await;
            match recorded.map_err(CopyError::at_destination) {
                Ok(()) => break,
                Err(error) => patience.wait(error).await?,
            }
        }
        Ok(())
    }
}

/// The counts beyond those that were carried over.
fn beyond(
    counts: &mut Counts<'_>,
    key: &KeyId,
    uses: u64,
    previous_uses: u64,
) -> Result<(u64, u64), CopyError> {
    let (known, known_previous) = counts.next(key).ok_or(CopyError::Unsealed)?;
    let beyond = uses.checked_sub(known).zip(previous_uses.checked_sub(known_previous));
    beyond.ok_or(CopyError::Unsealed)
}

fn earlier(instant: Timestamp) -> Timestamp {
    Timestamp::from_micros(instant.as_micros().saturating_sub(LATE)).unwrap_or(instant)
}
