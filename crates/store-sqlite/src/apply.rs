//! Making a change: rows, audit events and its place in the feed.

use keyward_core::{Change, FormatKind, KeyRecord, KeyWrite, Locator};
use keyward_store::{Applied, Conflict};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::failure::WriteError;
use crate::key::{key_columns, values};
use crate::sql::{execute, integer};
use crate::{account, audit, feed, keyspace, oauth, seal};

/// Makes a change inside the transaction that the caller has begun, and rolls back if it fails.
pub(crate) fn apply(
    connection: &Connection,
    change: &Change,
    kept_changes: u32,
) -> Result<Applied, WriteError> {
    if let Some(sequence) = feed::sequence_of(connection, change.id)? {
        return Ok(Applied { erased: 0, is_replay: true, sequence });
    }
    seal::check(connection)?;
    for write in &change.keyspaces {
        keyspace::write(connection, write)?;
    }
    for write in &change.accounts {
        account::write(connection, write)?;
    }
    for write in &change.keys {
        write_key(connection, write)?;
    }
    oauth::write(connection, change)?;
    let erasure = change.erasure.as_ref();
    let erased = erasure.map(|erasure| audit::erase(connection, erasure)).transpose()?;
    for event in &change.events {
        audit::write(connection, event)?;
    }
    let sequence = feed::append(connection, change, kept_changes)?;
    Ok(Applied { erased: erased.unwrap_or_default(), is_replay: false, sequence })
}

fn write_key(connection: &Connection, write: &KeyWrite) -> Result<(), WriteError> {
    match write {
        KeyWrite::Insert(record) => {
            insert(connection, record)?;
            write_found_by(connection, record)
        }
        KeyWrite::Purge(record) => {
            // What belongs to the key goes with it: `ON DELETE CASCADE`.
            let sql = "DELETE FROM keys WHERE id = ? AND version = ?";
            let params = (record.id.as_str(), integer(record.version.get()));
            if execute(connection, sql, params)? == 0 {
                return Err(Conflict::Outdated.into());
            }
            Ok(())
        }
        KeyWrite::Update { before, after } => {
            update(connection, before, after)?;
            execute(connection, "DELETE FROM locators WHERE key_id = ?", [before.id.as_str()])?;
            execute(connection, "DELETE FROM key_tags WHERE key_id = ?", [before.id.as_str()])?;
            write_found_by(connection, after)
        }
    }
}

fn insert(connection: &Connection, record: &KeyRecord) -> Result<(), WriteError> {
    let sql = concat!(
        "INSERT INTO keys (",
        key_columns!(),
        ", search_text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
         ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)"
    );
    execute(connection, sql, params_from_iter(values(record)?))?;
    Ok(())
}

fn update(
    connection: &Connection,
    before: &KeyRecord,
    after: &KeyRecord,
) -> Result<(), WriteError> {
    let sql = concat!(
        "UPDATE keys SET (",
        key_columns!(),
        ", search_text) = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
         ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32) \
         WHERE id = ?33 AND version = ?34"
    );
    let id = Value::from(before.id.as_str().to_owned());
    let params = values(after)?.into_iter().chain([id, integer(before.version.get()).into()]);
    if execute(connection, sql, params_from_iter(params))? == 0 {
        return Err(Conflict::Outdated.into());
    }
    Ok(())
}

/// Writes what finds a key besides its own row.
fn write_found_by(connection: &Connection, record: &KeyRecord) -> Result<(), WriteError> {
    let id = record.id.as_str();
    if record.format == FormatKind::Opaque {
        let sql = "INSERT INTO locators (digest, scheme, key_id) VALUES (?, ?, ?)";
        let mut locators: Vec<_> = record.locators().collect();
        // A secret that was set anew to the same text.
        locators.dedup();
        for locator in locators {
            if let Locator::Digest(digest) = locator {
                let params = (digest.as_bytes(), digest.scheme().to_string(), id);
                execute(connection, sql, params)?;
            }
        }
    }
    let created_at = record.created_at.as_micros();
    for tag in &record.tags {
        let sql = "INSERT INTO key_tags (tag, key_created_at, key_id) VALUES (?, ?, ?)";
        execute(connection, sql, (tag.as_str(), created_at, id))?;
    }
    Ok(())
}
