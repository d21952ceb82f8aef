//! Records of keys as rows.

use keyward_core::{
    AccountState, FormatKind, KeyId, KeyRecord, Locator, Revocation, StoredSecret, StoredSignature,
    Version,
};
use keyward_store::{StoreError, StoredKey, Usage, search_text};
use rusqlite::Connection;
use rusqlite::types::{Value, ValueRef};

use crate::row::{
    Fields, Shape, Unreadable, client_id, count, deletion, digests, flag, json, null, text, time,
};
use crate::sql::{self, bytes, integer, json_text, micros, owned, scheme};

/// The columns of a record, in the order in which [`read`] reads and [`values`] writes them.
macro_rules! key_columns {
    () => {
        "id, version, format, keyspace, owner, name, description, hint, \
         digest_scheme, digest, previous_digest_scheme, previous_digest, previous_until, \
         enabled, expires_at, not_before, revoked_at, revoked_reason, revoked_by, \
         deleted_at, deleted_by, scopes, resources, tags, metadata, \
         created_at, updated_at, rotated_at, rotated_from, rotated_to, service_account"
    };
}
pub(crate) use key_columns;

/// The columns of a record, of its service account, and of its usage.
macro_rules! stored_key_columns {
    () => {
        concat!(
            $crate::key::key_columns!(),
            ", account_enabled, account_deleted_at, last_used_at, uses, previous_uses"
        )
    };
}
pub(crate) use stored_key_columns;

/// What [`stored_key_columns`] come from besides the table of keys.
macro_rules! stored_key_joins {
    () => {
        " LEFT JOIN account_states ON account_id = keys.service_account \
         LEFT JOIN usage ON usage.key_id = keys.id"
    };
}
pub(crate) use stored_key_joins;

/// How many values a record is written as: its columns and the text for searches.
pub(crate) const VALUES: usize = 32;

/// What stands in place of a digest scheme where there is a public key in place of a digest.
const SIGNATURE: &str = "signature";

const RECORD: Shape<KeyRecord> = Shape { what: "key", operation: "find a key", read };

/// Records, of which there may be many.
pub(crate) const RECORDS: Shape<KeyRecord> = Shape { what: "key", operation: "read keys", read };

/// A record with its usage.
pub(crate) const STORED_KEY: Shape<StoredKey> =
    Shape { what: "key", operation: "read keys", read: read_stored };

pub(crate) fn find(
    connection: &Connection,
    locator: &Locator,
) -> Result<Option<KeyRecord>, StoreError> {
    match locator {
        Locator::Digest(digest) => {
            let sql = concat!(
                "SELECT ",
                key_columns!(),
                " FROM keys WHERE id = (SELECT key_id FROM locators WHERE digest = ? AND scheme = ?)"
            );
            RECORD.first(connection, sql, (digest.as_bytes(), digest.scheme().to_string()))
        }
        Locator::KeyId(id) => {
            let sql = concat!("SELECT ", key_columns!(), " FROM keys WHERE id = ?");
            let found = RECORD.first(connection, sql, [id.as_str()])?;
            Ok(found.filter(|record| record.format.is_found_by_id()))
        }
    }
}

pub(crate) fn key(connection: &Connection, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
    let sql = concat!(
        "SELECT ",
        stored_key_columns!(),
        " FROM keys",
        stored_key_joins!(),
        " WHERE id = ?"
    );
    STORED_KEY.first(connection, sql, [id.as_str()])
}

fn read_stored(fields: &mut Fields<'_>) -> Result<StoredKey, Unreadable> {
    let record = read(fields)?;
    let is_enabled = fields.optional(flag)?.unwrap_or(true);
    let account = match fields.optional(time)? {
        Some(_) => AccountState::Deleted,
        None if is_enabled => AccountState::Active,
        None => AccountState::Disabled,
    };
    let last_used_at = fields.optional(time)?;
    let uses = fields.optional(count)?.unwrap_or_default();
    let previous_uses = fields.optional(count)?.unwrap_or_default();
    Ok(StoredKey { account, record, usage: Usage { last_used_at, uses, previous_uses } })
}

fn read(fields: &mut Fields<'_>) -> Result<KeyRecord, Unreadable> {
    let id = fields.read(text)?;
    let version = Version::new(fields.read(count)?);
    let format = fields.read(format)?;
    Ok(KeyRecord {
        id,
        version,
        format,
        keyspace: fields.read(text)?,
        owner: fields.read(text)?,
        name: fields.optional(text)?,
        description: fields.optional(text)?,
        hint: fields.read(text)?,
        secret: read_secret(fields, format)?,
        enabled: fields.read(flag)?,
        expires_at: fields.optional(time)?,
        not_before: fields.optional(time)?,
        revocation: read_revocation(fields)?,
        deletion: deletion(fields)?,
        scopes: fields.read(json)?,
        resources: fields.read(json)?,
        tags: fields.read(json)?,
        metadata: fields.read(json)?,
        created_at: fields.read(time)?,
        updated_at: fields.read(time)?,
        rotated_at: fields.optional(time)?,
        rotated_from: fields.optional(text)?,
        rotated_to: fields.optional(text)?,
        service_account: fields.optional(client_id)?,
    })
}

/// The columns of the secret: the scheme and the bytes of its digest, and of the one before it. Of a
/// signed key, the bytes are its public key as JSON, and the scheme says so.
fn read_secret(fields: &mut Fields<'_>, format: FormatKind) -> Result<StoredSecret, Unreadable> {
    if format != FormatKind::Signed {
        return digests(fields).map(StoredSecret::Digests);
    }
    fields.read(|value| match value.as_str()? {
        SIGNATURE => Ok(()),
        _ => Err("must be that of a signed key".into()),
    })?;
    let signature = fields.read(|value| {
        let stored = std::str::from_utf8(value.as_blob()?)?;
        Ok(StoredSignature::from_stored(stored)?)
    })?;
    for _ in 0..3 {
        fields.read(null)?;
    }
    Ok(StoredSecret::Signature(signature.into()))
}

fn read_revocation(fields: &mut Fields<'_>) -> Result<Option<Revocation>, Unreadable> {
    if let Some(at) = fields.optional(time)? {
        let reason = fields.optional(text)?;
        Ok(Some(Revocation { at, reason, by: fields.read(text)? }))
    } else {
        fields.read(null)?;
        fields.read(null).map(|()| None)
    }
}

fn format(value: ValueRef<'_>) -> Result<FormatKind, Unreadable> {
    match value.as_str()? {
        "opaque" => Ok(FormatKind::Opaque),
        "prefixed" => Ok(FormatKind::Prefixed),
        "signed" => Ok(FormatKind::Signed),
        _ => Err("must be the name of a format".into()),
    }
}

const fn format_name(format: FormatKind) -> &'static str {
    match format {
        FormatKind::Opaque => "opaque",
        FormatKind::Prefixed => "prefixed",
        FormatKind::Signed => "signed",
    }
}

/// A record's values, column by column.
pub(crate) fn values(record: &KeyRecord) -> rusqlite::Result<[Value; VALUES]> {
    let previous = record.secret.previous();
    let (scheme_now, bytes_now) = secret(&record.secret);
    let revocation = record.revocation.as_ref();
    let reason = revocation.and_then(|revocation| revocation.reason.as_ref());
    let deletion = record.deletion.as_ref();
    Ok([
        owned(&record.id),
        integer(record.version.get()).into(),
        owned(format_name(record.format)),
        owned(&record.keyspace),
        owned(&record.owner),
        record.name.as_ref().map(owned).into(),
        record.description.as_ref().map(owned).into(),
        owned(&record.hint),
        scheme_now,
        bytes_now,
        previous.map(|previous| scheme(&previous.digest)).into(),
        previous.map(|previous| bytes(&previous.digest)).into(),
        micros(previous.map(|previous| previous.until)),
        record.enabled.into(),
        micros(record.expires_at),
        micros(record.not_before),
        micros(revocation.map(|revocation| revocation.at)),
        reason.map(owned).into(),
        revocation.map(|revocation| owned(&revocation.by)).into(),
        micros(deletion.map(|deletion| deletion.at)),
        deletion.map(|deletion| owned(&deletion.by)).into(),
        json_text(&record.scopes)?.into(),
        json_text(&record.resources)?.into(),
        json_text(&record.tags)?.into(),
        json_text(&record.metadata)?.into(),
        record.created_at.as_micros().into(),
        record.updated_at.as_micros().into(),
        micros(record.rotated_at),
        record.rotated_from.as_ref().map(owned).into(),
        record.rotated_to.as_ref().map(owned).into(),
        record.service_account.map(sql::client_id).into(),
        search_text(record).into(),
    ])
}

fn secret(secret: &StoredSecret) -> (Value, Value) {
    match secret {
        StoredSecret::Digests(digests) => (scheme(&digests.current), bytes(&digests.current)),
        StoredSecret::Signature(signature) => {
            (SIGNATURE.to_owned().into(), signature.to_stored().into_bytes().into())
        }
    }
}
