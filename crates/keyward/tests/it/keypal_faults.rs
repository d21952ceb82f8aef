//! What is wrong with keypal 0.1.0, by the numbers that the faults have in its contract, and right
//! here, whichever the backend; and what keypal can do that must not be missed.

mod audit;
mod cache;
mod codes;
mod forgery;
mod import;
mod input;
mod management;
mod options;
mod records;
mod rotation;
mod secrets;
mod traffic;
mod writes;

use keyward::jose::Claims;
use keyward::store::{AuditQuery, KeyQuery};
use keyward::{
    AuditEvent, AuditFilter, Clock, Digest, DigestScheme, Error, Expiry, Format, FormatKind,
    Hasher, ImportedKey, KeyId, KeyRecord, Keyspace, Keyward, Metadata, NewKey, NewKeyspace,
    Prefixed, Secret, StoredSecret,
};
use keyward_testkit::{FixedClock, SeededEntropy};
use serde_json::Value;

use crate::support::{World, keyspace_of, me, opaque, reader, seconds, signed};

/// An instance beside the first, over a connection of its own and with nothing cached.
async fn another(world: &World) -> Keyward {
    world.builder_on(world.second_store()).build().await.unwrap()
}

/// A key's record as it is stored.
async fn record(keyward: &Keyward, id: &KeyId) -> KeyRecord {
    keyward.key(id).await.unwrap().unwrap().record
}

/// All records that are not deleted, the newest first.
async fn all_records(keyward: &Keyward) -> Vec<KeyRecord> {
    let page = keyward.list(&KeyQuery::new(keyward.now(), 100)).await.unwrap();
    page.keys.into_iter().map(|key| key.record).collect()
}

/// The audit events that a filter names, the newest first.
async fn events(keyward: &Keyward, filter: AuditFilter) -> Vec<AuditEvent> {
    let query = AuditQuery { filter, limit: 1_000, after: None };
    keyward.audit(&query).await.unwrap().events
}

/// A secret that was never issued, as well made as any.
fn made_up(kind: FormatKind, n: u64) -> Secret {
    let format = match kind {
        FormatKind::Opaque => opaque(),
        FormatKind::Prefixed => Format::Prefixed(Prefixed::new("kw".parse().unwrap())),
        FormatKind::Signed => signed(),
    };
    let (entropy, now) = (SeededEntropy::new(1_000_000 + n), FixedClock::new().now());
    let id = format.draw_id(&entropy, now);
    let Some(signed) = format.as_signed() else {
        return format.mint(&entropy, &id).unwrap().secret;
    };
    let pair = keyward_signatures::generate(signed.pair()).unwrap();
    let secret = StoredSecret::of_signature(pair.public_key().clone(), Claims::default());
    let keyspace = NewKeyspace::new("signed".parse().unwrap(), format.clone());
    let keyspace = Keyspace::create(keyspace, &Hasher::new(Vec::new()), now).unwrap();
    let new = NewKey { expiry: Expiry::In(seconds(86_400)), ..reader() };
    let key = KeyRecord::issue(new, id, secret, String::new(), &keyspace, now).unwrap();
    signed.mint(&key, pair).unwrap().secret
}

/// The digest of a secret without a pepper: what keypal stores where it has no salt.
fn sha256(secret: &Secret) -> Digest {
    Hasher::new(Vec::new()).digest(DigestScheme::Sha256, secret.expose()).unwrap()
}

/// Takes over a key of that id and secret, which may read.
async fn take_over(keyward: &Keyward, id: &KeyId, secret: &Secret) -> Result<KeyRecord, Error> {
    let key = NewKey { keyspace: keyspace_of(keyward, FormatKind::Opaque).await, ..reader() };
    let (id, digest) = (Some(id.clone()), sha256(secret));
    keyward.import(ImportedKey { id, ..ImportedKey::new(key, digest) }, &me()).await
}

fn metadata(value: &Value) -> Metadata {
    Metadata::new(value.as_object().unwrap().clone()).unwrap()
}
