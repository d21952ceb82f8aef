//! Everything that a store holds, read in another way than copies do.

use std::collections::BTreeMap;
use std::fmt::Debug;

use keyward::Timestamp;
use keyward::store::{AccountQuery, AuditQuery, KeyQuery, KeyStates, Store};

/// The account that marks a destination.
const MARK: &str = "6b657977-6172-8d00-8000-0000636f7079";

/// Records by kind and id, as they print.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Contents {
    pub(crate) records: BTreeMap<(&'static str, String), String>,
}

impl Contents {
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.records.keys().filter(|(found, _)| *found == kind).count()
    }

    pub(crate) fn assert_same(&self, other: &Self) {
        for (id, record) in &self.records {
            assert_eq!(Some(record), other.records.get(id), "{id:?} differs");
        }
        for id in other.records.keys() {
            assert!(self.records.contains_key(id), "{id:?} is too much");
        }
    }

    fn add(&mut self, kind: &'static str, id: &impl ToString, record: &impl Debug) {
        let before = self.records.insert((kind, id.to_string()), format!("{record:?}"));
        assert_eq!(before, None);
    }
}

/// Reads a store, all at once.
pub(crate) async fn contents(store: &dyn Store) -> Contents {
    let mut contents = Contents::default();
    for keyspace in store.keyspaces().await.unwrap() {
        contents.add("keyspace", &keyspace.id, &keyspace);
    }
    let accounts = AccountQuery { with_deleted: true, ..AccountQuery::new(1_000_000) };
    for account in store.accounts(&accounts).await.unwrap().accounts {
        if account.id.to_string() != MARK {
            contents.add("account", &account.id, &account.to_stored());
        }
    }
    let now = Timestamp::from_micros(0).unwrap();
    let keys = KeyQuery { states: KeyStates::ALL, ..KeyQuery::new(now, 1_000_000) };
    for key in store.list(&keys).await.unwrap().keys {
        contents.add("key", &key.record.id, &(key.record.to_stored(), &key.usage));
    }
    for key in store.signing_keys().await.unwrap() {
        contents.add("signing key", &key.id, &key);
    }
    for token in store.revoked_tokens().await.unwrap() {
        contents.add("revoked token", &token.id, &token);
    }
    let events = AuditQuery { limit: 1_000_000, ..AuditQuery::default() };
    for event in store.audit(&events).await.unwrap().events {
        contents.add("event", &event.id, &event);
    }
    contents
}
