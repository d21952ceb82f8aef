//! Any text is parsed without a panic, and what is accepted has the form of a secret.
#![no_main]

use std::sync::LazyLock;

use keyward_core::{
    Alphabet, Clock, Format, Hasher, Keyspace, KeyspaceId, KeyspaceTable, Locator,
    MAX_SECRET_LENGTH, NewKeyspace, Opaque, Prefix, Prefixed,
};
use keyward_testkit::FixedClock;
use libfuzzer_sys::fuzz_target;

static TABLE: LazyLock<KeyspaceTable> = LazyLock::new(|| {
    let prefix = |text: &str| Prefix::parse(text).unwrap();
    let opaque = |prefix, length| {
        Format::Opaque(Opaque::new(prefix, length, Alphabet::alphanumeric().clone()).unwrap())
    };
    KeyspaceTable::new([
        keyspace("prefixed", Format::Prefixed(Prefixed::new(prefix("kw")))),
        keyspace("grouped", Format::Prefixed(Prefixed::new(prefix("acme_live")))),
        keyspace("opaque", opaque(Some(prefix("ak")), 32)),
        keyspace("bare", opaque(None, 24)),
    ])
});

fn keyspace(id: &str, format: Format) -> Keyspace {
    let new = NewKeyspace::new(KeyspaceId::parse(id).unwrap(), format);
    Keyspace::create(new, &Hasher::new(Vec::new()), FixedClock::new().now()).unwrap()
}

fuzz_target!(|text: &str| {
    let Ok(token) = TABLE.parse(text) else { return };
    assert!(text.is_ascii() && text.len() <= MAX_SECRET_LENGTH);
    for locator in token.locators(&Hasher::new(Vec::new())) {
        if let Locator::KeyId(id) = locator {
            assert!(text.contains(id.as_str()));
        }
    }
});
