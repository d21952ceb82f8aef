//! Rules about single keys.

use keyward_core::{
    Deletion, DigestScheme, KeyId, KeyRecord, KeyWrite, Locator, OwnerId, PreviousSecret, Reason,
    Revocation, StoredDigests, StoredSecret,
};

use super::sample::{
    at, change, changed, digest, insert, insertion, key, opaque_key, refusal, signed_key, stored,
    update,
};
use crate::{Conflict, Store};

/// A key reads back as it was written, with every field filled and with none.
pub async fn a_key_reads_back_as_it_was_written(store: &dyn Store) {
    let by = || "actor".parse().unwrap();
    let full = KeyRecord {
        revocation: Some(Revocation { at: at(5), reason: Reason::parse("why").ok(), by: by() }),
        deletion: Some(Deletion { at: at(6), by: by() }),
        rotated_at: Some(at(7)),
        rotated_from: Some(KeyId::parse("from").unwrap()),
        rotated_to: Some(KeyId::parse("to").unwrap()),
        secret: StoredSecret::Digests(StoredDigests {
            current: keyward_core::Digest::new(DigestScheme::Sha512, &[9; 64]).unwrap(),
            previous: Some(PreviousSecret { digest: digest(), until: at(8) }),
        }),
        ..key("full")
    };
    let bare = KeyRecord {
        expires_at: None,
        not_before: None,
        scopes: keyward_core::ScopeSet::default(),
        resources: keyward_core::ResourceScopes::default(),
        name: None,
        description: None,
        tags: keyward_core::TagSet::default(),
        metadata: keyward_core::Metadata::default(),
        enabled: false,
        ..opaque_key("bare")
    };
    let signed = signed_key("01a200f5-34df-703a-b461-85a5d3a08f33");
    for record in [full, bare, signed] {
        insert(store, &record).await;
        assert_eq!(stored(store, &record.id).await, Some(record.clone()));
        for locator in record.locators() {
            assert_eq!(store.find(&locator).await.unwrap(), Some(record.clone()));
        }
    }
}

/// An absent key is none, not an error.
pub async fn an_absent_key_is_none(store: &dyn Store) {
    let id = KeyId::parse("absent").unwrap();
    assert_eq!(stored(store, &id).await, None);
    assert_eq!(store.find(&Locator::KeyId(id)).await.unwrap(), None);
    assert_eq!(store.find(&Locator::Digest(digest())).await.unwrap(), None);
}

/// A signed key is found by its id.
pub async fn a_signed_key_is_found_by_its_id(store: &dyn Store) {
    let record = signed_key("01a200f5-34df-703a-b461-85a5d3a08f33");
    insert(store, &record).await;
    let locators: Vec<_> = record.locators().collect();
    assert_eq!(locators, [Locator::KeyId(record.id.clone())]);
    assert_eq!(store.find(&locators[0]).await.unwrap(), Some(record));
}

/// A prefixed key is found by its id, and not by its digest.
pub async fn a_prefixed_key_is_found_by_its_id_alone(store: &dyn Store) {
    let record = key("prefixed");
    insert(store, &record).await;
    let by_digest = Locator::Digest(record.secret.digest().unwrap().clone());
    assert_eq!(store.find(&by_digest).await.unwrap(), None);
    let by_id = Locator::KeyId(record.id.clone());
    assert_eq!(store.find(&by_id).await.unwrap(), Some(record));
}

/// An opaque key is found by its present and its previous digest, and not by its id.
pub async fn an_opaque_key_is_found_by_its_digests_alone(store: &dyn Store) {
    let record = opaque_key("opaque");
    insert(store, &record).await;
    let previous = PreviousSecret { digest: record.secret.digest().unwrap().clone(), until: at(9) };
    let secret =
        StoredSecret::Digests(StoredDigests { current: digest(), previous: Some(previous) });
    let rotated = KeyRecord { secret, ..changed(&record) };
    store.apply(&update(&record, &rotated)).await.unwrap();

    assert_eq!(store.find(&Locator::KeyId(record.id.clone())).await.unwrap(), None);
    for digest in [record.secret.digest().unwrap(), rotated.secret.digest().unwrap()] {
        let found = store.find(&Locator::Digest(digest.clone())).await.unwrap();
        assert_eq!(found.as_ref(), Some(&rotated));
    }
}

/// After a rotation without grace the old digest finds nothing, and may be used again.
pub async fn a_digest_that_a_rotation_dropped_finds_nothing(store: &dyn Store) {
    let record = opaque_key("dropped");
    insert(store, &record).await;
    let secret = StoredSecret::of_digest(digest());
    let rotated = KeyRecord { secret, ..changed(&record) };
    store.apply(&update(&record, &rotated)).await.unwrap();
    let old = Locator::Digest(record.secret.digest().unwrap().clone());
    assert_eq!(store.find(&old).await.unwrap(), None);
}

/// A second key of the same id is refused and changes nothing.
pub async fn an_id_is_used_once(store: &dyn Store) {
    let record = key("twice");
    insert(store, &record).await;
    assert_eq!(refusal(store, &insertion(&key("twice"))).await, Conflict::Exists);
    assert_eq!(stored(store, &record.id).await, Some(record));
}

/// A second opaque key of the same digest is refused and changes nothing.
pub async fn a_digest_is_used_once(store: &dyn Store) {
    let first = opaque_key("first");
    insert(store, &first).await;
    let second = KeyRecord { secret: first.secret.clone(), ..opaque_key("second") };
    assert_eq!(refusal(store, &insertion(&second)).await, Conflict::Exists);
    assert_eq!(stored(store, &second.id).await, None);
    assert_eq!(stored(store, &first.id).await, Some(first));
}

/// Two new rows of one change that have the same id, or the same digest, are refused together.
pub async fn of_two_rows_of_one_change_with_the_same_id_or_digest_neither_is_made(
    store: &dyn Store,
) {
    let first = opaque_key("first");
    let same_digest = KeyRecord { secret: first.secret.clone(), ..opaque_key("second") };
    let same_id = KeyRecord { version: first.version, ..opaque_key("first") };
    let previous = PreviousSecret { digest: first.secret.digest().unwrap().clone(), until: at(9) };
    let secret =
        StoredSecret::Digests(StoredDigests { current: digest(), previous: Some(previous) });
    let same_previous = KeyRecord { secret, ..opaque_key("third") };
    for other in [same_digest, same_id, same_previous] {
        let mut both = insertion(&first);
        both.keys.extend(insertion(&other).keys);
        assert_eq!(refusal(store, &both).await, Conflict::Exists);
        assert_eq!(stored(store, &first.id).await, None);
        assert_eq!(stored(store, &other.id).await, None);
    }
    insert(store, &first).await;
}

/// A digest in its grace is not free for another key.
pub async fn a_digest_in_its_grace_is_not_free(store: &dyn Store) {
    let first = opaque_key("first");
    insert(store, &first).await;
    let previous = PreviousSecret { digest: first.secret.digest().unwrap().clone(), until: at(9) };
    let secret =
        StoredSecret::Digests(StoredDigests { current: digest(), previous: Some(previous) });
    let rotated = KeyRecord { secret, ..changed(&first) };
    store.apply(&update(&first, &rotated)).await.unwrap();
    let second = KeyRecord { secret: first.secret.clone(), ..opaque_key("second") };
    assert_eq!(refusal(store, &insertion(&second)).await, Conflict::Exists);
    let third = opaque_key("third");
    insert(store, &third).await;
    let taking = KeyRecord { secret: first.secret.clone(), ..changed(&third) };
    assert_eq!(refusal(store, &update(&third, &taking)).await, Conflict::Exists);
    assert_eq!(stored(store, &third.id).await, Some(third));
    for digest in [&first, &rotated].map(|key| key.secret.digest().unwrap().clone()) {
        let found = store.find(&Locator::Digest(digest)).await.unwrap();
        assert_eq!(found.as_ref(), Some(&rotated));
    }
}

/// Of two changes that were made from the same version, the second is refused.
pub async fn of_two_changes_to_one_version_the_second_conflicts(store: &dyn Store) {
    let record = key("raced");
    insert(store, &record).await;
    let disabled = KeyRecord { enabled: false, ..changed(&record) };
    let renamed = KeyRecord { name: None, ..changed(&record) };
    store.apply(&update(&record, &disabled)).await.unwrap();
    assert_eq!(refusal(store, &update(&record, &renamed)).await, Conflict::Outdated);
    assert_eq!(stored(store, &record.id).await, Some(disabled));
    let absent = key("absent");
    assert_eq!(refusal(store, &update(&absent, &changed(&absent))).await, Conflict::Outdated);
}

/// Of many concurrent changes that were made from the same version, exactly one is accepted.
pub async fn of_concurrent_changes_to_one_version_exactly_one_wins(store: &dyn Store) {
    let record = key("contended");
    insert(store, &record).await;
    let names: Vec<_> = (0..5).map(|n| format!("name {n}").parse().unwrap()).collect();
    let changes: Vec<_> = names
        .into_iter()
        .map(|name| update(&record, &KeyRecord { name: Some(name), ..changed(&record) }))
        .collect();
    let (a, b, c, d, e) = tokio::join!(
        store.apply(&changes[0]),
        store.apply(&changes[1]),
        store.apply(&changes[2]),
        store.apply(&changes[3]),
        store.apply(&changes[4]),
    );
    assert_eq!([a, b, c, d, e].iter().filter(|result| result.is_ok()).count(), 1);
}

/// If one row of a change is refused, none is written.
pub async fn a_change_of_many_rows_is_made_whole_or_not_at_all(store: &dyn Store) {
    let (existing, new) = (key("existing"), key("new"));
    insert(store, &existing).await;
    let both = change(vec![
        KeyWrite::Insert(Box::new(new.clone())),
        KeyWrite::Insert(Box::new(key("existing"))),
    ]);
    assert_eq!(refusal(store, &both).await, Conflict::Exists);
    assert_eq!(stored(store, &new.id).await, None);
    assert_eq!(store.find(&Locator::KeyId(new.id)).await.unwrap(), None);
}

/// A purged key is gone, and so is everything that found it.
pub async fn a_purged_key_is_gone_with_its_locators(store: &dyn Store) {
    let record = opaque_key("purged");
    insert(store, &record).await;
    let outdated = change(vec![KeyWrite::Purge(Box::new(changed(&record)))]);
    assert_eq!(refusal(store, &outdated).await, Conflict::Outdated);
    store.apply(&change(vec![KeyWrite::Purge(Box::new(record.clone()))])).await.unwrap();
    assert_eq!(stored(store, &record.id).await, None);
    for locator in record.locators() {
        assert_eq!(store.find(&locator).await.unwrap(), None);
    }
    insert(store, &record).await;
}

/// Text that means something to a database is only text.
pub async fn names_with_special_characters_are_only_text(store: &dyn Store) {
    let owner = OwnerId::parse("'; DROP TABLE keys; -- \"%_\\ ☃").unwrap();
    let record = KeyRecord { owner: owner.clone(), name: None, ..key("special") };
    insert(store, &record).await;
    let query = crate::KeyQuery { owner: Some(owner), ..crate::KeyQuery::new(at(0), 10) };
    let page = store.list(&query).await.unwrap();
    assert_eq!(page.keys[0].record, record);
}
