//! Secrets are read back as they were written, and nothing else is read.

use keyward_core::{
    Alphabet, Dialect, DigestScheme, Foreign, ForeignPrefix, Format, KeyId, KeyspaceTable, Locator,
    MAX_SECRET_LENGTH, Malformed, Opaque, Prefix, Prefixed, Profile, WeakSecrets,
};
use keyward_testkit::SeededEntropy;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use rstest::rstest;

use crate::support::{at, hasher, key_id, keyspace, opaque, prefixed};

fn table(formats: impl IntoIterator<Item = Format>) -> KeyspaceTable {
    let named = |(n, format)| keyspace(&format!("keyspace-{n}"), format);
    KeyspaceTable::new(formats.into_iter().enumerate().map(named))
}

fn any_prefix() -> impl Strategy<Value = Prefix> {
    "[a-z0-9]{1,8}(_[a-z0-9]{1,7}){0,3}".prop_map(|text| Prefix::parse(text).unwrap())
}

fn any_prefixed() -> impl Strategy<Value = Format> {
    any_prefix().prop_map(|prefix| Format::Prefixed(Prefixed::new(prefix)))
}

fn any_opaque() -> impl Strategy<Value = Format> {
    let printable: Vec<_> = ('!'..='~').collect();
    let alphabet = subsequence(printable, 2..=94).prop_shuffle();
    (proptest::option::of(any_prefix()), alphabet, 0..=256_usize).prop_map(
        |(prefix, chars, more)| {
            let alphabet = Alphabet::parse(&chars.iter().collect::<String>()).unwrap();
            let least =
                (0..=128).find(|&length| alphabet.bits(length) >= Opaque::LEAST_BITS).unwrap();
            let length = (least + more).min(Opaque::MOST_LENGTH);
            Format::Opaque(Opaque::new(prefix, length, alphabet).unwrap())
        },
    )
}

fn any_foreign() -> impl Strategy<Value = Format> {
    let dialects = [Dialect::Fork3, Dialect::Fork4, Dialect::Rust, Dialect::Seam];
    let prefix = "[A-Za-z0-9-]{1,8}(_[A-Za-z0-9-]{1,7}){0,3}";
    (
        prefix,
        proptest::sample::select(dialects.to_vec()),
        1..=40_usize,
        1..=128_usize,
        "[A-Za-z0-9]{0,3}",
    )
        .prop_map(|(prefix, dialect, id, secret, short)| {
            let profile = Profile::new(dialect).with_id_length(id).unwrap();
            let profile = profile.with_secret_length(secret).unwrap();
            let profile = profile.clone().with_short_prefix(&short).unwrap_or(profile);
            let prefix = ForeignPrefix::parse(prefix).unwrap();
            Format::Foreign(Foreign::new(prefix, profile, WeakSecrets::Warn).unwrap())
        })
}

/// A slip of the pen: what typing and copying do to a text.
#[derive(Clone, Debug)]
enum Slip {
    Delete(Index),
    Insert(Index, char),
    Substitute(Index, char),
    Transpose(Index),
}

impl Slip {
    fn any() -> impl Strategy<Value = Self> {
        let character = || {
            let base58: Vec<_> = String::from(Alphabet::base58().clone()).chars().collect();
            prop_oneof![3 => proptest::sample::select(base58), 1 => any::<char>(), 1 => Just('_')]
        };
        prop_oneof![
            any::<Index>().prop_map(Self::Delete),
            (any::<Index>(), character()).prop_map(|(place, c)| Self::Insert(place, c)),
            (any::<Index>(), character()).prop_map(|(place, c)| Self::Substitute(place, c)),
            any::<Index>().prop_map(Self::Transpose),
        ]
    }

    fn applied_to(&self, text: &str) -> String {
        let mut chars: Vec<_> = text.chars().collect();
        match self {
            Self::Delete(place) => drop(chars.remove(place.index(chars.len()))),
            Self::Insert(place, c) => chars.insert(place.index(chars.len() + 1), *c),
            Self::Substitute(place, c) => *place.get_mut(&mut chars) = *c,
            Self::Transpose(place) => {
                let first = place.index(chars.len() - 1);
                chars.swap(first, first + 1);
            }
        }
        chars.into_iter().collect()
    }
}

proptest! {
    #[test]
    fn a_prefixed_secret_is_read_back_to_its_id(
        format in any_prefixed(), beside in any_opaque(), seed: u64,
    ) {
        let entropy = SeededEntropy::new(seed);
        let id = KeyId::generate(&entropy);
        let minted = format.mint(&entropy, &id).unwrap();
        let table = table([beside, format]);
        let token = table.parse(minted.secret.expose()).unwrap();
        let locators: Vec<_> = token.locators(&hasher(&[])).collect();
        prop_assert_eq!(locators, [Locator::KeyId(id)]);
    }

    #[test]
    fn a_foreign_secret_is_read_back_to_its_id(
        format in any_foreign(), beside in any_prefixed(), other in any_opaque(), seed: u64,
    ) {
        let entropy = SeededEntropy::new(seed);
        let id = format.draw_id(&entropy, at(0));
        let minted = format.mint(&entropy, &id).unwrap();
        let Format::Foreign(foreign) = &format else { unreachable!() };
        let parts = foreign.profile().components(minted.secret.expose()).unwrap();
        prop_assert!(foreign.profile().id_lengths().contains(&parts.id.len()));
        prop_assert!(foreign.profile().secret_lengths().contains(&parts.secret.len()));
        prop_assert_eq!(&minted.hint, &format!("{}_{id}", foreign.prefix()));
        let table = table([beside, other, format]);
        let token = table.parse(minted.secret.expose()).unwrap();
        let locators: Vec<_> = token.locators(&hasher(&[])).collect();
        prop_assert_eq!(locators, [Locator::KeyId(id)]);
    }

    #[test]
    fn parsing_foreign_secrets_ends_on_any_text(format in any_foreign(), text: String) {
        let prefix = format.prefix().unwrap().to_owned();
        let table = table([format]);
        for text in [&text, &format!("{prefix}_{text}"), &format!("{prefix}_x_{text}"), &format!("1|{text}")] {
            let _either = table.parse(text);
        }
    }

    #[test]
    fn an_opaque_secret_is_read_back_to_its_digest(
        format in any_opaque(), beside in any_prefixed(), seed: u64,
    ) {
        let minted = format.mint(&SeededEntropy::new(seed), &key_id("ignored")).unwrap();
        let table = table([beside, format]);
        let token = table.parse(minted.secret.expose()).unwrap();
        let digest = hasher(&[]).digest(DigestScheme::Sha256, minted.secret.expose()).unwrap();
        let locators: Vec<_> = token.locators(&hasher(&[])).collect();
        prop_assert_eq!(locators, [Locator::Digest(digest)]);
    }

    #[test]
    fn a_slip_in_a_prefixed_secret_is_noticed(
        format in any_prefixed(), seed: u64, slip in Slip::any(),
    ) {
        let entropy = SeededEntropy::new(seed);
        let minted = format.mint(&entropy, &KeyId::generate(&entropy)).unwrap();
        let slipped = slip.applied_to(minted.secret.expose());
        prop_assume!(slipped != minted.secret.expose());
        // A CRC-32 notices every burst of up to 32 bits, so all slips within the covered text; one
        // that also moves the checksum's border gets past it once in four thousand million.
        prop_assert!(table([format]).parse(&slipped).is_err());
    }

    #[test]
    fn parsing_ends_on_any_text(text: String, format in any_prefixed(), other in any_opaque()) {
        let table = table([format, other]);
        let _either = table.parse(&text);
        let prefix = table.iter().find_map(|keyspace| keyspace.format.prefix()).unwrap();
        let text = format!("{prefix}_{text}");
        prop_assert!(table.parse(&text).is_err());
    }

    #[test]
    fn parsing_ends_on_texts_of_the_right_length(
        format in any_prefixed(), place in any::<Index>(), text in "\\PC{1,12}", seed: u64,
    ) {
        // Cuts characters of several bytes at every place where the parser might divide the text.
        let minted = format.mint(&SeededEntropy::new(seed), &key_id("123456789ABC")).unwrap();
        let mut garbled = minted.secret.expose().to_owned();
        let length = garbled.len();
        garbled.insert_str(place.index(length), &text);
        garbled.truncate(garbled.floor_char_boundary(length));
        prop_assume!(garbled != minted.secret.expose());
        prop_assert!(table([format]).parse(&garbled).is_err());
    }

    #[test]
    fn a_secret_of_another_prefix_has_no_form(
        format in any_prefixed(), other in any_prefixed(), seed: u64,
    ) {
        prop_assume!(format != other);
        let minted = format.mint(&SeededEntropy::new(seed), &key_id("123456789ABC")).unwrap();
        let refused = table([other]).parse(minted.secret.expose()).unwrap_err();
        prop_assert_eq!(refused, Malformed::Form);
    }

    #[test]
    fn a_prefixed_hint_is_prefix_and_id(prefix in any_prefix(), seed: u64) {
        let entropy = SeededEntropy::new(seed);
        let id = KeyId::generate(&entropy);
        let minted = Format::Prefixed(Prefixed::new(prefix.clone())).mint(&entropy, &id).unwrap();
        prop_assert_eq!(&minted.hint, &format!("{prefix}_{id}"));
        let random = minted.secret.expose().strip_prefix(&format!("{}_", minted.hint)).unwrap();
        prop_assert_eq!(random.len(), Prefixed::SECRET_LENGTH + 6);
        prop_assert!(Alphabet::base58().covers(random));
    }

    #[test]
    fn an_opaque_hint_is_the_prefix_alone(format in any_opaque(), seed: u64) {
        let minted = format.mint(&SeededEntropy::new(seed), &key_id("ignored")).unwrap();
        let hint = format.prefix().map(|prefix| format!("{prefix}_")).unwrap_or_default();
        prop_assert_eq!(&minted.hint, &hint);
        let Format::Opaque(opaque) = &format else { unreachable!() };
        let random = minted.secret.expose().strip_prefix(&hint).unwrap();
        prop_assert_eq!(random.len(), opaque.length());
        prop_assert!(opaque.alphabet().covers(random));
    }
}

#[rstest]
#[case("live", "acme_live")]
#[case("acme_live", "live")]
#[case("acme_live", "acme")]
#[case("acme", "acme_live")]
#[case("kw", "kw2")]
fn a_prefix_within_a_prefix_is_another(#[case] minted: &str, #[case] known: &str) {
    let minted = prefixed(minted).mint(&SeededEntropy::new(1), &key_id("123456789ABC")).unwrap();
    let refused = table([prefixed(known)]).parse(minted.secret.expose()).unwrap_err();
    assert_eq!(refused, Malformed::Form);
}

#[rstest]
#[case::a_byte("a", MAX_SECRET_LENGTH)]
#[case::two_bytes("é", MAX_SECRET_LENGTH / 2)]
#[case::nul("\0", MAX_SECRET_LENGTH)]
#[case::underscores("_", MAX_SECRET_LENGTH)]
fn a_text_over_the_limit_is_refused_unread(#[case] unit: &str, #[case] fits: usize) {
    let table = table([prefixed("kw"), opaque(None, 32)]);
    assert_eq!(table.parse(&unit.repeat(fits)).unwrap_err(), Malformed::Form);
    assert_eq!(table.parse(&unit.repeat(fits + 1)).unwrap_err(), Malformed::TooLong);
    assert_eq!(table.parse(&unit.repeat(100_000)).unwrap_err(), Malformed::TooLong);
}

#[test]
fn the_longest_secret_is_within_the_limit() {
    let prefix = "a".repeat(32);
    let formats = [prefixed(&prefix), opaque(Some(&prefix), Opaque::MOST_LENGTH)];
    for format in formats {
        let secret = format.mint(&SeededEntropy::new(1), &key_id("123456789ABC")).unwrap().secret;
        assert!(table([format]).parse(secret.expose()).is_ok());
    }
}

#[test]
fn a_prefix_may_belong_to_keyspaces_of_ours_and_of_others() {
    let foreign = |dialect| {
        let prefix = ForeignPrefix::parse("kw").unwrap();
        Format::Foreign(Foreign::new(prefix, Profile::new(dialect), WeakSecrets::Refuse).unwrap())
    };
    let all = || {
        [prefixed("kw"), foreign(Dialect::Seam), foreign(Dialect::Fork4), foreign(Dialect::Rust)]
    };
    let table = table(all().into_iter().chain([opaque(Some("kw"), 33)]));
    for (n, format) in all().into_iter().enumerate() {
        let id = format.draw_id(&SeededEntropy::new(n as u64), at(0));
        let text = format.mint(&SeededEntropy::new(9), &id).unwrap().secret;
        let token = table.parse(text.expose()).unwrap();
        assert_eq!(token.locators(&hasher(&[])).next(), Some(Locator::KeyId(id)));
    }
    let alone = crate::format::table([foreign(Dialect::Seam)]);
    let refused = |text: &str| {
        table.parse(text).unwrap_err();
        alone.parse(text).unwrap_err()
    };
    assert_eq!(refused("kw_SPs5scUr_KuyX1vjVVRufcyyywy4tDbp0"), Malformed::Alphabet);
    assert_eq!(refused("kw_SPs5scUr_KuyX1vjVVRufcyyywy4tDbp"), Malformed::Form);
    assert_eq!(refused("kW_SPs5scUr_KuyX1vjVVRufcyyywy4tDbpt"), Malformed::Form);
}
