//! Lists of keys.

use keyward_core::{KeyState, MatchTags, TagFilter};
use keyward_store::{KeyPage, KeyPosition, KeyQuery, KeySort, KeyStates, SearchIn, StoreError};

use crate::key::{STORED_KEY, stored_key_columns, stored_key_joins};
use crate::page;
use crate::pool::Pool;
use crate::sql::{self, Sql, containing};

pub(crate) async fn list(pool: &Pool, query: &KeyQuery) -> Result<KeyPage, StoreError> {
    let (keys, has_more, total) = page::read(
        pool,
        "list keys",
        &STORED_KEY,
        statement(query),
        query.skip.map(|_| count_statement(query)),
        query.limit,
    )
    .await?;
    let last = keys.last().filter(|_| has_more);
    let next = last.map(|key| KeyPosition::of(&key.record, query));
    Ok(KeyPage { keys, next, total })
}

pub(crate) fn statement(query: &KeyQuery) -> Sql {
    let mut sql = Sql::new(concat!("SELECT ", stored_key_columns!(), " FROM"));
    let path = Path::of(query);
    filter(&mut sql, query, path);
    let after = query.after.as_ref().map(|after| (&after.value, sql::text(&after.id)));
    let columns = sort_columns(query.sort, path);
    page::take(&mut sql, columns, query.order, after, query.skip, query.limit);
    sql
}

fn count_statement(query: &KeyQuery) -> Sql {
    let mut sql = Sql::new("SELECT count(*) FROM");
    filter(&mut sql, query, Path::of(query));
    sql
}

/// Which tables keys are reached through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Path {
    /// All of them, in the order that is asked for.
    All,
    Deleted,
    /// By a filter that has an index with the order of the default listing. Of several such filters,
    /// PostgreSQL knows which one leaves the fewest.
    Filtered,
    Tag,
}

impl Path {
    fn of(query: &KeyQuery) -> Self {
        match query {
            KeyQuery { service_account: Some(_), .. } | KeyQuery { owner: Some(_), .. } => {
                Self::Filtered
            }
            // Of several tags a key may have several, and would be listed as often.
            KeyQuery { tags, .. } if tags.tags.iter().count() == 1 => Self::Tag,
            KeyQuery { states, .. } if *states == KeyState::Deleted.into() => Self::Deleted,
            KeyQuery { keyspace: Some(_), .. } => Self::Filtered,
            _ => Self::All,
        }
    }
}

/// The same rule as `KeyQuery::includes`.
fn filter(sql: &mut Sql, query: &KeyQuery, path: Path) {
    sql.push(match path {
        Path::Tag => " keyward.key_tags JOIN keyward.keys ON keys.id = key_tags.key_id",
        Path::All | Path::Deleted | Path::Filtered => " keyward.keys",
    });
    sql.push(concat!(stored_key_joins!(), " WHERE true"));
    if path == Path::Deleted {
        sql.push(
            " AND id IN (SELECT id FROM keyward.keys WHERE deleted_at IS NOT NULL \
             UNION ALL SELECT keys.id FROM keyward.service_accounts JOIN keyward.keys \
             ON keys.service_account = service_accounts.id \
             WHERE service_accounts.deleted_at IS NOT NULL)",
        );
    }
    if let Some(account) = query.service_account {
        sql.bind(" AND service_account = ?", sql::client_id(account));
    }
    if let Some(owner) = &query.owner {
        sql.bind(" AND owner = ?", sql::text(owner));
    }
    filter_by_tags(sql, &query.tags, path);
    if let Some(keyspace) = &query.keyspace {
        sql.bind(" AND keyspace = ?", sql::text(keyspace));
    }
    filter_by_states(sql, query);
    if let Some(search) = &query.search {
        let text = match search.place() {
            SearchIn::Everything => " AND search_text LIKE ?",
            SearchIn::Notes => " AND notes_search_text LIKE ?",
        };
        sql.bind(text, containing(search.as_str()));
    }
}

fn filter_by_tags(sql: &mut Sql, wanted: &TagFilter, path: Path) {
    const HAS: &str = " EXISTS (SELECT 1 FROM keyward.key_tags WHERE tag = ?";
    let mut between = " AND (";
    for tag in &wanted.tags {
        if path == Path::Tag {
            return sql.bind(" AND key_tags.tag = ?", sql::text(tag.as_str()));
        }
        sql.push(between);
        sql.bind(HAS, sql::text(tag.as_str()));
        sql.push(" AND key_created_at = keys.created_at AND key_tags.key_id = keys.id)");
        between = match wanted.matching {
            MatchTags::All => " AND",
            MatchTags::Any => " OR",
        };
    }
    if !wanted.is_empty() {
        sql.push(")");
    }
}

/// The same rule as `StoredKey::state`: the first that holds. That it comes to yes or no for each, and not
/// to the name of a state, has PostgreSQL expect half of the keys, and not next to none.
fn filter_by_states(sql: &mut Sql, query: &KeyQuery) {
    if query.states == KeyStates::ALL {
        return;
    }
    if query.states == KeyStates::NOT_DELETED {
        return sql.push(" AND deleted_at IS NULL AND account_deleted_at IS NULL");
    }
    let wanted = |state| if query.states.contains(state) { " THEN true" } else { " THEN false" };
    let now = query.now.as_micros();
    sql.push(" AND CASE WHEN deleted_at IS NOT NULL OR account_deleted_at IS NOT NULL");
    sql.push(wanted(KeyState::Deleted));
    sql.bind(" WHEN expires_at <= greatest(?, updated_at)", now);
    sql.push(wanted(KeyState::Expired));
    sql.bind(" WHEN revoked_at <= greatest(?, updated_at)", now);
    sql.push(wanted(KeyState::Revoked));
    sql.push(" WHEN NOT enabled OR NOT account_enabled");
    sql.push(wanted(KeyState::Disabled));
    sql.bind(" WHEN not_before > greatest(?, updated_at)", now);
    sql.push(wanted(KeyState::NotYetValid));
    sql.push(if query.states.contains(KeyState::Active) {
        " ELSE true END"
    } else {
        " ELSE false END"
    });
}

/// What is sorted by, as `KeyPosition::of` says, and the id.
const fn sort_columns(sort: KeySort, path: Path) -> (&'static str, &'static str) {
    match (sort, path) {
        (KeySort::CreatedAt, Path::Tag) => ("key_tags.key_created_at", "key_tags.key_id"),
        (KeySort::CreatedAt, Path::All) => ("(created_at + 0)", "id"),
        (KeySort::CreatedAt, _) => ("created_at", "id"),
        (KeySort::Enabled, _) => ("enabled::integer::bigint", "id"),
        (KeySort::ExpiresAt, _) => ("coalesce(expires_at, 9223372036854775807)", "id"),
        (KeySort::Name, _) => ("coalesce(name, '')", "id"),
        (KeySort::UpdatedAt, _) => ("updated_at", "id"),
    }
}
