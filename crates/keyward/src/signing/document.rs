//! The document with a key's public half (JWK Set, RFC 7517 §5), at its well-known URL.

use keyward_core::jose::KeySet;
use keyward_core::{KeyId, KeyRecord, KeyState, Locator, ProvedToken};
use keyward_store::StoreError;

use crate::{Keyward, LiveKey};

/// A document as it is served. That of one key never changes, it only goes away.
#[derive(Debug)]
pub struct KeyDocument {
    /// The JSON text.
    pub body: bytes::Bytes,
    /// What tells it from others (RFC 9110 §8.8.3), in quotation marks.
    pub etag: http::HeaderValue,
}

impl KeyDocument {
    pub(crate) fn of(record: &KeyRecord) -> Option<Self> {
        let signature = record.secret.signature()?;
        Self::new(KeySet::of(&signature.public_key, record.id.as_str()))
    }

    /// A document with this text.
    pub fn new(body: String) -> Option<Self> {
        let digest = ProvedToken::digest_of(&body);
        let etag = format!("\"{:016x}\"", u64::from_be_bytes(*digest.first_chunk()?));
        Some(Self { body: body.into(), etag: etag.try_into().ok()? })
    }
}

impl Keyward {
    /// The signed key of that id, if it is active: only then others may learn its public half. What
    /// is unknown, revoked, expired or switched off cannot be told apart.
    pub async fn published_key(&self, id: &KeyId) -> Result<Option<LiveKey>, StoreError> {
        let moment = self.inner.clock.moment();
        let found = self.inner.lookup.find(&Locator::KeyId(id.clone()), moment).await?;
        let Some(key) = found.filter(|key| key.record().secret.signature().is_some()) else {
            return Ok(None);
        };
        let account = self.account_state(key.record(), moment, false).await?;
        let state = key.record().state(account, self.now());
        Ok((state == KeyState::Active).then_some(key))
    }
}
