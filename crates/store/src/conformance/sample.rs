//! Records to test with.

use std::sync::atomic::{AtomicU64, Ordering};

use keyward_core::jose::{BaseIssuer, Claims, PairKind, PublicKey};
use keyward_core::{
    AccountRule, AccountWrite, ActContext, Action, ActorId, Alphabet, Audience, AuditEvent,
    AuditEventId, Change, ClientId, Description, Digest, DigestScheme, Entropy, Format, FormatKind,
    HashAlgorithm, KeyId, KeyRecord, KeyWrite, Keyspace, KeyspaceId, Metadata, Name, Opaque,
    OwnerId, Prefix, Prefixed, ResourceScopes, ScopeSet, ServiceAccount, Signed, SigningKey,
    StoredDigests, StoredSecret, TagSet, Timestamp, TokenId, Version,
};
use serde_json::json;

use crate::{Store, StoreError};

/// Bytes that differ from call to call, which is all that identifiers need here.
#[derive(Debug)]
struct Counting;

static COUNTER: AtomicU64 = AtomicU64::new(1);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let count = COUNTER.fetch_add(1, Ordering::SeqCst).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            for (byte, drawn) in chunk.iter_mut().zip(count.to_le_bytes()) {
                *byte = drawn;
            }
        }
    }
}

/// The instant that many seconds after a fixed one.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000 + second * 1_000_000).unwrap()
}

/// A digest that no other call returns.
pub fn digest() -> Digest {
    let mut bytes = [0; 32];
    Counting.fill(&mut bytes);
    Digest::new(DigestScheme::Sha256, &bytes).unwrap()
}

/// A service account with every field filled that a new one can have.
pub fn account() -> ServiceAccount {
    let by = ActorId::parse("key:abc").unwrap();
    ServiceAccount {
        id: ClientId::generate(&Counting, at(0)),
        version: Version::FIRST,
        owner: OwnerId::parse("owner").unwrap(),
        is_primary: false,
        description: Some(Description::parse("Line\nline").unwrap()),
        scopes: ScopeSet::parse(&["read".to_owned(), "write".to_owned()], "scopes").unwrap(),
        secret: StoredDigests::of(digest()),
        enabled: true,
        deletion: None,
        created_at: at(0),
        created_by: by.clone(),
        updated_at: at(1),
        updated_by: by,
        rotated_at: None,
    }
}

/// The same with a changed record.
pub fn changed_account(account: &ServiceAccount) -> ServiceAccount {
    ServiceAccount { version: account.version.next(), ..account.clone() }
}

/// A key that belongs to a service account.
pub fn key_of(account: &ServiceAccount, id: &str) -> KeyRecord {
    KeyRecord { service_account: Some(account.id), ..key(id) }
}

/// A key of the prefixed format with every field filled that a new key can have.
pub fn key(id: &str) -> KeyRecord {
    let text = |text: &str| vec![text.to_owned(), "other".to_owned()];
    let resources = [("project:1".to_owned(), text("write"))].into();
    KeyRecord {
        id: KeyId::parse(id).unwrap(),
        version: Version::FIRST,
        secret: StoredSecret::of_digest(digest()),
        enabled: true,
        expires_at: Some(at(1_000)),
        not_before: Some(at(-1_000)),
        revocation: None,
        deletion: None,
        scopes: ScopeSet::parse(&text("read"), "scopes").unwrap(),
        resources: ResourceScopes::parse(&resources, "resources").unwrap(),
        service_account: None,
        keyspace: KeyspaceId::default_keyspace(),
        format: FormatKind::Prefixed,
        owner: OwnerId::parse("owner").unwrap(),
        name: Some(Name::parse("Name").unwrap()),
        description: Some(Description::parse("Line\nline").unwrap()),
        hint: format!("kw_{id}"),
        tags: TagSet::parse(&text("prod"), "tags").unwrap(),
        metadata: Metadata::new(
            json!({"n": 1, "f": 51.248_178_375_505_404, "s": ["ü"]}).as_object().unwrap().clone(),
        )
        .unwrap(),
        created_at: at(0),
        updated_at: at(-500),
        rotated_at: None,
        rotated_from: None,
        rotated_to: None,
    }
}

/// The same of the opaque format.
pub fn opaque_key(id: &str) -> KeyRecord {
    KeyRecord { format: FormatKind::Opaque, ..key(id) }
}

/// The same of the signed format.
pub fn signed_key(id: &str) -> KeyRecord {
    let claims = Claims::parse(r#"{"z":[1],"a":{"b":"c"}}"#).unwrap();
    let modulus: Vec<_> = std::iter::repeat_n(0xff, 256).collect();
    let secret = StoredSecret::of_signature(PublicKey::rsa(&modulus).unwrap(), claims);
    KeyRecord { format: FormatKind::Signed, secret, ..key(id) }
}

/// A signing key that no other call returns.
pub fn signing_key(created_at: Timestamp, expires_at: Timestamp) -> SigningKey {
    let mut key = [0; 32];
    Counting.fill(&mut key);
    let id = SigningKey::draw_id(&Counting, created_at);
    SigningKey { id, key: PublicKey::Ed25519(key), created_at, expires_at }
}

/// An identifier of an access token that no other call returns.
pub fn token_id() -> TokenId {
    TokenId::generate(&Counting, at(0))
}

/// The next version of a record.
pub fn changed(record: &KeyRecord) -> KeyRecord {
    KeyRecord { version: record.version.next(), ..record.clone() }
}

/// A keyspace of that format with every field filled but the rate limit.
pub fn keyspace(id: &str, format: FormatKind) -> Keyspace {
    let prefix = Prefix::parse("kw_test").unwrap();
    let format = match format {
        FormatKind::Opaque => {
            Format::Opaque(Opaque::new(Some(prefix), 40, Alphabet::alphanumeric().clone()).unwrap())
        }
        FormatKind::Prefixed => Format::Prefixed(Prefixed::new(prefix)),
        FormatKind::Signed => {
            let issuer = BaseIssuer::parse("https://example.com/keys").unwrap();
            Format::Signed(Signed::new(PairKind::P256, issuer, Audience::parse("api").ok()))
        }
    };
    Keyspace {
        id: KeyspaceId::parse(id).unwrap(),
        version: Version::FIRST,
        description: Some(Description::parse("for tests").unwrap()),
        format,
        algorithm: HashAlgorithm::Sha512,
        schemes: vec![DigestScheme::Sha512, DigestScheme::Sha256],
        default_lifetime: Some("30d".parse().unwrap()),
        maximum_lifetime: Some("90d".parse().unwrap()),
        rate_limit: None,
        service_account: AccountRule::Primary,
        created_at: at(0),
        updated_at: at(1),
    }
}

/// An event about a key.
pub fn event(action: Action, record: &KeyRecord, second: i64) -> AuditEvent {
    AuditEvent {
        id: AuditEventId::generate(&Counting, at(second)),
        at: at(second),
        action,
        context: ActContext {
            actor: ActorId::parse("key:abc").unwrap(),
            ip: Some("2001:db8::1".parse().unwrap()),
            user_agent: Some("curl/8".to_owned()),
            request_id: Some("r-1".to_owned()),
            metadata: Metadata::default(),
        },
        key: Some(record.id.clone()),
        keyspace: Some(record.keyspace.clone()),
        owner: Some(record.owner.clone()),
        service_account: record.service_account,
        data: json!({"fields": ["name"]}).as_object().unwrap().clone(),
    }
}

/// A change with an id of its own.
pub fn change(keys: Vec<KeyWrite>) -> Change {
    Change { keys, ..Change::new(&Counting, at(0)) }
}

/// A change of one record into another.
pub fn update(before: &KeyRecord, after: &KeyRecord) -> Change {
    let (before, after) = (Box::new(before.clone()), Box::new(after.clone()));
    change(vec![KeyWrite::Update { before, after }])
}

/// A change that adds a record.
pub fn insertion(record: &KeyRecord) -> Change {
    change(vec![KeyWrite::Insert(Box::new(record.clone()))])
}

/// A change that writes service accounts.
pub fn account_change(accounts: Vec<AccountWrite>) -> Change {
    Change { accounts, ..change(Vec::new()) }
}

/// A change of one account into another.
pub fn account_update(before: &ServiceAccount, after: &ServiceAccount) -> Change {
    let (before, after) = (Box::new(before.clone()), Box::new(after.clone()));
    account_change(vec![AccountWrite::Update { before, after }])
}

/// Adds a service account.
pub async fn insert_account(store: &dyn Store, account: &ServiceAccount) {
    let change = account_change(vec![AccountWrite::Insert(Box::new(account.clone()))]);
    store.apply(&change).await.expect("a new account is accepted");
}

/// Adds a record.
pub async fn insert(store: &dyn Store, record: &KeyRecord) {
    store.apply(&insertion(record)).await.expect("a new key is accepted");
}

/// Applies a change that must conflict.
pub async fn refusal(store: &dyn Store, change: &Change) -> crate::Conflict {
    match store.apply(change).await {
        Err(StoreError::Conflict(conflict)) => conflict,
        other => panic!("a conflict was expected, not {other:?}"),
    }
}

/// The record that is stored under an id.
pub async fn stored(store: &dyn Store, id: &KeyId) -> Option<KeyRecord> {
    store.key(id).await.unwrap().map(|key| key.record)
}
