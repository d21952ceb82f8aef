//! The change feed as rows.

use keyward_core::{Change, ChangeId, Locator, Sequence, Touched};
use keyward_store::{Feed, StoreError};
use tokio_postgres::Row;

use crate::row::{Fields, Shape, Unreadable, count, flag, json};
use crate::sql::{self, Sql, integer};

/// The most changes that one call returns.
const MOST_CHANGES: usize = 1_000;
/// After how many changes those that are no longer kept are removed.
const PRUNE_EVERY: u64 = 256;
/// What is told to those who listen whenever a change was made.
pub(crate) const CHANNEL: &str = "keyward_changes";

const CHANGE: Shape<(Sequence, Option<(u64, Touched)>)> = Shape { what: "change", read };
/// A place in the feed.
pub(crate) const POSITION: Shape<Sequence> = Shape { what: "change", read: read_position };
/// The place of a change if it was made, and that of the last change.
pub(crate) const PLACES: Shape<(Option<Sequence>, Sequence)> = Shape {
    what: "change",
    read: |fields| {
        let made = fields.optional(count)?.map(Sequence::new);
        Ok((made, read_position(fields)?))
    },
};

/// A question with the place of the last change in front of each row, of which there is one at least.
macro_rules! with_position {
    ($question:expr) => {
        concat!(
            "SELECT feed.position, found.* FROM (SELECT coalesce(max(sequence), 0) AS position \
             FROM keyward.changes) AS feed LEFT JOIN (",
            $question,
            ") AS found ON true"
        )
    };
}
pub(crate) use with_position;

/// Asks for the place of the last change.
pub(crate) fn position() -> Sql {
    let text = "SELECT coalesce(max(sequence), 0) AS position FROM keyward.changes";
    Sql::fixed(text, Vec::new())
}

/// Whether the server reads, and takes what is to be written.
pub(crate) const IS_WRITABLE: Shape<bool> =
    Shape { what: "feed", read: |fields| fields.read(flag) };

/// Asks that.
pub(crate) fn is_writable() -> Sql {
    let text = "SELECT NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::boolean \
                FROM keyward.feed";
    Sql::fixed(text, Vec::new())
}

/// Asks for changes after a place, all that is needed of one instant: two statements could see a gap
/// between them that is none.
pub(crate) fn since(position: Sequence) -> Sql {
    // The change at the position itself is read, too: as numbers have no holes, its presence, or
    // that of the next one, tells that none is missing.
    let text = concat!(
        with_position!(
            "SELECT sequence, keyspaces, locators, accounts, account_states \
             FROM keyward.changes WHERE sequence >= $1 ORDER BY sequence LIMIT $2"
        ),
        " ORDER BY sequence"
    );
    Sql::fixed(text, vec![integer(position.get()).into(), sql::count(MOST_CHANGES + 2).into()])
}

/// What these rows tell a follower who knows that place.
pub(crate) fn changes_since(rows: &[Row], position: Sequence) -> Result<Feed, StoreError> {
    let rows = CHANGE.all(rows)?;
    let end = rows.first().map_or(position, |(end, _)| *end);
    let changes = rows.into_iter().filter_map(|(_, change)| change);
    let changes = changes.map(|(sequence, touched)| (Sequence::new(sequence), touched));
    // A place that is not there: nothing, in a new database; or else it is not the one that was followed,
    // such as a restored backup, and everything may differ.
    Ok(Feed::of(changes, position, MOST_CHANGES).unwrap_or_else(|| Feed {
        has_gap: position != end,
        position: end,
        ..Feed::default()
    }))
}

/// Locks the feed until the transaction ends, and asks whether changes are refused.
pub(crate) fn lock() -> Sql {
    Sql::fixed("SELECT is_sealed FROM keyward.feed FOR UPDATE", Vec::new())
}

/// Refuses changes from now on, or accepts them again. Those under way are done by then.
pub(crate) fn seal(is_sealed: bool) -> Sql {
    Sql::fixed("UPDATE keyward.feed SET is_sealed = $1", vec![is_sealed.into()])
}

/// Asks for the place of a change, if it was made before, and of the last one. Only behind the lock do
/// they stay what they are.
pub(crate) fn places(id: ChangeId) -> Sql {
    let text = "SELECT (SELECT sequence FROM keyward.changes WHERE id = $1) AS made, \
                coalesce(max(sequence), 0) AS position FROM keyward.changes";
    Sql::fixed(text, vec![id.as_bytes().to_vec().into()])
}

/// Adds a change at its place, tells those who listen, and now and then removes those that are no longer
/// kept.
pub(crate) fn append(
    change: &Change,
    sequence: Sequence,
    kept: u32,
) -> Result<Vec<Sql>, serde_json::Error> {
    let touched = change.touched();
    let locators: Vec<_> = touched.locators.iter().map(Locator::to_stored).collect();
    let text = "INSERT INTO keyward.changes \
                (sequence, id, at, keyspaces, locators, accounts, account_states) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = vec![
        integer(sequence.get()).into(),
        change.id.as_bytes().to_vec().into(),
        change.at.as_micros().into(),
        touched.keyspaces.into(),
        sql::json(&locators)?,
        sql::json(&touched.accounts)?,
        touched.account_states.into(),
    ];
    let notify = Sql::fixed("SELECT pg_notify($1, '')", vec![sql::text(CHANNEL)]);
    let mut statements = vec![Sql::fixed(text, values), notify];
    if sequence.get().is_multiple_of(PRUNE_EVERY) {
        let dropped = sequence.get().saturating_sub(u64::from(kept.max(1)));
        let text = "DELETE FROM keyward.changes WHERE sequence <= $1";
        statements.push(Sql::fixed(text, vec![integer(dropped).into()]));
    }
    Ok(statements)
}

fn read_position(fields: &mut Fields<'_>) -> Result<Sequence, Unreadable> {
    Ok(Sequence::new(fields.read(count)?))
}

fn read(fields: &mut Fields<'_>) -> Result<(Sequence, Option<(u64, Touched)>), Unreadable> {
    let end = read_position(fields)?;
    let Some(sequence) = fields.optional(count)? else { return Ok((end, None)) };
    let keyspaces = fields.read(flag)?;
    let written: Vec<(String, String)> = fields.read(json)?;
    let locators: Result<_, _> =
        written.iter().map(|(kind, text)| Locator::from_stored(kind, text)).collect();
    let (locators, accounts) = (locators?, fields.read(json)?);
    let account_states = fields.read(flag)?;
    Ok((end, Some((sequence, Touched { account_states, accounts, keyspaces, locators }))))
}
