//! The public keys of all nodes' access tokens, as they stand in the store.
//!
//! They are read anew after a second at most, so that others' keys are found without the change feed. What
//! an older list lacks is looked for in the store before it is said to be unknown.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use keyward_core::jose::{AccessToken, KeySet, VerifyingKey};
use keyward_core::{KeyId, Moment, SigningKey, Timestamp};
use keyward_store::StoreError;
use parking_lot::Mutex;

use crate::{KeyDocument, Keyward};

/// How long a list is good enough.
const KEPT: Duration = Duration::from_secs(1);

/// The list that was read last.
#[derive(Debug, Default)]
pub(super) struct Published(Mutex<Option<Arc<List>>>);

/// The keys of one moment.
#[derive(Debug)]
struct List {
    document: Option<Arc<KeyDocument>>,
    keys: Vec<Arc<PublishedKey>>,
    read_at: Moment,
}

/// A key that tokens can be checked by.
#[derive(Debug)]
pub(super) struct PublishedKey {
    public: SigningKey,
    ready: OnceLock<Option<Box<dyn VerifyingKey>>>,
}

impl PublishedKey {
    fn new(public: SigningKey) -> Self {
        Self { public, ready: OnceLock::new() }
    }

    /// Whether the key signed that token, in the key's own algorithm, and still counts.
    pub(super) fn has_signed(&self, token: &AccessToken<'_>, now: Timestamp) -> bool {
        let key = &self.public.key;
        let ready = || keyward_signatures::verifying_key(key).ok();
        token.algorithm() == key.algorithm()
            && !self.public.expires_at.has_come(now)
            && self
                .ready
                .get_or_init(ready)
                .as_ref()
                .is_some_and(|ready| ready.verifies(token.message(), token.signature()))
    }
}

impl List {
    fn find(&self, id: &KeyId) -> Option<Arc<PublishedKey>> {
        self.keys.iter().find(|key| key.public.id == *id).map(Arc::clone)
    }
}

impl Keyward {
    /// The document with the public keys of all access tokens that may be valid (RFC 7517 §5).
    pub async fn signing_key_document(&self) -> Result<Option<Arc<KeyDocument>>, StoreError> {
        let moment = self.inner.clock.moment();
        let known = self.inner.oauth.published.0.lock().clone();
        let list = match known.filter(|list| moment.since(list.read_at) < KEPT) {
            Some(list) => list,
            None => self.read_published().await?,
        };
        Ok(list.document.clone())
    }

    /// The key of that id, if it is published.
    pub(super) async fn published_signing_key(
        &self,
        id: &KeyId,
    ) -> Result<Option<Arc<PublishedKey>>, StoreError> {
        let known = self.inner.oauth.published.0.lock().clone();
        match known.and_then(|list| list.find(id)) {
            Some(key) => Ok(Some(key)),
            None => Ok(self.read_published().await?.find(id)),
        }
    }

    async fn read_published(&self) -> Result<Arc<List>, StoreError> {
        let read_at = self.inner.clock.moment();
        let all = self.inner.store.signing_keys().await?;
        let now = self.now();
        let mut held = self.inner.oauth.published.0.lock();
        // A key that was made ready for checking stays so.
        let known = |public: &SigningKey| {
            let key = held.as_ref().and_then(|known| known.find(&public.id));
            key.filter(|key| key.public == *public)
        };
        let valid = all.into_iter().filter(|public| !public.expires_at.has_come(now));
        let keys: Vec<_> = valid
            .map(|public| known(&public).unwrap_or_else(|| Arc::new(PublishedKey::new(public))))
            .collect();
        let body = KeySet::of_all(keys.iter().map(|key| (key.public.id.as_str(), &key.public.key)));
        let document = KeyDocument::new(body).map(Arc::new);
        let list = Arc::new(List { document, keys, read_at });
        // A slow reading does not take the place of one that began later.
        if held.as_ref().is_none_or(|known| known.read_at <= read_at) {
            *held = Some(Arc::clone(&list));
        }
        Ok(list)
    }
}
