//! Lists of keys.

use keyward_core::{KeyState, MatchTags, TagFilter};
use keyward_store::{KeyPage, KeyPosition, KeyQuery, KeySort, KeyStates, SearchIn, StoreError};
use rusqlite::Connection;

use crate::key::{STORED_KEY, stored_key_columns, stored_key_joins};
use crate::page;
use crate::sql::{self, Sql, owned};

pub(crate) fn list(connection: &Connection, query: &KeyQuery) -> Result<KeyPage, StoreError> {
    let (keys, has_more, total) = page::read(
        connection,
        &STORED_KEY,
        &statement(query),
        query.skip.map(|_| count_statement(query)).as_ref(),
        query.limit,
    )?;
    let last = keys.last().filter(|_| has_more);
    let next = last.map(|key| KeyPosition::of(&key.record, query));
    Ok(KeyPage { keys, next, total })
}

fn statement(query: &KeyQuery) -> Sql {
    let mut sql = Sql::new(concat!("SELECT ", stored_key_columns!(), " FROM"));
    let path = Path::of(query);
    filter(&mut sql, query, path);
    let after = query.after.as_ref().map(|after| (&after.value, owned(&after.id)));
    let columns = sort_columns(query.sort, path);
    page::take(&mut sql, columns, query.order, after, query.skip, query.limit);
    sql
}

fn count_statement(query: &KeyQuery) -> Sql {
    let mut sql = Sql::new("SELECT count(*) FROM");
    filter(&mut sql, query, Path::of(query));
    sql
}

/// Through which index keys are reached: the one of the filter that is likely to leave the fewest.
/// The other filters look at each row, as SQLite knows less than we do about which that is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Path {
    Account,
    All,
    Deleted,
    Keyspace,
    Owner,
    Tag,
}

impl Path {
    fn of(query: &KeyQuery) -> Self {
        match query {
            KeyQuery { service_account: Some(_), .. } => Self::Account,
            KeyQuery { owner: Some(_), .. } => Self::Owner,
            // Of several tags a key may have several, and would be listed as often.
            KeyQuery { tags, .. } if tags.tags.iter().count() == 1 => Self::Tag,
            KeyQuery { states, .. } if *states == KeyState::Deleted.into() => Self::Deleted,
            KeyQuery { keyspace: Some(_), .. } => Self::Keyspace,
            _ => Self::All,
        }
    }

    /// Text for a filter by this path's own index, or else one that looks at each row.
    fn choose(self, own: Self, by_index: &'static str, by_row: &'static str) -> &'static str {
        if self == own { by_index } else { by_row }
    }
}

/// The same rule as `KeyQuery::includes`.
fn filter(sql: &mut Sql, query: &KeyQuery, path: Path) {
    // `CROSS` keeps the tables in this order.
    let by_tag = " key_tags CROSS JOIN keys ON keys.id = key_tags.key_id";
    sql.push(path.choose(Path::Tag, by_tag, " keys"));
    sql.push(concat!(stored_key_joins!(), " WHERE true"));
    if path == Path::Deleted {
        sql.push(
            " AND id IN (SELECT id FROM keys WHERE deleted_at IS NOT NULL \
             UNION ALL SELECT keys.id FROM service_accounts CROSS JOIN keys \
             ON keys.service_account = service_accounts.id \
             WHERE service_accounts.deleted_at IS NOT NULL)",
        );
    }
    if let Some(account) = query.service_account {
        sql.bind(" AND service_account = ?", sql::client_id(account));
    }
    if let Some(owner) = &query.owner {
        sql.bind(path.choose(Path::Owner, " AND owner = ?", " AND +owner = ?"), owned(owner));
    }
    filter_by_tags(sql, &query.tags, path);
    if let Some(keyspace) = &query.keyspace {
        let text = path.choose(Path::Keyspace, " AND keyspace = ?", " AND +keyspace = ?");
        sql.bind(text, owned(keyspace));
    }
    filter_by_states(sql, query);
    if let Some(search) = &query.search {
        let text = match search.place() {
            SearchIn::Everything => " AND instr(search_text, ?) > 0",
            SearchIn::Notes => " AND instr(notes_search_text(name, description), ?) > 0",
        };
        sql.bind(text, search.as_str().to_owned());
    }
}

fn filter_by_tags(sql: &mut Sql, wanted: &TagFilter, path: Path) {
    const HAS: &str = " EXISTS (SELECT 1 FROM key_tags WHERE tag = ?";
    let mut between = " AND (";
    for tag in &wanted.tags {
        if path == Path::Tag {
            return sql.bind(" AND key_tags.tag = ?", owned(tag.as_str()));
        }
        sql.push(between);
        sql.bind(HAS, owned(tag.as_str()));
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

/// The same rule as `StoredKey::state`: the first that holds.
fn filter_by_states(sql: &mut Sql, query: &KeyQuery) {
    const IS_DELETED: &str = "(deleted_at IS NOT NULL OR account_deleted_at IS NOT NULL)";
    if query.states == KeyStates::ALL {
        return;
    }
    if query.states == KeyStates::NOT_DELETED {
        return sql.push(" AND deleted_at IS NULL AND account_deleted_at IS NULL");
    }
    let now = query.now.as_micros();
    sql.push(" AND CASE WHEN ");
    sql.push(IS_DELETED);
    sql.bind(" THEN 'deleted' WHEN expires_at <= max(?, updated_at)", now);
    sql.bind(" THEN 'expired' WHEN revoked_at <= max(?, updated_at)", now);
    sql.push(" THEN 'revoked' WHEN enabled = 0 OR account_enabled = 0");
    sql.bind(" THEN 'disabled' WHEN not_before > max(?, updated_at)", now);
    sql.push(" THEN 'not_yet_valid' ELSE 'active' END IN (");
    for (number, state) in query.states.iter().enumerate() {
        sql.push(if number == 0 { "'" } else { ", '" });
        sql.push(state.as_str());
        sql.push("'");
    }
    sql.push(")");
}

/// What is sorted by, as `KeyPosition::of` says, and the id.
const fn sort_columns(sort: KeySort, path: Path) -> (&'static str, &'static str) {
    match (sort, path) {
        (KeySort::CreatedAt, Path::Tag) => ("key_tags.key_created_at", "key_tags.key_id"),
        (KeySort::CreatedAt, _) => ("created_at", "id"),
        (KeySort::Enabled, _) => ("enabled", "id"),
        (KeySort::ExpiresAt, _) => ("expiry_place", "id"),
        (KeySort::Name, _) => ("name_place", "id"),
        (KeySort::UpdatedAt, _) => ("updated_at", "id"),
    }
}

#[cfg(test)]
mod tests;
