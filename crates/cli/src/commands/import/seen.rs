//! What a pass that writes nothing has found acceptable: which come twice can be told without
//! the store.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use serde_json::{Map, Value};

/// Short forms of an id, of a secret, hash or public key, and of whose primary account it is.
#[derive(Default)]
pub(super) struct Fingerprints(Vec<u64>);

/// The fingerprints of all so far: eight bytes each, so that a million keys fit into some 50 MB.
#[derive(Default)]
pub(super) struct Seen(HashSet<u64>);

impl Fingerprints {
    /// Those of an item.
    pub(super) fn of(item: &Map<String, Value>) -> Self {
        static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let is_primary = item.get("primary") == Some(&Value::Bool(true));
        let owner = (is_primary && !item.contains_key("deleted_at")).then_some("owner");
        let fields = ["id", "secret", "client_secret", "hash", "jwk"].into_iter().chain(owner);
        let given = fields.filter_map(|field| Some((field, item.get(field)?.to_string())));
        Self(given.map(|field| HASHER.hash_one(field)).collect())
    }
}

impl Seen {
    /// Whether none before had any of them.
    pub(super) fn is_new(&mut self, fingerprints: Fingerprints) -> bool {
        let is_new = !fingerprints.0.iter().any(|fingerprint| self.0.contains(fingerprint));
        if is_new {
            self.0.extend(fingerprints.0);
        }
        is_new
    }
}
