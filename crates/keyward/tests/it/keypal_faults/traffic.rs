//! 1: revocations get lost under traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use keyward::{AuditFilter, Error, Issued, KeyId, KeyRecord, Keyward, Rotation};
use rstest::rstest;
use tokio::task::{JoinHandle, yield_now};

use super::{another, events, record};
use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{Call, World, code, issue, me};

const ROUNDS: usize = 100;

/// What makes a secret worthless.
#[derive(Clone, Copy, Debug)]
enum Act {
    Disable,
    Revoke,
    Rotate,
}

impl Act {
    /// Returns what is said of the secret from then on.
    async fn on(self, keyward: &Keyward, id: &KeyId) -> &'static str {
        match self {
            Self::Disable => keyward.disable(id, &me()).await.map(|_| "disabled"),
            Self::Revoke => keyward.revoke(id, None, &me()).await.map(|_| "revoked"),
            Self::Rotate => keyward.rotate(id, Rotation::default(), &me()).await.map(|_| "unknown"),
        }
        .unwrap()
    }

    /// Whether the record tells of it.
    fn is_told_by(self, record: &KeyRecord) -> bool {
        match self {
            Self::Disable => !record.enabled,
            Self::Revoke => record.revocation.is_some(),
            Self::Rotate => record.rotated_at.is_some(),
        }
    }
}

/// A key that is used, and whose usage is written down, all the time.
struct Traffic {
    allowed: AtomicU64,
    is_over: AtomicBool,
    key: Arc<Issued>,
    keyward: Keyward,
    verified: AtomicU64,
    written: AtomicU64,
}

impl Traffic {
    async fn verify(self: Arc<Self>) {
        while !self.is_over.load(Ordering::SeqCst) {
            let code = code(&self.keyward, &self.key.secret).await;
            self.allowed.fetch_add(u64::from(code == "allowed"), Ordering::SeqCst);
            self.verified.fetch_add(1, Ordering::SeqCst);
            yield_now().await;
        }
    }

    async fn write_usage(self: Arc<Self>) {
        while !self.is_over.load(Ordering::SeqCst) {
            self.keyward.flush_usage().await.unwrap();
            self.keyward.touch(&self.key.key.id).await.unwrap();
            self.written.fetch_add(1, Ordering::SeqCst);
            yield_now().await;
        }
    }

    /// How often the key was verified, and its usage written.
    fn so_far(&self) -> (u64, u64) {
        (self.verified.load(Ordering::SeqCst), self.written.load(Ordering::SeqCst))
    }
}

/// The traffic and those who make it.
struct Busy {
    tasks: Vec<JoinHandle<()>>,
    traffic: Arc<Traffic>,
}

impl Busy {
    fn begin(keyward: &Keyward, key: &Arc<Issued>, verifiers: usize) -> Self {
        let traffic = Arc::new(Traffic {
            allowed: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            key: Arc::clone(key),
            keyward: keyward.clone(),
            verified: AtomicU64::new(0),
            written: AtomicU64::new(0),
        });
        let verifying = (0..verifiers).map(|_| tokio::spawn(Arc::clone(&traffic).verify()));
        let mut tasks: Vec<_> = verifying.collect();
        tasks.push(tokio::spawn(Arc::clone(&traffic).write_usage()));
        Self { tasks, traffic }
    }

    /// Returns when the key was verified ten more times and its usage written from its beginning to
    /// its end, or when somebody has failed, which the end will tell.
    async fn go_on(&self) {
        let (verified, written) = self.traffic.so_far();
        let is_enough = || {
            let now = self.traffic.so_far();
            now.0 >= verified + 10 && now.1 >= written + 2
        };
        while !is_enough() && !self.tasks.iter().any(JoinHandle::is_finished) {
            yield_now().await;
        }
    }

    /// Returns how often the key was allowed.
    async fn end(self) -> u64 {
        self.traffic.is_over.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.traffic.allowed.load(Ordering::SeqCst)
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_01_of_a_hundred_acts_under_traffic_none_is_lost(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Act::Disable, Act::Revoke, Act::Rotate)] act: Act,
    #[values(1, 4)] verifiers: usize,
) {
    let world = World::new(backend);
    let (keyward, other) = (world.start().await, another(&world).await);
    let mut lost = 0;
    for _ in 0..ROUNDS {
        let key = Arc::new(issue(&keyward).await);
        let id = &key.key.id;
        let busy = Busy::begin(&keyward, &key, verifiers);
        busy.go_on().await;
        let refused = act.on(&keyward, id).await;
        busy.go_on().await;
        let allowed = busy.end().await;

        let stored = keyward.key(id).await.unwrap().unwrap();
        let said = [code(&keyward, &key.secret).await, code(&other, &key.secret).await];
        lost += usize::from(said != [refused; 2] || !act.is_told_by(&stored.record));
        assert_eq!(stored.record.version.get(), 2, "usage is no change of the record");
        assert_eq!(stored.usage.uses, allowed, "no use is lost either");
    }
    assert_eq!(lost, 0, "of {ROUNDS}");
}

/// What writes usage.
#[derive(Clone, Copy, Debug)]
enum Write {
    Flush,
    Touch,
}

impl Write {
    async fn on(self, keyward: Keyward, id: KeyId) -> Result<(), Error> {
        match self {
            Self::Flush => Ok(keyward.flush_usage().await?),
            Self::Touch => keyward.touch(&id).await,
        }
    }
}

#[rstest]
#[tokio::test]
async fn fault_01_usage_that_is_written_after_an_act_undoes_nothing_of_it(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Act::Disable, Act::Revoke, Act::Rotate)] act: Act,
    #[values(Write::Flush, Write::Touch)] write: Write,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let key = issue(&keyward).await;
    let id = &key.key.id;
    assert_eq!(code(&keyward, &key.secret).await, "allowed");
    let gate = world.store.hold(Call::RecordUsage);
    let writing = tokio::spawn(write.on(keyward.clone(), id.clone()));
    gate.arrivals(1).await;
    let refused = act.on(&keyward, id).await;
    gate.open();
    writing.await.unwrap().unwrap();
    let stored = keyward.key(id).await.unwrap().unwrap();
    assert!(act.is_told_by(&stored.record), "{stored:?}");
    assert_eq!((stored.usage.uses, stored.usage.last_used_at), (1, Some(keyward.now())));
    assert_eq!(code(&keyward, &key.secret).await, refused);
    assert_eq!(code(&another(&world).await, &key.secret).await, refused);
}

#[rstest]
#[tokio::test]
async fn fault_01_what_was_acknowledged_is_what_the_trail_and_the_record_tell(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let key = issue(&keyward).await;
    let id = &key.key.id;
    assert_eq!(code(&keyward, &key.secret).await, "allowed");
    let revoked = keyward.revoke(id, None, &me()).await.unwrap();
    keyward.flush_usage().await.unwrap();
    let other = another(&world).await;
    assert_eq!(record(&other, id).await, revoked);
    let filter = AuditFilter { key: Some(id.clone()), ..AuditFilter::default() };
    let mut told: Vec<_> =
        events(&other, filter).await.iter().map(|event| event.action.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["key.issued", "key.revoked"]);
}
