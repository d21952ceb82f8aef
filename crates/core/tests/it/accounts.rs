//! Service accounts: their life, their client secrets, and what they mean for keys.

use keyward_core::DigestScheme;
use keyward_core::{
    AccountChanges, AccountState, ActorId, Asked, Client, ClientId, DenyReason, Description,
    Judgement, KeyRecord, KeyState, KeyspaceTable, NewServiceAccount, OwnerId, Refusal, Scope,
    ScopeSet, Secret, ServiceAccount, Timestamp, Version, draw_client_secret, judge,
};
use keyward_testkit::SeededEntropy;
use rstest::rstest;

use crate::support::{Issued, at, hasher, issued, keyspace, prefixed, seconds};

fn by(name: &str) -> ActorId {
    ActorId::parse(name).unwrap()
}

fn drawn(seed: u64) -> Secret {
    draw_client_secret(&SeededEntropy::new(seed))
}

fn account_with(secret: &Secret) -> ServiceAccount {
    let new = NewServiceAccount::new(OwnerId::parse("owner").unwrap());
    let digest = hasher(&[]).digest(DigestScheme::Sha256, secret.expose()).unwrap();
    let id = ClientId::generate(&SeededEntropy::new(1), at(0));
    ServiceAccount::create(new, id, digest, by("creator"), at(0))
}

fn account() -> ServiceAccount {
    account_with(&drawn(2))
}

fn rotated(
    account: ServiceAccount,
    secret: &Secret,
    grace: Option<u64>,
    now: i64,
) -> ServiceAccount {
    let digest = hasher(&[]).digest(DigestScheme::Sha256, secret.expose()).unwrap();
    let grace = grace.map(seconds);
    account.rotate(digest, grace, by("rotator"), at(now), at(now)).unwrap()
}

fn is_proved(account: &ServiceAccount, secret: &Secret, now: i64) -> bool {
    account.is_proved_by(secret.expose(), &hasher(&[]), at(now))
}

#[test]
fn each_act_makes_the_next_version_and_names_its_actor() {
    let account = account_with(&drawn(2));
    assert_eq!((account.version, account.state()), (Version::FIRST, AccountState::Active));
    assert_eq!((&account.created_by, &account.updated_by), (&by("creator"), &by("creator")));
    let off = account.disable(by("second"), at(1)).unwrap();
    assert_eq!((off.version, off.state()), (Version::new(2), AccountState::Disabled));
    assert_eq!((&off.created_by, &off.updated_by), (&by("creator"), &by("second")));
    assert_eq!((off.created_at, off.updated_at), (at(0), at(1)));
    let on = off.enable(by("third"), at(2)).unwrap();
    assert_eq!((on.version, on.state()), (Version::new(3), AccountState::Active));
    let deleted = on.delete(by("fourth"), at(3)).unwrap();
    let deletion = deleted.deletion.clone().unwrap();
    assert_eq!(
        (deletion.at, deletion.by, deleted.state()),
        (at(3), by("fourth"), AccountState::Deleted)
    );
    let restored = deleted.restore(by("fifth"), at(4)).unwrap();
    assert_eq!((restored.version, restored.state()), (Version::new(5), AccountState::Active));
}

#[test]
fn fields_are_changed_of_the_version_that_was_seen() {
    let scopes = ScopeSet::new([Scope::parse("read").unwrap()]).unwrap();
    let changes = AccountChanges {
        version: Some(Version::FIRST),
        description: Some(Description::parse("note").ok()),
        scopes: Some(scopes.clone()),
    };
    assert_eq!(changes.fields(), ["description", "scopes"]);
    let edited = account().update(changes.clone(), by("editor"), at(1)).unwrap();
    assert_eq!((edited.description.as_ref().unwrap().as_str(), &edited.scopes), ("note", &scopes));
    assert_eq!(edited.clone().update(changes, by("editor"), at(2)), Err(Refusal::Outdated));
    let none = AccountChanges { description: Some(None), ..AccountChanges::default() };
    let without = edited.update(none, by("editor"), at(3)).unwrap();
    assert_eq!((without.description, without.scopes), (None, scopes));
}

#[test]
fn what_changes_nothing_or_is_too_late_is_refused() {
    let account = account();
    let by = || by("actor");
    let off = account.clone().disable(by(), at(1)).unwrap();
    assert_eq!(account.clone().enable(by(), at(1)), Err(Refusal::AlreadyEnabled));
    assert_eq!(off.disable(by(), at(2)), Err(Refusal::AlreadyDisabled));
    assert_eq!(account.clone().restore(by(), at(1)), Err(Refusal::NotDeleted));
    let deleted = account.delete(by(), at(1)).unwrap();
    let digest = deleted.secret.current.clone();
    for refused in [
        deleted.clone().enable(by(), at(2)),
        deleted.clone().disable(by(), at(2)),
        deleted.clone().delete(by(), at(2)),
        deleted.clone().update(AccountChanges::default(), by(), at(2)),
        deleted.rotate(digest, None, by(), at(2), at(2)),
    ] {
        assert_eq!(refused, Err(Refusal::AccountDeleted));
    }
}

#[test]
fn client_secrets_are_those_of_a_prefixed_format_that_scanners_know() {
    let (secret, other) = (drawn(2), drawn(3));
    assert_ne!(secret.expose(), other.expose());
    assert!(secret.expose().starts_with("kwcs_"));
    let keyspace = keyspace("clients", prefixed("kwcs"));
    assert!(KeyspaceTable::new([keyspace]).parse(secret.expose()).is_ok(), "its checksum is right");
}

#[test]
fn a_rotated_client_secret_works_until_its_grace_ends() {
    let (first, second, third) = (drawn(2), drawn(3), drawn(4));
    let account = rotated(account_with(&first), &second, Some(10), 5);
    let proved = |now| [&first, &second].map(|secret| is_proved(&account, secret, now));
    assert_eq!([proved(5), proved(14), proved(15)], [[true, true], [true, true], [false, true]]);
    // Two at most: the next rotation drops the first one, its grace or not.
    let account = rotated(account.clone(), &third, Some(10), 6);
    assert_eq!([&first, &second, &third].map(|s| is_proved(&account, s, 7)), [false, true, true]);
    let account = rotated(account, &first, None, 8);
    assert_eq!([&first, &second, &third].map(|s| is_proved(&account, s, 8)), [true, false, false]);
}

#[test]
fn of_rotations_at_the_same_time_one_is_made() {
    let secret = drawn(3);
    let account = rotated(account(), &secret, None, 5);
    let digest = account.secret.current.clone();
    let late = account.clone().rotate(digest.clone(), None, by("late"), at(4), at(6));
    assert_eq!(late, Err(Refusal::Outdated));
    assert!(account.rotate(digest, None, by("next"), at(6), at(6)).is_ok());
}

#[rstest]
#[case::another("another")]
#[case::nothing("")]
#[case::longer_than_any(&"x".repeat(100_000))]
fn other_texts_prove_nothing(#[case] text: &str) {
    assert!(!account().is_proved_by(text, &hasher(&[]), at(0)));
}

fn ask(
    issued: &Issued,
    record: &KeyRecord,
    state: AccountState,
    client: Option<Client>,
) -> &'static str {
    let table = KeyspaceTable::new([issued.keyspace.clone()]);
    let token = table.parse(issued.minted.secret.expose()).unwrap();
    let asked = Asked { client, ..Asked::default() };
    match judge(&token, record, state, &asked, at(0), &hasher(&[])) {
        Judgement::Deny(reason) => reason.code(),
        Judgement::Suitable(_) => "allowed",
    }
}

#[rstest]
#[case(AccountState::Active, KeyState::Active, "allowed")]
#[case(AccountState::Disabled, KeyState::Disabled, "disabled")]
#[case(AccountState::Deleted, KeyState::Deleted, "unknown")]
fn a_key_is_what_its_account_is(
    #[case] account: AccountState,
    #[case] state: KeyState,
    #[case] answer: &str,
) {
    let key = issued();
    assert_eq!(key.record.state(account, at(0)), state);
    assert_eq!(ask(&key, &key.record, account, None), answer);
}

#[test]
fn what_holds_of_the_key_itself_is_told_before_that_its_account_is_disabled() {
    let key = issued();
    let expired = KeyRecord { expires_at: Some(at(0)), ..key.record.clone() };
    assert_eq!(ask(&key, &expired, AccountState::Disabled, None), "expired");
    assert_eq!(expired.state(AccountState::Disabled, at(0)), KeyState::Expired);
}

#[test]
fn any_wrong_credential_has_the_same_answer() {
    let secret = drawn(2);
    let account = account_with(&secret);
    let prove = |account: Option<&ServiceAccount>, text: &str, now: Timestamp| {
        Some(Client::prove(account, text, &hasher(&[]), now))
    };
    let key = issued();
    let own = KeyRecord { service_account: Some(account.id), ..key.record.clone() };
    let right = prove(Some(&account), secret.expose(), at(0));
    assert_eq!(ask(&key, &own, AccountState::Active, right), "allowed");
    let deleted = account.clone().delete(by("actor"), at(0)).unwrap();
    let other =
        ServiceAccount { id: ClientId::generate(&SeededEntropy::new(9), at(0)), ..account.clone() };
    let expired = KeyRecord { expires_at: Some(at(0)), ..own.clone() };
    for client in [
        prove(Some(&account), "wrong", at(0)),
        prove(None, secret.expose(), at(0)),
        prove(Some(&deleted), secret.expose(), at(0)),
        prove(Some(&other), secret.expose(), at(0)),
    ] {
        // Of the key nothing is told, though its own secret is right.
        for record in [&own, &expired, &key.record] {
            assert_eq!(ask(&key, record, AccountState::Active, client), "unknown");
        }
    }
    // A key of no account is none of this client's.
    assert_eq!(ask(&key, &key.record, AccountState::Active, right), "unknown");
    assert_eq!(DenyReason::Unknown.code(), "unknown");
}

#[rstest]
#[case("550e8400-e29b-41d4-a716-446655440000", true)]
#[case("550E8400-E29B-41D4-A716-446655440000", true)]
#[case("550e8400e29b41d4a716446655440000", false)]
#[case("{550e8400-e29b-41d4-a716-446655440000}", false)]
#[case("urn:uuid:550e8400-e29b-41d4-a716-446655440000", false)]
#[case("00000000-0000-0000-0000-000000000000", false)]
#[case("550e8400-e29b-41d4-a716-44665544000g", false)]
#[case("' OR '1'='1", false)]
#[case("", false)]
fn client_ids_are_uuids_in_one_form(#[case] text: &str, #[case] is_good: bool) {
    let read = ClientId::parse(text);
    assert_eq!(read.is_ok(), is_good);
    if let Ok(id) = read {
        assert_eq!(id.to_string(), text.to_lowercase());
        assert_eq!(ClientId::from_bytes(*id.as_bytes()), id);
    }
}

#[test]
fn a_stored_record_reads_back_as_it_was_written() {
    let plain = account();
    let full = rotated(plain.clone(), &drawn(3), Some(10), 5).disable(by("actor"), at(6)).unwrap();
    let full = full.with_rank(true).delete(by("actor"), at(7)).unwrap();
    for account in [plain, full] {
        let stored = account.to_stored();
        assert_eq!(ServiceAccount::from_stored(&stored).unwrap(), account);
        assert!(ServiceAccount::from_stored(&stored[1..]).is_err());
    }
}
