//! Rules about lists of keys.

use keyward_core::{
    Deletion, KeyRecord, KeyState, MatchTags, Name, OwnerId, Revocation, Tag, TagFilter, TagSet,
};

use super::sample::{at, changed, insert, key, update};
use crate::{KeyPosition, KeyQuery, KeySort, Order, Search, Store};

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
            ..key(&format!("key{n}"))
        };
        insert(store, &record).await;
        records.push(record);
    }
    for sort in [KeySort::CreatedAt, KeySort::ExpiresAt, KeySort::Name] {
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

/// A list by state holds the keys whose record tells that state, at the very instants where it
/// changes too; a list without a state holds all that are not deleted.
pub async fn states_are_told_as_the_record_tells_them(store: &dyn Store) {
    let base = |id: &str| KeyRecord { expires_at: None, not_before: None, ..key(id) };
    let by = || "actor".parse().unwrap();
    let revoked = |second| Some(Revocation { at: at(second), reason: None, by: by() });
    let deletion = Some(Deletion { at: at(0), by: by() });
    let records = [
        base("plain"),
        KeyRecord { enabled: false, ..base("off") },
        KeyRecord { expires_at: Some(at(10)), ..base("expiring") },
        KeyRecord { not_before: Some(at(10)), ..base("later") },
        KeyRecord { revocation: revoked(10), ..base("revoked") },
        KeyRecord { revocation: revoked(5), expires_at: Some(at(10)), ..base("both") },
        KeyRecord { enabled: false, not_before: Some(at(10)), ..base("off-later") },
        KeyRecord { deletion, expires_at: Some(at(5)), ..base("deleted") },
    ];
    for record in &records {
        insert(store, record).await;
    }
    for second in [4, 5, 9, 10, 11] {
        let now = at(second);
        for state in KeyState::ALL {
            let query = KeyQuery { state: Some(state), ..KeyQuery::new(now, 3) };
            let of_state = records.iter().filter(|record| record.state(now) == state);
            let mut expected: Vec<_> = of_state.map(|record| record.id.to_string()).collect();
            expected.sort_by(|a, b| b.cmp(a));
            assert_eq!(all_ids(store, &query).await, expected, "{state:?} at {second}");
        }
        assert_eq!(all_ids(store, &KeyQuery::new(now, 3)).await.len(), records.len() - 1);
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
