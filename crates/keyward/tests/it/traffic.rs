//! Acts on keys that are in use at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keyward::{Asked, KeyChanges, KeyId, Keyward, Secret};
use rstest::rstest;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, yield_now};

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, code_for, issue, me, scope, scopes};

const ROUNDS: usize = 100;

/// What takes a key its right to read.
#[derive(Clone, Copy, Debug)]
enum Act {
    Disable,
    Revoke,
    TakeScopes,
}

impl Act {
    async fn on(self, keyward: &Keyward, id: &KeyId) {
        match self {
            Self::Disable => keyward.disable(id, &me()).await,
            Self::Revoke => keyward.revoke(id, None, &me()).await,
            Self::TakeScopes => {
                let scopes = Some(scopes(&["write"]));
                keyward.update(id, KeyChanges { scopes, ..KeyChanges::default() }, &me()).await
            }
        }
        .unwrap();
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Disable => "disabled",
            Self::Revoke => "revoked",
            Self::TakeScopes => "insufficient_scope",
        }
    }
}

/// Those who use a key all the time.
struct Traffic {
    is_over: AtomicBool,
    is_done: AtomicBool,
    keyward: Keyward,
    running: Semaphore,
    secret: Secret,
}

impl Traffic {
    /// Verifies until some time after the act is done. Returns how often it was allowed, and every
    /// code of a verification that began after the act was done.
    async fn verify(self: Arc<Self>) -> (u64, Vec<&'static str>) {
        let read = [scope("read")];
        let asked = Asked { scopes: &read, ..Asked::default() };
        let (mut allowed, mut late, mut count) = (0, Vec::new(), 0);
        while late.len() < 10 {
            let is_done = self.is_done.load(Ordering::SeqCst);
            let code = code_for(&self.keyward, &self.secret, &asked).await;
            allowed += u64::from(code == "allowed");
            if is_done {
                late.push(code);
            }
            count += 1;
            if count == 5 {
                self.running.add_permits(1);
            }
            yield_now().await;
        }
        (allowed, late)
    }

    async fn write_usage(self: Arc<Self>) {
        while !self.is_over.load(Ordering::SeqCst) {
            self.keyward.flush_usage().await.unwrap();
            yield_now().await;
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_begins_after_the_act_is_refused(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Act::Disable, Act::Revoke, Act::TakeScopes)] act: Act,
    #[values(1, 4)] verifiers: u32,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    for _ in 0..ROUNDS {
        let issued = issue(&keyward).await;
        let id = issued.key.id;
        let traffic = Arc::new(Traffic {
            is_over: AtomicBool::new(false),
            is_done: AtomicBool::new(false),
            keyward: keyward.clone(),
            running: Semaphore::new(0),
            secret: issued.secret,
        });
        let verifying: Vec<JoinHandle<_>> =
            (0..verifiers).map(|_| tokio::spawn(Arc::clone(&traffic).verify())).collect();
        let writing = tokio::spawn(Arc::clone(&traffic).write_usage());
        traffic.running.acquire_many(verifiers).await.unwrap().forget();
        act.on(&keyward, &id).await;
        traffic.is_done.store(true, Ordering::SeqCst);
        let mut uses = 0;
        for verifier in verifying {
            let (allowed, late) = verifier.await.unwrap();
            assert_eq!(late, vec![act.code(); late.len()]);
            uses += allowed;
        }
        traffic.is_over.store(true, Ordering::SeqCst);
        writing.await.unwrap();
        let stored = keyward.key(&id).await.unwrap().unwrap();
        assert_eq!(stored.usage.uses, uses);
        assert_eq!(stored.record.version.get(), 2, "usage is no change of the record");
    }
}
