//! A cache that instances share: it saves reads, and whatever becomes of it, no key is allowed that
//! the store would refuse.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use keyward::{Asked, CacheError, FormatKind, Keyward, Pepper, SharedCache};
use keyward_testkit::SeededEntropy;
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, code, issue, issue_as, me};

/// A cache in this process, as a user would write one; it can be made to fail, and looked into.
#[derive(Debug, Default)]
struct Toy {
    entries: Mutex<HashMap<String, Vec<u8>>>,
    is_down: Mutex<bool>,
    keeps_what_is_deleted: Mutex<bool>,
    hits: AtomicUsize,
}

impl Toy {
    fn up(&self) -> Result<(), CacheError> {
        if *self.is_down.lock().unwrap() { Err("it is down".into()) } else { Ok(()) }
    }

    fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }

    fn entries(&self) -> HashMap<String, Vec<u8>> {
        self.entries.lock().unwrap().clone()
    }

    fn put_back(&self, entries: HashMap<String, Vec<u8>>) {
        *self.entries.lock().unwrap() = entries;
    }
}

#[async_trait]
impl SharedCache for Toy {
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, CacheError> {
        self.up()?;
        let found = self.entries.lock().unwrap().get(name).cloned();
        self.hits.fetch_add(usize::from(found.is_some()), Ordering::SeqCst);
        Ok(found)
    }

    async fn set(&self, name: &str, value: &[u8], _: Duration) -> Result<(), CacheError> {
        self.up()?;
        self.entries.lock().unwrap().insert(name.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), CacheError> {
        self.up()?;
        if !*self.keeps_what_is_deleted.lock().unwrap() {
            self.entries.lock().unwrap().remove(name);
        }
        Ok(())
    }
}

fn seal(byte: u8) -> Pepper {
    Pepper::new(vec![byte; 32]).unwrap()
}

async fn with(world: &World, toy: &Arc<Toy>) -> Keyward {
    let cache = Arc::<Toy>::clone(toy);
    world.builder().shared_cache(cache, seal(1)).build().await.unwrap()
}

#[rstest]
#[tokio::test]
async fn what_one_instance_has_read_the_other_need_not_read(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(FormatKind::Prefixed, FormatKind::Opaque, FormatKind::Signed)] format: FormatKind,
) {
    let (world, toy) = (World::new(backend), Arc::default());
    let a = with(&world, &toy).await;
    let issued = issue_as(&a, format).await;
    a.catch_up().await.unwrap();
    assert_eq!(code(&a, &issued.secret).await, "allowed");
    assert_eq!((world.store.count(Call::Find), toy.hits()), (1, 0));
    // Also one that starts later, and has not seen the change that issued the key.
    let b = with(&world, &toy).await;
    for _ in 0..3 {
        assert_eq!(code(&b, &issued.secret).await, "allowed");
    }
    assert_eq!((world.store.count(Call::Find), toy.hits()), (1, 1));
    let status = b.cache_status();
    assert_eq!((status.keys, status.reads, status.shared_hits), (1, 1, 1));
    assert_eq!(a.cache_status().shared_misses, 1);
}

#[rstest]
#[tokio::test]
async fn an_entry_that_is_older_than_a_change_is_not_believed(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let (world, toy) = (World::new(backend), Arc::<Toy>::default());
    let [a, b] = [with(&world, &toy).await, with(&world, &toy).await];
    let issued = issue(&a).await;
    a.catch_up().await.unwrap();
    assert_eq!(code(&a, &issued.secret).await, "allowed");
    let old = toy.entries();
    assert_eq!(old.len(), 1);
    a.revoke(&issued.key.id, None, &me()).await.unwrap();
    assert!(toy.entries().is_empty(), "an instance removes what it makes outdated");
    // Somebody's late write, or a thief's: the old entry with its good seal is there again.
    toy.put_back(old.clone());
    assert_eq!(code(&a, &issued.secret).await, "revoked", "also before the feed was read");
    b.catch_up().await.unwrap();
    toy.put_back(old.clone());
    assert_eq!(code(&b, &issued.secret).await, "revoked");
    // And one that begins only now.
    toy.put_back(old);
    let c = with(&world, &toy).await;
    assert_eq!(code(&c, &issued.secret).await, "revoked");
}

#[rstest]
#[tokio::test]
async fn a_cache_that_forgets_to_forget_is_no_danger(#[values(Memory, Sqlite)] backend: Backend) {
    let (world, toy) = (World::new(backend), Arc::<Toy>::default());
    *toy.keeps_what_is_deleted.lock().unwrap() = true;
    let keyward = with(&world, &toy).await;
    let issued = issue(&keyward).await;
    for refused in ["disabled", "allowed", "disabled", "allowed"] {
        keyward.catch_up().await.unwrap();
        code(&keyward, &issued.secret).await;
        if refused == "disabled" {
            keyward.disable(&issued.key.id, &me()).await.unwrap();
        } else {
            keyward.enable(&issued.key.id, &me()).await.unwrap();
        }
        assert_eq!(code(&keyward, &issued.secret).await, refused);
    }
}

#[rstest]
#[tokio::test]
async fn a_forged_or_damaged_entry_is_as_good_as_none(#[values(Memory, Sqlite)] backend: Backend) {
    let (world, toy) = (World::new(backend), Arc::<Toy>::default());
    let keyward = with(&world, &toy).await;
    let [good, disabled] = [issue(&keyward).await, issue(&keyward).await];
    keyward.disable(&disabled.key.id, &me()).await.unwrap();
    keyward.catch_up().await.unwrap();
    assert_eq!(code(&keyward, &good.secret).await, "allowed");
    let [(good_name, entry)] = <[_; 1]>::try_from(Vec::from_iter(toy.entries())).unwrap();
    let name = good_name.replace(good.key.id.as_str(), disabled.key.id.as_str());
    // Another key's entry under this key's name; the same with another id; cut, and bits turned.
    let text = String::from_utf8_lossy(&entry).into_owned();
    let renamed = text.replace(good.key.id.as_str(), disabled.key.id.as_str()).into_bytes();
    let mut forged = vec![entry.clone(), renamed, Vec::new(), entry[..31].to_vec()];
    forged.extend((0..entry.len()).step_by(37).map(|at| {
        let mut turned = entry.clone();
        turned[at] ^= 1;
        turned
    }));
    for (n, entry) in forged.into_iter().enumerate() {
        toy.put_back([(name.clone(), entry.clone()), (good_name.clone(), entry)].into());
        let fresh = with(&world, &toy).await;
        assert_eq!(code(&fresh, &disabled.secret).await, "disabled", "forgery {n}");
        assert_eq!(code(&fresh, &good.secret).await, "allowed", "forgery {n}");
        assert!(fresh.cache_status().shared_forgeries > 0, "forgery {n}");
    }
    // An instance with another key believes nothing.
    let cache = Arc::<Toy>::clone(&toy);
    let stranger = world.builder().shared_cache(cache, seal(2)).build().await.unwrap();
    let reads = world.store.count(Call::Find);
    assert_eq!(code(&stranger, &good.secret).await, "allowed");
    assert_eq!(world.store.count(Call::Find), reads + 1);
}

#[rstest]
#[tokio::test]
async fn a_dead_cache_costs_reads_and_nothing_else(#[values(Memory, Sqlite)] backend: Backend) {
    let (world, toy) = (World::new(backend), Arc::<Toy>::default());
    let keyward = with(&world, &toy).await;
    *toy.is_down.lock().unwrap() = true;
    let issued = issue(&keyward).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    keyward.revoke(&issued.key.id, None, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "revoked");
    assert_eq!(keyward.cache_status().shared_failures, 2);
    // Whoever asks for it to be emptied is told that it was not.
    let locators: Vec<_> = issued.key.locators().collect();
    let error = keyward.invalidate(&locators).await.unwrap_err();
    assert_eq!(error.code(), "cache_failed");
    *toy.is_down.lock().unwrap() = false;
    keyward.invalidate(&locators).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn neither_secrets_nor_absences_are_shared(#[values(Memory, Sqlite)] backend: Backend) {
    let (world, toy) = (World::new(backend), Arc::<Toy>::default());
    let (a, elsewhere) = (with(&world, &toy).await, World::new(backend));
    let other = elsewhere.builder().entropy(Arc::new(SeededEntropy::new(99)));
    let other = other.build().await.unwrap();
    let [known, unknown] = [issue(&a).await, issue(&other).await];
    assert_eq!(code(&a, &known.secret).await, "allowed");
    assert_eq!(code(&a, &unknown.secret).await, "unknown");
    let entries = toy.entries();
    assert_eq!(entries.len(), 1);
    let all = format!("{entries:?} {}", String::from_utf8_lossy(entries.values().next().unwrap()));
    let secret = known.secret.expose().rsplit('_').next().unwrap();
    assert!(!all.contains(secret));
}

#[rstest]
#[tokio::test]
async fn an_invalidated_key_is_read_anew(#[values(Memory, Sqlite)] backend: Backend) {
    let (world, toy) = (World::new(backend), Arc::<Toy>::default());
    let keyward = with(&world, &toy).await;
    let issued = issue(&keyward).await;
    let locators: Vec<_> = issued.key.locators().collect();
    for reads in 1..=3 {
        assert_eq!(code(&keyward, &issued.secret).await, "allowed");
        assert_eq!(world.store.count(Call::Find), reads);
        keyward.invalidate(&locators).await.unwrap();
    }
}

#[rstest]
#[tokio::test]
async fn without_a_lease_the_shared_cache_is_not_asked(#[values(Memory, Sqlite)] backend: Backend) {
    let (world, toy) = (World::new(backend), Arc::<Toy>::default());
    let keyward = with(&world, &toy).await;
    let issued = issue(&keyward).await;
    keyward.catch_up().await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    world.clock.advance(Duration::from_secs(2));
    world.store.set_down(true);
    assert!(keyward.verify(issued.secret.expose(), &Asked::default()).await.is_err());
    assert_eq!(toy.hits(), 0);
}
