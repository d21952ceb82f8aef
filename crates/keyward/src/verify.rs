//! The path of a verification: each stage takes one type and returns the next.
//!
//! | stage | in → out | may say |
//! | --- | --- | --- |
//! | extract ([`extract_key`]) | headers → `&str` | missing, malformed |
//! | parse | `&str` → [`Token`] | malformed |
//! | look up | [`Token`] → [`LiveKey`], and the state of its service account | unknown; or failure |
//! | judge | token, key, what is asked, now → [`Judgement`] | unknown (wrong secret), expired, revoked, disabled, not yet valid, insufficient scope |
//! | limit | [`Judgement`] → [`Decision`] | rate limited |
//! | record | [`Decision`] → usage, in memory | – |
//!
//! A signed text that its cached key has proved before is not parsed and proved again: from the look-up
//! it goes to the judgement at once.

use std::sync::Arc;

use keyward_core::jose::SignedToken;
use keyward_core::{
    AccountState, Asked, Bearer, Client, ClientId, DenyReason, HeaderRules, Headers, Judgement,
    KeyRecord, KeyspaceTable, Locator, Moment, ProvedToken, ServiceAccount, Timestamp, Token,
    depends_on_account, extract_key, judge, judge_proved, judge_unknown, key_of_text,
};
use keyward_store::StoreError;
use tracing::Level;

use crate::lookup::{Cached, FoundAccount};
use crate::{Decision, Keyward, LiveKey, UsageTracking};

/// The client id and client secret of a service account, as they are presented.
#[derive(Clone, Copy)]
pub struct ClientCredentials<'a> {
    /// The client id.
    pub id: &'a str,
    /// The client secret.
    pub secret: &'a str,
}

impl std::fmt::Debug for ClientCredentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientCredentials(hidden)")
    }
}

/// What is to be different in one verification.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerifyOptions<'a> {
    /// As whose the key is presented. If any of the credentials is wrong, client id, client secret or
    /// key, or if they do not belong together, the answer is the same: the key is unknown.
    pub client: Option<ClientCredentials<'a>>,
    /// Where to look for the key in headers; absent: where the instance looks.
    pub headers: Option<&'a HeaderRules>,
    /// What becomes of `Bearer ` before a key that is presented as a text.
    pub bearer: Bearer,
    /// Asks the store, whatever the cache may know, and leaves the cache as it is.
    pub skip_cache: bool,
    /// Does not count the use.
    pub skip_tracking: bool,
}

impl Keyward {
    /// Whether the key with this secret may do what is asked, now.
    ///
    /// An error says that the store could not be asked: that is neither a yes nor a no.
    pub async fn verify(&self, secret: &str, asked: &Asked<'_>) -> Result<Decision, StoreError> {
        self.decide(secret, asked, &VerifyOptions::default()).await
    }

    /// The same for a text that may begin with `Bearer `, and with options.
    pub async fn verify_with(
        &self,
        text: &str,
        asked: &Asked<'_>,
        options: &VerifyOptions<'_>,
    ) -> Result<Decision, StoreError> {
        self.decide(key_of_text(text, options.bearer), asked, options).await
    }

    /// The same for the key that a request's headers hold. A header that is repeated or no text is
    /// refused as malformed.
    pub async fn verify_headers<H: Headers + ?Sized>(
        &self,
        headers: &H,
        asked: &Asked<'_>,
        options: &VerifyOptions<'_>,
    ) -> Result<Decision, StoreError> {
        match extract_key(headers, options.headers.unwrap_or(&self.inner.header_rules)) {
            Ok(key) => self.decide(key.unwrap_or_default(), asked, options).await,
            Err(unreadable) => {
                tracing::debug!(rule = %unreadable, "a key cannot be read");
                Ok(Decision::Deny(DenyReason::Malformed))
            }
        }
    }

    async fn decide(
        &self,
        secret: &str,
        asked: &Asked<'_>,
        options: &VerifyOptions<'_>,
    ) -> Result<Decision, StoreError> {
        let asked_at = self.inner.clock.moment();
        let client = match &options.client {
            Some(credentials) => {
                Some(Box::pin(self.prove(credentials, asked_at, options.skip_cache)).await?)
            }
            None => asked.client,
        };
        let asked = &Asked { client, ..*asked };
        let keyspaces = self.inner.keyspaces.load();
        if SignedToken::is_likely(secret)
            && let Some((key, proved)) = self.recall(secret, asked_at, options)
        {
            let account = self.account_state(key.record(), asked_at, options.skip_cache).await?;
            let moments = (asked_at, self.inner.clock.now());
            let judgement = judge_proved(&proved, key.clone(), account, asked, moments.1);
            return Ok(self.conclude(judgement, Some(&key), &keyspaces, moments, options));
        }
        let token = match parse(&keyspaces, secret) {
            Ok(token) => token,
            Err(reason) => {
                let decision = Decision::Deny(told(reason, client));
                self.tell(&decision, None, asked_at);
                return Ok(decision);
            }
        };
        let cached = if options.skip_cache { None } else { self.cached(&token, asked_at) };
        let found = match cached {
            Some(found) => found,
            // Boxed, so that what nearly always happens need not carry what seldom does.
            None => Box::pin(self.look_up(&token, asked_at, options)).await?,
        };
        let found = found.filter(|key| keyspaces.means(&token, key.record()));
        let account = match &found {
            Some(key) => self.account_of(key, &token, asked, asked_at, options).await?,
            None => AccountState::Active,
        };
        // The clock is read after the wait, so that a slow store cannot stretch a key's life.
        let now = self.inner.clock.now();
        let logged = found.as_ref().filter(|_| tracing::enabled!(Level::DEBUG)).cloned();
        let judgement = match found {
            Some(key) => judge(&token, key, account, asked, now, &self.inner.hasher),
            None => Judgement::Deny(self.judge_unknown(&token)),
        };
        let decision =
            self.conclude(judgement, logged.as_ref(), &keyspaces, (asked_at, now), options);
        self.upgrade_if_due(&decision, secret, &keyspaces);
        Ok(decision)
    }

    /// Takes note of a proved secret whose digest is not of the newest scheme.
    fn upgrade_if_due(&self, decision: &Decision, secret: &str, keyspaces: &KeyspaceTable) {
        let Decision::Allow(permit) = decision else { return };
        let digest = permit.key().secret.digest();
        if digest.is_some_and(|digest| self.inner.hasher.is_outdated(digest.scheme())) {
            self.note_upgrade(permit, secret, keyspaces);
        }
    }

    /// The rest of the path, from the judgement on.
    fn conclude(
        &self,
        judgement: Judgement<LiveKey>,
        told: Option<&LiveKey>,
        keyspaces: &KeyspaceTable,
        (asked_at, now): (Moment, Timestamp),
        options: &VerifyOptions<'_>,
    ) -> Decision {
        let decision = self.limit(judgement, keyspaces, asked_at);
        if !options.skip_tracking && self.inner.tracking == UsageTracking::On {
            self.record(&decision, now);
        }
        self.tell(&decision, told, asked_at);
        decision
    }

    /// The key that has proved this very text before, while its record is cached: a signed text need
    /// not be read and checked again. Whatever else the cache may say is left to the usual path.
    fn recall(
        &self,
        text: &str,
        moment: Moment,
        options: &VerifyOptions<'_>,
    ) -> Option<(LiveKey, Arc<ProvedToken>)> {
        let id = SignedToken::glance(text).filter(|_| !options.skip_cache)?;
        let Cached::Known(key) = self.inner.lookup.cached(&Locator::KeyId(id), moment) else {
            return None;
        };
        let proved = Arc::clone(key.proved()?);
        proved.is_of(&ProvedToken::digest_of(text)).then_some((key, proved))
    }

    /// Proves whoever presents the credentials of a service account.
    pub(crate) async fn prove(
        &self,
        credentials: &ClientCredentials<'_>,
        moment: Moment,
        skip_cache: bool,
    ) -> Result<Client, StoreError> {
        let account = match ClientId::parse(credentials.id) {
            Ok(id) => self.account_at(&id, moment, skip_cache).await?,
            Err(_) => None,
        };
        let (hasher, now) = (&self.inner.hasher, self.inner.clock.now());
        Ok(Client::prove(account.as_deref(), credentials.secret, hasher, now))
    }

    /// The state of the service account that a key belongs to; without one, it is active.
    pub(crate) async fn account_state(
        &self,
        key: &KeyRecord,
        moment: Moment,
        skip_cache: bool,
    ) -> Result<AccountState, StoreError> {
        let Some(id) = &key.service_account else { return Ok(AccountState::Active) };
        let account = self.account_at(id, moment, skip_cache).await?;
        Ok(state_of(account.as_deref()))
    }

    /// The state of the service account of a key that was found, as far as it matters: a wrong secret
    /// costs no more reads than one that is unknown.
    async fn account_of(
        &self,
        key: &LiveKey,
        token: &Token<'_>,
        asked: &Asked<'_>,
        moment: Moment,
        options: &VerifyOptions<'_>,
    ) -> Result<AccountState, StoreError> {
        let Some(id) = &key.record().service_account else { return Ok(AccountState::Active) };
        let cached = || self.inner.lookup.cached_account(id, moment);
        if let Some(found) = (!options.skip_cache).then(cached).flatten() {
            return Ok(state_of(found.as_deref()));
        }
        let (now, hasher) = (self.inner.clock.now(), &self.inner.hasher);
        if depends_on_account(token, key, asked, now, hasher) {
            return self.account_state(key.record(), moment, options.skip_cache).await;
        }
        Ok(AccountState::Active)
    }

    async fn account_at(
        &self,
        id: &ClientId,
        moment: Moment,
        skip_cache: bool,
    ) -> Result<FoundAccount, StoreError> {
        if skip_cache {
            return self.inner.lookup.ask_store_for_account(id).await;
        }
        match self.inner.lookup.cached_account(id, moment) {
            Some(found) => Ok(found),
            None => Box::pin(self.inner.lookup.account(id, moment)).await,
        }
    }

    fn judge_unknown(&self, token: &Token<'_>) -> DenyReason {
        if let Some(token) = token.as_signed() {
            self.inner.signing.pretend(token);
        }
        judge_unknown(token, &self.inner.hasher)
    }

    /// What the cache alone can say: a key, or that there is none, or nothing.
    fn cached(&self, token: &Token<'_>, moment: Moment) -> Option<Option<LiveKey>> {
        for locator in token.locators(&self.inner.hasher) {
            match self.inner.lookup.cached(&locator, moment) {
                Cached::Absent => {}
                Cached::Known(key) => return Some(Some(key)),
                Cached::Unsaid => return None,
            }
        }
        Some(None)
    }

    async fn look_up(
        &self,
        token: &Token<'_>,
        moment: Moment,
        options: &VerifyOptions<'_>,
    ) -> Result<Option<LiveKey>, StoreError> {
        let several = token.locators(&self.inner.hasher).nth(1).is_some();
        // Between two reads a key may move from one digest to another: what is not found at any of
        // several is looked for once more. What has not changed is known to be absent by then.
        for _ in 0..=usize::from(several) {
            for locator in token.locators(&self.inner.hasher) {
                let found = if options.skip_cache {
                    self.inner.lookup.ask_store(&locator).await?
                } else {
                    self.inner.lookup.find(&locator, moment).await?
                };
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    fn limit(
        &self,
        judgement: Judgement<LiveKey>,
        keyspaces: &KeyspaceTable,
        moment: Moment,
    ) -> Decision {
        match judgement {
            Judgement::Deny(reason) => Decision::Deny(reason),
            Judgement::Suitable(suitable) => {
                let record = suitable.key().record();
                let limit = keyspaces.rate_limit(&record.keyspace);
                let answer = self.inner.limiter.take(&record.id, limit, moment);
                suitable.limited(answer)
            }
        }
    }

    fn record(&self, decision: &Decision, now: Timestamp) {
        if let Decision::Allow(permit) = decision {
            self.inner.usage.record(permit.holder(), permit.secret_used(), now);
        }
    }

    /// Logs the one event of a decision. The key is the one that was found, whatever was decided.
    fn tell(&self, decision: &Decision, key: Option<&LiveKey>, asked_at: Moment) {
        if tracing::enabled!(Level::DEBUG) {
            let key = key.map(|key| key.record().id.as_str());
            let micros = self.inner.clock.moment().since(asked_at).as_micros();
            tracing::debug!(key, decision = decision.code(), micros, "verified");
        }
    }
}

/// The state of an account that was looked for: one that is gone is as good as deleted.
fn state_of(account: Option<&ServiceAccount>) -> AccountState {
    account.map_or(AccountState::Deleted, ServiceAccount::state)
}

/// Of several credentials, nobody is told which one is wrong.
fn told(reason: DenyReason, client: Option<Client>) -> DenyReason {
    match (reason, client) {
        (DenyReason::Malformed, Some(_)) => DenyReason::Unknown,
        _ => reason,
    }
}

fn parse<'t>(keyspaces: &KeyspaceTable, secret: &'t str) -> Result<Token<'t>, DenyReason> {
    if secret.is_empty() {
        return Err(DenyReason::Missing);
    }
    keyspaces.parse(secret).map_err(|malformed| {
        tracing::trace!(rule = %malformed, "not a key");
        DenyReason::Malformed
    })
}
