//! What the tests have in common: a world to run Keyward in, and short ways to ask it things.

mod place;
mod probed;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keyward::jose::{BaseIssuer, PairKind};
use keyward::store::Store;
use keyward::{
    ActContext, Alphabet, Asked, Builder, Format, FormatKind, Issued, Keyspace, KeyspaceId,
    Keyward, Lifetime, NewKey, NewKeyspace, Opaque, OwnerId, Prefix, Rotated, Scope, ScopeSet,
    Secret, SecretUsed, Signed,
};
use keyward_store_sqlite::{SqliteOptions, SqliteStore};
use keyward_testkit::{FixedClock, SeededEntropy};
use tempfile::TempDir;

use place::Place;
pub(crate) use probed::{Call, ProbedStore};

/// Every backend that a test runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Backend {
    Memory,
    Postgres,
    Redis,
    Sqlite,
}

/// A clock, a store, and any number of instances over them, which do nothing by themselves. Keep it
/// for as long as they are used: its folder and its server go with it.
pub(crate) struct World {
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) store: Arc<ProbedStore>,
    folder: TempDir,
    place: Place,
    seed: AtomicU64,
}

impl World {
    pub(crate) fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(backend, folder.path());
        let store = Arc::new(ProbedStore::new(place.open()));
        Self { clock: Arc::default(), store, folder, place, seed: AtomicU64::new(1) }
    }

    /// The same data through another connection: the second `SqliteStore` on one file.
    pub(crate) fn second_store(&self) -> Arc<dyn Store> {
        self.place.open()
    }

    /// An instance to be, with chance of its own.
    pub(crate) fn builder(&self) -> Builder {
        self.builder_on(Arc::<ProbedStore>::clone(&self.store))
    }

    pub(crate) fn builder_on(&self, store: Arc<dyn Store>) -> Builder {
        let seed = self.seed.fetch_add(1, Ordering::SeqCst);
        Keyward::builder(store)
            .clock(Arc::<FixedClock>::clone(&self.clock))
            .entropy(Arc::new(SeededEntropy::new(seed)))
            .manual()
    }

    /// Another store on a file of its own, which keeps one change at a time: whoever falls behind has
    /// missed some. All that are opened are on the same file.
    pub(crate) fn forgetful_store(&self) -> Arc<dyn Store> {
        let options = SqliteOptions { kept_changes: 1, ..SqliteOptions::default() };
        Arc::new(SqliteStore::open(self.folder.path().join("forgetful.db"), &options).unwrap())
    }

    pub(crate) async fn start(&self) -> Keyward {
        self.builder().build().await.unwrap()
    }
}

pub(crate) fn me() -> ActContext {
    ActContext::by("me".parse().unwrap())
}

pub(crate) fn owner(name: &str) -> OwnerId {
    name.parse().unwrap()
}

pub(crate) fn scope(name: &str) -> Scope {
    name.parse().unwrap()
}

pub(crate) fn scopes(names: &[&str]) -> ScopeSet {
    ScopeSet::new(names.iter().map(|name| scope(name))).unwrap()
}

pub(crate) fn seconds(seconds: u64) -> Lifetime {
    Lifetime::new(std::time::Duration::from_secs(seconds)).unwrap()
}

/// A key to issue that may read.
pub(crate) fn reader() -> NewKey {
    NewKey { scopes: scopes(&["read"]), ..NewKey::new(owner("customer-1")) }
}

/// Issues a key that may read.
pub(crate) async fn issue(keyward: &Keyward) -> Issued {
    keyward.issue(reader(), &me()).await.unwrap()
}

/// Issues a key that may read, in a keyspace of that format.
pub(crate) async fn issue_as(keyward: &Keyward, format: FormatKind) -> Issued {
    let keyspace = keyspace_of(keyward, format).await;
    keyward.issue(NewKey { keyspace, ..reader() }, &me()).await.unwrap()
}

/// The keyspace of that format, which is made if there is none.
pub(crate) async fn keyspace_of(keyward: &Keyward, format: FormatKind) -> KeyspaceId {
    let new = match format {
        FormatKind::Prefixed => return KeyspaceId::default_keyspace(),
        FormatKind::Opaque => NewKeyspace::new("opaque".parse().unwrap(), opaque()),
        FormatKind::Signed => NewKeyspace {
            default_lifetime: Some(seconds(86_400)),
            ..NewKeyspace::new("signed".parse().unwrap(), signed())
        },
    };
    let id = new.id.clone();
    if keyward.keyspace(&id).await.unwrap().is_none() {
        create_keyspace(keyward, new).await;
    }
    id
}

pub(crate) fn opaque() -> Format {
    let prefix = Prefix::parse("op").unwrap();
    Format::Opaque(Opaque::new(Some(prefix), 32, Alphabet::alphanumeric().clone()).unwrap())
}

pub(crate) fn signed() -> Format {
    let issuer = BaseIssuer::parse("https://keys.example/jwks").unwrap();
    Format::Signed(Signed::new(PairKind::Ed25519, issuer, None))
}

pub(crate) async fn create_keyspace(keyward: &Keyward, new: NewKeyspace) -> Keyspace {
    keyward.create_keyspace(new, &me()).await.unwrap()
}

/// The code of the decision on a secret, when nothing else is asked.
pub(crate) async fn code(keyward: &Keyward, secret: &Secret) -> &'static str {
    code_for(keyward, secret, &Asked::default()).await
}

pub(crate) async fn code_for(
    keyward: &Keyward,
    secret: &Secret,
    asked: &Asked<'_>,
) -> &'static str {
    keyward.verify(secret.expose(), asked).await.unwrap().code()
}

/// Which of a key's secrets this one is, if it is allowed.
pub(crate) async fn secret_used(keyward: &Keyward, secret: &Secret) -> Option<SecretUsed> {
    match keyward.verify(secret.expose(), &Asked::default()).await.unwrap() {
        keyward::Decision::Allow(permit) => Some(permit.secret_used()),
        keyward::Decision::Deny(_) => None,
    }
}

/// What the old secret is worth after a rotation without grace.
pub(crate) fn worth_of_old(rotated: &Rotated) -> &'static str {
    if rotated.previous.id == rotated.key.id { "unknown" } else { "revoked" }
}
