//! 14: no pages, no updates, no removal, no acts on many keys and no limits.

use std::collections::HashSet;
use std::time::Duration;

use keyward::store::{KeyQuery, KeySort, Order};
use keyward::{
    Asked, Error, FormatKind, KeyChanges, KeyId, KeyspaceChanges, KeyspaceId, NewKey, RateLimit,
    Reason, VerifyOptions,
};
use rstest::rstest;

use super::{another, made_up, record};
use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{
    Call, World, code, issue, issue_as, keyspace_of, me, owner, reader, scopes, seconds,
};

use FormatKind::{Opaque, Prefixed, Signed};

/// The code of what became of one of many.
fn outcome<T>(result: &Result<T, Error>) -> &'static str {
    result.as_ref().map_or_else(Error::code, |_| "done")
}

#[rstest]
#[tokio::test]
async fn fault_14_keys_are_listed_in_pages_that_hold_each_once(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let named = |n: usize| {
        let owner = owner(["customer-1", "customer-2"][n % 2]);
        NewKey { name: format!("key {n:02}").parse().ok(), owner, ..reader() }
    };
    for new in (0..30).rev().map(named) {
        keyward.issue(new, &me()).await.unwrap();
    }
    let mut query = KeyQuery::new(keyward.now(), 4);
    query.owner = Some(owner("customer-1"));
    (query.sort, query.order) = (KeySort::Name, Order::Ascending);
    let (mut names, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = keyward.list(&query).await.unwrap();
        sizes.push(page.keys.len());
        names.extend(page.keys.into_iter().map(|key| key.record.name.unwrap().to_string()));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..30).step_by(2).map(|n| format!("key {n:02}")).collect();
    assert_eq!((names, sizes), (expected, vec![4, 4, 4, 3]));
}

#[rstest]
#[tokio::test]
async fn fault_14_a_key_can_be_changed_deleted_restored_and_purged(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let id = &issued.key.id;
    let scopes = Some(scopes(&["write"]));
    let changes = KeyChanges { scopes, name: Some("ci".parse().ok()), ..KeyChanges::default() };
    let updated = keyward.update(id, changes.clone(), &me()).await.unwrap();
    assert_eq!(updated.name, "ci".parse().ok());
    assert_eq!(updated.version, issued.key.version.next());
    assert_eq!(record(&another(&world).await, id).await, updated);
    let seen = KeyChanges { version: Some(issued.key.version), ..changes };
    assert_eq!(outcome(&keyward.update(id, seen, &me()).await), "conflict");
    keyward.delete(id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "unknown");
    keyward.restore(id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    assert_eq!(outcome(&keyward.purge(id, &me()).await), "not_deleted");
    keyward.delete(id, &me()).await.unwrap();
    keyward.purge(id, &me()).await.unwrap();
    assert_eq!(another(&world).await.key(id).await.unwrap(), None);
    assert_eq!(outcome(&keyward.restore(id, &me()).await), "not_found");
    assert_eq!(code(&keyward, &issued.secret).await, "unknown");
}

#[rstest]
#[tokio::test]
async fn fault_14_of_many_keys_to_issue_each_has_its_own_result(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let nowhere = NewKey { keyspace: "nowhere".parse().unwrap(), ..reader() };
    let news = [reader(), nowhere, reader(), reader()];
    let issued = keyward.issue_many(news, &me()).await;
    let outcomes: Vec<_> = issued.iter().map(outcome).collect();
    assert_eq!(outcomes, ["done", "invalid_request", "done", "done"]);
    let issued: Vec<_> = issued.into_iter().flatten().collect();
    let ids: HashSet<_> = issued.iter().map(|key| &key.key.id).collect();
    assert_eq!(ids.len(), 3);
    for key in &issued {
        assert_eq!(code(&keyward, &key.secret).await, "allowed");
        assert_eq!(record(&another(&world).await, &key.key.id).await, key.key);
    }
    assert!(keyward.issue_many([], &me()).await.is_empty());
}

#[rstest]
#[tokio::test]
async fn fault_14_of_many_keys_to_revoke_each_has_its_own_result(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let (one, two, spared) = (issue(&keyward).await, issue(&keyward).await, issue(&keyward).await);
    let before = keyward.revoke(&one.key.id, "before".parse().ok(), &me()).await.unwrap();
    let nobody: KeyId = "nobody".parse().unwrap();
    let reason: Reason = "leaked".parse().unwrap();
    let ids = [&one.key.id, &nobody, &two.key.id];
    let revoked = keyward.revoke_many(ids, Some(&reason), &me()).await;
    let outcomes: Vec<_> = revoked.iter().map(outcome).collect();
    assert_eq!(outcomes, ["already_revoked", "not_found", "done"]);
    let after = record(&keyward, &two.key.id).await;
    assert_eq!(after.revocation.unwrap().reason, Some(reason));
    assert_eq!(record(&keyward, &one.key.id).await, before);
    assert_eq!(code(&keyward, &two.secret).await, "revoked");
    assert_eq!(code(&keyward, &spared.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn fault_14_revoking_all_of_an_owner_minds_no_key_that_is_revoked_already(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keys = [issue(&keyward).await, issue(&keyward).await, issue(&keyward).await];
    keyward.revoke(&keys[1].key.id, None, &me()).await.unwrap();
    assert_eq!(keyward.revoke_all(&owner("customer-1"), None, &me()).await.unwrap(), 2);
    for key in &keys {
        assert_eq!(code(&keyward, &key.secret).await, "revoked");
    }
    assert_eq!(keyward.revoke_all(&owner("customer-9"), None, &me()).await.unwrap(), 0);
}

#[rstest]
#[tokio::test]
async fn fault_14_of_many_texts_to_verify_each_has_its_own_decision(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let (good, revoked) = (issue(&keyward).await, issue(&keyward).await);
    keyward.revoke(&revoked.key.id, None, &me()).await.unwrap();
    let bearer = format!("Bearer {}", good.secret.expose());
    let texts = [good.secret.expose(), revoked.secret.expose(), "kw_garbage", "", &bearer];
    let options = VerifyOptions::default();
    let decisions = keyward.verify_many(texts, &Asked::default(), &options).await;
    let codes: Vec<_> = decisions.into_iter().map(|decision| decision.unwrap().code()).collect();
    assert_eq!(codes, ["allowed", "revoked", "malformed", "missing", "allowed"]);
    assert_eq!(keyward.key(&good.key.id).await.unwrap().unwrap().usage.uses, 2);
    // What is in the cache is decided without the store, and the rest is an error of its own.
    let stranger = made_up(Prefixed, 0);
    world.store.fail_after(Call::Find, Some(0));
    let texts = [stranger.expose(), good.secret.expose()];
    let decisions = keyward.verify_many(texts, &Asked::default(), &options).await;
    assert!(decisions[0].is_err());
    assert_eq!(decisions[1].as_ref().unwrap().code(), "allowed");
}

#[rstest]
#[tokio::test]
async fn fault_14_each_keyspace_has_its_own_rate_limit(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let limits = [(KeyspaceId::default_keyspace(), 2), (keyspace_of(&keyward, Opaque).await, 4)];
    for (id, requests) in limits {
        let rate_limit = Some(RateLimit::new(requests, seconds(60)).ok());
        let changes = KeyspaceChanges { rate_limit, ..KeyspaceChanges::default() };
        keyward.update_keyspace(&id, changes, &me()).await.unwrap();
    }
    for (format, requests) in [(Prefixed, 2), (Opaque, 4)] {
        let [busy, calm] = [issue_as(&keyward, format).await, issue_as(&keyward, format).await];
        for _ in 0..requests {
            assert_eq!(code(&keyward, &busy.secret).await, "allowed");
        }
        assert_eq!(code(&keyward, &busy.secret).await, "rate_limited");
        assert_eq!(code(&keyward, &calm.secret).await, "allowed", "each key has its own share");
        world.clock.advance(Duration::from_mins(1));
        assert_eq!(code(&keyward, &busy.secret).await, "allowed");
    }
}
