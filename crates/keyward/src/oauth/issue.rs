//! Clients, and the access tokens that they get.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use keyward_core::jose::{AccessClaims, Audiences, RegisteredClaims};
use keyward_core::{AccountState, Client, ScopeSet, Secret, ServiceAccount, TokenId};

use super::OAuthError;
use crate::{ClientCredentials, Error, Keyward};

/// A service account that has proved to be who it says, by its client secret.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    pub(super) client: Client,
    account: Arc<ServiceAccount>,
}

impl OAuthClient {
    /// The account, as this instance knows it.
    pub fn account(&self) -> &ServiceAccount {
        &self.account
    }
}

/// An access token: this is the only time that it can be seen.
#[derive(Debug)]
pub struct IssuedToken {
    /// The text to hand out.
    pub token: Secret,
    /// What tells it from others (`jti`).
    pub id: TokenId,
    /// How long it is valid, from now on.
    pub lifetime: Duration,
    /// What it is good for.
    pub scopes: ScopeSet,
}

impl Keyward {
    /// Proves a client by its credentials. One answer for whatever is wrong with them, and the same work;
    /// that an account is switched off is told to those alone who have its secret.
    pub async fn authenticate_client(
        &self,
        credentials: &ClientCredentials<'_>,
    ) -> Result<OAuthClient, OAuthError> {
        let moment = self.inner.clock.moment();
        let client = self.prove(credentials, moment, false).await?;
        let id = client.account().ok_or(OAuthError::InvalidClient)?;
        let account = self.account_at(&id, moment, false).await?;
        let account = account.ok_or(OAuthError::InvalidClient)?;
        match account.state() {
            AccountState::Active => Ok(OAuthClient { client, account }),
            AccountState::Deleted => Err(OAuthError::InvalidClient),
            AccountState::Disabled => Err(OAuthError::UnauthorizedClient),
        }
    }

    /// Issues an access token (RFC 9068) with these scopes, or, absent, with all that the account has.
    ///
    /// Whoever verifies it elsewhere takes it until it expires, whatever becomes of the account.
    pub async fn issue_token(
        &self,
        client: &OAuthClient,
        scopes: Option<&ScopeSet>,
    ) -> Result<IssuedToken, OAuthError> {
        let settings = &self.inner.oauth.settings;
        let (issuer, audience) = settings.names().ok_or(OAuthError::NoIssuer)?;
        let scopes = scopes.unwrap_or(&client.account.scopes);
        if !scopes.is_within(&client.account.scopes) {
            return Err(OAuthError::InvalidScope);
        }
        let pair = self.signing_pair().await?;
        // After the wait for a pair, and as tokens say it.
        let now = self.now().floor_to_seconds();
        let lifetime = settings.token_lifetime.duration();
        let id = TokenId::generate(&*self.inner.entropy, now);
        let client_id = client.account.id.to_string();
        let claims = AccessClaims {
            registered: RegisteredClaims {
                issuer: issuer.to_owned(),
                subject: client_id.clone(),
                audiences: Audiences::one(audience),
                expires_at: super::pairs::later(now, lifetime),
                not_before: None,
                issued_at: Some(now),
            },
            client_id,
            id: id.to_string(),
            scopes: scopes.clone(),
        };
        let token = claims.sign(&*pair.signer, &pair.public.id).map_err(|_| Error::Signing)?;
        let token = token.ok_or(OAuthError::TooManyScopes)?;
        self.inner.oauth.issued.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(client = %claims.client_id, jti = %id, "an access token was issued");
        Ok(IssuedToken { token, id, lifetime, scopes: claims.scopes })
    }
}
