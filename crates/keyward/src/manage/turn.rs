//! One rotation of a key at a time.

use std::collections::HashSet;
use std::time::Duration;

use keyward_core::KeyId;
use parking_lot::Mutex;

/// The keys that are being rotated on this node.
#[derive(Debug)]
pub(crate) struct Rotations {
    under_way: Mutex<HashSet<KeyId>>,
    /// How long a rotation waits before it is applied, so that others which were asked for at the
    /// same time come while it is under way and are refused.
    pub(crate) window: Duration,
}

impl Rotations {
    pub(crate) fn new(window: Duration) -> Self {
        Self { under_way: Mutex::default(), window }
    }

    /// Begins the rotation of a key, unless one is under way.
    pub(super) fn begin<'a>(&'a self, key: &'a KeyId) -> Option<Turn<'a>> {
        let is_first = self.under_way.lock().insert(key.clone());
        is_first.then_some(Turn { key, rotations: self })
    }
}

/// The right to rotate a key, until it is dropped.
pub(super) struct Turn<'a> {
    key: &'a KeyId,
    rotations: &'a Rotations,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.rotations.under_way.lock().remove(self.key);
    }
}
