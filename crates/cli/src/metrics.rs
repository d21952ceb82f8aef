//! Metrics in the text format of Prometheus: the one recorder of the process, and what reads it.

use anyhow::Context;
use keyward::Keyward;
use keyward_http::MetricsPage;
use metrics::{describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

const BUILD_INFO: &str = "keyward_build_info";

/// Begins to record. Before anything that is to be seen is built: a handle that was made earlier
/// records nothing.
pub(crate) fn install() -> anyhow::Result<PrometheusHandle> {
    let recorder = PrometheusBuilder::new().install_recorder();
    let recorder = recorder.context("metrics cannot be recorded")?;
    describe_gauge!(BUILD_INFO, "Always 1; the version is a label.");
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(recorder)
}

/// What `/metrics` answers.
pub(crate) fn page(recorder: PrometheusHandle, keyward: Keyward) -> MetricsPage {
    MetricsPage::new(move || {
        keyward.refresh_metrics();
        // Gauges and counters need no upkeep beyond this one; histograms that nobody reads would.
        recorder.run_upkeep();
        recorder.render()
    })
}
