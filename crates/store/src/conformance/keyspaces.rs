//! Rules about keyspaces.

use keyward_core::{Change, FormatKind, Keyspace, KeyspaceWrite};

use super::sample::{change, keyspace, refusal};
use crate::{Conflict, Store};

fn write(write: KeyspaceWrite) -> Change {
    Change { keyspaces: vec![write], ..change(Vec::new()) }
}

/// Keyspaces of every format read back as they were written, by id.
pub async fn a_keyspace_reads_back_as_it_was_written(store: &dyn Store) {
    let second = keyspace("b", FormatKind::Opaque);
    let third = keyspace("c", FormatKind::Signed);
    let first = Keyspace {
        description: None,
        default_lifetime: None,
        maximum_lifetime: None,
        rate_limit: keyward_core::RateLimit::new(5, "1m".parse().unwrap()).ok(),
        ..keyspace("a", FormatKind::Prefixed)
    };
    for new in [&second, &third, &first] {
        store.apply(&write(KeyspaceWrite::Insert(new.clone()))).await.unwrap();
    }
    assert_eq!(store.keyspaces().await.unwrap(), [first, second, third]);
}

/// A keyspace is created once, and changed only from the version that is stored.
pub async fn a_keyspace_is_created_once_and_changed_from_its_version(store: &dyn Store) {
    let new = keyspace("a", FormatKind::Prefixed);
    let insert = || write(KeyspaceWrite::Insert(new.clone()));
    store.apply(&insert()).await.unwrap();
    assert_eq!(refusal(store, &insert()).await, Conflict::Exists);

    let after = Keyspace { version: new.version.next(), description: None, ..new.clone() };
    let update = || write(KeyspaceWrite::Update { from: new.version, after: after.clone() });
    store.apply(&update()).await.unwrap();
    assert_eq!(refusal(store, &update()).await, Conflict::Outdated);
    assert_eq!(store.keyspaces().await.unwrap(), [after]);
}
