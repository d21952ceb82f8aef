//! Signing keys: pairs that are made ahead, how many keys an owner may ask for, and the documents with
//! public keys.

mod document;
mod pool;

pub use document::KeyDocument;
use keyward_core::jose::{BaseIssuer, PairKind, PublicKey, SignedToken, SigningPair};
use keyward_core::{Audience, OwnerId, RateLimit};
use pool::KeyPool;
pub use pool::PoolStatus;

use crate::Error;
use crate::limit::Limiter;
use crate::lookup::SignatureSlot;

/// How signed keys are made.
#[derive(Clone, Debug)]
pub struct SigningSettings {
    /// The base issuer of keyspaces that are created over HTTP without one; absent: they must name one.
    pub issuer: Option<BaseIssuer>,
    /// The audience of keyspaces that are created over HTTP without one.
    pub audience: Option<Audience>,
    /// How many RSA pairs of each length in use are held ready; by default 64. With none, each is made
    /// when it is asked for. The private halves live in memory alone, and each signs once.
    pub ready_pairs: usize,
    /// How many threads make pairs, at low priority; by default one for each processor.
    pub threads: usize,
    /// How many requests may wait for a pair while there is none; by default 1,000.
    pub most_waiting: usize,
    /// How many signed keys may be issued for one owner, on each node; by default 600 a minute.
    pub owner_limit: RateLimit,
}

impl Default for SigningSettings {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            ready_pairs: 64,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            most_waiting: 1_000,
            owner_limit: RateLimit::PER_OWNER,
        }
    }
}

/// What an instance needs to sign keys, and to check them.
#[derive(Debug)]
pub(crate) struct Signing {
    decoys: [SignatureSlot; PairKind::ALL.len()],
    owners: Limiter<OwnerId>,
    pool: KeyPool,
    settings: SigningSettings,
}

impl Signing {
    pub(crate) fn new(settings: SigningSettings) -> Self {
        Self {
            decoys: Default::default(),
            owners: Limiter::default(),
            pool: KeyPool::new(&settings),
            settings,
        }
    }

    /// Goes on if the owner has not asked for too many keys lately.
    pub(crate) fn admit(&self, owner: &OwnerId, moment: keyward_core::Moment) -> Result<(), Error> {
        let admitted = self.owners.take(owner, Some(self.settings.owner_limit), moment);
        admitted.map_err(|retry_after| Error::TooManyKeys { retry_after })
    }

    /// A pair, which is made on a thread of its own if none is ready and it takes long.
    pub(crate) async fn pair(&self, kind: PairKind) -> Result<Box<dyn SigningPair>, Error> {
        self.pool.take(kind).await
    }

    /// Has pairs of these kinds made ahead.
    pub(crate) fn prepare(&self, kinds: impl Iterator<Item = PairKind>) {
        for kind in kinds {
            self.pool.prepare(kind);
        }
    }

    pub(crate) const fn settings(&self) -> &SigningSettings {
        &self.settings
    }

    pub(crate) fn status(&self) -> PoolStatus {
        self.pool.status()
    }

    /// Does the work of checking a signature, and believes nothing: so that a key that does not exist
    /// takes as long as one that does.
    pub(crate) fn pretend(&self, token: &SignedToken<'_>) {
        let kind = PairKind::ALL.into_iter().find(|kind| {
            kind.algorithm() == token.algorithm()
                && kind.signature_length() == token.signature().len()
        });
        let Some(kind) = kind else { return };
        let slots = PairKind::ALL.iter().zip(&self.decoys);
        let slot = slots.filter(|(known, _)| **known == kind).map(|(_, slot)| slot).next();
        let key = slot.and_then(|slot| slot.verifying_key(|| decoy(kind)));
        if let Some(key) = key {
            std::hint::black_box(key.verifies(token.message(), token.signature()));
        }
    }
}

/// A public key of nobody: the base points of the curves, and odd numbers that are no product of two
/// primes. Checking a signature by it takes as long as by any other, and none is right.
fn decoy(kind: PairKind) -> Option<PublicKey> {
    match kind {
        PairKind::Ed25519 => {
            let mut point = [0x66; 32];
            point[0] = 0x58;
            Some(PublicKey::Ed25519(point))
        }
        PairKind::P256 => Some(PublicKey::P256 { x: P256_X, y: P256_Y }),
        PairKind::Rsa2048 | PairKind::Rsa3072 | PairKind::Rsa4096 => {
            PublicKey::rsa(&vec![0xff; kind.signature_length()]).ok()
        }
    }
}

/// The base point of P-256 (FIPS 186-5, SP 800-186 §3.2.1.3).
const P256_X: [u8; 32] = [
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
];
const P256_Y: [u8; 32] = [
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_decoy_of_every_kind() {
        for kind in PairKind::ALL {
            let key = decoy(kind).unwrap();
            assert_eq!(key.kind(), kind);
            assert!(keyward_signatures::verifying_key(&key).is_ok(), "{kind:?}");
        }
    }
}
