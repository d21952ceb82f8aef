//! What a presented text is worth now (RFC 7662): an access token, or a key of any format.

use keyward_core::jose::{AccessClaims, AccessToken};
use keyward_core::{AccountState, Asked, ClientId, Timestamp, TokenId};
use keyward_store::StoreError;

use super::OAuthClient;
use crate::{Decision, Keyward, Permit, VerifyOptions};

/// What a text proved to be.
#[derive(Debug)]
pub enum Introspected {
    /// An access token that is valid, of a service account that is active.
    AccessToken(Box<ProvedAccess>),
    /// Anything else, for whatever reason.
    Inactive,
    /// The secret of a key that is allowed.
    Key(Box<Permit>),
}

/// An access token whose signature, issuer, audience and time are right.
#[derive(Clone, Debug)]
pub struct ProvedAccess {
    /// What it says.
    pub claims: AccessClaims,
    /// The service account that it was issued to.
    pub client: ClientId,
    /// What tells it from others.
    pub id: TokenId,
}

impl Keyward {
    /// What a text is worth now. A client (`viewer`) sees its own tokens and keys alone; whatever belongs to
    /// others is inactive to it.
    ///
    /// Counts no use of a key, but for its rate limit.
    pub async fn introspect(
        &self,
        text: &str,
        viewer: Option<&OAuthClient>,
    ) -> Result<Introspected, StoreError> {
        if AccessToken::is_likely(text) {
            let proved = self.proved_access(text, viewer).await?;
            let Some(proved) = proved else { return Ok(Introspected::Inactive) };
            let is_live = self.is_live(&proved).await?;
            let active = || Introspected::AccessToken(Box::new(proved));
            return Ok(if is_live { active() } else { Introspected::Inactive });
        }
        let asked = Asked { client: viewer.map(|viewer| viewer.client), ..Asked::default() };
        let options = VerifyOptions { skip_tracking: true, ..VerifyOptions::default() };
        Ok(match self.verify_with(text, &asked, &options).await? {
            Decision::Allow(permit) => Introspected::Key(Box::new(permit)),
            Decision::Deny(_) => Introspected::Inactive,
        })
    }

    /// What an access token says, if it is one of ours and is valid by itself: whether it was revoked, and
    /// what has become of the account, is not looked at.
    pub(super) async fn proved_access(
        &self,
        text: &str,
        viewer: Option<&OAuthClient>,
    ) -> Result<Option<ProvedAccess>, StoreError> {
        let Ok(token) = AccessToken::read(text) else { return Ok(None) };
        let Some(ours) = self.meant(&token, viewer) else { return Ok(None) };
        let Some(key) = self.published_signing_key(token.key_id()).await? else { return Ok(None) };
        // The clock is read after the wait.
        let now = self.now();
        let is_valid = key.has_signed(&token, now) && is_timely(token.claims(), now);
        Ok(is_valid.then_some(ours))
    }

    /// What a token says that names us as its issuer and its audience, and is of that client, if one asks.
    fn meant(&self, token: &AccessToken<'_>, viewer: Option<&OAuthClient>) -> Option<ProvedAccess> {
        let (issuer, audience) = self.inner.oauth.settings.names()?;
        let claims = token.claims();
        let registered = &claims.registered;
        let client = ClientId::parse(&claims.client_id).ok()?;
        let is_meant = registered.issuer == issuer
            && registered.audiences.contain(audience)
            && viewer.is_none_or(|viewer| viewer.account().id == client);
        let id = TokenId::parse(&claims.id).ok()?;
        is_meant.then(|| ProvedAccess { claims: claims.clone(), client, id })
    }

    /// Whether a token was not revoked, and its account is active.
    async fn is_live(&self, proved: &ProvedAccess) -> Result<bool, StoreError> {
        let moment = self.inner.clock.moment();
        let account = self.account_at(&proved.client, moment, false).await?;
        let is_active = account.is_some_and(|account| account.state() == AccountState::Active);
        Ok(is_active && !self.inner.store.is_token_revoked(&proved.id).await?)
    }
}

fn is_timely(claims: &AccessClaims, now: Timestamp) -> bool {
    let registered = &claims.registered;
    !registered.expires_at.has_come(now)
        && registered.not_before.is_none_or(|first| first.has_come(now))
}
