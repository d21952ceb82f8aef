//! The set beside a plain map, in long random lives.

use std::collections::HashMap;

use keyward_core::{
    DigestScheme, Entropy, Format, Hasher, KeyId, KeyRecord, Keyspace, KeyspaceId, NewKey,
    NewKeyspace, OwnerId, Prefixed, StoredSecret,
};
use keyward_testkit::{FixedClock, SeededEntropy};
use rstest::rstest;

use super::*;

/// The key of that number.
fn key(number: u32) -> LiveKey {
    let now = keyward_core::Clock::now(&FixedClock::new());
    let hasher = Hasher::new(Vec::new());
    let format = Format::Prefixed(Prefixed::new("kw".parse().unwrap()));
    let new = NewKeyspace::new(KeyspaceId::default_keyspace(), format);
    let keyspace = Keyspace::create(new, &hasher, now).unwrap();
    let new = NewKey::new(OwnerId::parse("owner").unwrap());
    let digest = hasher.digest(DigestScheme::Sha256, "secret").unwrap();
    let id = KeyId::parse(format!("key-{number}")).unwrap();
    let secret = StoredSecret::of_digest(digest);
    let record = KeyRecord::issue(new, id, secret, String::new(), &keyspace, now).unwrap();
    LiveKey::new(record)
}

fn locator(number: u32) -> Locator {
    Locator::KeyId(KeyId::parse(format!("key-{number}")).unwrap())
}

fn is_same(one: &LiveKey, other: &LiveKey) -> bool {
    std::ptr::eq(one.record(), other.record())
}

/// Numbers below a bound, the same ones for the same seed.
fn numbers(seed: u64, below: u32) -> impl Iterator<Item = u32> {
    let entropy = SeededEntropy::new(seed);
    std::iter::from_fn(move || {
        let mut bytes = [0; 4];
        entropy.fill(&mut bytes);
        Some(u32::from_le_bytes(bytes) % below)
    })
}

#[rstest]
fn with_room_for_all_it_is_a_map(#[values(1, 2, 3)] seed: u64) {
    let known = KnownKeys::new(10_000);
    let mut map = HashMap::new();
    let mut numbers = numbers(seed, 300);
    for act in 0..5_000 {
        let number = numbers.next().unwrap();
        if act % 3 == 0 {
            known.remove(&locator(number));
            map.remove(&number);
        } else {
            let key = key(number);
            known.insert(&locator(number), key.clone());
            map.insert(number, key);
        }
        let number = numbers.next().unwrap();
        match (known.find(&locator(number)), map.get(&number)) {
            (None, None) => {}
            (Some(found), Some(expected)) => assert!(is_same(&found, expected), "{number}"),
            (found, expected) => panic!("{number}: {found:?} instead of {expected:?}"),
        }
        assert_eq!(known.len(), map.len());
    }
    known.clear();
    assert_eq!(known.len(), 0);
    assert!((0..300).all(|number| known.find(&locator(number)).is_none()));
}

#[rstest]
fn it_never_holds_more_than_it_may_nor_an_older_key(
    #[values(1, 7, 64, 200)] capacity: usize,
    #[values(1, 2)] seed: u64,
) {
    let known = KnownKeys::new(capacity);
    let mut newest = HashMap::new();
    let mut numbers = numbers(seed, 400);
    for act in 0..4_000 {
        let number = numbers.next().unwrap();
        if act % 7 == 0 {
            known.remove(&locator(number));
            newest.remove(&number);
        } else {
            let key = key(number);
            known.insert(&locator(number), key.clone());
            newest.insert(number, key.clone());
            let found = known.find(&locator(number)).expect("what was just kept is there");
            assert!(is_same(&found, &key));
        }
        let number = numbers.next().unwrap();
        if let Some(found) = known.find(&locator(number)) {
            assert!(is_same(&found, &newest[&number]), "{number} is an older one");
        }
        assert!(known.len() <= capacity, "{} of {capacity}", known.len());
    }
}

#[test]
fn a_key_that_is_used_again_and_again_outlives_those_that_are_not() {
    let known = KnownKeys::new(16);
    known.insert(&locator(0), key(0));
    for number in 1..1_000 {
        assert!(known.find(&locator(0)).is_some(), "pushed out by {number}");
        known.insert(&locator(number), key(number));
    }
}

#[test]
fn a_key_at_another_locator_is_not_found() {
    let known = KnownKeys::new(16);
    known.insert(&locator(1), key(2));
    assert!(known.find(&locator(1)).is_none());
}
