//! Records of keys as rows.

use keyward_core::{
    AccountState, Description, FormatKind, KeyId, KeyRecord, Locator, Name, Revocation,
    StoredSecret, StoredSignature, Version,
};
use keyward_store::{StoredKey, Usage, notes_search_text, search_text};

use crate::feed::with_position;
use crate::row::{
    Fields, Shape, Unreadable, client_id, count, deletion, digests, flag, json, text, time,
};
use crate::sql::{self, Sql, Value, bytes, integer, micros, optional, scheme};

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
        " LEFT JOIN keyward.account_states ON account_id = keys.service_account \
         LEFT JOIN keyward.usage ON usage.key_id = keys.id"
    };
}
pub(crate) use stored_key_joins;

/// What [`find`] asks for.
macro_rules! by_id {
    () => {
        concat!("SELECT ", key_columns!(), " FROM keyward.keys WHERE id = $1")
    };
}

/// What [`find`] asks for where the locator is a digest.
macro_rules! by_digest {
    () => {
        concat!(
            "SELECT ",
            key_columns!(),
            " FROM keyward.keys WHERE id = \
             (SELECT key_id FROM keyward.locators WHERE digest = $1 AND scheme = $2)"
        )
    };
}

/// How many values a record is written as: its columns and the texts for searches.
pub(crate) const VALUES: usize = 33;

/// What stands in place of a digest scheme where there is a public key in place of a digest.
const SIGNATURE: &str = "signature";

/// A record.
pub(crate) const RECORD: Shape<KeyRecord> = Shape { what: "key", read };

/// A record with its usage.
pub(crate) const STORED_KEY: Shape<StoredKey> = Shape { what: "key", read: read_stored };

/// Asks for the key that a locator points to. What is found must [be found so](is_found).
pub(crate) fn find(locator: &Locator) -> Sql {
    match locator {
        Locator::Digest(digest) => Sql::fixed(by_digest!(), digest_values(digest)),
        Locator::KeyId(id) => Sql::fixed(by_id!(), vec![sql::text(id)]),
    }
}

/// The same of a standby server, which says beside it how far it is.
pub(crate) fn find_with_position(locator: &Locator) -> Sql {
    match locator {
        Locator::Digest(digest) => Sql::fixed(with_position!(by_digest!()), digest_values(digest)),
        Locator::KeyId(id) => Sql::fixed(with_position!(by_id!()), vec![sql::text(id)]),
    }
}

/// Whether a locator may lead to that key.
pub(crate) const fn is_found(record: &KeyRecord, locator: &Locator) -> bool {
    matches!(locator, Locator::Digest(_)) || record.format.is_found_by_id()
}

fn digest_values(digest: &keyward_core::Digest) -> Vec<Value> {
    vec![bytes(digest).into(), scheme(digest).into()]
}

/// Asks for a key with its usage.
pub(crate) fn key(id: &KeyId) -> Sql {
    let text = concat!(
        "SELECT ",
        stored_key_columns!(),
        " FROM keyward.keys",
        stored_key_joins!(),
        " WHERE id = $1"
    );
    Sql::fixed(text, vec![sql::text(id)])
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
    fields.read(|scheme: &str| match scheme {
        SIGNATURE => Ok(()),
        _ => Err("must be that of a signed key".into()),
    })?;
    let signature = fields
        .read(|stored: &[u8]| Ok(StoredSignature::from_stored(std::str::from_utf8(stored)?)?))?;
    for _ in 0..3 {
        fields.null()?;
    }
    Ok(StoredSecret::Signature(signature.into()))
}

fn read_revocation(fields: &mut Fields<'_>) -> Result<Option<Revocation>, Unreadable> {
    if let Some(at) = fields.optional(time)? {
        let reason = fields.optional(text)?;
        Ok(Some(Revocation { at, reason, by: fields.read(text)? }))
    } else {
        fields.null()?;
        fields.null().map(|()| None)
    }
}

fn format(value: &str) -> Result<FormatKind, Unreadable> {
    match value {
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
pub(crate) fn values(record: &KeyRecord) -> Result<[Value; VALUES], serde_json::Error> {
    let previous = record.secret.previous();
    let (scheme_now, bytes_now) = secret(&record.secret);
    let revocation = record.revocation.as_ref();
    let deletion = record.deletion.as_ref();
    let name = record.name.as_ref().map(Name::as_str);
    let description = record.description.as_ref().map(Description::as_str);
    Ok([
        sql::text(&record.id),
        integer(record.version.get()).into(),
        sql::text(format_name(record.format)),
        sql::text(&record.keyspace),
        sql::text(&record.owner),
        optional(name),
        optional(description),
        sql::text(&record.hint),
        scheme_now.into(),
        bytes_now.into(),
        previous.map(|previous| scheme(&previous.digest)).into(),
        previous.map(|previous| bytes(&previous.digest)).into(),
        micros(previous.map(|previous| previous.until)),
        record.enabled.into(),
        micros(record.expires_at),
        micros(record.not_before),
        micros(revocation.map(|revocation| revocation.at)),
        optional(revocation.and_then(|revocation| revocation.reason.as_ref())),
        optional(revocation.map(|revocation| &revocation.by)),
        micros(deletion.map(|deletion| deletion.at)),
        optional(deletion.map(|deletion| &deletion.by)),
        sql::json(&record.scopes)?,
        sql::json(&record.resources)?,
        sql::json(&record.tags)?,
        sql::json(&record.metadata)?,
        record.created_at.as_micros().into(),
        record.updated_at.as_micros().into(),
        micros(record.rotated_at),
        optional(record.rotated_from.as_ref()),
        optional(record.rotated_to.as_ref()),
        record.service_account.map(|id| id.as_bytes().to_vec()).into(),
        search_text(record).into(),
        notes_search_text(name, description).into(),
    ])
}

fn secret(secret: &StoredSecret) -> (String, Vec<u8>) {
    match secret {
        StoredSecret::Digests(digests) => (scheme(&digests.current), bytes(&digests.current)),
        StoredSecret::Signature(signature) => {
            (SIGNATURE.to_owned(), signature.to_stored().into_bytes())
        }
    }
}
