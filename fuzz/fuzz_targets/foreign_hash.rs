//! A hash from elsewhere is a digest that is stored and read again, or is refused: never a panic.
#![no_main]

use keyward_core::{
    Alphabet, Dialect, Digest, Foreign, ForeignHash, ForeignPrefix, Format, Hasher, KeyId, Opaque,
    Prefix, Prefixed, Profile, WeakSecrets,
};
use libfuzzer_sys::fuzz_target;

fn formats() -> [Format; 4] {
    let foreign = |dialect| {
        let prefix = ForeignPrefix::parse("app").unwrap();
        Format::Foreign(Foreign::new(prefix, Profile::new(dialect), WeakSecrets::Refuse).unwrap())
    };
    let alphabet = Alphabet::alphanumeric().clone();
    [
        Format::Opaque(Opaque::new(None, 32, alphabet).unwrap()),
        Format::Prefixed(Prefixed::new(Prefix::parse("app").unwrap())),
        foreign(Dialect::Seam),
        foreign(Dialect::Fork4),
    ]
}

fuzz_target!(|input: (&str, &str, &str)| {
    let (scheme, value, id) = input;
    let Ok(hash) = ForeignHash::parse(scheme, &Hasher::new(Vec::new())) else { return };
    let id = KeyId::parse(id).ok();
    for format in formats() {
        if let Ok(digest) = hash.digest(value, &format, id.as_ref()) {
            let written = format!("{}:{}", digest.scheme(), digest.to_hex());
            assert_eq!(Digest::parse(&written), Ok(digest));
        }
    }
});
