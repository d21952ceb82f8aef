//! What a run was like: counts of everything, and how long revocations took.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::event::{Act, Decision, History, NodeId, SwitchId, Verification};
use super::traffic::Run;

/// A time in which nobody asks: what happens then is seen too late to be measured.
const UNWATCHED: Duration = Duration::from_millis(100);

/// The numbers of a run.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) acts: usize,
    pub(super) unknown: usize,
    pub(super) allowed: usize,
    pub(super) denied: usize,
    pub(super) failed: usize,
    pub(super) faults: usize,
    /// For each act that took a key away, and for each other node that was asked all the time: how long
    /// after it was acknowledged the node refused the key for the first time. Sorted.
    pub(super) latencies: Vec<Duration>,
    /// How long after an act was acknowledged a key was still allowed elsewhere, at the most.
    pub(super) latest: Duration,
    tally: String,
}

impl Report {
    pub(super) fn of(run: &Run) -> Self {
        let Run { history, tally, faults } = run;
        let count = |decision| {
            history.verifications.iter().filter(|seen| seen.decision == decision).count()
        };
        let (latencies, latest) = latencies(history);
        let counts = tally.iter().map(|(name, [done, unknown])| format!("{name} {done}+{unknown}"));
        Self {
            acts: tally.values().map(|[done, _]| done).sum(),
            unknown: tally.values().map(|[_, unknown]| unknown).sum(),
            allowed: count(Decision::Allowed),
            denied: count(Decision::Denied),
            failed: count(Decision::Failed),
            faults: *faults,
            latencies,
            latest,
            tally: counts.collect::<Vec<_>>().join(", "),
        }
    }

    /// Of all latencies, that which so many in a hundred do not exceed.
    fn percentile(&self, percent: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get(last * percent / 100).copied().unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acts, unknown, allowed, denied, failed, faults, latencies, latest, tally } =
            self;
        writeln!(f, "{acts} acts acknowledged and {unknown} not ({tally})")?;
        writeln!(
            f,
            "{allowed} allowed, {denied} denied, {failed} without an answer, {faults} faults"
        )?;
        let [p50, p99, max] = [50, 99, 100].map(|percent| self.percentile(percent));
        writeln!(
            f,
            "refused elsewhere after: p50 {p50:.1?}, p99 {p99:.1?}, max {max:.1?} ({} times); \
             last allowed {latest:.1?} after",
            latencies.len()
        )
    }
}

/// By node and condition, what was seen of the secrets that depend on it, in the order of the questions.
type Seen<'a> = HashMap<(NodeId, SwitchId), Vec<&'a Verification>>;

fn latencies(history: &History) -> (Vec<Duration>, Duration) {
    let mut seen = Seen::new();
    for verification in &history.verifications {
        let secret = &history.secrets[verification.secret];
        for switch in secret.key.iter().chain(&secret.account) {
            seen.entry((verification.node, *switch)).or_default().push(verification);
        }
    }
    let mut latencies = Vec::new();
    let mut latest = Duration::ZERO;
    for ((node, switch), mut seen) in seen {
        seen.sort_by_key(|verification| verification.asked);
        let acts = &history.switches[switch];
        for (number, act) in acts.iter().enumerate() {
            let is_elsewhere = act.is_own && act.node != node;
            let until = acts.get(number + 1).map_or(Duration::MAX, |next| next.started);
            if let Some(end) = act.acknowledged
                && is_elsewhere
                && !act.gives
                && act.delay.is_zero()
            {
                let (refused, allowed) = effect(act, &seen, until);
                latencies.extend(refused.map(|at| at.saturating_sub(end)));
                latest = latest.max(allowed.unwrap_or_default().saturating_sub(end));
            }
        }
    }
    latencies.sort();
    (latencies, latest)
}

/// When a node refused for the first time since an act began, if it was asked all the time and had allowed
/// before; and when it was asked for the last time that it allowed, until something else was done.
fn effect(
    act: &Act,
    seen: &[&Verification],
    until: Duration,
) -> (Option<Duration>, Option<Duration>) {
    let first = seen.partition_point(|verification| verification.asked < act.started);
    let decided = |seen: &&&Verification| seen.decision != Decision::Failed;
    let before = seen[..first].iter().rfind(decided);
    let during = seen[first..].iter().take_while(|seen| seen.asked < until);
    let during: Vec<_> = during.filter(decided).collect();
    let allowed = during.iter().rfind(|seen| seen.decision == Decision::Allowed);
    let first = during.iter().position(|seen| seen.decision == Decision::Denied);
    let refused = first.and_then(|first| {
        let before = if first > 0 { Some(during[first - 1]) } else { before };
        let was_allowed = before.filter(|seen| seen.decision == Decision::Allowed)?;
        let refused = during[first];
        (refused.asked < was_allowed.answered + UNWATCHED).then_some(refused.answered)
    });
    (refused, allowed.map(|seen| seen.asked))
}
