//! Any document is read as that of one public key or refused without a panic, and a key that is read is
//! the same when it is written and read again.
#![no_main]

use keyward_core::jose::{KeySet, PublicKey};
use libfuzzer_sys::fuzz_target;

const KID: &str = "01a200f5-34df-703a-b461-85a5d3a08f33";

fuzz_target!(|text: &str| {
    if let Ok(Some(key)) = KeySet::read(text, KID) {
        assert_eq!(KeySet::read(&KeySet::of(&key, KID), KID), Ok(Some(key.clone())));
        assert!(KeySet::read(text, "another").is_err());
    }
    if let Ok((key, _)) = PublicKey::read(text) {
        let (again, id) = PublicKey::read(&key.to_jwk(KID)).unwrap();
        assert_eq!((again, id.as_deref()), (key, Some(KID)));
    }
});
