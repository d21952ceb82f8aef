//! Records of keys as they are stored.

use keyward_core::{
    AccountState, ClientId, Description, KeyId, KeyRecord, Locator, Name, Revocation, Tag,
};
use keyward_store::{StoreError, StoredKey, Usage, notes_search_text, search_text};
use redis::Value;
use serde::Serialize;

use crate::calls::Calls;
use crate::place::{instant, read_instant};
use crate::reply::{Reply, Unreadable, corrupt};
use crate::script;

/// What scripts look at in a key: what it is found, filtered and sorted by.
#[derive(Serialize)]
struct Facts<'r> {
    created: String,
    updated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<String>,
    enabled: bool,
    owner: &'r str,
    keyspace: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<ClientId>,
    name: &'r str,
    tags: Vec<&'r str>,
    /// The digests that find it, if it is found by any.
    locators: Vec<String>,
    /// What searches look at: its first bytes, as many as `notes` says, are those of notes.
    search: String,
    notes: usize,
}

/// What scripts look at in a key, as JSON.
pub(crate) fn facts(record: &KeyRecord) -> Result<String, serde_json::Error> {
    let name = record.name.as_ref().map(Name::as_str);
    let description = record.description.as_ref().map(Description::as_str);
    let revoked = record.revocation.as_ref().map(|Revocation { at, .. }| instant(*at));
    let locators = record.locators().filter_map(|locator| match locator {
        Locator::Digest(digest) => Some(digest_name(&digest)),
        Locator::KeyId(_) => None,
    });
    serde_json::to_string(&Facts {
        created: instant(record.created_at),
        updated: instant(record.updated_at),
        expires: record.expires_at.map(instant),
        not_before: record.not_before.map(instant),
        revoked,
        deleted: record.deletion.as_ref().map(|deletion| instant(deletion.at)),
        enabled: record.enabled,
        owner: record.owner.as_str(),
        keyspace: record.keyspace.as_str(),
        account: record.service_account,
        name: name.unwrap_or_default(),
        tags: record.tags.iter().map(Tag::as_str).collect(),
        locators: locators.collect(),
        search: search_text(record),
        notes: notes_search_text(name, description).len(),
    })
}

pub(crate) async fn find(
    calls: &Calls,
    locator: &Locator,
) -> Result<Option<KeyRecord>, StoreError> {
    const OPERATION: &str = "find a key";
    let found = match locator {
        Locator::Digest(digest) => {
            let name = digest_name(digest).into_bytes();
            calls.run(OPERATION, &script::FIND, &[name]).await?
        }
        Locator::KeyId(id) => calls.ask(OPERATION, "HGET", &name(id), &["record"]).await?,
    };
    read_found(found, locator).map_err(corrupt("key"))
}

/// A record that a locator has found. One that a script has found elsewhere is none that may be believed.
fn read_found(found: Value, locator: &Locator) -> Result<Option<KeyRecord>, Unreadable> {
    let stored = match found {
        Value::Nil => return Ok(None),
        Value::BulkString(stored) => stored,
        _ => return Err("must be a text".into()),
    };
    let record = KeyRecord::from_stored(&stored)?;
    match locator {
        Locator::Digest(_) if !record.is_at(locator) => Err("must have the digest".into()),
        Locator::KeyId(id) if record.id != *id => Err("must have the id".into()),
        _ => Ok(Some(record).filter(|record| record.is_at(locator))),
    }
}

pub(crate) async fn key(calls: &Calls, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
    match calls.run("read a key", &script::KEY, &[id.as_str().into()]).await? {
        Value::Nil => Ok(None),
        found => {
            let read = || {
                let key = read_stored(Reply::of(found)?)?;
                let is_meant = key.record.id == *id;
                if is_meant { Ok(Some(key)) } else { Err("must have the id".into()) }
            };
            read().map_err(corrupt("key"))
        }
    }
}

/// A record, the state of its account, and its usage.
pub(crate) fn read_stored(mut row: Reply) -> Result<StoredKey, Unreadable> {
    let record = KeyRecord::from_stored(&row.bytes()?)?;
    let state = row.text()?;
    let account = AccountState::ALL.into_iter().find(|known| known.as_str() == state);
    let account = account.ok_or("must be the state of an account")?;
    let last_used_at = row.optional()?.map(String::from_utf8).transpose()?;
    let last_used_at = last_used_at.map(|text| read_instant(&text)).transpose()?;
    let (uses, previous_uses) = (read_count(&mut row)?, read_count(&mut row)?);
    Ok(StoredKey { account, record, usage: Usage { last_used_at, uses, previous_uses } })
}

/// A count, which begins at nothing.
fn read_count(row: &mut Reply) -> Result<u64, Unreadable> {
    let stored = row.optional()?.map(String::from_utf8).transpose()?;
    Ok(stored.map(|text| text.parse()).transpose()?.unwrap_or_default())
}

fn digest_name(digest: &keyward_core::Digest) -> String {
    format!("{}:{}", digest.scheme(), digest.to_hex())
}

fn name(id: &KeyId) -> String {
    format!("key:{id}")
}
