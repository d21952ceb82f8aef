//! The keys that the cache holds: bounded, by locator, and as near to the processor as they can be.
//!
//! With many keys, what a hit costs is how often it waits for memory. Here that is twice: for the
//! place in the table, and for the key itself, which is also where its locator is compared.

use std::hash::BuildHasher as _;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};

use keyward_core::Locator;
use parking_lot::RwLock;

use super::LiveKey;

/// A bounded set of keys. When it is full, one that was not used for a while makes room.
pub(super) struct KnownKeys {
    hashing: foldhash::fast::RandomState,
    shards: Box<[RwLock<Shard>]>,
}

impl KnownKeys {
    /// So many that writers seldom meet, and so few that their locks stay near.
    const MOST_SHARDS: usize = 64;
    /// Fewer would make the shards of a small cache unequally full.
    const LEAST_IN_SHARD: usize = 64;

    /// Room for this many keys, at least one.
    pub(super) fn new(capacity: usize) -> Self {
        let shards = (capacity / Self::LEAST_IN_SHARD).clamp(1, Self::MOST_SHARDS);
        let shards = 1 << shards.ilog2();
        let most = capacity.div_ceil(shards).max(1);
        let shards = (0..shards).map(|_| RwLock::new(Shard::new(most))).collect();
        Self { hashing: foldhash::fast::RandomState::default(), shards }
    }

    /// The key at a locator.
    pub(super) fn find(&self, locator: &Locator) -> Option<LiveKey> {
        let (shard, hash) = self.shard(locator)?;
        let shard = shard.read();
        let entry = shard.entry(shard.place(hash, locator)?)?;
        if !entry.was_used.load(Ordering::Relaxed) {
            entry.was_used.store(true, Ordering::Relaxed);
        }
        Some(entry.key.clone())
    }

    /// Keeps a key at a locator, in place of the one that was there.
    pub(super) fn insert(&self, locator: &Locator, key: LiveKey) {
        if let Some((shard, hash)) = self.shard(locator) {
            shard.write().insert(hash, locator, key);
        }
    }

    /// Forgets what is at a locator.
    pub(super) fn remove(&self, locator: &Locator) {
        if let Some((shard, hash)) = self.shard(locator) {
            let mut shard = shard.write();
            if let Some(place) = shard.place(hash, locator) {
                shard.remove(place);
            }
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.write();
            *shard = Shard::new(shard.most);
        }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().count).sum()
    }

    /// The shard of a locator, and the half of its hash that did not choose the shard.
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the hash")]
    fn shard(&self, locator: &Locator) -> Option<(&RwLock<Shard>, u32)> {
        let hash = self.hashing.hash_one(locator);
        let shard = (hash >> 32) as usize & (self.shards.len() - 1);
        Some((self.shards.get(shard)?, hash as u32))
    }
}

/// A part of the set: an open hash table with linear probing, at most half full.
#[repr(align(64))]
struct Shard {
    /// A power of two of them, or none. An entry stands at the place of its hash or, with no empty
    /// place in between, behind it.
    places: Vec<Option<Entry>>,
    count: usize,
    /// Where the search for an entry to evict goes on.
    hand: usize,
    /// The most entries.
    most: usize,
}

struct Entry {
    hash: u32,
    /// Since the hand passed it last.
    was_used: AtomicBool,
    key: LiveKey,
}

impl Shard {
    const fn new(most: usize) -> Self {
        Self { places: Vec::new(), count: 0, hand: 0, most }
    }

    fn entry(&self, place: usize) -> Option<&Entry> {
        self.places.get(place)?.as_ref()
    }

    /// Where the key of a locator stands.
    fn place(&self, hash: u32, locator: &Locator) -> Option<usize> {
        let mut place = self.home(hash);
        loop {
            let entry = self.entry(place)?;
            if entry.hash == hash {
                entry.key.draw_near();
                if entry.key.is_at(locator) {
                    return Some(place);
                }
            }
            place = self.behind(place);
        }
    }

    fn insert(&mut self, hash: u32, locator: &Locator, key: LiveKey) {
        let entry = Entry { hash, was_used: AtomicBool::new(false), key };
        if let Some(place) = self.place(hash, locator) {
            self.put(place, Some(entry));
            return;
        }
        if self.count >= self.most {
            self.evict();
        }
        if (self.count + 1) * 2 > self.places.len() {
            self.grow();
        }
        self.add(entry);
    }

    fn add(&mut self, entry: Entry) {
        let mut place = self.home(entry.hash);
        while self.entry(place).is_some() {
            place = self.behind(place);
        }
        self.put(place, Some(entry));
        self.count += 1;
    }

    fn grow(&mut self) {
        let length = (self.places.len() * 2).max(8);
        let places = (0..length).map(|_| None).collect();
        let entries = mem::replace(&mut self.places, places);
        self.count = 0;
        entries.into_iter().flatten().for_each(|entry| self.add(entry));
    }

    /// Removes the first entry from the hand on that was not used since the hand was there.
    fn evict(&mut self) {
        // Twice round at most: the first time, all may have been used.
        for _ in 0..self.places.len() * 2 {
            let place = self.hand;
            if self.entry(place).is_some_and(|e| !e.was_used.swap(false, Ordering::Relaxed)) {
                // The hand stays: the next entry may have moved here.
                self.remove(place);
                return;
            }
            self.hand = self.behind(place);
        }
    }

    /// Empties a place, and moves those behind it up that would not be found otherwise.
    fn remove(&mut self, place: usize) {
        self.put(place, None);
        self.count -= 1;
        let mut hole = place;
        let mut place = self.behind(place);
        while let Some(entry) = self.entry(place) {
            if self.distance(self.home(entry.hash), place) >= self.distance(hole, place) {
                self.places.swap(hole, place);
                hole = place;
            }
            place = self.behind(place);
        }
    }

    fn put(&mut self, place: usize, entry: Option<Entry>) {
        if let Some(there) = self.places.get_mut(place) {
            *there = entry;
        }
    }

    /// The place at which an entry is looked for first.
    const fn home(&self, hash: u32) -> usize {
        hash as usize & self.places.len().wrapping_sub(1)
    }

    const fn behind(&self, place: usize) -> usize {
        (place + 1) & self.places.len().wrapping_sub(1)
    }

    /// How many places `to` is behind `from`.
    const fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.places.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests;
