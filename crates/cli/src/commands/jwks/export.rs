//! From the difference between keys and files to what is done about it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;

use super::destination::Destination;
use super::document::Kid;
use super::refusal::Refusal;
use super::source::{Source, Standing};

/// Keys on one side, files on the other.
pub(super) struct Export<'a> {
    pub(super) destination: Destination,
    pub(super) progress: ProgressBar,
    pub(super) settings: Settings,
    pub(super) source: Source<'a>,
}

/// How they are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Whether files may be removed where there is no signed keyspace.
    pub(super) allows_empty: bool,
    /// Whether files are read. A key's document never changes, so that it could have been left out.
    pub(super) verifies_content: bool,
}

/// What there is to do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) removals: Vec<Kid>,
    /// How many files are as they should be.
    pub(super) unchanged: u64,
    pub(super) writes: Vec<(Kid, String)>,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) removed: u64,
    pub(super) unchanged: u64,
    pub(super) written: u64,
}

impl Plan {
    /// Leaves these keys as they are.
    pub(super) fn forget(&mut self, kids: &BTreeSet<Kid>) {
        self.removals.retain(|kid| !kids.contains(kid));
        self.writes.retain(|(kid, _)| !kids.contains(kid));
    }
}

impl Tally {
    /// Whether anything was done.
    pub(super) const fn is_of_changes(&self) -> bool {
        self.removed > 0 || self.written > 0
    }
}

/// Requests that wait for their answers at the same time.
const AT_ONCE: usize = 16;

impl Export<'_> {
    /// Compares all keys with all files. If anything cannot be read, it is an error and not a plan:
    /// nothing is removed because of an answer that did not come.
    pub(super) async fn plan(&self) -> anyhow::Result<Plan> {
        let keyspaces = self.source.keyspaces().await?;
        let mut files = self.destination.files().await?;
        if keyspaces.is_empty() && !files.is_empty() && !self.settings.allows_empty {
            let (count, place) = (files.len(), &self.destination);
            let rule = format!(
                "there is no signed keyspace, but {place} holds {count} files: is this the right \
                 database? With --allow-empty they are removed"
            );
            return Err(Refusal::Rule(rule).into());
        }
        let mut plan = Plan::default();
        for keyspace in keyspaces {
            self.compare(&keyspace, &mut files, &mut plan).await?;
        }
        // Not listed, which alone proves nothing: they may be of another keyspace, or new. Each is
        // asked for by itself.
        let others = stream::iter(files.into_keys()).map(async |kid| {
            let standing = self.source.standing(&kid).await?;
            anyhow::Ok((kid, standing))
        });
        let mut others = std::pin::pin!(others.buffer_unordered(AT_ONCE));
        while let Some((kid, standing)) = others.try_next().await? {
            if standing == Standing::Gone {
                plan.removals.push(kid);
            } else {
                plan.unchanged += 1;
            }
        }
        Ok(plan)
    }

    /// Takes the files of a keyspace's active keys away from the files, and plans what they lack.
    async fn compare(
        &self,
        keyspace: &str,
        files: &mut BTreeMap<Kid, u64>,
        plan: &mut Plan,
    ) -> anyhow::Result<()> {
        let mut cursor = None;
        loop {
            let page = self.source.active(keyspace, cursor).await?;
            let found = page.documents.into_iter().map(|(kid, document)| {
                let length = files.remove(&kid);
                (kid, document, length)
            });
            let found: Vec<_> = found.collect();
            let judged = stream::iter(found).map(async |(kid, document, length)| {
                let is_good = self.is_good(&kid, &document, length).await?;
                anyhow::Ok((kid, document, is_good))
            });
            let mut judged = std::pin::pin!(judged.buffered(AT_ONCE));
            while let Some((kid, document, is_good)) = judged.try_next().await? {
                if is_good {
                    plan.unchanged += 1;
                } else {
                    plan.writes.push((kid, document));
                }
            }
            let Some(next) = page.next else { return Ok(()) };
            cursor = Some(next);
        }
    }

    /// Whether a file of that length, or none, is good enough.
    async fn is_good(
        &self,
        kid: &Kid,
        document: &str,
        length: Option<u64>,
    ) -> anyhow::Result<bool> {
        // One that a crash cut off is noticed without being read.
        if length.map(usize::try_from) != Some(Ok(document.len())) {
            return Ok(false);
        }
        if self.settings.verifies_content {
            return self.destination.holds(kid, document).await;
        }
        Ok(true)
    }

    /// Compares these keys with their files.
    pub(super) async fn plan_for(&self, kids: &BTreeSet<Kid>) -> anyhow::Result<Plan> {
        let looked_at = stream::iter(kids).map(async |kid| {
            let standing = self.source.standing(kid).await?;
            let length = self.destination.length(kid).await?;
            anyhow::Ok((kid.clone(), standing, length))
        });
        let mut looked_at = std::pin::pin!(looked_at.buffer_unordered(AT_ONCE));
        let mut plan = Plan::default();
        while let Some((kid, standing, length)) = looked_at.try_next().await? {
            match (standing, length) {
                (Standing::Gone, Some(_)) => plan.removals.push(kid),
                (Standing::Active(document), length) => {
                    if self.is_good(&kid, &document, length).await? {
                        plan.unchanged += 1;
                    } else {
                        plan.writes.push((kid, document));
                    }
                }
                (Standing::Gone | Standing::Elsewhere, _) => {}
            }
        }
        Ok(plan)
    }

    /// Does what is planned, removals first: a revoked key has waited long enough.
    pub(super) async fn carry_out(&self, plan: Plan) -> anyhow::Result<Tally> {
        let Plan { removals, unchanged, writes } = plan;
        self.progress.set_length((removals.len() + writes.len()) as u64);
        let removed = self.remove(removals).await;
        let written = self.write(writes).await;
        Ok(Tally { removed: removed?, unchanged, written: written? })
    }

    /// Removes the files of these keys, and says how many.
    pub(super) async fn remove(&self, kids: Vec<Kid>) -> anyhow::Result<u64> {
        let acts = stream::iter(kids).map(async |kid| self.destination.remove(&kid).await);
        self.settle(acts.buffer_unordered(AT_ONCE)).await
    }

    /// Writes the files of these keys, and says how many.
    pub(super) async fn write(&self, documents: Vec<(Kid, String)>) -> anyhow::Result<u64> {
        let acts = stream::iter(documents)
            .map(async |(kid, document)| self.destination.write(&kid, document).await);
        self.settle(acts.buffer_unordered(AT_ONCE)).await
    }

    /// Waits for all, and counts them. One that fails does not hold the others up, unless there are as
    /// many that do as there are at once.
    async fn settle(
        &self,
        acts: impl stream::Stream<Item = anyhow::Result<()>>,
    ) -> anyhow::Result<u64> {
        let mut acts = std::pin::pin!(acts);
        let (mut done, mut failed, mut first) = (0, 0, None);
        while let Some(result) = acts.next().await {
            self.progress.inc(1);
            match result {
                Ok(()) => done += 1,
                Err(error) => {
                    failed += 1;
                    first.get_or_insert(error);
                }
            }
            if failed == AT_ONCE {
                break;
            }
        }
        match first {
            Some(error) => {
                Err(error).with_context(|| format!("{failed} files failed, {done} did not"))
            }
            None => Ok(done),
        }
    }
}
