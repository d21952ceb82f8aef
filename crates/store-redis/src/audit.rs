//! The audit trail.

use std::net::IpAddr;

use keyward_core::{
    ActContext, Action, ActorId, AuditEvent, AuditEventId, AuditFilter, ClientId, KeyId,
    KeyspaceId, Metadata, OwnerId, Timestamp,
};
use keyward_store::{AuditPage, AuditPosition, AuditQuery, AuditSummary, Order, StoreError};
use redis::Value;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::calls::Calls;
use crate::page::{self, Bounds, Walk};
use crate::place::{INSTANT, instant, read_instant};
use crate::reply::{Reply, Unreadable, corrupt, json};
use crate::script;

const WHAT: &str = "audit event";

/// An event as it is stored, under its place.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    action: String,
    actor: ActorId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<KeyId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyspace: Option<KeyspaceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<ClientId>,
    data: Map<String, serde_json::Value>,
}

/// An event as JSON.
pub(crate) fn stored(event: &AuditEvent) -> Result<String, serde_json::Error> {
    let AuditEvent { context, .. } = event.clone();
    serde_json::to_string(&Stored {
        action: event.action.as_str().to_owned(),
        actor: context.actor,
        ip: context.ip,
        user_agent: context.user_agent,
        request_id: context.request_id,
        metadata: context.metadata,
        key: event.key.clone(),
        keyspace: event.keyspace.clone(),
        owner: event.owner.clone(),
        account: event.service_account,
        data: event.data.clone(),
    })
}

/// Where an event stands in the trail.
pub(crate) fn place(position: AuditPosition) -> String {
    format!("{}{}", instant(position.at), position.id)
}

fn read(row: Value) -> Result<AuditEvent, Unreadable> {
    let mut row = Reply::of(row)?;
    let (place, stored) = (row.text()?, row.bytes()?);
    let (at, id) = place.split_at_checked(INSTANT).ok_or("must begin with an instant")?;
    let (at, id): (_, AuditEventId) = (read_instant(at)?, id.parse()?);
    let stored: Stored = json(&stored)?;
    Ok(AuditEvent {
        id,
        at,
        action: stored.action.parse()?,
        context: ActContext {
            actor: stored.actor,
            ip: stored.ip,
            user_agent: stored.user_agent,
            request_id: stored.request_id,
            metadata: stored.metadata,
        },
        key: stored.key,
        keyspace: stored.keyspace,
        owner: stored.owner,
        service_account: stored.account,
        data: stored.data,
    })
}

/// What scripts compare in an event; instants are bounds of the walk.
#[derive(Clone, Serialize)]
pub(crate) struct Meant<'f> {
    filter: Fields<'f>,
}

#[derive(Clone, Serialize)]
struct Fields<'f> {
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyspace: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'f str>,
}

pub(crate) fn meant(filter: &AuditFilter) -> Meant<'_> {
    Meant {
        filter: Fields {
            account: filter.service_account,
            action: filter.action.map(Action::as_str),
            actor: filter.actor.as_ref().map(AsRef::as_ref),
            key: filter.key.as_ref().map(AsRef::as_ref),
            keyspace: filter.keyspace.as_ref().map(AsRef::as_ref),
            owner: filter.owner.as_ref().map(AsRef::as_ref),
        },
    }
}

/// The sorted set of the part that is likely to leave the fewest events, within the instants.
pub(crate) fn bounds(filter: &AuditFilter, order: Order) -> Bounds {
    let index = match filter {
        AuditFilter { key: Some(key), .. } => format!("audit:key:{key}"),
        AuditFilter { service_account: Some(id), .. } => format!("audit:account:{id}"),
        AuditFilter { owner: Some(owner), .. } => format!("audit:owner:{owner}"),
        AuditFilter { actor: Some(actor), .. } => format!("audit:actor:{actor}"),
        _ => "audit".to_owned(),
    };
    let bound = |edge, at: Timestamp| format!("{edge}{}", instant(at));
    let mut bounds = Bounds::after(index, order, None);
    if let Some(since) = filter.since {
        bounds.low = bound("[", since);
    }
    if let Some(until) = filter.until {
        bounds.high = bound("(", until);
    }
    bounds
}

pub(crate) async fn audit(calls: &Calls, query: &AuditQuery) -> Result<AuditPage, StoreError> {
    let mut bounds = bounds(&query.filter, Order::Descending);
    let after = query.after.map(|after| format!("({}", place(after)));
    if let Some(after) = after.filter(|after| bounds.high == "+" || *after < bounds.high) {
        bounds.high = after;
    }
    let walk = Walk::new(bounds, query.limit, None, meant(&query.filter));
    let page = page::read(calls, "read the audit trail", &script::AUDIT, &walk).await?;
    let events = page.rows.into_iter().map(read).collect::<Result<Vec<_>, _>>();
    let events = events.map_err(corrupt(WHAT))?;
    let next = events.last().filter(|_| page.has_more).map(AuditPosition::of);
    Ok(AuditPage { events, next })
}

/// How many events of each action a filter names, and when the last one happened.
pub(crate) async fn summarize(
    calls: &Calls,
    filter: &AuditFilter,
) -> Result<AuditSummary, StoreError> {
    let walk = Walk::counting(bounds(filter, Order::Ascending), meant(filter));
    let page = page::read(calls, "summarize the audit trail", &script::SUMMARIZE, &walk).await?;
    let mut summary = AuditSummary::default();
    for row in page.rows {
        let (action, count, last_at) = read_counted(row).map_err(corrupt(WHAT))?;
        summary.add(action, count, last_at);
    }
    Ok(summary)
}

fn read_counted(row: Value) -> Result<(Action, u64, Timestamp), Unreadable> {
    let mut row = Reply::of(row)?;
    Ok((row.parse()?, row.parse()?, read_instant(&row.text()?)?))
}
