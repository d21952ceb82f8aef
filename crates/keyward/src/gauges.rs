//! The figures that an instance shows of itself, through the facade `metrics`: whoever wants to see
//! them installs a recorder before the instance is built.

use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::Keyward;

/// Kept, as looking one up costs more than setting it.
#[derive(Debug)]
pub(crate) struct Gauges {
    access_tokens: Counter,
    cache_bypassed: Counter,
    cache_confirmed: Gauge,
    cache_keys: Gauge,
    cache_reads: Counter,
    feed_lag: Gauge,
    feed_streams: Gauge,
    pairs_made: Counter,
    pairs_ready: Gauge,
    pairs_waited: Counter,
    pairs_waiting: Gauge,
    shared_failures: Counter,
    shared_forgeries: Counter,
    shared_hits: Counter,
    shared_misses: Counter,
}

impl Gauges {
    pub(crate) fn new() -> Self {
        let lag =
            ("keyward_feed_lag_seconds", "Time since the change feed was last read to its end.");
        describe_gauge!(lag.0, Unit::Seconds, lag.1);
        Self {
            access_tokens: total(
                "keyward_access_tokens_issued_total",
                "Access tokens that were issued.",
            ),
            cache_bypassed: total(
                "keyward_cache_bypassed_total",
                "Keys that were read from the store because the change feed was not confirmed in time.",
            ),
            cache_confirmed: level(
                "keyward_cache_confirmed",
                "1 while the cache may be believed, 0 while the store is asked every time.",
            ),
            cache_keys: level("keyward_cache_keys", "Keys that the cache holds."),
            cache_reads: total(
                "keyward_cache_reads_total",
                "Keys that the cache did not know and that were read.",
            ),
            feed_lag: gauge!(lag.0),
            feed_streams: level("keyward_feed_streams", "Streams of changes that are open."),
            pairs_made: total("keyward_pairs_made_total", "RSA key pairs that were made."),
            pairs_ready: level(
                "keyward_pairs_ready",
                "RSA key pairs that are ready to sign a key.",
            ),
            pairs_waited: total(
                "keyward_pairs_waited_total",
                "Signed keys that had to wait for a pair when they were issued.",
            ),
            pairs_waiting: level(
                "keyward_pairs_waiting",
                "Signed keys that wait for a pair: the pool is dry.",
            ),
            shared_failures: total(
                "keyward_shared_cache_failures_total",
                "Reads for which the shared cache failed or took too long.",
            ),
            shared_forgeries: total(
                "keyward_shared_cache_forgeries_total",
                "Entries of the shared cache that no node has made.",
            ),
            shared_hits: total(
                "keyward_shared_cache_hits_total",
                "Reads that the shared cache answered.",
            ),
            shared_misses: total(
                "keyward_shared_cache_misses_total",
                "Reads that the shared cache could not answer.",
            ),
        }
    }
}

fn level(name: &'static str, what: &'static str) -> Gauge {
    describe_gauge!(name, what);
    gauge!(name)
}

fn total(name: &'static str, what: &'static str) -> Counter {
    describe_counter!(name, what);
    counter!(name)
}

impl Keyward {
    /// Sets the gauges to what is true now: call it before they are read.
    pub fn refresh_metrics(&self) {
        let (gauges, moment) = (&self.inner.gauges, self.inner.clock.moment());
        gauges.access_tokens.absolute(self.inner.oauth.issued());
        let cache = self.cache_status();
        gauges.cache_bypassed.absolute(cache.bypassed);
        gauges.cache_confirmed.set(small(cache.is_confirmed.into()));
        gauges.cache_keys.set(small(cache.keys));
        gauges.cache_reads.absolute(cache.reads);
        gauges.shared_failures.absolute(cache.shared_failures);
        gauges.shared_forgeries.absolute(cache.shared_forgeries);
        gauges.shared_hits.absolute(cache.shared_hits);
        gauges.shared_misses.absolute(cache.shared_misses);
        gauges.feed_lag.set(self.inner.lookup.since_confirmed(moment).as_secs_f64());
        gauges.feed_streams.set(small(self.inner.news.listeners()));
        let pool = self.pool_status();
        gauges.pairs_made.absolute(pool.made);
        gauges.pairs_ready.set(small(pool.ready));
        gauges.pairs_waited.absolute(pool.waited);
        gauges.pairs_waiting.set(small(pool.waiting));
    }
}

/// A count that has a bound far below what a float holds exactly.
fn small(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}
