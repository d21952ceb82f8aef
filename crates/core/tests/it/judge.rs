//! The decision on a presented secret, rule by rule.

use std::time::Duration;

use keyward_core::{
    AccountState, ActorId, Asked, Decision, Deletion, DenyReason, Digest, DigestScheme, Judgement,
    KeyId, KeyRecord, KeyspaceId, KeyspaceTable, PepperVersion, Revocation, Scope, ScopeSet,
    SecretUsed, StoredSecret, judge, judge_unknown,
};
use keyward_testkit::SeededEntropy;
use rstest::rstest;

use crate::support::{
    Issued, at, decide, hasher, issue, issued, keyspace, prefixed, with_previous,
};

/// The code of the decision at that second on the key's own secret, when nothing else is asked.
fn code_at(key: &Issued, now: i64) -> &'static str {
    let text = key.minted.secret.expose();
    decide(text, &key.keyspace, &key.record, &Asked::default(), at(now)).code()
}

/// Another secret for the same id.
fn another_secret(key: &Issued) -> String {
    let minted = key.keyspace.format.mint(&SeededEntropy::new(99), &key.record.id).unwrap();
    minted.secret.expose().to_owned()
}

fn digest(text: &str) -> Digest {
    hasher(&[]).digest(DigestScheme::Sha256, text).unwrap()
}

fn operator() -> ActorId {
    ActorId::parse("local").unwrap()
}

fn revoked_at(second: i64) -> Revocation {
    Revocation { at: at(second), reason: None, by: operator() }
}

#[test]
fn the_right_secret_is_allowed() {
    assert_eq!(code_at(&issued(), 0), "allowed");
}

#[test]
fn a_wrong_secret_is_unknown() {
    let key = issued();
    let wrong = another_secret(&key);
    let decision = decide(&wrong, &key.keyspace, &key.record, &Asked::default(), at(0));
    assert_eq!(decision.code(), "unknown");
}

#[test]
fn a_digest_under_another_scheme_or_pepper_is_unknown() {
    let mut key = issued();
    let text = key.minted.secret.expose().to_owned();
    let v1 = DigestScheme::HmacSha256(PepperVersion::new(1));
    key.record.secret = StoredSecret::of_digest(hasher(&[1]).digest(v1, &text).unwrap());
    assert_eq!(code_at(&key, 0), "unknown", "its pepper is not configured here");
    key.record.secret = StoredSecret::of_digest(Digest::new(v1, digest(&text).as_bytes()).unwrap());
    assert_eq!(code_at(&key, 0), "unknown", "it is no HMAC");
    let sha512 = hasher(&[]).digest(DigestScheme::Sha512, &text).unwrap();
    key.record.secret = StoredSecret::of_digest(sha512);
    assert_eq!(code_at(&key, 0), "allowed", "the record says which scheme counts");
}

#[test]
fn a_peppered_secret_is_allowed_after_the_pepper_was_renewed() {
    let key = issue(keyspace("default", prefixed("kw")), &hasher(&[1]));
    let table = KeyspaceTable::new([key.keyspace.clone()]);
    let token = table.parse(key.minted.secret.expose()).unwrap();
    let judged = |versions: &[u16]| {
        judge(
            &token,
            &key.record,
            AccountState::Active,
            &Asked::default(),
            at(0),
            &hasher(versions),
        )
    };
    assert!(matches!(judged(&[1]), Judgement::Suitable(_)));
    assert!(matches!(judged(&[1, 2]), Judgement::Suitable(_)));
    assert!(matches!(judged(&[2]), Judgement::Deny(DenyReason::Unknown)));
}

#[test]
fn a_deleted_key_is_unknown() {
    let mut key = issued();
    key.record.deletion = Some(Deletion { at: at(5), by: operator() });
    assert_eq!(code_at(&key, 6), "unknown");
}

#[rstest]
#[case::its_own("default", "allowed")]
#[case::another("management", "unknown")]
fn a_key_of_another_keyspace_is_unknown(#[case] asked: &str, #[case] code: &str) {
    let key = issued();
    let keyspace = KeyspaceId::parse(asked).unwrap();
    let asked = Asked { keyspace: Some(&keyspace), ..Asked::default() };
    let text = key.minted.secret.expose();
    assert_eq!(decide(text, &key.keyspace, &key.record, &asked, at(0)).code(), code);
}

#[rstest]
#[case::before(9, "allowed")]
#[case::at_the_instant(10, "expired")]
#[case::after(11, "expired")]
fn a_key_is_expired_at_and_after_its_instant(#[case] now: i64, #[case] code: &str) {
    let mut key = issued();
    key.record.expires_at = Some(at(10));
    assert_eq!(code_at(&key, now), code);
}

#[rstest]
#[case::before(9, "allowed")]
#[case::at_the_instant(10, "revoked")]
#[case::after(11, "revoked")]
fn a_revocation_counts_at_and_after_its_instant(#[case] now: i64, #[case] code: &str) {
    let mut key = issued();
    key.record.revocation = Some(revoked_at(10));
    assert_eq!(code_at(&key, now), code);
}

#[rstest]
#[case::before(9, "not_yet_valid")]
#[case::at_the_instant(10, "allowed")]
#[case::after(11, "allowed")]
fn a_key_is_valid_from_its_first_instant_on(#[case] now: i64, #[case] code: &str) {
    let mut key = issued();
    key.record.not_before = Some(at(10));
    assert_eq!(code_at(&key, now), code);
}

#[test]
fn a_disabled_key_is_refused() {
    let mut key = issued();
    key.record.enabled = false;
    assert_eq!(code_at(&key, 0), "disabled");
}

/// Makes something speak against a key.
type Objection = fn(&mut KeyRecord);

/// What can speak against a key whose secret is right, in the order in which it is told.
const OBJECTIONS: [(Objection, &str); 6] = [
    (|key| key.deletion = Some(Deletion { at: at(1), by: operator() }), "unknown"),
    (|key| key.expires_at = Some(at(10)), "expired"),
    (|key| key.revocation = Some(revoked_at(10)), "revoked"),
    (|key| key.enabled = false, "disabled"),
    (|key| key.not_before = Some(at(11)), "not_yet_valid"),
    (|key| key.scopes = ScopeSet::default(), "insufficient_scope"),
];

#[test]
fn of_several_objections_the_first_is_told_and_none_before_the_proof() {
    let read = Scope::parse("read").unwrap();
    let scopes = [read.clone()];
    let asked = Asked { scopes: &scopes, ..Asked::default() };
    for chosen in 0..1_u32 << OBJECTIONS.len() {
        let mut key = issued();
        key.record.scopes = ScopeSet::new([read.clone()]).unwrap();
        let mut expected = "allowed";
        for (place, (raise, code)) in OBJECTIONS.iter().enumerate() {
            if chosen & (1 << place) != 0 {
                raise(&mut key.record);
                expected = if expected == "allowed" { code } else { expected };
            }
        }
        let decided = |text: &str| decide(text, &key.keyspace, &key.record, &asked, at(10)).code();
        assert_eq!(decided(key.minted.secret.expose()), expected, "{chosen:06b}");
        assert_eq!(decided(&another_secret(&key)), "unknown", "{chosen:06b}");
    }
}

#[rstest]
#[case::in_the_grace(9, Some(SecretUsed::Previous))]
#[case::at_its_end(10, None)]
#[case::after_it(11, None)]
fn the_previous_secret_works_until_its_grace_ends(
    #[case] now: i64,
    #[case] expected: Option<SecretUsed>,
) {
    let mut key = issued();
    let previous = key.record.secret.digest().unwrap().clone();
    let current = another_secret(&key);
    key.record.secret = StoredSecret::of_digest(digest(&current));
    key.record = with_previous(key.record, previous, at(10));
    let used =
        |text: &str| match decide(text, &key.keyspace, &key.record, &Asked::default(), at(now)) {
            Decision::Allow(permit) => Some(permit.secret_used()),
            Decision::Deny(reason) => {
                assert_eq!(reason, DenyReason::Unknown);
                None
            }
        };
    assert_eq!(used(key.minted.secret.expose()), expected);
    assert_eq!(used(&current), Some(SecretUsed::Current));
}

#[test]
fn a_previous_secret_does_not_outlive_the_key() {
    let mut key = issued();
    let previous = key.record.secret.digest().unwrap().clone();
    key.record.secret = StoredSecret::of_digest(digest(&another_secret(&key)));
    key.record = with_previous(key.record, previous, at(100));
    key.record.revocation = Some(revoked_at(10));
    assert_eq!(code_at(&key, 10), "revoked");
}

/// What a permit says of a later version of its key's record at second 10.
fn holds_after(change: impl FnOnce(&mut KeyRecord)) -> bool {
    let key = issued();
    let asked = Asked::default();
    let text = key.minted.secret.expose();
    let decision = decide(text, &key.keyspace, &key.record, &asked, at(0));
    let mut later = key.record.clone();
    change(&mut later);
    decision.permit().unwrap().holds_for(&later, AccountState::Active, &asked, at(10))
}

#[test]
fn a_permit_holds_for_a_later_record_that_would_allow_the_same() {
    let rotated = |key: &mut KeyRecord| key.secret = StoredSecret::of_digest(digest("another"));
    let with_grace_until = |second| {
        move |key: &mut KeyRecord| {
            let previous = key.secret.digest().unwrap().clone();
            let secret = StoredSecret::of_digest(digest("another"));
            *key = with_previous(KeyRecord { secret, ..key.clone() }, previous, at(second));
        }
    };
    assert!(holds_after(|key| key.updated_at = at(9)));
    assert!(holds_after(with_grace_until(11)));
    assert!(!holds_after(with_grace_until(10)));
    assert!(!holds_after(rotated));
    assert!(!holds_after(|key| key.enabled = false));
    assert!(!holds_after(|key| key.revocation = Some(revoked_at(10))));
    assert!(holds_after(|key| key.revocation = Some(revoked_at(11))));
    assert!(!holds_after(|key| key.expires_at = Some(at(10))));
    assert!(!holds_after(|key| key.deletion = Some(Deletion { at: at(5), by: operator() })));
    assert!(!holds_after(|key| key.id = KeyId::parse("another").unwrap()));
}

#[test]
fn a_permit_holds_for_no_record_that_lacks_the_scope() {
    let mut key = issued();
    let read = Scope::parse("read").unwrap();
    key.record.scopes = ScopeSet::new([read.clone()]).unwrap();
    let scopes = [read];
    let asked = Asked { scopes: &scopes, ..Asked::default() };
    let text = key.minted.secret.expose();
    let decision = decide(text, &key.keyspace, &key.record, &asked, at(0));
    let permit = decision.permit().unwrap();
    assert!(permit.holds_for(&key.record, AccountState::Active, &asked, at(1)));
    let less = KeyRecord { scopes: ScopeSet::default(), ..key.record.clone() };
    assert!(!permit.holds_for(&less, AccountState::Active, &asked, at(1)));
}

#[test]
fn a_limit_refuses_a_suitable_key_and_says_how_long_to_wait() {
    let key = issued();
    let table = KeyspaceTable::new([key.keyspace.clone()]);
    let token = table.parse(key.minted.secret.expose()).unwrap();
    let Judgement::Suitable(suitable) =
        judge(&token, &key.record, AccountState::Active, &Asked::default(), at(0), &hasher(&[]))
    else {
        panic!("the key is suitable");
    };
    assert_eq!(suitable.key().id, key.record.id);
    let retry_after = Duration::from_millis(250);
    let decision = suitable.limited(Err(retry_after));
    assert!(matches!(
        decision,
        Decision::Deny(DenyReason::RateLimited { retry_after: told }) if told == retry_after
    ));
    assert_eq!(decision.code(), "rate_limited");
}

#[rstest]
#[case::plain(&[])]
#[case::peppered(&[1])]
fn a_key_without_a_record_is_unknown(#[case] versions: &[u16]) {
    let key = issued();
    let stranger = KeyId::generate(&SeededEntropy::new(7));
    let minted = key.keyspace.format.mint(&SeededEntropy::new(8), &stranger).unwrap();
    let table = KeyspaceTable::new([key.keyspace]);
    let token = table.parse(minted.secret.expose()).unwrap();
    assert_eq!(judge_unknown(&token, &hasher(versions)), DenyReason::Unknown);
}

#[rstest]
#[case(DenyReason::Disabled, "disabled")]
#[case(DenyReason::Expired, "expired")]
#[case(DenyReason::InsufficientScope, "insufficient_scope")]
#[case(DenyReason::Malformed, "malformed")]
#[case(DenyReason::Missing, "missing")]
#[case(DenyReason::NotYetValid, "not_yet_valid")]
#[case(DenyReason::RateLimited { retry_after: Duration::ZERO }, "rate_limited")]
#[case(DenyReason::Revoked, "revoked")]
#[case(DenyReason::Unknown, "unknown")]
fn codes_do_not_change(#[case] reason: DenyReason, #[case] code: &str) {
    assert_eq!(reason.code(), code);
}

#[test]
fn the_same_bytes_under_another_scheme_do_not_match() {
    let digest = digest("text");
    let peppered = DigestScheme::HmacSha256(PepperVersion::new(1));
    assert!(digest.matches(&digest.clone()));
    assert!(!digest.matches(&Digest::new(peppered, digest.as_bytes()).unwrap()));
}
