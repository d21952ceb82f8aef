//! Making a change: what a script is told of it, and what it says.

use keyward_core::{AccountWrite, Change, ClientId, KeyWrite, KeyspaceWrite, Sequence};
use keyward_store::{Applied, AuditPosition, Conflict, Order, StoreError};
use redis::Value;
use serde::Serialize;

use crate::audit::{self, Meant};
use crate::page::Bounds;
use crate::place::instant;
use crate::reply::{Reply, Unreadable, corrupt};
use crate::{account, feed, key, oauth};

/// A change as the script reads it.
#[derive(Serialize)]
struct Form<'c> {
    id: String,
    at: String,
    kept: u32,
    is_awaited: bool,
    touched: String,
    keyspaces: Vec<KeyspaceForm<'c>>,
    accounts: Vec<RowForm>,
    keys: Vec<RowForm>,
    signing_keys: Vec<SigningKeyForm<'c>>,
    revoked_tokens: Vec<TokenForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erasure: Option<ErasureForm<'c>>,
    events: Vec<EventForm>,
}

#[derive(Serialize)]
struct KeyspaceForm<'c> {
    id: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    version: String,
    document: String,
}

/// A key or an account. One that is removed has nothing after `expected`. Records are texts: they hold
/// numbers that Lua would round.
#[derive(Serialize)]
struct RowForm {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    result: Option<Row>,
}

#[derive(Serialize)]
struct Row {
    version: String,
    record: String,
    facts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
}

#[derive(Serialize)]
struct SigningKeyForm<'c> {
    id: &'c str,
    document: String,
}

#[derive(Serialize)]
struct TokenForm {
    id: String,
    until: String,
}

#[derive(Serialize)]
struct ErasureForm<'c> {
    #[serde(flatten)]
    bounds: Bounds,
    #[serde(flatten)]
    meant: Meant<'c>,
    take: usize,
}

#[derive(Serialize)]
struct EventForm {
    place: String,
    event: String,
}

/// A change as the script reads it.
pub(crate) fn form(
    change: &Change,
    kept: u32,
    is_awaited: bool,
) -> Result<Vec<u8>, serde_json::Error> {
    let erasure = change.erasure.as_ref().map(|erasure| ErasureForm {
        bounds: audit::bounds(&erasure.filter, Order::Ascending),
        meant: audit::meant(&erasure.filter),
        take: erasure.most,
    });
    let signing_keys = change
        .signing_keys
        .iter()
        .map(|key| Ok(SigningKeyForm { id: key.id.as_str(), document: oauth::stored(key)? }));
    let tokens = change.revoked_tokens.iter();
    let tokens = tokens
        .map(|token| TokenForm { id: token.id.to_string(), until: instant(token.until) })
        .collect();
    let events = change.events.iter().map(|event| {
        let place = audit::place(AuditPosition::of(event));
        Ok(EventForm { place, event: audit::stored(event)? })
    });
    serde_json::to_vec(&Form {
        id: feed::id_text(change.id),
        at: instant(change.at),
        kept: kept.max(1),
        is_awaited,
        touched: feed::touched(change)?,
        keyspaces: change.keyspaces.iter().map(keyspace).collect::<Result<_, _>>()?,
        accounts: change.accounts.iter().map(account_row).collect::<Result<_, _>>()?,
        keys: change.keys.iter().map(key_row).collect::<Result<_, _>>()?,
        signing_keys: signing_keys.collect::<Result<_, serde_json::Error>>()?,
        revoked_tokens: tokens,
        erasure,
        events: events.collect::<Result<_, serde_json::Error>>()?,
    })
}

fn keyspace(write: &KeyspaceWrite) -> Result<KeyspaceForm<'_>, serde_json::Error> {
    let expected = match write {
        KeyspaceWrite::Insert(_) => None,
        KeyspaceWrite::Update { from, .. } => Some(from.to_string()),
    };
    let document = serde_json::to_string(write.result())?;
    let version = write.result().version.to_string();
    Ok(KeyspaceForm { id: write.id().as_str(), expected, version, document })
}

fn account_row(write: &AccountWrite) -> Result<RowForm, serde_json::Error> {
    let row = write.result().map(|account| {
        Ok(Row {
            version: account.version.to_string(),
            record: text(account.to_stored())?,
            facts: account::facts(account)?,
            state: Some(account.state().as_str()),
        })
    });
    let expected = write.expected().map(|version| version.to_string());
    Ok(RowForm { id: ClientId::to_string(write.id()), expected, result: row.transpose()? })
}

fn key_row(write: &KeyWrite) -> Result<RowForm, serde_json::Error> {
    let row = write.result().map(|record| {
        Ok(Row {
            version: record.version.to_string(),
            record: text(record.to_stored())?,
            facts: key::facts(record)?,
            state: None,
        })
    });
    let expected = write.expected().map(|version| version.to_string());
    Ok(RowForm { id: write.id().to_string(), expected, result: row.transpose()? })
}

/// JSON as text. What is written of a record is never anything else.
fn text(json: Vec<u8>) -> Result<String, serde_json::Error> {
    String::from_utf8(json).map_err(serde::ser::Error::custom)
}

/// What the script says.
pub(crate) fn read(reply: Value) -> Result<Applied, StoreError> {
    let unreadable = corrupt("change");
    let mut reply = Reply::of(reply).map_err(&unreadable)?;
    let outcome = reply.text().map_err(&unreadable)?;
    let mut number = || -> Result<u64, StoreError> { reply.parse().map_err(&unreadable) };
    match outcome.as_str() {
        "applied" => {
            let (sequence, erased) = (Sequence::new(number()?), number()?);
            let erased = usize::try_from(erased).unwrap_or(usize::MAX);
            Ok(Applied { erased, is_replay: false, sequence })
        }
        "exists" => Err(StoreError::Conflict(Conflict::Exists)),
        "outdated" => Err(StoreError::Conflict(Conflict::Outdated)),
        "repeated" => {
            Ok(Applied { erased: 0, is_replay: true, sequence: Sequence::new(number()?) })
        }
        "sealed" => Err(StoreError::Sealed),
        _ => Err(unreadable(Unreadable::from("must be an outcome"))),
    }
}
