//! What writers and verifiers of a run share: the secrets, those of them that something happens to, and
//! the time.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::event::{Act, History, Moment, Secret, SecretId, SwitchId, Verification};
use crate::harness::now;

/// Of the secrets that something happened to last, how many are asked for more than all others.
const NEWEST: usize = 4;

/// The state of a run.
pub(super) struct Board {
    begin: Instant,
    /// How long a secret is asked for often after something has happened to it.
    heat: Duration,
    hot: Mutex<VecDeque<(Moment, SecretId)>>,
    is_over: AtomicBool,
    secrets: Mutex<Vec<(String, Secret)>>,
    switches: AtomicUsize,
}

impl Board {
    pub(super) fn new(heat: Duration) -> Self {
        Self {
            begin: now(),
            heat,
            hot: Mutex::default(),
            is_over: AtomicBool::default(),
            secrets: Mutex::default(),
            switches: AtomicUsize::default(),
        }
    }

    /// The time of this run.
    pub(super) fn moment(&self) -> Moment {
        now() - self.begin
    }

    /// Asks everybody to come to an end.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// A new condition.
    pub(super) fn switch(&self) -> SwitchId {
        self.switches.fetch_add(1, Ordering::SeqCst)
    }

    /// Makes a secret known to the verifiers.
    pub(super) fn publish(&self, text: String, conditions: Secret) -> SecretId {
        let mut secrets = self.secrets.lock().unwrap();
        secrets.push((text, conditions));
        secrets.len() - 1
    }

    pub(super) fn secret(&self, id: SecretId) -> String {
        self.secrets.lock().unwrap()[id].0.clone()
    }

    pub(super) fn secrets(&self) -> usize {
        self.secrets.lock().unwrap().len()
    }

    /// Something is being done to these secrets.
    pub(super) fn heat(&self, ids: impl IntoIterator<Item = SecretId>) {
        let moment = self.moment();
        let mut hot = self.hot.lock().unwrap();
        for id in ids {
            hot.retain(|(_, other)| *other != id);
            hot.push_back((moment, id));
        }
        while hot.front().is_some_and(|(since, _)| *since + self.heat < moment) {
            hot.pop_front();
        }
    }

    /// One of those that something happened to last.
    pub(super) fn newest(&self, turn: usize) -> Option<SecretId> {
        let hot = self.hot.lock().unwrap();
        let count = hot.len().min(NEWEST);
        (count > 0).then(|| hot[hot.len() - 1 - turn % count].1)
    }

    /// One of those that something happened to lately.
    pub(super) fn hot(&self, turn: usize) -> Option<SecretId> {
        let hot = self.hot.lock().unwrap();
        (!hot.is_empty()).then(|| hot[turn % hot.len()].1)
    }

    /// What happened, when all is over.
    pub(super) fn history(
        self,
        acts: Vec<(SwitchId, Act)>,
        verifications: Vec<Verification>,
    ) -> History {
        let mut switches = vec![Vec::new(); self.switches.into_inner()];
        for (switch, act) in acts {
            switches[switch].push(act);
        }
        let secrets = self.secrets.into_inner().unwrap();
        let secrets = secrets.into_iter().map(|(_, conditions)| conditions).collect();
        History { switches, secrets, verifications }
    }
}
