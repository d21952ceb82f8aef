//! The mark at the destination that tells a copy that was begun from records of somebody else.
//!
//! It is a deleted service account with an id that no other has, because that is the one record which
//! every backend can find by its id, change from a version, and remove again. No copy holds it.

use keyward_core::{
    AccountWrite, ActorId, ClientId, Deletion, Description, Digest, DigestScheme, Invalid, KeyId,
    OwnerId, ScopeSet, Sequence, ServiceAccount, StoredDigests, Version,
};
use keyward_store::{
    AccountQuery, AuditQuery, KeyQuery, KeySort, KeyStates, Order, Store, StoreError,
};
use serde::{Deserialize, Serialize};

use crate::CopyError;
use crate::ends::Ends;

/// The mark as it was written last.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    account: ServiceAccount,
    note: Note,
}

/// What the mark says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Note {
    /// What tells the source from others; absent: it held nothing.
    source: Option<String>,
    /// What tells one run from others.
    run: ClientId,
    /// Where the destination's feed was when the copy was complete and verified.
    complete_at: Option<u64>,
}

impl Mark {
    /// The account's id: a UUID of version 8 (RFC 9562 §5.8) with "keywar" and "copy" in it.
    pub(crate) const ID: ClientId = ClientId::from_bytes(*b"keywar\x8d\0\x80\0\0\0copy");

    /// Marks the destination as a copy of the source that is under way. Refused if it is anything else;
    /// nothing is written then.
    pub(crate) async fn begin(ends: &Ends) -> Result<Self, CopyError> {
        let mut patience = ends.patience();
        let mark = loop {
            match Self::try_begin(ends).await {
                Ok(mark) => break mark,
                // What a copy that was cut off had written last may arrive only now.
                Err(error) => patience.wait(error).await?,
            }
        };
        let there = find(&*ends.source).await.map_err(CopyError::at_source)?;
        if there.as_ref().and_then(read).is_some_and(|there| there.run == mark.note.run) {
            mark.remove(ends).await?;
            return Err(CopyError::SameStore);
        }
        Ok(mark)
    }

    async fn try_begin(ends: &Ends) -> Result<Self, CopyError> {
        let source = identity(&*ends.source).await.map_err(CopyError::at_source)?;
        let run = ClientId::generate(&*ends.entropy, ends.clock.now());
        let note = Note { source, run, complete_at: None };
        let before = find(&*ends.destination).await.map_err(CopyError::at_destination)?;
        match &before {
            None => {
                let is_empty = is_empty(ends).await.map_err(CopyError::at_destination)?;
                is_empty.then_some(()).ok_or(CopyError::Foreign)?;
            }
            Some(account) => {
                let known = read(account).ok_or(CopyError::Foreign)?;
                check(ends, &known, &note).await?;
            }
        }
        Self::write(ends, before, note).await
    }

    /// Notes that the copy is complete, so that what others write at the destination from now on is
    /// noticed. Refused if another copy has begun since.
    pub(crate) async fn complete(&mut self, ends: &Ends) -> Result<(), CopyError> {
        let mut patience = ends.patience();
        let position = loop {
            match ends.destination.position().await.map_err(CopyError::at_destination) {
                Ok(position) => break position,
                Err(error) => patience.wait(error).await?,
            }
        };
        let note = Note { complete_at: Some(position.get()), ..self.note.clone() };
        *self = match Self::write(ends, Some(self.account.clone()), note).await {
            Err(error) if error.is_conflict() => return Err(CopyError::Contended),
            written => written?,
        };
        Ok(())
    }

    /// Makes the destination a store as any other: nothing is copied to it any more.
    pub(crate) async fn remove(&self, ends: &Ends) -> Result<(), CopyError> {
        let mut change = ends.change();
        change.accounts.push(AccountWrite::Purge(Box::new(self.account.clone())));
        let mut patience = ends.patience();
        loop {
            match ends.apply(&change).await {
                Err(error) if error.is_outdated() => return Err(CopyError::Contended),
                Err(error) => patience.wait(error).await?,
                Ok(()) => return Ok(()),
            }
        }
    }

    async fn write(
        ends: &Ends,
        before: Option<ServiceAccount>,
        note: Note,
    ) -> Result<Self, CopyError> {
        let version = before.as_ref().map_or(Version::FIRST, |before| before.version.next());
        let unusable = |invalid: Invalid| {
            CopyError::at_destination(StoreError::Corrupt { what: "mark", source: invalid.into() })
        };
        let account = account(ends, &note, version).map_err(unusable)?;
        let mut change = ends.change();
        let after = Box::new(account.clone());
        change.accounts.push(match before {
            None => AccountWrite::Insert(after),
            Some(before) => AccountWrite::Update { before: Box::new(before), after },
        });
        let mut patience = ends.patience();
        loop {
            match ends.apply(&change).await {
                Err(error) if error.is_conflict() => return Err(error),
                Err(error) => patience.wait(error).await?,
                Ok(()) => return Ok(Self { account, note }),
            }
        }
    }
}

/// Whether a copy may go on that the destination holds the beginning of.
async fn check(ends: &Ends, known: &Note, new: &Note) -> Result<(), CopyError> {
    if known.source.is_some() && known.source != new.source {
        return Err(CopyError::OtherSource);
    }
    let Some(complete_at) = known.complete_at.map(Sequence::new) else { return Ok(()) };
    let feed = ends.destination.changes_since(complete_at).await;
    let feed = feed.map_err(CopyError::at_destination)?;
    let touched = &feed.touched;
    let is_unused = touched.locators.is_empty()
        && !touched.keyspaces
        && touched.accounts.iter().all(|id| *id == Mark::ID);
    if is_unused && !feed.has_gap && !feed.has_more { Ok(()) } else { Err(CopyError::InUse) }
}

async fn find(store: &dyn Store) -> Result<Option<ServiceAccount>, StoreError> {
    store.account(&Mark::ID).await
}

fn read(account: &ServiceAccount) -> Option<Note> {
    serde_json::from_str(account.description.as_ref()?.as_str()).ok()
}

fn account(ends: &Ends, note: &Note, version: Version) -> Result<ServiceAccount, Invalid> {
    let (at, by) = (ends.clock.now(), ActorId::parse("keyward")?);
    // The digest of no secret that anybody knows.
    let mut digest = [0; 32];
    ends.entropy.fill(&mut digest);
    Ok(ServiceAccount {
        id: Mark::ID,
        version,
        owner: OwnerId::parse("keyward copy")?,
        is_primary: false,
        description: Some(Description::parse(serde_json::to_string(note).unwrap_or_default())?),
        scopes: ScopeSet::default(),
        secret: StoredDigests::of(Digest::new(DigestScheme::Sha256, &digest)?),
        enabled: false,
        deletion: Some(Deletion { at, by: by.clone() }),
        created_at: at,
        created_by: by.clone(),
        updated_at: at,
        updated_by: by,
        rotated_at: None,
    })
}

/// What tells a Keyward from others: the keyspace that was made first, and when that was to the
/// microsecond. Keyspaces are never removed. Without any, the oldest key.
async fn identity(store: &dyn Store) -> Result<Option<String>, StoreError> {
    let keyspaces = store.keyspaces().await?;
    let first = keyspaces.iter().min_by_key(|keyspace| (keyspace.created_at, &keyspace.id));
    if let Some(first) = first {
        return Ok(Some(format!("keyspace {} of {}", first.id, first.created_at)));
    }
    let oldest: Option<(_, KeyId)> = match &*oldest_keys(store).await? {
        [key, ..] => Some((key.record.created_at, key.record.id.clone())),
        [] => None,
    };
    Ok(oldest.map(|(created_at, id)| format!("key {id} of {created_at}")))
}

async fn oldest_keys(store: &dyn Store) -> Result<Vec<keyward_store::StoredKey>, StoreError> {
    let now = keyward_core::Timestamp::from_micros(0);
    let Ok(now) = now else { return Ok(Vec::new()) };
    let (states, sort, order) = (KeyStates::ALL, KeySort::CreatedAt, Order::Ascending);
    let query = KeyQuery { states, sort, order, ..KeyQuery::new(now, 1) };
    Ok(store.list(&query).await?.keys)
}

/// Whether the destination holds nothing at all.
async fn is_empty(ends: &Ends) -> Result<bool, StoreError> {
    let store = &*ends.destination;
    let accounts = AccountQuery { with_deleted: true, ..AccountQuery::new(1) };
    let events = AuditQuery { limit: 1, ..AuditQuery::default() };
    Ok(store.keyspaces().await?.is_empty()
        && oldest_keys(store).await?.is_empty()
        && store.accounts(&accounts).await?.accounts.is_empty()
        && store.audit(&events).await?.events.is_empty()
        && store.signing_keys().await?.is_empty()
        && store.revoked_tokens().await?.is_empty())
}
