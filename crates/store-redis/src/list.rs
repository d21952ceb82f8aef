//! Lists of keys.

use keyward_core::{KeyState, MatchTags, Tag, Timestamp};
use keyward_store::{
    KeyPage, KeyPosition, KeyQuery, KeySort, KeyStates, Search, SearchIn, StoreError,
};
use serde::Serialize;

use crate::calls::Calls;
use crate::key::read_stored;
use crate::page::{self, Bounds, Walk};
use crate::place::{self, INSTANT, instant};
use crate::reply::{Reply, corrupt};
use crate::script;

/// The longest set that is sorted anew. A longer one is not: what stands in the order that is asked for is
/// looked through instead.
const MOST_TO_SORT: usize = 2_000;

/// The keys that a script passes on, and in which order it finds them.
#[derive(Clone, Default, Serialize)]
pub(crate) struct Wanted<'q> {
    /// Where in a member of the sorted set the id begins, counted from 1.
    pub(crate) id_from: usize,
    pub(crate) spared: Vec<&'q str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unless_expired_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unless_revoked_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
    pub(crate) has_all_tags: bool,
    pub(crate) is_in_notes: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keyspace: Option<&'q str>,
    pub(crate) most_to_sort: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) now: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<&'q str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) search: Option<&'q str>,
    /// A set by creation that has all that is wanted; sorted anew, if it is short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) narrow: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) states: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<Vec<&'q str>>,
}

pub(crate) async fn list(calls: &Calls, query: &KeyQuery) -> Result<KeyPage, StoreError> {
    let walk = walk(query);
    let page = page::read(calls, "list keys", &script::LIST, &walk).await?;
    let rows = page.rows.into_iter().map(|row| read_stored(Reply::of(row)?));
    let keys = rows.collect::<Result<Vec<_>, _>>().map_err(corrupt("key"))?;
    let last = keys.last().filter(|_| page.has_more);
    let next = last.map(|key| KeyPosition::of(&key.record, query));
    Ok(KeyPage { keys, next, total: page.total })
}

fn walk(query: &KeyQuery) -> Walk<Wanted<'_>> {
    let after = query.after.as_ref().filter(|_| query.skip.is_none());
    let after = after.map(|after| place::of_key(query.sort, &after.value) + after.id.as_str());
    let sort = sort_name(query.sort);
    let (index, narrow) = match (query.sort, narrow_set(query)) {
        (KeySort::CreatedAt, Some(narrow)) => (narrow, None),
        (_, narrow) => (format!("keys:{sort}"), narrow),
    };
    let bounds = Bounds::after(index, query.order, after.as_deref());
    let search = query.search.as_ref();
    let wanted = Wanted {
        id_from: if query.sort == KeySort::Enabled { 2 } else { INSTANT + 1 },
        account: query.service_account.map(|id| id.to_string()),
        after,
        has_all_tags: query.tags.matching == MatchTags::All,
        is_in_notes: search.is_some_and(|search| search.place() == SearchIn::Notes),
        keyspace: query.keyspace.as_ref().map(AsRef::as_ref),
        most_to_sort: MOST_TO_SORT,
        now: Some(instant(query.now)),
        owner: query.owner.as_ref().map(AsRef::as_ref),
        search: search.map(Search::as_str),
        narrow,
        sort: Some(sort),
        states: states(query.states),
        tags: (!query.tags.is_empty()).then(|| query.tags.tags.iter().map(Tag::as_str).collect()),
        ..Wanted::default()
    };
    Walk::new(bounds, query.limit, query.skip, wanted)
}

/// The sorted set, by creation, of the filter that is likely to leave the fewest keys.
fn narrow_set(query: &KeyQuery) -> Option<String> {
    let tags = &query.tags;
    // Of several tags a key may have any, and then none of them leads to all keys.
    let tag = tags.tags.iter().next();
    let tag = tag.filter(|_| tags.matching == MatchTags::All || tags.tags.iter().count() == 1);
    match query {
        KeyQuery { service_account: Some(id), .. } => Some(format!("keys:account:{id}")),
        KeyQuery { owner: Some(owner), .. } => Some(format!("keys:owner:{owner}")),
        KeyQuery { keyspace, .. } => tag
            .map(|tag| format!("keys:tag:{}", tag.as_str()))
            .or_else(|| keyspace.as_ref().map(|keyspace| format!("keys:keyspace:{keyspace}"))),
    }
}

/// The names of states, if any is left out.
fn states(states: KeyStates) -> Option<Vec<&'static str>> {
    (states != KeyStates::ALL).then(|| states.iter().map(KeyState::as_str).collect())
}

/// The order's name in scripts, and of the sorted set of all keys in that order.
const fn sort_name(sort: KeySort) -> &'static str {
    match sort {
        KeySort::CreatedAt => "created",
        KeySort::Enabled => "enabled",
        KeySort::ExpiresAt => "expires",
        KeySort::Name => "name",
        KeySort::UpdatedAt => "updated",
    }
}

/// The keys that stand in a sorted set up to an instant.
pub(crate) fn up_to<'q>(
    index: &str,
    by: Timestamp,
    limit: usize,
    wanted: Wanted<'q>,
) -> Walk<Wanted<'q>> {
    let wanted = Wanted { id_from: INSTANT + 1, ..wanted };
    Walk::new(Bounds::up_to(index, &instant(by)), limit, None, wanted)
}
