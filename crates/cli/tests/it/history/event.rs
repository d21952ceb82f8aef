//! What happened during a run, as those saw it who asked for it.

use std::time::Duration;

/// A moment: how long after the beginning of the run.
pub(super) type Moment = Duration;

/// A node, by its number.
pub(super) type NodeId = usize;

/// One of the conditions that must all hold for a secret to be valid: that its key is switched on, say,
/// or that no rotation has replaced it. By its place in [`History::switches`].
pub(super) type SwitchId = usize;

/// A secret, by its place in [`History::secrets`].
pub(super) type SecretId = usize;

/// An act that turned a switch, or may have.
#[derive(Clone, Debug)]
pub(super) struct Act {
    /// What it was, for people.
    pub(super) name: &'static str,
    /// Whether the condition holds after it.
    pub(super) gives: bool,
    /// The node that was asked.
    pub(super) node: NodeId,
    /// When it was asked for.
    pub(super) started: Moment,
    /// When it was known to be done. Nothing: it may have been done or not, at any time since it was
    /// asked for, or may still be.
    pub(super) acknowledged: Option<Moment>,
    /// Whether the node that was asked has said that it did it. It may also have said that somebody
    /// else had done it before.
    pub(super) is_own: bool,
    /// How long after it its effect comes: the grace of a rotation.
    pub(super) delay: Duration,
}

/// What decides whether a secret is valid.
#[derive(Clone, Debug, Default)]
pub(super) struct Secret {
    /// The conditions that stand in the key's own record.
    pub(super) key: Vec<SwitchId>,
    /// The condition that stands in the record of its service account, if it has one.
    pub(super) account: Option<SwitchId>,
}

/// What a node was asked about a secret, and what it answered.
#[derive(Clone, Debug)]
pub(super) struct Verification {
    pub(super) secret: SecretId,
    pub(super) node: NodeId,
    pub(super) asked: Moment,
    pub(super) answered: Moment,
    pub(super) decision: Decision,
}

/// How a node decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Decision {
    Allowed,
    Denied,
    /// There was no answer, or one that says that there can be none now.
    Failed,
}

/// A whole run.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// The acts that turned each switch.
    pub(super) switches: Vec<Vec<Act>>,
    pub(super) secrets: Vec<Secret>,
    pub(super) verifications: Vec<Verification>,
}
