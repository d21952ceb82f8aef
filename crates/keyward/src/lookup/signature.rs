//! What is worked out once of a cached signed key, and kept with it.

use std::sync::{Arc, OnceLock};

use keyward_core::ProvedToken;
use keyward_core::jose::{PublicKey, VerifyingKey};

use crate::signing::KeyDocument;

/// A signed key's public half, made ready; the one token that it has signed, once it was proved; and
/// its document. All of it goes when the cache forgets the record.
#[derive(Debug, Default)]
pub(crate) struct SignatureSlot {
    key: OnceLock<Option<Box<dyn VerifyingKey>>>,
    proved: OnceLock<Arc<ProvedToken>>,
    document: OnceLock<Option<KeyDocument>>,
}

impl SignatureSlot {
    /// The key made ready; none, if it is no key at all.
    pub(crate) fn verifying_key(
        &self,
        key: impl FnOnce() -> Option<PublicKey>,
    ) -> Option<&dyn VerifyingKey> {
        let ready = self.key.get_or_init(|| keyward_signatures::verifying_key(&key()?).ok());
        ready.as_deref()
    }

    pub(crate) fn document(
        &self,
        write: impl FnOnce() -> Option<KeyDocument>,
    ) -> Option<&KeyDocument> {
        self.document.get_or_init(write).as_ref()
    }

    pub(crate) fn proved(&self) -> Option<&Arc<ProvedToken>> {
        self.proved.get()
    }

    /// Keeps the first: a pair signs once. (Of ES256, whoever has the token can write it in a second
    /// way, which is proved each time.)
    pub(crate) fn remember(&self, proved: ProvedToken) {
        self.proved.get_or_init(|| proved.into());
    }
}
