//! The figures that an instance shows of itself, through the facade `metrics`: whoever wants to see
//! them installs a recorder before the instance is built.

use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::Keyward;

/// Kept, as looking one up costs more than setting it.
#[derive(Debug)]
pub(crate) struct Gauges {
    access_tokens: Counter,
    feed_lag: Gauge,
    feed_streams: Gauge,
    pairs_made: Counter,
    pairs_ready: Gauge,
    pairs_waited: Counter,
    pairs_waiting: Gauge,
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
