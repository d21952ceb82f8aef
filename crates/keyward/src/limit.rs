//! What keys have used of their rate limits, on this node.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use keyward_core::{Allowance, KeyId, Moment, RateLimit};
use quick_cache::sync::Cache;

/// The keys whose allowance is remembered. One that is forgotten starts with a full allowance.
const MOST_KEYS: usize = 100_000;

#[derive(Debug)]
pub(crate) struct Limiter {
    allowances: Cache<KeyId, Arc<Allowance>>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { allowances: Cache::new(MOST_KEYS) }
    }
}

impl Limiter {
    /// Takes one request out of a key's allowance, or says how long to wait.
    pub(crate) fn take(
        &self,
        key: &KeyId,
        limit: Option<RateLimit>,
        moment: Moment,
    ) -> Result<(), Duration> {
        let Some(limit) = limit else { return Ok(()) };
        let allowance = match self.allowances.get(key) {
            Some(allowance) => allowance,
            None => self
                .allowances
                .get_or_insert_with(key, || Ok::<_, Infallible>(Arc::default()))
                .unwrap_or_default(),
        };
        allowance.take(limit, moment)
    }
}
