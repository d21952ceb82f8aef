//! The figures that an instance shows of itself, through the facade `metrics`: whoever wants to see
//! them installs a recorder before the instance is built.

use metrics::{Gauge, Unit, describe_gauge, gauge};

use crate::Keyward;

const FEED_LAG: &str = "keyward_feed_lag_seconds";
const FEED_STREAMS: &str = "keyward_feed_streams";

/// Kept, as looking one up costs more than setting it.
#[derive(Debug)]
pub(crate) struct Gauges {
    feed_lag: Gauge,
    feed_streams: Gauge,
}

impl Gauges {
    pub(crate) fn new() -> Self {
        let told = "Time since the change feed was last read to its end.";
        describe_gauge!(FEED_LAG, Unit::Seconds, told);
        describe_gauge!(FEED_STREAMS, "Streams of changes that are open.");
        Self { feed_lag: gauge!(FEED_LAG), feed_streams: gauge!(FEED_STREAMS) }
    }
}

impl Keyward {
    /// Sets the gauges to what is true now: call it before they are read.
    pub fn refresh_metrics(&self) {
        let (gauges, moment) = (&self.inner.gauges, self.inner.clock.moment());
        gauges.feed_lag.set(self.inner.lookup.since_confirmed(moment).as_secs_f64());
        let streams = u32::try_from(self.inner.news.listeners()).unwrap_or(u32::MAX);
        gauges.feed_streams.set(f64::from(streams));
    }
}
