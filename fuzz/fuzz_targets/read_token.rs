//! Any text is taken apart, hashed and checked in every dialect without a panic.
#![no_main]

use keyward_core::{Dialect, Expected, Profile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    let (text, stored) = texts;
    for dialect in Dialect::ALL {
        let profile = Profile::new(dialect);
        let Ok(hash) = profile.hash(text) else {
            assert!(profile.components(text).is_err());
            continue;
        };
        let parts = profile.components(text).unwrap();
        assert_eq!(format!("{}_{}_{}", parts.prefix, parts.id, parts.secret), text);
        assert!(profile.check(text, &hash, &Expected::default()).is_ok());
        let told = profile.check(text, stored, &Expected::default());
        assert!(told.is_err() || stored.eq_ignore_ascii_case(&hash));
    }
});
