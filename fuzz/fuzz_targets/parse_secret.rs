//! Any text is parsed without a panic, and what is accepted has the form of a secret.
#![no_main]

use std::sync::LazyLock;

use keyward_core::{
    Alphabet, Clock, Dialect, DigestScheme, Foreign, ForeignPrefix, Format, Hasher, HexDigest,
    Keyspace, KeyspaceId, KeyspaceTable, Locator, MAX_SECRET_LENGTH, NewKeyspace, Opaque, Prefix,
    Prefixed, Profile, WeakSecrets,
};
use keyward_testkit::FixedClock;
use libfuzzer_sys::fuzz_target;

static TABLE: LazyLock<KeyspaceTable> = LazyLock::new(|| {
    let prefix = |text: &str| Prefix::parse(text).unwrap();
    let opaque = |prefix, length| {
        Format::Opaque(Opaque::new(prefix, length, Alphabet::alphanumeric().clone()).unwrap())
    };
    let foreign = |prefix: &str, dialect| {
        let prefix = ForeignPrefix::parse(prefix).unwrap();
        Format::Foreign(Foreign::new(prefix, Profile::new(dialect), WeakSecrets::Refuse).unwrap())
    };
    let numbered = keyspace("numbered", opaque(None, 40));
    let numbered = numbered.verifying(DigestScheme::Part(HexDigest::Sha256)).unwrap().unwrap();
    KeyspaceTable::new([
        numbered,
        keyspace("seam", foreign("kw", Dialect::Seam)),
        keyspace("fork4", foreign("My-App_x", Dialect::Fork4)),
        keyspace("rust", foreign("My-App_x", Dialect::Rust)),
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
