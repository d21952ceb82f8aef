//! Lists of keys through the library.

use std::collections::HashSet;
use std::time::Duration;

use keyward::store::{KeyQuery, Search};
use keyward::{Expiry, KeyId, KeyState, Keyward, NewKey};
use rstest::rstest;

use crate::revoke_all::issue_many;
use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, code, issue, me, owner, reader, seconds};

async fn ids(keyward: &Keyward, query: &KeyQuery) -> HashSet<KeyId> {
    let page = keyward.list(query).await.unwrap();
    assert_eq!(page.next, None);
    page.keys.into_iter().map(|key| key.record.id).collect()
}

#[rstest]
#[tokio::test]
async fn keys_are_listed_by_owner_and_by_what_they_are_called(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let named = |owner_name, name: &str| NewKey {
        owner: owner(owner_name),
        name: name.parse().ok(),
        ..reader()
    };
    let build = keyward.issue(named("customer-1", "Build"), &me()).await.unwrap().key.id;
    let deploy = keyward.issue(named("customer-1", "Deploy 100%"), &me()).await.unwrap().key.id;
    let rebuild = keyward.issue(named("customer-2", "rebuild"), &me()).await.unwrap().key.id;
    let of = async |owner_name: Option<&str>, search: Option<&str>| {
        let mut query = KeyQuery::new(keyward.now(), 10);
        query.owner = owner_name.map(owner);
        query.search = search.map(|text| Search::parse(text).unwrap());
        ids(&keyward, &query).await
    };
    let set = |ids: &[&KeyId]| ids.iter().map(|&id| id.clone()).collect::<HashSet<_>>();
    assert_eq!(of(Some("customer-1"), None).await, set(&[&build, &deploy]));
    assert_eq!(of(None, Some("BUILD")).await, set(&[&build, &rebuild]));
    assert_eq!(of(Some("customer-1"), Some("build")).await, set(&[&build]));
    assert_eq!(of(None, Some("0%")).await, set(&[&deploy]));
    assert_eq!(of(None, Some(build.as_str())).await, set(&[&build]));
    assert_eq!(of(Some("customer-3"), None).await, set(&[]));
}

#[rstest]
#[tokio::test]
async fn keys_are_listed_by_state(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = async |new| keyward.issue(new, &me()).await.unwrap().key.id;
    let later = Some(keyward.now().after(seconds(100)).unwrap());
    let active = issued(reader()).await;
    let not_yet_valid = issued(NewKey { not_before: later, ..reader() }).await;
    let expired = issued(NewKey { expiry: Expiry::In(seconds(50)), ..reader() }).await;
    let [disabled, revoked, deleted] =
        [issued(reader()).await, issued(reader()).await, issued(reader()).await];
    keyward.disable(&disabled, &me()).await.unwrap();
    keyward.delete(&deleted, &me()).await.unwrap();
    world.clock.advance(Duration::from_mins(1));
    keyward.revoke(&revoked, None, &me()).await.unwrap();
    let listed = async |state: KeyState| {
        let query = KeyQuery { states: state.into(), ..KeyQuery::new(keyward.now(), 10) };
        ids(&keyward, &query).await
    };
    let expected = [
        (KeyState::Active, active),
        (KeyState::Deleted, deleted),
        (KeyState::Disabled, disabled),
        (KeyState::Expired, expired),
        (KeyState::NotYetValid, not_yet_valid),
        (KeyState::Revoked, revoked.clone()),
    ];
    for (state, id) in expected {
        assert_eq!(listed(state).await, HashSet::from([id]), "{state:?}");
    }
    world.clock.set_back(Duration::from_secs(20));
    assert_eq!(listed(KeyState::Revoked).await, HashSet::from([revoked]));
}

#[rstest]
#[tokio::test]
async fn the_pages_of_a_list_hold_every_key_once(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keys = issue_many(&keyward, &owner("customer-1"), 25).await;
    let mut query = KeyQuery::new(keyward.now(), 10);
    let (mut seen, mut sizes) = (HashSet::new(), Vec::new());
    loop {
        let page = keyward.list(&query).await.unwrap();
        sizes.push(page.keys.len());
        seen.extend(page.keys.into_iter().map(|key| key.record.id));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(seen, keys.into_iter().map(|key| key.key.id).collect());
}

#[rstest]
#[tokio::test]
async fn usage_is_told_up_to_the_last_verification(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    let unused = keyward.key(&issued.key.id).await.unwrap().unwrap().usage;
    assert_eq!((unused.uses, unused.last_used_at), (0, None));
    for n in 1..=3 {
        world.clock.advance(Duration::from_millis(10));
        assert_eq!(code(&keyward, &issued.secret).await, "allowed");
        let usage = keyward.key(&issued.key.id).await.unwrap().unwrap().usage;
        assert_eq!((usage.uses, usage.last_used_at), (n, Some(keyward.now())));
        let page = keyward.list(&KeyQuery::new(keyward.now(), 10)).await.unwrap();
        assert_eq!(page.keys[0].usage, usage);
    }
}
