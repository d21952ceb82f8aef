//! The audit trail as rows.

use keyward_core::{ActContext, Action, ActorId, AuditEvent, AuditEventId};
use keyward_store::{AuditPage, AuditPosition, AuditQuery, StoreError};
use rusqlite::{Connection, params, params_from_iter};

use crate::row::{Fields, Shape, Unreadable, json, text, time};
use crate::sql::{Sql, execute, json_text};

const EVENT: Shape<AuditEvent> =
    Shape { what: "audit event", operation: "read the audit trail", read };

pub(crate) fn write(connection: &Connection, event: &AuditEvent) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit \
               (id, at, action, actor, ip, user_agent, request_id, key_id, keyspace, owner, data) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let context = &event.context;
    let params = params![
        event.id.as_bytes(),
        event.at.as_micros(),
        event.action.as_str(),
        context.actor.as_str(),
        context.ip.map(|ip| ip.to_string()),
        context.user_agent,
        context.request_id,
        event.key.as_ref().map(AsRef::<str>::as_ref),
        event.keyspace.as_ref().map(AsRef::<str>::as_ref),
        event.owner.as_ref().map(AsRef::<str>::as_ref),
        json_text(&event.data)?,
    ];
    execute(connection, sql, params)?;
    Ok(())
}

pub(crate) fn audit(connection: &Connection, query: &AuditQuery) -> Result<AuditPage, StoreError> {
    let Sql { text, values } = statement(query);
    let mut events = EVENT.all(connection, &text, params_from_iter(values))?;
    let has_more = events.len() > query.limit;
    events.truncate(query.limit);
    let next = events.last().filter(|_| has_more).map(AuditPosition::of);
    Ok(AuditPage { events, next })
}

fn statement(query: &AuditQuery) -> Sql {
    let mut sql = Sql::new(
        "SELECT id, at, action, actor, ip, user_agent, request_id, key_id, keyspace, owner, data \
         FROM audit WHERE true",
    );
    filter(&mut sql, query);
    if let Some(since) = query.since {
        sql.bind(" AND at >= ?", since.as_micros());
    }
    if let Some(until) = query.until {
        sql.bind(" AND at < ?", until.as_micros());
    }
    if let Some(after) = &query.after {
        sql.bind(" AND (at, id) < (?", after.at.as_micros());
        sql.bind(", ?)", after.id.as_bytes().to_vec());
    }
    sql.push(" ORDER BY at DESC, id DESC");
    sql.limit_one_more_than(query.limit);
    sql
}

/// Filters by one column through its index, the one that is likely to leave the fewest events, and
/// by the others row by row: SQLite knows less than we do about which that is.
fn filter(sql: &mut Sql, query: &AuditQuery) {
    let filters = [
        (" AND key_id = ?", " AND +key_id = ?", query.key.as_ref().map(AsRef::as_ref)),
        (" AND owner = ?", " AND +owner = ?", query.owner.as_ref().map(AsRef::as_ref)),
        (" AND actor = ?", " AND +actor = ?", query.actor.as_ref().map(ActorId::as_str)),
        (" AND action = ?", " AND +action = ?", query.action.map(Action::as_str)),
        (" AND keyspace = ?", " AND +keyspace = ?", query.keyspace.as_ref().map(AsRef::as_ref)),
    ];
    let mut has_index = false;
    for (by_index, by_row, wanted) in filters {
        if let Some(wanted) = wanted {
            sql.bind(if has_index { by_row } else { by_index }, wanted.to_owned());
            has_index = true;
        }
    }
}

fn read(fields: &mut Fields<'_>) -> Result<AuditEvent, Unreadable> {
    let id = fields.read(|value| Ok(AuditEventId::from_bytes(value.as_blob()?.try_into()?)))?;
    let at = fields.read(time)?;
    let action = fields.read(text)?;
    let context = ActContext {
        actor: fields.read(text)?,
        ip: fields.optional(text)?,
        user_agent: fields.optional(text)?,
        request_id: fields.optional(text)?,
    };
    Ok(AuditEvent {
        id,
        at,
        action,
        context,
        key: fields.optional(text)?,
        keyspace: fields.optional(text)?,
        owner: fields.optional(text)?,
        data: fields.read(json)?,
    })
}

#[cfg(test)]
mod tests;
