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

use crate::lookup::Cached;
use crate::{Decision, Keyward, LiveKey};

impl Keyward {
    /// Whether the key with this secret may do what is asked, now.
    ///
    /// An error says that the store could not be asked: that is neither a yes nor a no.
    pub async fn verify(&self, secret: &str, asked: &Asked<'_>) -> Result<Decision, StoreError> {
        let keyspaces = self.inner.keyspaces.load();
        let token = match parse(&keyspaces, secret) {
            Ok(token) => token,
            Err(reason) => {
                let decision = Decision::Deny(reason);
                tell(&decision);
                return Ok(decision);
            }
        };
        let moment = self.inner.clock.moment();
        let found = match self.cached(&token, moment) {
            Some(found) => found,
            // Boxed, so that what nearly always happens need not carry what seldom does.
            None => Box::pin(self.look_up(&token, moment)).await?,
        };
        // The clock is read after the wait, so that a slow store cannot stretch a key's life.
        let now = self.inner.clock.now();
        let judgement = match found {
            Some(key) => judge(&token, key, asked, now, &self.inner.hasher),
            None => Judgement::Deny(judge_unknown(&token, &self.inner.hasher)),
        };
        let decision = self.limit(judgement, &keyspaces, moment);
        self.record(&decision, now);
        tell(&decision);
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

/// Logs the one event of a decision.
fn tell(decision: &Decision) {
    match decision {
        Decision::Allow(permit) => {
            tracing::debug!(key = %permit.key().id, decision = "allowed", "verified");
        }
        Decision::Deny(reason) => tracing::debug!(decision = reason.code(), "verified"),
    }
}
