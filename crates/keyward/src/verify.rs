//! The path of a verification: each stage takes one type and returns the next.
//!
//! | stage | in → out | may say |
//! | --- | --- | --- |
//! | extract (the faces) | request → `&str` | missing |
//! | parse | `&str` → [`Token`] | malformed |
//! | look up | [`Token`] → [`LiveKey`] | unknown; or failure |
//! | judge | token, key, what is asked, now → [`Judgement`] | unknown (wrong secret), expired, revoked, disabled, not yet valid, insufficient scope |
//! | limit | [`Judgement`] → [`Decision`] | rate limited |
//! | record | [`Decision`] → usage, in memory | – |

use keyward_core::{
    Asked, DenyReason, Judgement, KeyspaceTable, Moment, Timestamp, Token, judge, judge_unknown,
};
use keyward_store::StoreError;
use tracing::Level;

use crate::lookup::Cached;
use crate::{Decision, Keyward, LiveKey};

impl Keyward {
    /// Whether the key with this secret may do what is asked, now.
    ///
    /// An error says that the store could not be asked: that is neither a yes nor a no.
    pub async fn verify(&self, secret: &str, asked: &Asked<'_>) -> Result<Decision, StoreError> {
        let asked_at = self.inner.clock.moment();
        let keyspaces = self.inner.keyspaces.load();
        let token = match parse(&keyspaces, secret) {
            Ok(token) => token,
            Err(reason) => {
                let decision = Decision::Deny(reason);
                self.tell(&decision, None, asked_at);
                return Ok(decision);
            }
        };
        let found = match self.cached(&token, asked_at) {
            Some(found) => found,
            // Boxed, so that what nearly always happens need not carry what seldom does.
            None => Box::pin(self.look_up(&token, asked_at)).await?,
        };
        // The clock is read after the wait, so that a slow store cannot stretch a key's life.
        let now = self.inner.clock.now();
        let told = found.as_ref().filter(|_| tracing::enabled!(Level::DEBUG)).cloned();
        let judgement = match found {
            Some(key) => judge(&token, key, asked, now, &self.inner.hasher),
            None => Judgement::Deny(judge_unknown(&token, &self.inner.hasher)),
        };
        let decision = self.limit(judgement, &keyspaces, asked_at);
        self.record(&decision, now);
        self.tell(&decision, told.as_ref(), asked_at);
        Ok(decision)
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
    ) -> Result<Option<LiveKey>, StoreError> {
        for locator in token.locators(&self.inner.hasher) {
            let found = self.inner.lookup.find(&locator, moment).await?;
            if found.is_some() {
                return Ok(found);
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

fn parse<'t>(keyspaces: &KeyspaceTable, secret: &'t str) -> Result<Token<'t>, DenyReason> {
    if secret.is_empty() {
        return Err(DenyReason::Missing);
    }
    keyspaces.parse(secret).map_err(|malformed| {
        tracing::trace!(rule = %malformed, "not a key");
        DenyReason::Malformed
    })
}
