//! Rules about lists of keys.

use keyward_core::{
    AccountState, Deletion, Description, KeyRecord, KeyState, MatchTags, Name, OwnerId, Revocation,
    ServiceAccount, Tag, TagFilter, TagSet,
};

use super::sample::{account, at, changed, insert, insert_account, key, key_of, update};
use crate::{KeyPosition, KeyQuery, KeySort, KeyStates, Order, Search, SearchIn, Store};

const SORTS: [KeySort; 5] =
    [KeySort::CreatedAt, KeySort::Enabled, KeySort::ExpiresAt, KeySort::Name, KeySort::UpdatedAt];

async fn ids(store: &dyn Store, query: &KeyQuery) -> Vec<String> {
    let page = store.list(query).await.unwrap();
    page.keys.iter().map(|key| key.record.id.to_string()).collect()
}

/// Follows pages to their end.
async fn all_ids(store: &dyn Store, query: &KeyQuery) -> Vec<String> {
    let mut query = query.clone();
    let mut all = Vec::new();
    loop {
        let page = store.list(&query).await.unwrap();
        assert!(page.keys.len() <= query.limit);
        all.extend(page.keys.iter().map(|key| key.record.id.to_string()));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return all,
        }
    }
}

/// Pages visit every key once, also where many are alike in what they are sorted by.
pub async fn pages_visit_every_key_once_in_every_order(store: &dyn Store) {
    let mut records = Vec::new();
    for n in 0..7_i64 {
        let record = KeyRecord {
            created_at: at(n / 3),
            expires_at: (n % 3 != 0).then(|| at(100 + n / 2)),
            name: (n % 2 == 0).then(|| Name::parse(format!("name {}", n / 4)).unwrap()),
            enabled: n % 3 == 1,
            updated_at: at(n % 4),
            ..key(&format!("key{n}"))
        };
        insert(store, &record).await;
        records.push(record);
    }
    for sort in SORTS {
        for order in [Order::Ascending, Order::Descending] {
            let query = KeyQuery { sort, order, ..KeyQuery::new(at(0), 2) };
            let place = |record: &KeyRecord| {
                let position = KeyPosition::of(record, &query);
                (position.value, position.id)
            };
            let mut expected = records.clone();
            expected.sort_by_key(place);
            if order == Order::Descending {
                expected.reverse();
            }
            let expected: Vec<_> = expected.iter().map(|record| record.id.to_string()).collect();
            assert_eq!(all_ids(store, &query).await, expected, "{sort:?} {order:?}");
        }
    }
}

/// A key that is added between two pages makes no other appear twice or not at all.
pub async fn keys_that_are_added_meanwhile_do_not_disturb_pages(store: &dyn Store) {
    for n in 0..4 {
        insert(store, &KeyRecord { created_at: at(n), ..key(&format!("key{n}")) }).await;
    }
    let first = store.list(&KeyQuery::new(at(0), 2)).await.unwrap();
    insert(store, &KeyRecord { created_at: at(9), ..key("newer") }).await;
    let rest = KeyQuery { after: first.next, ..KeyQuery::new(at(0), 2) };
    assert_eq!(ids(store, &rest).await, ["key1", "key0"]);
}

/// A list by states holds the keys that are in one of them, as the record and its service account tell,
/// at the very instants where it changes too; and so does its count.
pub async fn states_are_told_as_the_record_tells_them(store: &dyn Store) {
    let base = |id: &str| KeyRecord { expires_at: None, not_before: None, ..key(id) };
    let by = || "actor".parse().unwrap();
    let revoked = |second| Some(Revocation { at: at(second), reason: None, by: by() });
    let deletion = Some(Deletion { at: at(0), by: by() });
    let on = account();
    let off = ServiceAccount { enabled: false, ..account() };
    let gone = ServiceAccount { deletion: deletion.clone(), enabled: false, ..account() };
    for account in [&on, &off, &gone] {
        insert_account(store, account).await;
    }
    let records = [
        base("plain"),
        KeyRecord { enabled: false, ..base("off") },
        KeyRecord { expires_at: Some(at(10)), ..base("expiring") },
        KeyRecord { not_before: Some(at(10)), ..base("later") },
        KeyRecord { revocation: revoked(10), ..base("revoked") },
        KeyRecord { revocation: revoked(5), expires_at: Some(at(10)), ..base("both") },
        KeyRecord { enabled: false, not_before: Some(at(10)), ..base("off-later") },
        KeyRecord { deletion, expires_at: Some(at(5)), ..base("deleted") },
        KeyRecord { service_account: Some(on.id), ..base("of-active") },
        KeyRecord { service_account: Some(off.id), ..base("of-disabled") },
        KeyRecord { service_account: Some(off.id), expires_at: Some(at(10)), ..base("off-soon") },
        KeyRecord { service_account: Some(gone.id), ..base("of-deleted") },
        KeyRecord { service_account: Some(gone.id), enabled: false, ..base("off-of-deleted") },
    ];
    for record in &records {
        insert(store, record).await;
    }
    let mut accounts = [AccountState::Active; 13];
    accounts[9..].copy_from_slice(&[
        AccountState::Disabled,
        AccountState::Disabled,
        AccountState::Deleted,
        AccountState::Deleted,
    ]);
    for second in [4, 5, 9, 10, 11] {
        let now = at(second);
        let sets = KeyState::ALL.map(KeyStates::from).into_iter().chain([
            KeyStates::ALL,
            KeyStates::NOT_DELETED,
            KeyStates::of(&[KeyState::Disabled, KeyState::NotYetValid]),
            KeyStates::of(&[KeyState::Active, KeyState::Deleted]),
            KeyStates::of(&[]),
        ]);
        for states in sets {
            let query = KeyQuery { states, ..KeyQuery::new(now, 3) };
            let of_state = records
                .iter()
                .zip(accounts)
                .filter(|(record, account)| states.contains(record.state(*account, now)));
            let mut expected: Vec<_> = of_state.map(|(record, _)| record.id.to_string()).collect();
            expected.sort_by(|a, b| b.cmp(a));
            assert_eq!(all_ids(store, &query).await, expected, "{states:?} at {second}");
            let page = store.list(&query).await.unwrap();
            assert!(page.keys.iter().all(|key| states.contains(key.state(now))));
            let counted = KeyQuery { skip: Some(0), ..query };
            let total = store.list(&counted).await.unwrap().total;
            assert_eq!(total, Some(expected.len() as u64), "{states:?} at {second}");
        }
    }
}

/// Filters by owner, keyspace and tag are kept, alone and together.
pub async fn every_filter_of_keys_is_kept(store: &dyn Store) {
    let owner = |owner: &str| OwnerId::parse(owner).unwrap();
    let tags = |tags: &[&str]| TagSet::new(tags.iter().map(|t| Tag::parse(t).unwrap())).unwrap();
    insert(store, &KeyRecord { owner: owner("ann"), tags: tags(&["x", "y"]), ..key("a") }).await;
    insert(store, &KeyRecord { owner: owner("ann"), tags: tags(&["y"]), ..key("b") }).await;
    let keyspace = "other".parse().unwrap();
    insert(store, &KeyRecord { owner: owner("bob"), keyspace, tags: tags(&[]), ..key("c") }).await;

    let all = KeyQuery::new(at(0), 10);
    let of_ann = KeyQuery { owner: Some(owner("ann")), ..all.clone() };
    assert_eq!(ids(store, &of_ann).await, ["b", "a"]);
    let with_x = KeyQuery { tags: TagFilter::one(Tag::parse("X").unwrap()), ..of_ann.clone() };
    assert_eq!(ids(store, &with_x).await, ["a"]);
    let in_other = KeyQuery { keyspace: "other".parse().ok(), ..all.clone() };
    assert_eq!(ids(store, &in_other).await, ["c"]);
    let nowhere = KeyQuery { keyspace: "other".parse().ok(), ..of_ann };
    assert!(ids(store, &nowhere).await.is_empty());
    let of_prefix = KeyQuery { owner: Some(owner("an")), ..all };
    assert!(ids(store, &of_prefix).await.is_empty());
}

/// Keys are listed by their service account, alone and with other filters, deleted ones too.
pub async fn keys_are_listed_by_their_service_account(store: &dyn Store) {
    let (first, second) = (account(), account());
    for account in [&first, &second] {
        insert_account(store, account).await;
    }
    let deletion = Some(Deletion { at: at(0), by: "actor".parse().unwrap() });
    insert(store, &key_of(&first, "a")).await;
    insert(store, &KeyRecord { owner: OwnerId::parse("bob").unwrap(), ..key_of(&first, "b") })
        .await;
    insert(store, &KeyRecord { deletion, ..key_of(&first, "c") }).await;
    insert(store, &key_of(&second, "d")).await;
    insert(store, &key("e")).await;
    let of = |account: &ServiceAccount| KeyQuery {
        service_account: Some(account.id),
        ..KeyQuery::new(at(0), 10)
    };
    assert_eq!(ids(store, &of(&first)).await, ["b", "a"]);
    assert_eq!(
        ids(store, &KeyQuery { states: KeyStates::ALL, ..of(&first) }).await,
        ["c", "b", "a"]
    );
    assert_eq!(
        ids(store, &KeyQuery { owner: OwnerId::parse("bob").ok(), ..of(&first) }).await,
        ["b"]
    );
    assert_eq!(ids(store, &of(&second)).await, ["d"]);
    assert_eq!(ids(store, &of(&account())).await, [""; 0]);
}

/// Pages with numbers hold the same keys as those that are followed, in every order, and tell how many
/// there are in all; behind the last one there is nothing, and the total still.
pub async fn pages_with_numbers_hold_what_others_hold(store: &dyn Store) {
    for n in 0..7 {
        insert(
            store,
            &KeyRecord { created_at: at(n / 3), enabled: n % 2 == 0, ..key(&format!("key{n}")) },
        )
        .await;
    }
    for sort in SORTS {
        for order in [Order::Ascending, Order::Descending] {
            let query = KeyQuery { sort, order, ..KeyQuery::new(at(0), 3) };
            let expected = all_ids(store, &query).await;
            let mut found = Vec::new();
            for (skip, length) in [(0, 3), (3, 3), (6, 1), (7, 0), (u64::MAX, 0)] {
                let page =
                    store.list(&KeyQuery { skip: Some(skip), ..query.clone() }).await.unwrap();
                assert_eq!((page.keys.len(), page.total), (length, Some(7)), "{sort:?} {order:?}");
                assert_eq!(page.next.is_some(), skip < 4);
                found.extend(page.keys.iter().map(|key| key.record.id.to_string()));
            }
            assert_eq!(found, expected, "{sort:?} {order:?}");
        }
    }
    assert_eq!(store.list(&KeyQuery::new(at(0), 3)).await.unwrap().total, None);
}

/// Several tags are wanted any or all, with an owner or without; a key is listed once.
pub async fn keys_are_found_by_any_or_by_all_of_several_tags(store: &dyn Store) {
    let owner = |owner: &str| OwnerId::parse(owner).unwrap();
    let tags = |tags: &[&str]| TagSet::new(tags.iter().map(|t| Tag::parse(t).unwrap())).unwrap();
    for (id, of, own) in [
        ("a", "ann", &["x", "y"][..]),
        ("b", "ann", &["y"]),
        ("c", "bob", &["x", "z"]),
        ("d", "bob", &[]),
    ] {
        insert(store, &KeyRecord { owner: owner(of), tags: tags(own), ..key(id) }).await;
    }
    let query = |wanted: &[&str], matching| KeyQuery {
        tags: TagFilter { tags: tags(wanted), matching },
        ..KeyQuery::new(at(0), 2)
    };
    assert_eq!(all_ids(store, &query(&["X", "y"], MatchTags::Any)).await, ["c", "b", "a"]);
    assert_eq!(all_ids(store, &query(&["x", "Y"], MatchTags::All)).await, ["a"]);
    assert_eq!(all_ids(store, &query(&["x"], MatchTags::All)).await, ["c", "a"]);
    assert_eq!(all_ids(store, &query(&["x", "nobody"], MatchTags::All)).await, [""; 0]);
    assert_eq!(all_ids(store, &query(&[], MatchTags::Any)).await, ["d", "c", "b", "a"]);
    assert_eq!(all_ids(store, &query(&[], MatchTags::All)).await, ["d", "c", "b", "a"]);
    let of_bob = KeyQuery { owner: Some(owner("bob")), ..query(&["x", "y", "z"], MatchTags::Any) };
    assert_eq!(all_ids(store, &of_bob).await, ["c"]);
}

/// A changed key is listed by what it is now, and no longer by what it was.
pub async fn a_changed_key_is_listed_by_what_it_is_now(store: &dyn Store) {
    let tags = |tag: &str| TagSet::new([Tag::parse(tag).unwrap()]).unwrap();
    let name = |name: &str| Name::parse(name).ok();
    let before = KeyRecord { name: name("Before"), tags: tags("old"), ..key("a") };
    insert(store, &before).await;
    let after = KeyRecord { name: name("After"), tags: tags("new"), ..changed(&before) };
    store.apply(&update(&before, &after)).await.unwrap();
    for (tag, search, expected) in [("old", "before", 0), ("new", "after", 1)] {
        let all = KeyQuery::new(at(0), 10);
        let tagged = KeyQuery { tags: TagFilter::one(Tag::parse(tag).unwrap()), ..all.clone() };
        assert_eq!(ids(store, &tagged).await.len(), expected, "{tag}");
        let found = KeyQuery { search: Search::parse(search).ok(), ..all };
        assert_eq!(ids(store, &found).await.len(), expected, "{search}");
    }
}

/// Searches look at name, description, owner and id, in any case and any script.
pub async fn searches_ignore_case_and_take_wildcards_literally(store: &dyn Store) {
    let named = |id: &str, name: &str| KeyRecord {
        name: Some(Name::parse(name).unwrap()),
        description: None,
        ..key(id)
    };
    insert(store, &named("a", "Größe 100%")).await;
    insert(store, &named("b", "size_1")).await;
    let search = async |text: &str| {
        let search = Search::parse(text).ok();
        ids(store, &KeyQuery { search, ..KeyQuery::new(at(0), 10) }).await
    };
    assert_eq!(search("GRÖSSE").await, Vec::<String>::new());
    assert_eq!(search("GRÖ").await, ["a"]);
    assert_eq!(search("%").await, ["a"]);
    assert_eq!(search("_").await, ["b", "a"]);
    assert_eq!(search("e_1").await, ["b"]);
    assert_eq!(search("OWNER").await, ["b", "a"]);
}

/// A search in notes looks at name and description alone, as the other one does: in any case, without
/// wildcards, and not across the two.
pub async fn searches_in_notes_look_nowhere_else(store: &dyn Store) {
    let noted = |id: &str, name: Option<&str>, description: Option<&str>| KeyRecord {
        name: name.map(|name| Name::parse(name).unwrap()),
        description: description.map(|text| Description::parse(text).unwrap()),
        ..key(id)
    };
    insert(store, &noted("aa", Some("Größe 100%"), None)).await;
    insert(store, &noted("bb", None, Some("eine\nGRÖSSE"))).await;
    insert(store, &noted("cc", Some("end"), Some("start"))).await;
    let search = async |text: &str| {
        let search = Search::parse(text).ok().map(|search| search.within(SearchIn::Notes));
        ids(store, &KeyQuery { search, ..KeyQuery::new(at(0), 10) }).await
    };
    assert_eq!(search("GRÖ").await, ["bb", "aa"]);
    assert_eq!(search("0%").await, ["aa"]);
    assert_eq!(search("%0").await, [""; 0]);
    assert_eq!(search("endstart").await, [""; 0]);
    for elsewhere in ["owner", "bb", "kw_"] {
        assert_eq!(search(elsewhere).await, [""; 0], "{elsewhere}");
    }
}
