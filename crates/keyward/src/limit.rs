//! What keys, and owners, have used of their rate limits, on this node.

use std::convert::Infallible;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use keyward_core::{Allowance, Moment, RateLimit};
use quick_cache::sync::Cache;

/// The keys or owners whose allowance is remembered. One that is forgotten starts with a full allowance.
const MOST_KEYS: usize = 100_000;

#[derive(Debug)]
pub(crate) struct Limiter<T: Eq + Hash> {
    allowances: Cache<T, Arc<Allowance>>,
}

impl<T: Eq + Hash> Default for Limiter<T> {
    fn default() -> Self {
        Self { allowances: Cache::new(MOST_KEYS) }
    }
}

impl<T: Eq + Hash + Clone> Limiter<T> {
    /// Takes one request out of an allowance, or says how long to wait.
    pub(crate) fn take(
        &self,
        of: &T,
        limit: Option<RateLimit>,
        moment: Moment,
    ) -> Result<(), Duration> {
        let Some(limit) = limit else { return Ok(()) };
        let allowance = match self.allowances.get(of) {
            Some(allowance) => allowance,
            None => self
                .allowances
                .get_or_insert_with(of, || Ok::<_, Infallible>(Arc::default()))
                .unwrap_or_default(),
        };
        allowance.take(limit, moment)
    }
}
