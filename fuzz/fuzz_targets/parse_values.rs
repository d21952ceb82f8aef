//! What is read can be written, and what was written is read as the same value.
#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use keyward_core::{
    AuditEventId, DigestScheme, KeyId, KeyspaceId, Lifetime, ResourceId, Scope, Tag, Timestamp,
};
use libfuzzer_sys::fuzz_target;

fn comes_back<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string().parse::<T>().unwrap(), value);
    }
}

fuzz_target!(|text: &str| {
    comes_back::<AuditEventId>(text);
    comes_back::<DigestScheme>(text);
    comes_back::<KeyId>(text);
    comes_back::<KeyspaceId>(text);
    comes_back::<Lifetime>(text);
    comes_back::<ResourceId>(text);
    comes_back::<Scope>(text);
    if let Ok(instant) = Timestamp::parse(text) {
        assert_eq!(Timestamp::parse(&instant.to_string()), Ok(instant));
    }
    if let Ok(tag) = Tag::parse(text) {
        assert_eq!(Tag::parse(tag.as_str()), Ok(tag));
    }
});
