//! Taking a presented text back (RFC 7009): an access token, or a key of any format by its secret.

use keyward_core::jose::AccessToken;
use keyward_core::{
    ActContext, Action, Asked, AuditEvent, DenyReason, KeyRecord, Refusal, RevokedToken,
};
use keyward_store::StoreError;
use serde_json::json;

use super::{OAuthClient, ProvedAccess};
use crate::manage::data;
use crate::{Decision, Error, Keyward, VerifyOptions};

/// What a text proved to be that can be revoked.
#[derive(Debug)]
pub enum Revocable {
    /// An access token.
    AccessToken(Box<ProvedAccess>),
    /// A key, whatever its state.
    Key(Box<KeyRecord>),
}

impl Keyward {
    /// What a text is that is to be revoked; none if it is nothing, or nothing of that client. Of keys, the
    /// secret proves the right to ask: so those that are expired or switched off are found as well.
    pub async fn find_revocable(
        &self,
        text: &str,
        viewer: Option<&OAuthClient>,
    ) -> Result<Option<Revocable>, StoreError> {
        if AccessToken::is_likely(text) {
            let proved = self.proved_access(text, viewer).await?;
            return Ok(proved.map(|proved| Revocable::AccessToken(Box::new(proved))));
        }
        let asked = Asked { client: viewer.map(|viewer| viewer.client), ..Asked::default() };
        let options =
            VerifyOptions { skip_cache: true, skip_tracking: true, ..VerifyOptions::default() };
        let key = match self.verify_with(text, &asked, &options).await? {
            Decision::Allow(permit) => Some(permit.key().clone()),
            Decision::Deny(DenyReason::Malformed | DenyReason::Missing | DenyReason::Unknown) => {
                None
            }
            // The secret was proved before anything else was looked at.
            Decision::Deny(_) => {
                self.pointed_to(text, &options).await?.map(|key| key.record().clone())
            }
        };
        Ok(key.map(|key| Revocable::Key(Box::new(key))))
    }

    /// Revokes what was found. What is revoked already stays so, and no event tells of it again.
    pub async fn revoke_found(&self, found: &Revocable, context: &ActContext) -> Result<(), Error> {
        match found {
            Revocable::AccessToken(proved) => self.revoke_access(proved, context).await,
            Revocable::Key(key) => match self.revoke(&key.id, None, context).await {
                Ok(_) | Err(Error::NotFound(_) | Error::Refused(Refusal::AlreadyRevoked)) => Ok(()),
                Err(error) => Err(error),
            },
        }
    }

    async fn revoke_access(
        &self,
        proved: &ProvedAccess,
        context: &ActContext,
    ) -> Result<(), Error> {
        if self.inner.store.is_token_revoked(&proved.id).await? {
            return Ok(());
        }
        // Of an account that is gone, no token is worth anything.
        let account = self.inner.store.account(&proved.client).await?;
        let Some(account) = account else { return Ok(()) };
        let now = self.now();
        let told = data([("jti", Some(json!(proved.claims.id)))]);
        let mut change = self.change(now);
        change.events.push(AuditEvent {
            owner: Some(account.owner),
            service_account: Some(proved.client),
            ..self.event(Action::AccessTokenRevoked, context, now, told)
        });
        let until = proved.claims.registered.expires_at;
        change.revoked_tokens.push(RevokedToken { id: proved.id, until });
        self.commit(change).await.map(drop)
    }
}
