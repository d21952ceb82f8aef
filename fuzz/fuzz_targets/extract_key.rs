//! Headers of any bytes: no panic, and a key that is found is a piece of the header that held it.
#![no_main]

use keyward_core::{Bearer, HeaderRules, KeyRecord, extract_key, has_key, key_of_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|headers: Vec<(u8, Vec<u8>)>| {
    let names = ["authorization", "X-API-Key", "cookie"];
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (names[usize::from(*name) % names.len()], value.as_slice()))
        .collect();
    for rules in [HeaderRules::default(), HeaderRules::default().bearer(Bearer::Keep)] {
        let found = extract_key(&headers[..], &rules);
        assert_eq!(matches!(found, Ok(Some(_))), has_key(&headers[..], &rules));
        if let Ok(Some(key)) = found {
            assert!(!key.is_empty() && key.trim() == key && key.is_ascii());
            let holds = |value: &[u8]| value.windows(key.len()).any(|part| part == key.as_bytes());
            assert!(headers.iter().any(|(name, value)| *name != "cookie" && holds(value)));
        }
    }
    for (_, value) in headers {
        if let Ok(text) = std::str::from_utf8(value) {
            assert!(text.contains(key_of_text(text, Bearer::Strip)));
        }
        // What stands in a shared cache comes from outside, too.
        if let Ok(record) = KeyRecord::from_stored(value) {
            assert_eq!(KeyRecord::from_stored(&record.to_stored()), Ok(record));
        }
    }
});
