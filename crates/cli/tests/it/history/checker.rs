//! Whether a run kept the promise: no node allows a key more than `max_staleness` after the act that
//! took it away was acknowledged, and a node that has done it itself not even once; and none refuses a
//! key for no reason.
//!
//! Each condition of a secret is a register that acts write to. A decision is right if it is so in a
//! state of the key's record that the node may have seen: that of a moment between `max_staleness`
//! before it was asked and its answer, in which the writes that were under way, and those of which
//! nothing is known, may have been done or not.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use super::event::{Act, Decision, History, Moment, Secret, SwitchId, Verification};

/// A decision that the promise forbids.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    pub(super) kind: ViolationKind,
    verification: Verification,
    /// The acts on the conditions that speak against it.
    acts: Vec<Act>,
}

/// In which of the two ways the promise was broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ViolationKind {
    /// Allowed too long after it was taken away.
    Allowed,
    /// Refused although nothing was taken away.
    Denied,
}

/// Every decision that the promise forbids.
pub(super) fn violations(history: &History, max_staleness: Duration) -> Vec<Violation> {
    let judge = |verification| Judge { history, max_staleness, verification }.violation();
    history.verifications.iter().filter_map(judge).collect()
}

struct Judge<'a> {
    history: &'a History,
    max_staleness: Duration,
    verification: &'a Verification,
}

impl Judge<'_> {
    fn violation(&self) -> Option<Violation> {
        let Verification { secret, decision, .. } = self.verification;
        let Secret { key, account } = &self.history.secrets[*secret];
        let account = account.as_slice();
        let (kind, is_right) = match decision {
            Decision::Allowed => {
                (ViolationKind::Allowed, self.may_hold(key) && self.may_hold(account))
            }
            Decision::Denied => {
                (ViolationKind::Denied, self.may_fail(key) || self.may_fail(account))
            }
            Decision::Failed => return None,
        };
        (!is_right).then(|| {
            let switches = key.iter().chain(account);
            let acts = switches.flat_map(|switch| &self.history.switches[*switch]);
            Violation {
                kind,
                verification: self.verification.clone(),
                acts: acts.cloned().collect(),
            }
        })
    }

    /// Whether the node may have seen a record in which all of these conditions hold.
    fn may_hold(&self, switches: &[SwitchId]) -> bool {
        self.moments(switches)
            .any(|moment| switches.iter().all(|switch| self.may_be(*switch, true, moment)))
    }

    /// Whether it may have seen one in which one of them does not.
    fn may_fail(&self, switches: &[SwitchId]) -> bool {
        self.moments(switches)
            .any(|moment| switches.iter().any(|switch| self.may_be(*switch, false, moment)))
    }

    /// Of the moments whose record the node may have seen, those that differ: the first one, and
    /// whenever an act began. When one ends, there is only less that is possible.
    fn moments(&self, switches: &[SwitchId]) -> impl Iterator<Item = Moment> {
        let first = self.verification.asked.saturating_sub(self.max_staleness);
        let last = self.verification.answered;
        let acts = switches.iter().flat_map(|switch| &self.history.switches[*switch]);
        let begun = acts.map(|act| act.started);
        std::iter::once(first).chain(begun.filter(move |moment| (first..=last).contains(moment)))
    }

    /// Whether a switch may have been in this position at a moment, as far as this node could know.
    fn may_be(&self, switch: SwitchId, position: bool, moment: Moment) -> bool {
        let acts = &self.history.switches[switch];
        // Before the first act, there is no key.
        let untouched = !position && !acts.iter().any(|act| self.is_done(act, moment));
        untouched
            || acts.iter().filter(|act| act.gives == position).any(|act| {
                self.may_have_begun(act, moment)
                    && !acts.iter().any(|later| {
                        let follows = act.acknowledged.is_some_and(|end| end <= later.started);
                        follows && self.is_done(later, moment)
                    })
            })
    }

    fn may_have_begun(&self, act: &Act, moment: Moment) -> bool {
        act.started <= moment && act.started + act.delay <= self.verification.answered
    }

    /// Whether its effect must be seen by whoever sees the record of that moment.
    fn is_done(&self, act: &Act, moment: Moment) -> bool {
        let Verification { asked, node, .. } = *self.verification;
        let Some(end) = act.acknowledged else { return false };
        let is_known = end < moment || (act.is_own && act.node == node && end < asked);
        is_known && end + act.delay < asked.max(moment)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verification { secret, node, asked, answered, decision } = &self.verification;
        writeln!(
            f,
            "{decision:?} by node {node}: secret {secret}, asked {asked:?}, answered {answered:?}"
        )?;
        for Act { name, node, started, acknowledged, .. } in &self.acts {
            writeln!(f, "    {name} at node {node}: {started:?}, acknowledged {acknowledged:?}")?;
        }
        Ok(())
    }
}
