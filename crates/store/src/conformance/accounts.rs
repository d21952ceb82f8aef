//! Rules about service accounts.

use keyward_core::{
    AccountState, AccountWrite, Change, ClientId, Deletion, Description, KeyWrite, OwnerId,
    ServiceAccount,
};

use super::sample::{
    account, account_change, account_update, at, change, changed, changed_account, digest, event,
    insert, insert_account, insertion, key, key_of, refusal, update,
};
use crate::{
    AccountPosition, AccountQuery, AccountSort, AuditQuery, Conflict, Order, Search, Store,
};

fn insertion_of(account: &ServiceAccount) -> AccountWrite {
    AccountWrite::Insert(Box::new(account.clone()))
}

fn purge(account: &ServiceAccount) -> Change {
    account_change(vec![AccountWrite::Purge(Box::new(account.clone()))])
}

fn deletion(second: i64) -> Deletion {
    Deletion { at: at(second), by: "actor".parse().unwrap() }
}

async fn ids(store: &dyn Store, query: &AccountQuery) -> Vec<ClientId> {
    store.accounts(query).await.unwrap().accounts.iter().map(|account| account.id).collect()
}

/// Every field of an account reads back as it was written, a new and a changed one.
pub async fn an_account_reads_back_as_it_was_written(store: &dyn Store) {
    let new = account();
    insert_account(store, &new).await;
    assert_eq!(store.account(&new.id).await.unwrap().as_ref(), Some(&new));
    let previous = keyward_core::PreviousSecret { digest: digest(), until: at(9) };
    let secret = keyward_core::StoredDigests { current: digest(), previous: Some(previous) };
    let after = ServiceAccount {
        is_primary: true,
        description: None,
        secret,
        enabled: false,
        deletion: Some(deletion(5)),
        updated_at: at(5),
        updated_by: "other".parse().unwrap(),
        rotated_at: Some(at(4)),
        ..changed_account(&new)
    };
    store.apply(&account_update(&new, &after)).await.unwrap();
    assert_eq!(store.account(&new.id).await.unwrap(), Some(after.clone()));
    let query = AccountQuery { with_deleted: true, ..AccountQuery::new(10) };
    assert_eq!(store.accounts(&query).await.unwrap().accounts, [after]);
    assert_eq!(store.account(&account().id).await.unwrap(), None);
}

/// An id is used once, also within a change; of two changes to one version the second conflicts.
pub async fn an_account_is_created_once_and_changed_from_its_version(store: &dyn Store) {
    let first = account();
    insert_account(store, &first).await;
    let again = account_change(vec![insertion_of(&first)]);
    assert_eq!(refusal(store, &again).await, Conflict::Exists);
    let twin = account();
    let twice = account_change(vec![insertion_of(&twin), insertion_of(&twin)]);
    assert_eq!(refusal(store, &twice).await, Conflict::Exists);
    assert_eq!(store.account(&twin.id).await.unwrap(), None);
    let second = changed_account(&first);
    store.apply(&account_update(&first, &second)).await.unwrap();
    assert_eq!(refusal(store, &account_update(&first, &second)).await, Conflict::Outdated);
    assert_eq!(refusal(store, &purge(&first)).await, Conflict::Outdated);
    store.apply(&purge(&second)).await.unwrap();
    assert_eq!(refusal(store, &purge(&second)).await, Conflict::Outdated);
    assert_eq!(store.account(&first.id).await.unwrap(), None);
}

/// An owner has one primary account at most, whatever the others are; a deleted one does not count,
/// until it is restored.
pub async fn an_owner_has_one_primary_account(store: &dyn Store) {
    let primary = || ServiceAccount { is_primary: true, ..account() };
    let first = primary();
    insert_account(store, &first).await;
    insert_account(store, &account()).await;
    let second = primary();
    let other = ServiceAccount { owner: OwnerId::parse("other").unwrap(), ..primary() };
    assert_eq!(
        refusal(store, &account_change(vec![insertion_of(&second)])).await,
        Conflict::Exists
    );
    insert_account(store, &other).await;
    let plain = account();
    insert_account(store, &plain).await;
    let promoted = ServiceAccount { is_primary: true, ..changed_account(&plain) };
    assert_eq!(refusal(store, &account_update(&plain, &promoted)).await, Conflict::Exists);
    let deleted = ServiceAccount { deletion: Some(deletion(1)), ..changed_account(&first) };
    store.apply(&account_update(&first, &deleted)).await.unwrap();
    insert_account(store, &second).await;
    let restored = ServiceAccount { deletion: None, ..changed_account(&deleted) };
    assert_eq!(refusal(store, &account_update(&deleted, &restored)).await, Conflict::Exists);
    let query = AccountQuery::primary_of(first.owner.clone());
    assert_eq!(ids(store, &query).await, [second.id]);
    assert_eq!(ids(store, &AccountQuery::primary_of(other.owner)).await, [other.id]);
}

/// Of several changes at once which each make a primary account for the same owner, one is made, and
/// the others leave nothing behind: neither their accounts nor their keys.
pub async fn of_concurrent_primary_accounts_exactly_one_is_made(store: &dyn Store) {
    let changes: Vec<_> = (0..5)
        .map(|n| {
            let account = ServiceAccount { is_primary: true, ..account() };
            let key = KeyWrite::Insert(Box::new(key_of(&account, &format!("key{n}"))));
            Change { accounts: vec![insertion_of(&account)], ..change(vec![key]) }
        })
        .collect();
    let (a, b, c, d, e) = tokio::join!(
        store.apply(&changes[0]),
        store.apply(&changes[1]),
        store.apply(&changes[2]),
        store.apply(&changes[3]),
        store.apply(&changes[4]),
    );
    assert_eq!([a, b, c, d, e].iter().filter(|applied| applied.is_ok()).count(), 1);
    assert_eq!(store.accounts(&AccountQuery::new(20)).await.unwrap().accounts.len(), 1);
    let query = crate::KeyQuery::new(at(0), 20);
    assert_eq!(store.list(&query).await.unwrap().keys.len(), 1);
}

/// A key's account exists: with the key, or before it, and as long as there are keys of it.
pub async fn a_key_has_an_account_that_exists(store: &dyn Store) {
    let (missing, own) = (account(), account());
    assert_eq!(refusal(store, &insertion(&key_of(&missing, "a"))).await, Conflict::Outdated);
    let together = KeyWrite::Insert(Box::new(key_of(&own, "a")));
    let together = Change { accounts: vec![insertion_of(&own)], ..change(vec![together]) };
    store.apply(&together).await.unwrap();
    insert(store, &key_of(&own, "b")).await;
    let plain = key("c");
    insert(store, &plain).await;
    let moved = keyward_core::KeyRecord { service_account: Some(missing.id), ..changed(&plain) };
    assert_eq!(refusal(store, &update(&plain, &moved)).await, Conflict::Outdated);
    assert_eq!(refusal(store, &purge(&own)).await, Conflict::Outdated);
    for record in [key_of(&own, "a"), key_of(&own, "b")] {
        let stored = store.key(&record.id).await.unwrap().unwrap().record;
        store.apply(&change(vec![KeyWrite::Purge(Box::new(stored))])).await.unwrap();
    }
    store.apply(&purge(&own)).await.unwrap();
}

/// A key is read together with the state of its account, which changes without the key.
pub async fn a_key_is_read_with_the_state_of_its_account(store: &dyn Store) {
    let on = account();
    insert_account(store, &on).await;
    let record = key_of(&on, "a");
    insert(store, &record).await;
    insert(store, &key("b")).await;
    let off = ServiceAccount { enabled: false, ..changed_account(&on) };
    let gone = ServiceAccount { deletion: Some(deletion(1)), ..changed_account(&off) };
    let state = async || store.key(&record.id).await.unwrap().unwrap().account;
    assert_eq!(state().await, AccountState::Active);
    store.apply(&account_update(&on, &off)).await.unwrap();
    assert_eq!(state().await, AccountState::Disabled);
    store.apply(&account_update(&off, &gone)).await.unwrap();
    let stored = store.key(&record.id).await.unwrap().unwrap();
    assert_eq!((stored.account, &stored.record), (AccountState::Deleted, &record));
    let other = store.key(&"b".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(other.account, AccountState::Active);
}

/// Followers are told which accounts were written, and whether the state of keys changed with them.
pub async fn a_changed_account_is_told_to_followers(store: &dyn Store) {
    let start = store.position().await.unwrap();
    let new = account();
    insert_account(store, &new).await;
    let feed = store.changes_since(start).await.unwrap();
    assert_eq!((feed.touched.accounts, feed.touched.account_states), (vec![new.id], false));
    let noted = ServiceAccount { description: None, ..changed_account(&new) };
    store.apply(&account_update(&new, &noted)).await.unwrap();
    let told = store.changes_since(feed.position).await.unwrap();
    assert_eq!((told.touched.accounts, told.touched.account_states), (vec![new.id], false));
    let off = ServiceAccount { enabled: false, ..changed_account(&noted) };
    store.apply(&account_update(&noted, &off)).await.unwrap();
    let told = store.changes_since(told.position).await.unwrap();
    assert_eq!((&told.touched.accounts, told.touched.account_states), (&vec![new.id], true));
    let all = store.changes_since(start).await.unwrap();
    assert!(all.touched.account_states && all.touched.accounts.contains(&new.id));
    insert(store, &key("plain")).await;
    let told = store.changes_since(told.position).await.unwrap();
    assert_eq!((told.touched.accounts.len(), told.touched.account_states), (0, false));
}

/// Events name the account that they are about, and are found by it.
pub async fn events_are_found_by_their_account(store: &dyn Store) {
    let own = account();
    insert_account(store, &own).await;
    let record = key_of(&own, "a");
    let mut change = insertion(&record);
    change.events.push(event(keyward_core::Action::KeyIssued, &record, 1));
    change.events.push(event(keyward_core::Action::KeyIssued, &key("b"), 2));
    store.apply(&change).await.unwrap();
    let mut query = AuditQuery { limit: 10, ..AuditQuery::default() };
    query.filter.service_account = Some(own.id);
    let found = store.audit(&query).await.unwrap().events;
    assert_eq!(found, change.events[..1]);
    assert_eq!(store.summarize_audit(&query.filter).await.unwrap().total(), 1);
    query.filter.service_account = Some(account().id);
    assert!(store.audit(&query).await.unwrap().events.is_empty());
}

/// Pages visit every account once in every order, followed or by numbers, which tell the total.
pub async fn pages_visit_every_account_once_in_every_order(store: &dyn Store) {
    let mut accounts = Vec::new();
    for n in 0..7_i64 {
        let account = ServiceAccount { created_at: at(n / 3), updated_at: at(n % 4), ..account() };
        insert_account(store, &account).await;
        accounts.push(account);
    }
    for sort in [AccountSort::CreatedAt, AccountSort::UpdatedAt] {
        for order in [Order::Ascending, Order::Descending] {
            let mut query = AccountQuery { sort, order, ..AccountQuery::new(3) };
            let place = |account: &ServiceAccount| {
                let position = AccountPosition::of(account, &query);
                (position.value, position.id)
            };
            accounts.sort_by_key(place);
            if order == Order::Descending {
                accounts.reverse();
            }
            let expected: Vec<_> = accounts.iter().map(|account| account.id).collect();
            let mut numbered = Vec::new();
            for (skip, length) in [(0, 3), (3, 3), (6, 1), (7, 0)] {
                let query = AccountQuery { skip: Some(skip), ..query.clone() };
                let page = store.accounts(&query).await.unwrap();
                assert_eq!((page.accounts.len(), page.total), (length, Some(7)));
                numbered.extend(page.accounts.iter().map(|account| account.id));
            }
            assert_eq!(numbered, expected, "{sort:?} {order:?}");
            let mut followed = Vec::new();
            loop {
                let page = store.accounts(&query).await.unwrap();
                followed.extend(page.accounts.iter().map(|account| account.id));
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
            assert_eq!(followed, expected, "{sort:?} {order:?}");
        }
    }
}

/// Every filter of accounts is kept, and the state told by lists is the record's.
pub async fn every_filter_of_accounts_is_kept(store: &dyn Store) {
    let ann = || OwnerId::parse("ann").unwrap();
    let noted = |text: &str| Description::parse(text).ok();
    // Ids grow, and all are as old: the newest is the last.
    let plain = ServiceAccount { owner: ann(), description: noted("Größe_1"), ..account() };
    let off = ServiceAccount { enabled: false, is_primary: true, owner: ann(), ..account() };
    let gone = ServiceAccount { deletion: Some(deletion(10)), enabled: false, ..account() };
    let later = ServiceAccount { deletion: Some(deletion(20)), ..account() };
    for account in [&plain, &off, &gone, &later] {
        insert_account(store, account).await;
    }
    let all = AccountQuery::new(10);
    let sorted = async |query: &AccountQuery| {
        let mut found = ids(store, query).await;
        found.sort_unstable();
        found
    };
    let expected = |accounts: &[&ServiceAccount]| {
        let mut ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(sorted(&all).await, expected(&[&plain, &off]));
    let with_deleted = AccountQuery { with_deleted: true, ..all.clone() };
    assert_eq!(sorted(&with_deleted).await, expected(&[&plain, &off, &gone, &later]));
    for (state, of_state) in [
        (AccountState::Active, &[&plain][..]),
        (AccountState::Disabled, &[&off]),
        (AccountState::Deleted, &[&gone, &later]),
    ] {
        let query = AccountQuery { state: Some(state), ..all.clone() };
        assert_eq!(sorted(&query).await, expected(of_state), "{state:?}");
    }
    let of_ann = AccountQuery { owner: Some(ann()), ..all.clone() };
    assert_eq!(sorted(&of_ann).await, expected(&[&plain, &off]));
    let other = AccountQuery { is_primary: Some(false), ..of_ann.clone() };
    assert_eq!(sorted(&other).await, expected(&[&plain]));
    assert_eq!(sorted(&AccountQuery::primary_of(ann())).await, expected(&[&off]));
    let search = |text: &str| AccountQuery { search: Search::parse(text).ok(), ..all.clone() };
    assert_eq!(sorted(&search("GRÖ")).await, expected(&[&plain]));
    assert_eq!(sorted(&search("e_1")).await, expected(&[&plain]));
    assert_eq!(sorted(&search("e%1")).await, expected(&[]));
    assert_eq!(sorted(&search("ann")).await, expected(&[&plain, &off]));
    assert_eq!(sorted(&search(&off.id.to_string())).await, expected(&[&off]));
    for (second, found) in [(9, &[][..]), (10, &[&gone]), (20, &[&gone, &later])] {
        let query = AccountQuery::deleted_by(at(second), 10);
        assert_eq!(sorted(&query).await, expected(found), "{second}");
    }
}
