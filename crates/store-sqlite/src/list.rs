//! Lists of keys.

use keyward_core::{KeyState, MatchTags, TagFilter};
use keyward_store::{KeyPage, KeyPosition, KeyQuery, KeySort, Order, SortValue, StoreError};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::key::{STORED_KEY, stored_key_columns};
use crate::sql::Sql;

pub(crate) fn list(connection: &Connection, query: &KeyQuery) -> Result<KeyPage, StoreError> {
    let Sql { text, values } = statement(query);
    let mut keys = STORED_KEY.all(connection, &text, params_from_iter(values))?;
    let has_more = keys.len() > query.limit;
    keys.truncate(query.limit);
    let last = keys.last().filter(|_| has_more);
    let next = last.map(|key| KeyPosition::of(&key.record, query));
    Ok(KeyPage { keys, next })
}

fn statement(query: &KeyQuery) -> Sql {
    let mut sql = Sql::new(concat!("SELECT ", stored_key_columns!(), " FROM"));
    let path = Path::of(query);
    filter(&mut sql, query, path);
    filter_by_state(&mut sql, query);
    if let Some(search) = &query.search {
        sql.bind(" AND instr(search_text, ?) > 0", search.as_str().to_owned());
    }
    let columns = sort_columns(query.sort, path);
    if let Some(after) = &query.after {
        start_after(&mut sql, after, query.order, columns);
    }
    order(&mut sql, query.order, columns);
    sql.limit_one_more_than(query.limit);
    sql
}

/// Through which index keys are reached: the one of the filter that is likely to leave the fewest.
/// The other filters look at each row, as SQLite knows less than we do about which that is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Path {
    All,
    Keyspace,
    Owner,
    Tag,
}

impl Path {
    fn of(query: &KeyQuery) -> Self {
        match query {
            KeyQuery { owner: Some(_), .. } => Self::Owner,
            // Of several tags a key may have several, and would be listed as often.
            KeyQuery { tags, .. } if tags.tags.iter().count() == 1 => Self::Tag,
            KeyQuery { keyspace: Some(_), .. } => Self::Keyspace,
            _ => Self::All,
        }
    }
}

fn filter(sql: &mut Sql, query: &KeyQuery, path: Path) {
    if path == Path::Tag {
        // `CROSS` keeps the tables in this order.
        sql.push(" key_tags CROSS JOIN keys ON keys.id = key_tags.key_id");
    } else {
        sql.push(" keys");
    }
    sql.push(" LEFT JOIN usage ON usage.key_id = keys.id WHERE true");
    if let Some(owner) = &query.owner {
        sql.bind(" AND owner = ?", owner.as_str().to_owned());
    }
    filter_by_tags(sql, &query.tags, path);
    if let Some(keyspace) = &query.keyspace {
        let by_index = path == Path::Keyspace;
        let text = if by_index { " AND keyspace = ?" } else { " AND +keyspace = ?" };
        sql.bind(text, keyspace.as_str().to_owned());
    }
}

fn filter_by_tags(sql: &mut Sql, wanted: &TagFilter, path: Path) {
    const HAS: &str = " EXISTS (SELECT 1 FROM key_tags WHERE tag = ?";
    let mut between = " AND (";
    for tag in &wanted.tags {
        let tag = tag.as_str().to_owned();
        if path == Path::Tag {
            return sql.bind(" AND key_tags.tag = ?", tag);
        }
        sql.push(between);
        sql.bind(HAS, tag);
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

/// The same rule as `KeyRecord::state`: the first that holds.
fn filter_by_state(sql: &mut Sql, query: &KeyQuery) {
    const EXPIRED: &str = " AND expires_at <= max(?, updated_at)";
    const NOT_EXPIRED: &str = " AND (expires_at IS NULL OR expires_at > max(?, updated_at))";
    const REVOKED: &str = " AND revoked_at <= max(?, updated_at)";
    const NOT_REVOKED: &str = " AND (revoked_at IS NULL OR revoked_at > max(?, updated_at))";
    const BEGUN: &str = " AND (not_before IS NULL OR not_before <= max(?, updated_at))";
    const NOT_BEGUN: &str = " AND not_before > max(?, updated_at)";
    if query.state == Some(KeyState::Deleted) {
        return sql.push(" AND deleted_at IS NOT NULL");
    }
    sql.push(" AND deleted_at IS NULL");
    let (at_now, enabled): (&[&'static str], _) = match query.state {
        None | Some(KeyState::Deleted) => (&[], None),
        Some(KeyState::Expired) => (&[EXPIRED], None),
        Some(KeyState::Revoked) => (&[NOT_EXPIRED, REVOKED], None),
        Some(KeyState::Disabled) => (&[NOT_EXPIRED, NOT_REVOKED], Some(" AND enabled = 0")),
        Some(KeyState::NotYetValid) => {
            (&[NOT_EXPIRED, NOT_REVOKED, NOT_BEGUN], Some(" AND enabled = 1"))
        }
        Some(KeyState::Active) => (&[NOT_EXPIRED, NOT_REVOKED, BEGUN], Some(" AND enabled = 1")),
    };
    for condition in at_now {
        sql.bind(condition, query.now.as_micros());
    }
    sql.push(enabled.unwrap_or_default());
}

/// What is sorted by, as `KeyPosition::of` says, and the id.
const fn sort_columns(sort: KeySort, path: Path) -> (&'static str, &'static str) {
    match (sort, path) {
        (KeySort::CreatedAt, Path::Tag) => ("key_tags.key_created_at", "key_tags.key_id"),
        (KeySort::CreatedAt, _) => ("created_at", "id"),
        (KeySort::ExpiresAt, _) => ("expiry_place", "id"),
        (KeySort::Name, _) => ("name_place", "id"),
    }
}

fn start_after(
    sql: &mut Sql,
    after: &KeyPosition,
    order: Order,
    columns: (&'static str, &'static str),
) {
    let value: Value = match &after.value {
        SortValue::Micros(micros) => (*micros).into(),
        SortValue::Text(text) => text.clone().into(),
    };
    sql.push(" AND (");
    sql.push(columns.0);
    sql.push(", ");
    sql.push(columns.1);
    sql.push(match order {
        Order::Ascending => ") > (",
        Order::Descending => ") < (",
    });
    sql.bind("?", value);
    sql.bind(", ?)", after.id.as_str().to_owned());
}

fn order(sql: &mut Sql, order: Order, columns: (&'static str, &'static str)) {
    let direction = match order {
        Order::Ascending => " ASC",
        Order::Descending => " DESC",
    };
    for text in [" ORDER BY ", columns.0, direction, ", ", columns.1, direction] {
        sql.push(text);
    }
}

#[cfg(test)]
mod tests;
