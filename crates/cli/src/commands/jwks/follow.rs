//! Doing to the files what happens to the keys, as it happens.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use futures_util::FutureExt;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::Teller;
use super::document::Kid;
use super::export::{Export, Tally};
use super::refusal::Refusal;
use crate::api::{Api, Events};
use crate::outcome::is_broken_pipe;
use crate::printer;

/// Listens to the stream of changes, and opens it anew when it ends.
pub(super) struct Follower<'a> {
    pub(super) api: &'a Api,
    pub(super) export: &'a Export<'a>,
    /// How often all is compared: that a key expires is no change.
    pub(super) interval: Duration,
    pub(super) teller: &'a Teller,
}

/// How it goes.
struct Course {
    has_begun: bool,
    pause: Duration,
}

/// One stream.
struct Stretch<'a> {
    events: Events,
    export: &'a Export<'a>,
    /// Whether something was missed.
    is_due: bool,
    teller: &'a Teller,
}

/// What an event comes to.
enum Told {
    Changed(BTreeSet<Kid>),
    Nothing,
    Reset,
}

/// A server that lives tells four times a second that nothing has changed.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// Files that are written before the next look at the stream.
const WRITES_IN_A_ROW: usize = 256;

impl Follower<'_> {
    /// Follows for good. What fails once it has begun is tried again and again; what fails at the
    /// beginning, or is refused, is an error.
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let mut course = Course { has_begun: false, pause: SHORTEST_PAUSE };
        loop {
            let Err(error) = self.stretch(&mut course).await;
            let is_refused = error.downcast_ref::<Refusal>().is_some_and(Refusal::is_final);
            if !course.has_begun || is_refused || is_broken_pipe(&error) {
                return Err(error);
            }
            let pause = course.pause;
            printer::complain(&format!("{error:#}; trying again in {pause:?}"));
            sleep(pause).await;
            course.pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Follows for as long as a stream lasts.
    async fn stretch(&self, course: &mut Course) -> anyhow::Result<Infallible> {
        // Opened first: what changes while all keys are read is told by it.
        let events = self.api.changes().await.context("the changes cannot be followed")?;
        let events = events.map_err(Refusal::of)?;
        let (export, teller) = (self.export, self.teller);
        let mut stretch = Stretch { events, export, is_due: false, teller };
        loop {
            let tally = stretch.compare().await?;
            if !course.has_begun || tally.is_of_changes() {
                teller.tally(&tally)?;
            }
            if !course.has_begun {
                printer::complain("following the changes");
            }
            *course = Course { has_begun: true, pause: SHORTEST_PAUSE };
            stretch.listen(self.interval).await?;
        }
    }
}

impl Stretch<'_> {
    /// Compares all keys with all files. What is told meanwhile does not wait for the end of it.
    async fn compare(&mut self) -> anyhow::Result<Tally> {
        self.is_due = false;
        let export = self.export;
        let mut planned = std::pin::pin!(export.plan());
        let mut meanwhile = BTreeSet::new();
        let mut plan = loop {
            tokio::select! {
                plan = &mut planned => break plan?,
                told = next(&mut self.events) => meanwhile.extend(self.heed(told?).await?),
            }
        };
        // These were looked at after they may have been listed.
        plan.forget(&meanwhile);
        let removed = export.remove(std::mem::take(&mut plan.removals)).await;
        let mut written = 0;
        while !plan.writes.is_empty() {
            let rest = plan.writes.split_off(plan.writes.len().min(WRITES_IN_A_ROW));
            written += export.write(std::mem::replace(&mut plan.writes, rest)).await?;
            while let Some(told) = next(&mut self.events).now_or_never() {
                plan.forget(&self.heed(told?).await?);
            }
        }
        Ok(Tally { removed: removed?, unchanged: plan.unchanged, written })
    }

    /// Does what is told, until all is to be compared again.
    async fn listen(&mut self, interval: Duration) -> anyhow::Result<()> {
        let mut due = std::pin::pin!(sleep(interval));
        while !self.is_due {
            tokio::select! {
                () = &mut due => break,
                told = next(&mut self.events) => drop(self.heed(told?).await?),
            }
        }
        Ok(())
    }

    /// Does what is told, and returns whose files were looked at.
    async fn heed(&mut self, told: Told) -> anyhow::Result<BTreeSet<Kid>> {
        match told {
            Told::Changed(kids) => {
                let plan = self.export.plan_for(&kids).await?;
                let tally = self.export.carry_out(plan).await?;
                if tally.is_of_changes() {
                    self.teller.tally(&tally)?;
                }
                return Ok(kids);
            }
            Told::Nothing => {}
            Told::Reset => self.is_due = true,
        }
        Ok(BTreeSet::new())
    }
}

async fn next(events: &mut Events) -> anyhow::Result<Told> {
    let event = timeout(LONGEST_SILENCE, events.next()).await;
    let event = event.context("the stream of changes is silent")??;
    let event = event.context("the stream of changes has ended")?;
    Ok(match event.name.as_str() {
        "changes" => Told::Changed(kids_in(&event.data)),
        "current" => Told::Nothing,
        // Whatever else there may be one day is taken as what is always safe.
        _ => Told::Reset,
    })
}

/// Those of the keys that may be signed ones.
fn kids_in(changes: &Value) -> BTreeSet<Kid> {
    let keys = changes.get("keys").and_then(Value::as_array).into_iter().flatten();
    keys.filter_map(|key| Kid::parse(key.as_str()?)).collect()
}
