//! Counts and digests of both sides.

use std::time::Duration;

use crate::copier::Course;
use crate::listed::{
    Accounts, Difference, Events, Keys, Keyspaces, Listed, RevokedTokens, SigningKeys, Window,
};
use crate::report::Tally;
use crate::{CopyError, Report, Side};

/// How often a stretch that differs is read: what is changed while it is read differs, too.
const MOST_READS: u32 = 4;
/// Before a stretch is read again that nothing is written to.
const PAUSE: Duration = Duration::from_millis(100);

/// What is done about records that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// They are told.
    Look,
    /// They are written, and told if they differ still.
    Mend,
}

impl Course<'_> {
    /// Compares everything and writes nothing.
    pub(crate) async fn look(&mut self) -> Result<Report, CopyError> {
        self.report(Manner::Look, &mut |_| {}).await
    }

    /// Compares everything. What differs because it was changed meanwhile is carried over.
    pub(crate) async fn verify(&mut self) -> Result<Report, CopyError> {
        loop {
            self.has_gap = false;
            let report = self.report(Manner::Mend, &mut |_| {}).await?;
            if !self.has_gap {
                return Ok(report);
            }
        }
    }

    /// The same of a source that is sealed, so that nothing can be missed; the keys are handed on as they
    /// are compared, in their order.
    pub(crate) async fn verify_sealed(
        &mut self,
        keys: &mut (impl FnMut(&Window<Keys>) + Send),
    ) -> Result<Report, CopyError> {
        self.report(Manner::Mend, keys).await
    }

    async fn report(
        &mut self,
        manner: Manner,
        keys: &mut (impl FnMut(&Window<Keys>) + Send),
    ) -> Result<Report, CopyError> {
        let mut tally = Tally::default();
        let now = self.ends.clock.now();
        self.tally(&Keyspaces, manner, &mut tally, &mut |_| {}).await?;
        self.tally(&Accounts, manner, &mut tally, &mut |_| {}).await?;
        self.tally(&Keys { now }, manner, &mut tally, keys).await?;
        self.tally(&SigningKeys { now }, manner, &mut tally, &mut |_| {}).await?;
        self.tally(&RevokedTokens { now }, manner, &mut tally, &mut |_| {}).await?;
        self.tally(&Events { since: None }, manner, &mut tally, &mut |_| {}).await?;
        Ok(tally.report())
    }

    async fn tally<L: Listed>(
        &mut self,
        listed: &L,
        manner: Manner,
        tally: &mut Tally,
        seen: &mut (impl FnMut(&Window<L>) + Send),
    ) -> Result<(), CopyError> {
        self.ends.observer.begin(L::KIND, None);
        let mut after = None;
        loop {
            let window = self.settled(listed, after.as_ref(), manner).await?;
            count(&window, manner, tally);
            seen(&window);
            let read = u64::try_from(window.source.len()).unwrap_or(u64::MAX);
            self.ends.observer.advance(L::KIND, read);
            after = window.end;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// A stretch that is the same on both sides, or that stays different.
    async fn settled<L: Listed>(
        &mut self,
        listed: &L,
        after: Option<&L::Place>,
        manner: Manner,
    ) -> Result<Window<L>, CopyError> {
        let mut patience = self.ends.patience();
        let mut reads = 0;
        loop {
            if manner == Manner::Mend {
                self.absorb().await?;
            }
            let stretch = match Window::read(listed, self.ends, after).await {
                Ok(window) => window,
                Err(error) => {
                    patience.wait(error).await?;
                    continue;
                }
            };
            reads += 1;
            let differing = stretch.differing();
            if differing.is_empty() || reads == MOST_READS {
                return Ok(stretch);
            }
            match manner {
                Manner::Look => tokio::time::sleep(PAUSE).await,
                Manner::Mend => {
                    if let Err(error) = listed.heal(self.ends, &differing).await {
                        patience.wait(error).await?;
                    }
                }
            }
        }
    }
}

fn count<L: Listed>(window: &Window<L>, manner: Manner, tally: &mut Tally) {
    for (side, items) in [(Side::Source, &window.source), (Side::Destination, &window.destination)]
    {
        for (kind, written) in items.iter().flat_map(L::written) {
            tally.add(side, kind, &written);
        }
    }
    for pair in window.differing() {
        let Some(item) = pair.source.as_ref().or(pair.destination.as_ref()) else { continue };
        for (kind, difference) in L::difference(&pair) {
            if difference == Difference::Lasting || manner == Manner::Look {
                tally.add_differing(kind, L::name(item));
            }
        }
    }
}
