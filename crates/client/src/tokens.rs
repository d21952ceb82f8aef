//! The texts that were proved, by their digests, so that a text is proved once.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use sha2::{Digest as _, Sha256};

use crate::verified::VerifiedToken;

/// A bounded set of proved texts. Of the texts themselves nothing is kept.
pub(crate) struct KnownTokens(Cache<TextDigest, VerifiedToken, UnitWeighter, ByDigest>);

type ByDigest = BuildHasherDefault<DigestHasher>;

impl KnownTokens {
    pub(crate) fn new(capacity: usize) -> Self {
        let most = u64::try_from(capacity).unwrap_or(u64::MAX);
        Self(Cache::with(
            capacity,
            most,
            UnitWeighter,
            ByDigest::default(),
            DefaultLifecycle::default(),
        ))
    }

    /// What a text proved to be. The caller looks whether that still counts.
    pub(crate) fn find(&self, digest: &TextDigest) -> Option<VerifiedToken> {
        self.0.get(digest)
    }

    pub(crate) fn keep(&self, digest: TextDigest, token: VerifiedToken) {
        self.0.insert(digest, token);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// SHA-256 of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextDigest([u8; 32]);

impl TextDigest {
    pub(crate) fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }
}

impl Hash for TextDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0.first_chunk::<8>().map_or(&[], |first| first.as_slice()));
    }
}

/// Takes the first bytes of a digest as they are: they are as good as any hash of them.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
