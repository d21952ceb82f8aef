//! The audit trail as rows.

use keyward_core::{
    ActContext, Action, AuditErasure, AuditEvent, AuditEventId, AuditFilter, Timestamp,
};
use keyward_store::{AuditPage, AuditPosition, AuditQuery, AuditSummary, StoreError};

use crate::pool::Pool;
use crate::row::{Fields, Shape, Unreadable, client_id, count, json, text, time};
use crate::sql::{self, Sql, optional};

const EVENT: Shape<AuditEvent> = Shape { what: "audit event", read };

const COUNTED: Shape<(Action, u64, Timestamp)> = Shape { what: "audit event", read: read_counted };

pub(crate) fn write(event: &AuditEvent) -> Result<Sql, serde_json::Error> {
    let statement = "INSERT INTO keyward.audit \
                     (id, at, action, actor, ip, user_agent, request_id, metadata, \
                     key_id, keyspace, owner, service_account, data) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let context = &event.context;
    let metadata = Some(&context.metadata).filter(|metadata| !metadata.is_empty());
    let values = vec![
        event.id.as_bytes().to_vec().into(),
        event.at.as_micros().into(),
        sql::text(event.action.as_str()),
        sql::text(&context.actor),
        context.ip.map(|ip| ip.to_string()).into(),
        optional(context.user_agent.as_ref()),
        optional(context.request_id.as_ref()),
        metadata.map(serde_json::to_string).transpose()?.into(),
        optional(event.key.as_ref()),
        optional(event.keyspace.as_ref()),
        optional(event.owner.as_ref()),
        event.service_account.map(|id| id.as_bytes().to_vec()).into(),
        sql::json(&event.data)?,
    ];
    Ok(Sql::fixed(statement, values))
}

pub(crate) async fn audit(pool: &Pool, query: &AuditQuery) -> Result<AuditPage, StoreError> {
    let answer = pool.read("read the audit trail", &statement(query)).await?;
    let mut events = EVENT.all(&answer.rows)?;
    let has_more = events.len() > query.limit;
    events.truncate(query.limit);
    let next = events.last().filter(|_| has_more).map(AuditPosition::of);
    Ok(AuditPage { events, next })
}

pub(crate) fn statement(query: &AuditQuery) -> Sql {
    let mut sql = Sql::new(
        "SELECT id, at, action, actor, ip, user_agent, request_id, metadata, \
         key_id, keyspace, owner, service_account, data FROM keyward.audit WHERE true",
    );
    let time = filter(&mut sql, &query.filter);
    if let Some(after) = &query.after {
        sql.push(" AND (");
        sql.push(time);
        sql.bind(", id) < (?", after.at.as_micros());
        sql.bind(", ?)", after.id.as_bytes().to_vec());
    }
    for text in [" ORDER BY ", time, " DESC, id DESC"] {
        sql.push(text);
    }
    sql.limit_one_more_than(query.limit);
    sql
}

/// How many events of each action a filter names, and when the last one happened.
pub(crate) async fn summarize(
    pool: &Pool,
    wanted: &AuditFilter,
) -> Result<AuditSummary, StoreError> {
    let mut sql = Sql::new("SELECT action, count(*), max(at) FROM keyward.audit WHERE true");
    filter(&mut sql, wanted);
    sql.push(" GROUP BY action");
    let answer = pool.read("summarize the audit trail", &sql).await?;
    let mut summary = AuditSummary::default();
    for (action, count, last_at) in COUNTED.all(&answer.rows)? {
        summary.add(action, count, last_at);
    }
    Ok(summary)
}

/// Removes events, the oldest first.
pub(crate) fn erase(erasure: &AuditErasure) -> Sql {
    let mut sql =
        Sql::new("DELETE FROM keyward.audit WHERE id IN (SELECT id FROM keyward.audit WHERE true");
    let time = filter(&mut sql, &erasure.filter);
    for text in [" ORDER BY ", time, ", id"] {
        sql.push(text);
    }
    sql.bind(" LIMIT ?)", sql::count(erasure.most));
    sql
}

/// Leaves the events that are wanted, and returns what they are sorted by: as the index has it that leaves
/// them.
fn filter(sql: &mut Sql, wanted: &AuditFilter) -> &'static str {
    let account = wanted.service_account.map(sql::client_id);
    let filters = [
        (" AND key_id = ?", wanted.key.as_ref().map(sql::text)),
        (" AND service_account = ?", account),
        (" AND owner = ?", wanted.owner.as_ref().map(sql::text)),
        (" AND actor = ?", wanted.actor.as_ref().map(sql::text)),
        (" AND action = ?", wanted.action.map(|action| sql::text(action.as_str()))),
        (" AND keyspace = ?", wanted.keyspace.as_ref().map(sql::text)),
    ];
    let mut time = "(at + 0)";
    for (text, wanted) in filters {
        if let Some(wanted) = wanted {
            sql.bind(text, wanted);
            time = "at";
        }
    }
    for (limit, text) in [(wanted.since, " >= ?"), (wanted.until, " < ?")] {
        if let Some(limit) = limit {
            sql.push(" AND ");
            sql.push(time);
            sql.bind(text, limit.as_micros());
        }
    }
    time
}

fn read_counted(fields: &mut Fields<'_>) -> Result<(Action, u64, Timestamp), Unreadable> {
    Ok((fields.read(text)?, fields.read(count)?, fields.read(time)?))
}

fn read(fields: &mut Fields<'_>) -> Result<AuditEvent, Unreadable> {
    let id = fields.read(|value: &[u8]| Ok(AuditEventId::from_bytes(value.try_into()?)))?;
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
