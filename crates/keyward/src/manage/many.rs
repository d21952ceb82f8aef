//! Acts on many keys, with a result for each: what is not possible for one is done for the others.

use futures_util::future::join_all;
use keyward_core::{ActContext, Asked, KeyId, KeyRecord, NewKey, Reason};
use keyward_store::StoreError;

use super::Issued;
use crate::{Decision, Error, Keyward, VerifyOptions};

impl Keyward {
    /// Issues keys. They are written together as far as the store can.
    pub async fn issue_many(
        &self,
        new: impl IntoIterator<Item = NewKey>,
        context: &ActContext,
    ) -> Vec<Result<Issued, Error>> {
        join_all(new.into_iter().map(|new| self.issue(new, context))).await
    }

    /// Revokes keys for good.
    pub async fn revoke_many(
        &self,
        ids: impl IntoIterator<Item = &KeyId>,
        reason: Option<&Reason>,
        context: &ActContext,
    ) -> Vec<Result<KeyRecord, Error>> {
        let revoke = |id| self.revoke(id, reason.cloned(), context);
        join_all(ids.into_iter().map(revoke)).await
    }

    /// Whether each of these presented texts may do what is asked.
    pub async fn verify_many(
        &self,
        texts: impl IntoIterator<Item = &str>,
        asked: &Asked<'_>,
        options: &VerifyOptions<'_>,
    ) -> Vec<Result<Decision, StoreError>> {
        join_all(texts.into_iter().map(|text| self.verify_with(text, asked, options))).await
    }
}
