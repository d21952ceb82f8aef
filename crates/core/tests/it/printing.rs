//! What is secret is printed by nothing.

use std::fmt::Debug;

use keyward_core::{
    AccountState, ActContext, ActorId, Asked, Change, Digest, DigestScheme, Hasher, Judgement,
    KeyRecord, KeyWrite, Keyspace, KeyspaceTable, Locator, Pepper, PepperVersion, Secret, judge,
};
use keyward_testkit::SeededEntropy;
use rstest::rstest;

use crate::support::{Issued, at, hasher, issue, keyspace, opaque, prefixed, with_previous};

const PEPPER: &[u8; 32] = b"a pepper that shall not be shown";

/// A key with two secrets under a pepper.
struct Subject {
    hasher: Hasher,
    issued: Issued,
    /// What must not be printed, in lower case.
    hidden: Vec<String>,
}

impl Subject {
    fn of(keyspace: Keyspace) -> Self {
        let version = PepperVersion::new(3);
        let hasher = Hasher::new(vec![(version, Pepper::new(PEPPER.to_vec()).unwrap())]);
        let schemes = vec![DigestScheme::HmacSha256(version), DigestScheme::Sha256];
        let mut issued = issue(Keyspace { schemes, ..keyspace }, &hasher);
        let previous = hasher.digest(DigestScheme::Sha512, "the previous secret").unwrap();
        let hidden = Self::hidden(&issued, &previous);
        issued.record = with_previous(issued.record, previous, at(9));
        Self { hasher, issued, hidden }
    }

    fn hidden(issued: &Issued, previous: &Digest) -> Vec<String> {
        let text = issued.minted.secret.expose();
        let random = text.strip_prefix(&issued.minted.hint).unwrap().trim_start_matches('_');
        let current = issued.record.secret.digest().unwrap();
        let sha256 = hasher(&[]).digest(DigestScheme::Sha256, text).unwrap();
        let mut bytes = vec![PEPPER.as_slice()];
        bytes.extend([current, previous, &sha256].map(Digest::as_bytes));
        let forms = bytes.into_iter().flat_map(written);
        let pepper = String::from_utf8(PEPPER.to_vec()).unwrap();
        let (head, tail) = random.split_at(8);
        let (pepper, _) = pepper.split_at(8);
        let texts = [head, tail, pepper].map(str::to_owned);
        forms.chain(texts).map(|text| text.to_lowercase()).collect()
    }

    fn assert_hidden(&self, what: &str, value: &dyn Debug) {
        for printed in [format!("{value:?}"), format!("{value:#?}")] {
            let lower = printed.to_lowercase();
            for hidden in &self.hidden {
                assert!(!lower.contains(hidden), "{what} prints {hidden}: {printed}");
            }
        }
    }
}

/// The beginning of some bytes in the forms in which they might be printed.
fn written(bytes: &[u8]) -> [String; 3] {
    let head = &bytes[..4];
    let inner = |list: String| list.trim_matches(['[', ']']).to_owned();
    let hex = inner(format!("{head:02x?}"));
    [inner(format!("{head:?}")), hex.replace(", ", ""), hex]
}

#[rstest]
#[case::prefixed(keyspace("default", prefixed("kw")))]
#[case::opaque(keyspace("default", opaque(Some("ak"), 32)))]
fn nothing_prints_a_secret_a_pepper_or_a_digest(#[case] keyspace: Keyspace) {
    let subject = Subject::of(keyspace);
    let Subject { hasher, issued: Issued { keyspace, record, minted }, .. } = &subject;
    let shown = |what, value: &dyn Debug| subject.assert_hidden(what, value);

    let table = KeyspaceTable::new([keyspace.clone()]);
    let token = table.parse(minted.secret.expose()).unwrap();
    shown("the keyspace", keyspace);
    shown("the table", &table);
    shown("the token", &token);
    shown("the minted secret", minted);
    shown("the secret", &minted.secret);
    shown("the hasher", hasher);
    shown("the pepper", &Pepper::new(PEPPER.to_vec()).unwrap());
    shown("the digest", record.secret.digest().unwrap());
    shown("the stored secret", &record.secret);
    shown("the record", record);
    shown("the record's locators", &record.locators().collect::<Vec<Locator>>());
    shown("the token's locators", &token.locators(hasher).collect::<Vec<_>>());

    let judgement = judge(&token, record, AccountState::Active, &Asked::default(), at(0), hasher);
    shown("the judgement", &judgement);
    let Judgement::Suitable(suitable) = judgement else { panic!("the key is suitable") };
    shown("the decision", &suitable.limited(Ok(())));
}

#[test]
fn a_change_does_not_print_what_it_writes() {
    let subject = Subject::of(keyspace("default", opaque(None, 32)));
    let before = Box::new(subject.issued.record.clone());
    let after = Box::new(KeyRecord { enabled: false, ..subject.issued.record.clone() });
    let mut change = Change::new(&SeededEntropy::new(1), at(1));
    change.keys.push(KeyWrite::Insert(before.clone()));
    change.keys.push(KeyWrite::Update { before, after });
    subject.assert_hidden("the change", &change);
    subject.assert_hidden("what it touches", &change.touched());
    subject.assert_hidden("its context", &ActContext::by(ActorId::parse("local").unwrap()));
}

#[test]
fn a_refused_text_is_not_repeated() {
    let table = KeyspaceTable::new([keyspace("default", prefixed("kw"))]);
    let refused = table.parse("kw_123456789ABC_swordfish").unwrap_err();
    assert!(!format!("{refused:?} {refused}").contains("swordfish"));
}

#[test]
fn the_fixed_words_are_these() {
    assert_eq!(format!("{:?}", Secret::new("swordfish".to_owned())), "Secret(hidden)");
    assert_eq!(format!("{:?}", Pepper::new(PEPPER.to_vec()).unwrap()), "Pepper(hidden)");
    assert_eq!(
        format!("{:?}", hasher(&[2, 1])),
        "Hasher { peppers: [PepperVersion(2), PepperVersion(1)], keypal_salts: [] }"
    );
}
