//! 10: what cannot be right is let pass. 12: ids and internal names are mixed up, and indexes leak.

use std::time::Duration;

use keyward::store::{KeyQuery, Search};
use keyward::{
    Alphabet, Error, Expiry, FormatKind, KeyChanges, KeyId, KeyspaceId, Keyward, Lifetime, Name,
    NewKey, Opaque, OwnerId, Rotation, RotationMode, Scope, Tag, TagFilter, TagSet, Timestamp,
};
use rstest::rstest;

use super::{all_records, made_up, record, take_over};
use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{
    Call, World, code, issue_as, keyspace_of, me, owner, reader, scopes, seconds,
};

#[rstest]
fn fault_10_a_date_that_cannot_be_read_is_refused(
    #[values(
        "",
        "never",
        "not-a-date",
        "0",
        "1798761600",
        "2027-01-31",
        "2027-13-01T00:00:00Z",
        "2027-02-30T00:00:00Z",
        "2027-01-31T12:00:00",
        "Sun, 31 Jan 2027 12:00:00 GMT"
    )]
    text: &str,
) {
    assert!(Timestamp::parse(text).is_err());
    let json = serde_json::Value::String(text.to_owned());
    assert!(serde_json::from_value::<Timestamp>(json).is_err());
    assert!(Lifetime::parse(text).is_err());
}

#[rstest]
#[tokio::test]
async fn fault_10_an_expiry_that_has_come_is_refused_wherever_it_is_asked_for(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(FormatKind::Prefixed, FormatKind::Opaque)] format: FormatKind,
    #[values(0, 1, 3_600)] age: u64,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let at = match age {
        0 => keyward.now(),
        age => keyward.now().before(seconds(age)).unwrap(),
    };
    let expiry = Expiry::At(at);
    let changes = KeyChanges { expiry: Some(expiry), ..KeyChanges::default() };
    let rotation =
        |mode| Rotation { mode: Some(mode), changes: changes.clone(), ..Rotation::default() };
    let id = &issued.key.id;
    let keyspace = keyspace_of(&keyward, format).await;
    let refused = [
        keyward.issue(NewKey { keyspace, expiry, ..reader() }, &me()).await.unwrap_err(),
        keyward.update(id, changes.clone(), &me()).await.unwrap_err(),
        keyward.rotate(id, rotation(RotationMode::SameId), &me()).await.unwrap_err(),
        keyward.rotate(id, rotation(RotationMode::Successor), &me()).await.unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.code(), "invalid_request");
        assert_eq!(error.field().unwrap().field, "expires_at");
    }
    assert_eq!(all_records(&keyward).await, [issued.key]);
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn fault_10_a_key_is_expired_at_the_very_instant_and_cannot_be_rotated_into_the_past(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(FormatKind::Prefixed, FormatKind::Opaque, FormatKind::Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keyspace = keyspace_of(&keyward, format).await;
    let at = keyward.now().after(seconds(1)).unwrap();
    let new = NewKey { keyspace, expiry: Expiry::At(at), ..reader() };
    let issued = keyward.issue(new, &me()).await.unwrap();
    world.clock.advance(Duration::from_micros(999_999));
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    let reads = world.store.count(Call::Find);
    world.clock.advance(Duration::from_micros(1));
    assert_eq!(keyward.now(), at);
    assert_eq!(code(&keyward, &issued.secret).await, "expired");
    assert_eq!(world.store.count(Call::Find), reads, "also from the cache");
    let dead = keyward.rotate(&issued.key.id, Rotation::default(), &me()).await.unwrap_err();
    assert_eq!(dead.field().unwrap().field, "expires_at");
}

#[test]
fn fault_10_empty_and_misleading_texts_are_refused() {
    for text in ["", " ", "a\n", "\u{0}", " a", "a\u{202e}b", &"x".repeat(300)] {
        assert!(OwnerId::parse(text).is_err(), "{text:?}");
        assert!(Name::parse(text).is_err(), "{text:?}");
        assert!(Tag::parse(text).is_err(), "{text:?}");
        assert!(Scope::parse(text).is_err(), "{text:?}");
        assert!(KeyspaceId::parse(text).is_err(), "{text:?}");
    }
}

#[rstest]
fn fault_10_a_secret_that_can_be_guessed_is_refused(#[values(0, 1, 8, 16, 21)] length: usize) {
    let alphabet = Alphabet::alphanumeric();
    assert!(Opaque::new(None, length, alphabet.clone()).is_err());
    assert!(Opaque::new(None, 32, alphabet.clone()).is_ok());
}

#[test]
fn fault_10_an_alphabet_that_never_ends_or_never_varies_is_refused() {
    let every_byte_and_more: String = (0..=256).filter_map(char::from_u32).collect();
    for symbols in ["", "a", "aa", "abca", &every_byte_and_more] {
        assert!(Alphabet::parse(symbols).is_err(), "{symbols:?}");
    }
}

#[rstest]
fn fault_12_what_looks_like_an_internal_name_is_no_id(
    #[values(
        "",
        "logs:all",
        "logs:key:1",
        "owner:x",
        "tag:x",
        "hash:00",
        "apikey:1",
        "a/b",
        "a b",
        "*",
        "a\n",
        "a\u{0}"
    )]
    text: &str,
) {
    assert!(KeyId::parse(text).is_err());
}

#[rstest]
#[tokio::test]
async fn fault_12_an_id_is_an_id_whatever_it_is_called(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    const IDS: [&str; 7] = ["logs.all", "hash", "keys", "owner-customer-1", "audit", "null", ".."];
    let world = World::new(backend);
    let keyward = world.start().await;
    let ids = IDS.map(|id| id.parse::<KeyId>().unwrap());
    let mut secrets = Vec::new();
    for (n, id) in (0..).zip(&ids) {
        assert_eq!(keyward.key(id).await.unwrap(), None);
        secrets.push(made_up(FormatKind::Opaque, n));
        assert_eq!(take_over(&keyward, id, secrets.last().unwrap()).await.unwrap().id, *id);
    }
    assert_eq!(all_records(&keyward).await.len(), ids.len());
    for (id, secret) in ids.iter().zip(&secrets) {
        assert_eq!(code(&keyward, secret).await, "allowed");
        keyward.revoke(id, None, &me()).await.unwrap();
        assert_eq!(code(&keyward, secret).await, "revoked");
    }
}

/// How many keys are listed by each of owner, tag, owner and tag, and text.
async fn listed(keyward: &Keyward, tag: &str) -> [usize; 4] {
    let tags = TagFilter::one(Tag::parse(tag).unwrap());
    let all = KeyQuery::new(keyward.now(), 10);
    let of_owner = KeyQuery { owner: Some(owner("customer-1")), ..all.clone() };
    let tagged = KeyQuery { tags: tags.clone(), ..all.clone() };
    let both = KeyQuery { tags, ..of_owner.clone() };
    let found = KeyQuery { search: Search::parse("customer-1").ok(), ..all };
    let mut counts = [0; 4];
    for (count, query) in counts.iter_mut().zip([of_owner, tagged, both, found]) {
        *count = keyward.list(&query).await.unwrap().keys.len();
    }
    counts
}

#[rstest]
#[tokio::test]
async fn fault_12_lists_hold_nothing_of_keys_that_are_gone(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(FormatKind::Prefixed, FormatKind::Opaque, FormatKind::Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let tags = |tag: &str| TagSet::new([Tag::parse(tag).unwrap()]).unwrap();
    let keyspace = keyspace_of(&keyward, format).await;
    let new = NewKey { keyspace, tags: tags("Old"), ..reader() };
    let id = keyward.issue(new, &me()).await.unwrap().key.id;
    assert_eq!(listed(&keyward, "old").await, [1, 1, 1, 1]);
    let changes = KeyChanges { tags: Some(tags("NEW")), ..KeyChanges::default() };
    keyward.update(&id, changes, &me()).await.unwrap();
    assert_eq!(listed(&keyward, "OLD").await, [1, 0, 0, 1]);
    assert_eq!(listed(&keyward, "new").await, [1, 1, 1, 1]);
    keyward.revoke(&id, None, &me()).await.unwrap();
    assert_eq!(listed(&keyward, "new").await, [1, 1, 1, 1], "a revoked key is still there");
    keyward.delete(&id, &me()).await.unwrap();
    assert_eq!(listed(&keyward, "new").await, [0; 4]);
    keyward.purge(&id, &me()).await.unwrap();
    assert_eq!(listed(&keyward, "new").await, [0; 4]);
    assert_eq!(keyward.key(&id).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn fault_12_the_id_and_the_digest_of_a_purged_key_are_free(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let (id, secret) = ("mine".parse().unwrap(), made_up(FormatKind::Opaque, 0));
    take_over(&keyward, &id, &secret).await.unwrap();
    keyward.revoke(&id, None, &me()).await.unwrap();
    keyward.delete(&id, &me()).await.unwrap();
    let taken = take_over(&keyward, &id, &secret).await;
    assert!(matches!(taken, Err(Error::AlreadyImported)), "{taken:?}");
    keyward.purge(&id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &secret).await, "unknown");
    take_over(&keyward, &id, &secret).await.unwrap();
    assert_eq!(code(&keyward, &secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn fault_12_of_five_who_take_an_id_at_once_one_gets_it(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    keyspace_of(&keyward, FormatKind::Opaque).await;
    let gate = world.store.hold(Call::Apply);
    let importing = [0, 1, 2, 3, 4].map(|n| {
        let keyward = keyward.clone();
        tokio::spawn(async move {
            let secret = made_up(FormatKind::Opaque, n);
            let outcome = take_over(&keyward, &"mine".parse().unwrap(), &secret).await;
            (secret, outcome)
        })
    });
    gate.arrivals(5).await;
    gate.open();
    let mut winners = Vec::new();
    for task in importing {
        let (secret, outcome) = task.await.unwrap();
        let expected = if outcome.is_ok() { "allowed" } else { "unknown" };
        assert_eq!(code(&keyward, &secret).await, expected);
        match outcome {
            Ok(record) => winners.push(record),
            Err(error) => assert_eq!(error.code(), "key_exists"),
        }
    }
    assert_eq!(winners, [record(&keyward, &"mine".parse().unwrap()).await]);
}

#[rstest]
#[tokio::test]
async fn fault_12_a_later_write_keeps_the_expiry_and_an_expired_key_can_be_removed(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let new = NewKey { expiry: Expiry::In(seconds(60)), ..reader() };
    let issued = keyward.issue(new, &me()).await.unwrap();
    let id = &issued.key.id;
    let changes = KeyChanges { scopes: Some(scopes(&["write"])), ..KeyChanges::default() };
    keyward.update(id, changes, &me()).await.unwrap();
    keyward.touch(id).await.unwrap();
    assert_eq!(record(&keyward, id).await.expires_at, issued.key.expires_at);
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(code(&keyward, &issued.secret).await, "expired");
    keyward.delete(id, &me()).await.unwrap();
    keyward.purge(id, &me()).await.unwrap();
    assert_eq!(keyward.key(id).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn fault_12_a_key_is_found_by_its_own_kind_of_locator_alone(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    // Whoever knows the id of an opaque key, which is no secret, knows nothing to present.
    let prefixed = issue_as(&keyward, FormatKind::Prefixed).await;
    let id = prefixed.key.id.clone();
    keyward.delete(&id, &me()).await.unwrap();
    keyward.purge(&id, &me()).await.unwrap();
    take_over(&keyward, &id, &made_up(FormatKind::Opaque, 0)).await.unwrap();
    assert_eq!(code(&keyward, &prefixed.secret).await, "unknown");
    assert_eq!(code(&keyward, &made_up(FormatKind::Opaque, 0)).await, "allowed");
}
