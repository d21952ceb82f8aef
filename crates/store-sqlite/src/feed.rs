//! The change feed as rows.

use keyward_core::{Change, ChangeId, Locator, Sequence, Touched};
use keyward_store::{Feed, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

use crate::row::{Fields, Shape, Unreadable, count, flag, json};
use crate::sql::{execute, integer, json_text};

/// The most changes that one call returns.
const MOST_CHANGES: usize = 1_000;
/// After how many changes those that are no longer kept are removed.
const PRUNE_EVERY: i64 = 256;

const CHANGE: Shape<(u64, Touched)> =
    Shape { what: "change", operation: "read the change feed", read };
const SEQUENCE: Shape<u64> = Shape {
    what: "change",
    operation: "read the change feed",
    read: |fields| Ok(fields.optional(count)?.unwrap_or_default()),
};

pub(crate) fn position(connection: &Connection) -> Result<Sequence, StoreError> {
    let last = SEQUENCE.first(connection, "SELECT max(sequence) FROM changes", [])?;
    Ok(Sequence::new(last.unwrap_or_default()))
}

pub(crate) fn changes_since(
    connection: &Connection,
    position: Sequence,
) -> Result<Feed, StoreError> {
    // The change at the position itself is read, too: as numbers have no holes, its presence, or
    // that of the next one, tells that none is missing.
    let sql = "SELECT sequence, keyspaces, locators, accounts, account_states FROM changes \
               WHERE sequence >= ? ORDER BY sequence LIMIT ?";
    let limit = integer(u64::try_from(MOST_CHANGES + 2).unwrap_or(u64::MAX));
    let changes = CHANGE.all(connection, sql, (integer(position.get()), limit))?;
    let changes = changes.into_iter().map(|(sequence, touched)| (Sequence::new(sequence), touched));
    match Feed::of(changes, position, MOST_CHANGES) {
        Some(feed) => Ok(feed),
        None => at_the_end(connection, position),
    }
}

/// What a follower is told who knows a place that is not there: nothing, in a new file; or else the
/// file is not the one that was followed, such as a restored backup, and everything may differ.
fn at_the_end(connection: &Connection, followed: Sequence) -> Result<Feed, StoreError> {
    let position = position(connection)?;
    let touched = Touched::default();
    Ok(Feed { has_gap: followed != position, has_more: false, position, touched })
}

/// The place of a change that was made before.
pub(crate) fn sequence_of(
    connection: &Connection,
    id: ChangeId,
) -> rusqlite::Result<Option<Sequence>> {
    let mut statement = connection.prepare_cached("SELECT sequence FROM changes WHERE id = ?")?;
    let found = statement.query_row([id.as_bytes()], |row| row.get::<_, i64>(0)).optional()?;
    Ok(found.map(sequence))
}

/// Adds a change, and now and then removes those that are no longer kept.
pub(crate) fn append(
    connection: &Connection,
    change: &Change,
    kept: u32,
) -> rusqlite::Result<Sequence> {
    let touched = change.touched();
    let locators: Vec<_> = touched.locators.iter().map(Locator::to_stored).collect();
    let sql = "INSERT INTO changes (id, at, keyspaces, locators, accounts, account_states) \
               VALUES (?, ?, ?, ?, ?, ?)";
    let params = params![
        change.id.as_bytes(),
        change.at.as_micros(),
        touched.keyspaces,
        json_text(&locators)?,
        json_text(&touched.accounts)?,
        touched.account_states,
    ];
    execute(connection, sql, params)?;
    let last = connection.last_insert_rowid();
    if last % PRUNE_EVERY == 0 {
        let dropped = last - i64::from(kept.max(1));
        execute(connection, "DELETE FROM changes WHERE sequence <= ?", [dropped])?;
    }
    Ok(sequence(last))
}

fn sequence(row: i64) -> Sequence {
    Sequence::new(u64::try_from(row).unwrap_or_default())
}

fn read(fields: &mut Fields<'_>) -> Result<(u64, Touched), Unreadable> {
    let sequence = fields.read(count)?;
    let keyspaces = fields.read(flag)?;
    let written: Vec<(String, String)> = fields.read(json)?;
    let locators: Result<_, _> =
        written.iter().map(|(kind, text)| Locator::from_stored(kind, text)).collect();
    let (locators, accounts) = (locators?, fields.read(json)?);
    let account_states = fields.read(flag)?;
    Ok((sequence, Touched { account_states, accounts, keyspaces, locators }))
}
