//! Any text is read as a signed key or refused without a panic, and one that is read is written in one way.
#![no_main]

use keyward_core::jose::{Issuers, SignedToken};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let issuers = ["https://example.com", "http://127.0.0.1:8080/jwks"];
    let issuers = Issuers::new(issuers.map(|issuer| issuer.parse().unwrap()));
    let glance = SignedToken::glance(text);
    let Ok(token) = SignedToken::read(text, &issuers) else { return };
    assert!(text.len() <= SignedToken::MOST_LENGTH && text.is_ascii());
    assert_eq!(glance.as_ref(), Some(token.id()));
    assert!(SignedToken::fits_id(token.id().as_str()));
    assert!(!token.registered().subject.is_empty());
    assert_eq!(token.message().iter().filter(|byte| **byte == b'.').count(), 1);
    assert!(text.as_bytes().starts_with(token.message()));
    let issuer = token.claims().get("iss").unwrap().to_owned();
    let issuer: String = serde_json::from_str(&issuer).unwrap();
    assert_eq!(issuers.split(&issuer).unwrap().1, token.id().as_str());
    // What is put behind or before it is not passed over.
    for other in [format!("{text} "), format!("{text}="), format!(" {text}"), format!("{text}.")] {
        assert!(SignedToken::read(&other, &issuers).is_err());
    }
});
