//! What the tests have in common: instants, keyspaces, keys, and asking about them.

use keyward_core::{
    AccountState, Alphabet, Asked, Decision, Digest, Format, Hasher, Judgement, KeyId, KeyRecord,
    Keyspace, KeyspaceId, KeyspaceTable, Lifetime, Minted, NewKey, NewKeyspace, Opaque, OwnerId,
    Pepper, PepperVersion, Prefix, Prefixed, PreviousSecret, StoredDigests, StoredSecret,
    Timestamp, judge,
};
use keyward_testkit::SeededEntropy;

/// The instant that many seconds after 2027-01-01T00:00:00Z.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_798_761_600 + seconds) * 1_000_000).unwrap()
}

/// A lifetime of that many seconds.
pub(crate) fn seconds(seconds: u64) -> Lifetime {
    Lifetime::new(std::time::Duration::from_secs(seconds)).unwrap()
}

pub(crate) fn key_id(text: &str) -> KeyId {
    KeyId::parse(text).unwrap()
}

/// A hasher with peppers of these versions.
pub(crate) fn hasher(versions: &[u16]) -> Hasher {
    let pepper = |&version: &u16| {
        let byte = u8::try_from(version).unwrap();
        (PepperVersion::new(version), Pepper::new(vec![byte; 32]).unwrap())
    };
    Hasher::new(versions.iter().map(pepper).collect())
}

pub(crate) fn prefixed(prefix: &str) -> Format {
    Format::Prefixed(Prefixed::new(Prefix::parse(prefix).unwrap()))
}

/// Opaque secrets of letters and digits.
pub(crate) fn opaque(prefix: Option<&str>, length: usize) -> Format {
    let prefix = prefix.map(|prefix| Prefix::parse(prefix).unwrap());
    Format::Opaque(Opaque::new(prefix, length, Alphabet::alphanumeric().clone()).unwrap())
}

/// A keyspace without limits, made without a pepper.
pub(crate) fn keyspace(id: &str, format: Format) -> Keyspace {
    let new = NewKeyspace::new(KeyspaceId::parse(id).unwrap(), format);
    Keyspace::create(new, &hasher(&[]), at(0)).unwrap()
}

/// A key, its secret, and the keyspace that it was issued in.
pub(crate) struct Issued {
    pub(crate) keyspace: Keyspace,
    pub(crate) record: KeyRecord,
    pub(crate) minted: Minted,
}

/// Issues a key at second 0.
pub(crate) fn issue(keyspace: Keyspace, hasher: &Hasher) -> Issued {
    let owner = OwnerId::parse("user-7").unwrap();
    let new = NewKey { keyspace: keyspace.id.clone(), ..NewKey::new(owner) };
    let id = KeyId::generate(&SeededEntropy::new(1));
    let minted = keyspace.format.mint(&SeededEntropy::new(2), &id).unwrap();
    let digest = hasher.digest(keyspace.minting_scheme(hasher), minted.secret.expose()).unwrap();
    let (secret, hint) = (StoredSecret::of_digest(digest), minted.hint.clone());
    let record = KeyRecord::issue(new, id, secret, hint, &keyspace, at(0)).unwrap();
    Issued { keyspace, record, minted }
}

/// A key of a prefixed keyspace called `default`, without a pepper.
pub(crate) fn issued() -> Issued {
    issue(keyspace("default", prefixed("kw")), &hasher(&[]))
}

/// Decides on a presented text against the record, without a pepper and without limits.
pub(crate) fn decide<'k>(
    text: &str,
    keyspace: &Keyspace,
    record: &'k KeyRecord,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Decision<&'k KeyRecord> {
    let table = KeyspaceTable::new([keyspace.clone()]);
    let token = table.parse(text).unwrap();
    match judge(&token, record, AccountState::Active, asked, now, &hasher(&[])) {
        Judgement::Deny(reason) => Decision::Deny(reason),
        Judgement::Suitable(suitable) => suitable.limited(Ok(())),
    }
}

/// The same key with another secret before its own.
pub(crate) fn with_previous(key: KeyRecord, digest: Digest, until: Timestamp) -> KeyRecord {
    let current = key.secret.digest().unwrap().clone();
    let previous = Some(PreviousSecret { digest, until });
    KeyRecord { secret: StoredSecret::Digests(StoredDigests { current, previous }), ..key }
}
