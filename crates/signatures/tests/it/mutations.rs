//! Random texts, and genuine tokens in which something was changed.

use keyward_core::jose::{Issuers, SignedToken};
use proptest::prelude::*;
use proptest::sample::Index;
use rstest::rstest;

use crate::attacks::forge::{Holder, ed25519, holders, p256, rsa, table};
use crate::support::{decide, encode};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Whether a text is refused as one that nobody signed: as no token, or as an unknown one.
fn is_refused(text: &str) -> bool {
    decide(text, table(), holders(), 0).is_ok_and(|code| code == "unknown")
        || table().parse(text).is_err()
}

#[rstest]
#[case::ed25519(ed25519)]
#[case::p256(p256)]
#[case::rsa(rsa)]
fn no_token_survives_the_change_of_one_character(#[case] holder: fn() -> &'static Holder) {
    let text = &holder().token;
    for place in 0..text.len() {
        let mut changed = text.clone();
        let removed = changed.remove(place);
        assert!(is_refused(&changed), "without character {place}");
        for next in [1, 2, 4, 8, 16, 32] {
            let known = ALPHABET.iter().position(|&known| char::from(known) == removed);
            let other = ALPHABET[(known.unwrap_or_default() ^ next) % 64];
            changed.insert(place, other.into());
            assert!(is_refused(&changed), "{} for character {place}", char::from(other));
            changed.remove(place);
        }
    }
}

#[rstest]
#[case::ed25519(ed25519)]
#[case::p256(p256)]
#[case::rsa(rsa)]
fn no_token_survives_that_it_is_cut_or_that_two_characters_swap(
    #[case] holder: fn() -> &'static Holder,
) {
    let text = &holder().token;
    for place in 0..text.len() {
        assert!(is_refused(text.get(..place).unwrap()), "the first {place}");
        assert!(place == 0 || is_refused(text.get(place..).unwrap()), "all but the first {place}");
        let mut bytes = text.clone().into_bytes();
        if place > 0 {
            bytes.swap(place - 1, place);
        }
        let swapped = String::from_utf8(bytes).unwrap();
        assert!(swapped == *text || is_refused(&swapped), "swapped at {place}");
    }
}

/// A change of a text.
#[derive(Clone, Debug)]
enum Change {
    Delete(Index, Index),
    Insert(Index, String),
    Repeat(Index, Index),
    Replace(Index, char),
    Reverse(Index, Index),
    Swap(Index, Index),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let place = any::<Index>;
        let text = prop_oneof!["[A-Za-z0-9_.-]{1,5}", "[ \n\t=+/.]{1,2}", any::<String>()];
        let character = prop_oneof![proptest::char::range('!', 'z'), any::<char>()];
        prop_oneof![
            (place(), place()).prop_map(|(from, to)| Self::Delete(from, to)),
            (place(), text).prop_map(|(place, text)| Self::Insert(place, text)),
            (place(), place()).prop_map(|(from, to)| Self::Repeat(from, to)),
            (place(), character).prop_map(|(place, character)| Self::Replace(place, character)),
            (place(), place()).prop_map(|(from, to)| Self::Reverse(from, to)),
            (place(), place()).prop_map(|(one, other)| Self::Swap(one, other)),
        ]
    }

    fn apply(&self, characters: &mut Vec<char>) {
        if characters.is_empty() {
            return;
        }
        let length = characters.len();
        let range = |one: &Index, other: &Index| {
            let (one, other) = (one.index(length), other.index(length));
            one.min(other)..one.max(other)
        };
        match self {
            Self::Delete(from, to) => drop(characters.drain(range(from, to))),
            Self::Insert(place, text) => {
                let place = place.index(length + 1);
                characters.splice(place..place, text.chars()).for_each(drop);
            }
            Self::Repeat(from, to) => characters.extend_from_within(range(from, to)),
            Self::Replace(place, character) => characters[place.index(length)] = *character,
            Self::Reverse(from, to) => characters[range(from, to)].reverse(),
            Self::Swap(one, other) => characters.swap(one.index(length), other.index(length)),
        }
    }
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut characters: Vec<_> = text.chars().collect();
    for change in changes {
        change.apply(&mut characters);
    }
    characters.into_iter().collect()
}

/// Texts that look like tokens to different depths.
fn any_text() -> impl Strategy<Value = String> {
    let json = || {
        prop_oneof![
            r#"\{("(alg|kid|typ|crit|iss|sub|ver|exp)":("[a-zA-Z0-9:/-]{0,40}"|[0-9e.-]{1,8}),?){0,4}\}?"#,
            any::<Vec<u8>>().prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        ]
    };
    let header = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, ed25519().record.id);
    prop_oneof![
        any::<String>(),
        "[A-Za-z0-9_.=-]{0,200}",
        (json(), json(), any::<Vec<u8>>()).prop_map(|(header, payload, signature)| {
            format!("{}.{}.{}", encode(header), encode(payload), encode(signature))
        }),
        (json(), any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(move |(payload, r, s)| {
            format!("{}.{}.{}", encode(&header), encode(payload), encode([r, s].concat()))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_changed_token_is_accepted(
        which in 0..2_usize, changes in proptest::collection::vec(Change::any(), 1..4),
    ) {
        let genuine = &[ed25519(), p256()][which].token;
        let changed = changed(genuine, &changes);
        prop_assert!(changed == *genuine || is_refused(&changed));
    }

    #[test]
    fn no_random_text_is_accepted(text in any_text()) {
        prop_assert!(is_refused(&text));
    }

    #[test]
    fn no_random_signature_is_accepted(one: [u8; 32], other: [u8; 32]) {
        prop_assert!(is_refused(&ed25519().with_signature([one, other].concat())));
        prop_assert!(is_refused(&p256().with_signature([one, other].concat())));
    }

    #[test]
    fn a_glance_agrees_with_reading(text in any_text()) {
        let glance = SignedToken::glance(&text);
        match SignedToken::read(&text, table().issuers()) {
            Ok(token) => prop_assert!(glance.is_none_or(|id| id == *token.id())),
            Err(_) => prop_assert!(glance.is_none_or(|id| SignedToken::fits_id(id.as_str()))),
        }
        prop_assert!(SignedToken::read(&text, &Issuers::default()).is_err());
    }

    #[test]
    fn a_glance_at_a_changed_token_agrees_with_reading(
        changes in proptest::collection::vec(Change::any(), 1..3),
    ) {
        let changed = changed(&ed25519().token, &changes);
        if let Ok(token) = SignedToken::read(&changed, table().issuers()) {
            let glance = SignedToken::glance(&changed);
            prop_assert!(glance.is_none_or(|id| id == *token.id()));
        }
    }
}
