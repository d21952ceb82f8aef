//! Hostile tokens, each with the one answer that it must get.
//!
//! Most are signed by the key's own pair: whoever reads must refuse them although the signature is
//! right. No pair of ours would sign them, for it signs once and is gone.

mod algorithm;
mod claims;
mod duplicates;
pub(crate) mod forge;
mod headers;
mod issuer;
mod kid;
mod malleability;
mod signature;
mod size;
mod structure;
mod time;
mod version;

use std::collections::HashSet;

use keyward_core::Malformed;
use keyward_core::jose::{SignedFault, SignedToken};
use rstest::rstest;

use self::forge::{holders, table};
use crate::support::decide;

/// A text, and what must become of it at the second 0.
pub(crate) struct Attack {
    name: &'static str,
    answer: Answer,
    text: fn() -> String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Decided(&'static str),
    Formless(Malformed),
    Refused(SignedFault),
}

/// It reads, and this is decided.
const fn decided(name: &'static str, code: &'static str, text: fn() -> String) -> Attack {
    Attack { name, answer: Answer::Decided(code), text }
}

/// It does not look like a signed key at all, and is none of another format either.
const fn formless(name: &'static str, malformed: Malformed, text: fn() -> String) -> Attack {
    Attack { name, answer: Answer::Formless(malformed), text }
}

/// It does not read, for this reason.
const fn refused(name: &'static str, fault: SignedFault, text: fn() -> String) -> Attack {
    Attack { name, answer: Answer::Refused(fault), text }
}

impl Attack {
    /// What is wrong with the answer that it gets.
    fn complaint(&self) -> Option<String> {
        let text = (self.text)();
        let read = SignedToken::read(&text, table().issuers()).err();
        let answer = decide(&text, table(), holders(), 0);
        let is_right = match (self.answer, answer) {
            (Answer::Decided(code), Ok(decided)) => code == decided && read.is_none(),
            (Answer::Formless(expected), Err(malformed)) => malformed == expected,
            // What does not begin like a signed key is refused without this reader.
            (Answer::Refused(fault), Err(malformed)) => {
                read == Some(fault)
                    && (malformed == Malformed::Signed(fault) || !SignedToken::is_likely(&text))
            }
            _ => false,
        };
        let Self { name, answer: expected, .. } = self;
        (!is_right).then(|| format!("{name}: {expected:?}, but {read:?} and {answer:?}"))
    }
}

/// Each class, and how many there are of it: none disappears unseen.
const CLASSES: [(&str, &[Attack], usize); 12] = [
    ("algorithm", algorithm::ATTACKS, 49),
    ("claims", claims::ATTACKS, 62),
    ("duplicates", duplicates::ATTACKS, 30),
    ("headers", headers::ATTACKS, 56),
    ("issuer", issuer::ATTACKS, 61),
    ("kid", kid::ATTACKS, 50),
    ("malleability", malleability::ATTACKS, 35),
    ("signature", signature::ATTACKS, 53),
    ("size", size::ATTACKS, 34),
    ("structure", structure::ATTACKS, 32),
    ("time", time::ATTACKS, 55),
    ("version", version::ATTACKS, 27),
];

#[rstest]
#[case::algorithm(algorithm::ATTACKS)]
#[case::claims(claims::ATTACKS)]
#[case::duplicates(duplicates::ATTACKS)]
#[case::headers(headers::ATTACKS)]
#[case::issuer(issuer::ATTACKS)]
#[case::kid(kid::ATTACKS)]
#[case::malleability(malleability::ATTACKS)]
#[case::signature(signature::ATTACKS)]
#[case::size(size::ATTACKS)]
#[case::structure(structure::ATTACKS)]
#[case::time(time::ATTACKS)]
#[case::version(version::ATTACKS)]
fn each_hostile_token_gets_its_answer(#[case] attacks: &[Attack]) {
    let complaints: Vec<_> = attacks.iter().filter_map(Attack::complaint).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_glance_sees_no_other_id_than_reading() {
    for attack in CLASSES.iter().flat_map(|(_, attacks, _)| *attacks) {
        let text = (attack.text)();
        if let Ok(token) = SignedToken::read(&text, table().issuers()) {
            let glanced = SignedToken::glance(&text);
            assert!(glanced.is_none_or(|id| id == *token.id()), "{}", attack.name);
        }
    }
}

#[test]
fn the_holders_own_tokens_are_allowed() {
    for holder in [forge::ed25519(), forge::p256(), forge::rsa()] {
        assert_eq!(decide(&holder.token, table(), holders(), 0), Ok("allowed"));
        assert_eq!(decide(&holder.token, table(), holders(), 3_600), Ok("expired"));
    }
}

#[test]
fn no_hostile_token_disappears() {
    let counted = CLASSES.map(|(name, attacks, _)| (name, attacks.len()));
    assert_eq!(counted, CLASSES.map(|(name, _, count)| (name, count)));
    let attacks = || {
        let of_class = |(class, attacks, _): &(&'static str, &'static [Attack], usize)| {
            let class = *class;
            attacks.iter().map(move |attack| (class, attack))
        };
        CLASSES.iter().flat_map(of_class)
    };
    // The others stand beside them to show where the line is drawn.
    let is_hostile = |attack: &Attack| attack.answer != Answer::Decided("allowed");
    assert!(attacks().filter(|(_, attack)| is_hostile(attack)).count() >= 500);
    let names: HashSet<_> = attacks().map(|(class, attack)| (class, attack.name)).collect();
    assert_eq!(names.len(), attacks().count(), "a name is used twice");
}
