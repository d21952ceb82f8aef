//! The audit trail as rows.

use keyward_core::{
    ActContext, Action, AuditErasure, AuditEvent, AuditEventId, AuditFilter, Timestamp,
};
use keyward_store::{AuditPage, AuditPosition, AuditQuery, AuditSummary, StoreError};
use rusqlite::{Connection, params, params_from_iter};

use crate::row::{Fields, Shape, Unreadable, client_id, count, json, text, time};
use crate::sql::{self, Sql, execute, integer, json_text, owned};

const EVENT: Shape<AuditEvent> =
    Shape { what: "audit event", operation: "read the audit trail", read };

const COUNTED: Shape<(Action, u64, Timestamp)> =
    Shape { what: "audit event", operation: "summarize the audit trail", read: read_counted };

pub(crate) fn write(connection: &Connection, event: &AuditEvent) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit \
               (id, at, action, actor, ip, user_agent, request_id, metadata, \
               key_id, keyspace, owner, service_account, data) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let context = &event.context;
    let metadata = Some(&context.metadata).filter(|metadata| !metadata.is_empty());
    let params = params![
        event.id.as_bytes(),
        event.at.as_micros(),
        event.action.as_str(),
        context.actor.as_str(),
        context.ip.map(|ip| ip.to_string()),
        context.user_agent,
        context.request_id,
        metadata.map(json_text).transpose()?,
        event.key.as_ref().map(AsRef::<str>::as_ref),
        event.keyspace.as_ref().map(AsRef::<str>::as_ref),
        event.owner.as_ref().map(AsRef::<str>::as_ref),
        event.service_account.map(sql::client_id),
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
        "SELECT id, at, action, actor, ip, user_agent, request_id, metadata, \
         key_id, keyspace, owner, service_account, data FROM audit WHERE true",
    );
    filter(&mut sql, &query.filter);
    if let Some(after) = &query.after {
        sql.bind(" AND (at, id) < (?", after.at.as_micros());
        sql.bind(", ?)", after.id.as_bytes().to_vec());
    }
    sql.push(" ORDER BY at DESC, id DESC");
    sql.limit_one_more_than(query.limit);
    sql
}

/// How many events of each action a filter names, and when the last one happened.
pub(crate) fn summarize(
    connection: &Connection,
    wanted: &AuditFilter,
) -> Result<AuditSummary, StoreError> {
    let mut sql = Sql::new("SELECT action, count(*), max(at) FROM audit WHERE true");
    filter(&mut sql, wanted);
    sql.push(" GROUP BY action");
    let counts = COUNTED.all(connection, &sql.text, params_from_iter(sql.values))?;
    let mut summary = AuditSummary::default();
    for (action, count, last_at) in counts {
        summary.add(action, count, last_at);
    }
    Ok(summary)
}

/// Removes events, the oldest first, and returns how many there were.
pub(crate) fn erase(connection: &Connection, erasure: &AuditErasure) -> rusqlite::Result<usize> {
    let mut sql =
        Sql::new("DELETE FROM audit WHERE (at, id) IN (SELECT at, id FROM audit WHERE true");
    filter(&mut sql, &erasure.filter);
    sql.push(" ORDER BY at, id");
    let most = u64::try_from(erasure.most).unwrap_or(u64::MAX);
    sql.bind(" LIMIT ?)", integer(most));
    execute(connection, &sql.text, params_from_iter(sql.values))
}

/// Filters by one column through its index, the one that is likely to leave the fewest events, and
/// by the others row by row: SQLite knows less than we do about which that is.
fn filter(sql: &mut Sql, wanted: &AuditFilter) {
    let account = wanted.service_account.map(sql::client_id);
    let filters = [
        (" AND key_id = ?", " AND +key_id = ?", wanted.key.as_ref().map(owned)),
        (" AND service_account = ?", " AND +service_account = ?", account),
        (" AND owner = ?", " AND +owner = ?", wanted.owner.as_ref().map(owned)),
        (" AND actor = ?", " AND +actor = ?", wanted.actor.as_ref().map(owned)),
        (" AND action = ?", " AND +action = ?", wanted.action.map(|a| owned(a.as_str()))),
        (" AND keyspace = ?", " AND +keyspace = ?", wanted.keyspace.as_ref().map(owned)),
    ];
    let mut has_index = false;
    for (by_index, by_row, wanted) in filters {
        if let Some(wanted) = wanted {
            sql.bind(if has_index { by_row } else { by_index }, wanted);
            has_index = true;
        }
    }
    if let Some(since) = wanted.since {
        sql.bind(" AND at >= ?", since.as_micros());
    }
    if let Some(until) = wanted.until {
        sql.bind(" AND at < ?", until.as_micros());
    }
}

fn read_counted(fields: &mut Fields<'_>) -> Result<(Action, u64, Timestamp), Unreadable> {
    Ok((fields.read(text)?, fields.read(count)?, fields.read(time)?))
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
        metadata: fields.optional(json)?.unwrap_or_default(),
    };
    Ok(AuditEvent {
        id,
        at,
        action,
        context,
        key: fields.optional(text)?,
        keyspace: fields.optional(text)?,
        owner: fields.optional(text)?,
        service_account: fields.optional(client_id)?,
        data: fields.read(json)?,
    })
}

#[cfg(test)]
mod tests;
