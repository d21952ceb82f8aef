//! The promise about revocation, checked over the history of real traffic at three nodes while they and
//! what they stand on are stopped, cut off, slowed down and killed.
//!
//! Each run takes five seconds. `KEYWARD_HISTORY_SECONDS` makes it longer, `KEYWARD_HISTORY_SEED` another
//! one.

mod board;
mod checker;
mod event;
mod postgres;
mod redis;
mod report;
mod site;
mod sqlite;
mod traffic;
mod verifier;
mod writer;

use std::time::Duration;

use checker::violations;
use report::Report;
use traffic::Run;

/// How long a node may still allow what was taken away elsewhere, by default.
const MAX_STALENESS: Duration = Duration::from_secs(1);

/// Judges a run that must have kept the promise of the default, and in which enough must have happened.
fn keeps_the_promise(name: &str, run: &Run) {
    keeps_the_promise_of(name, run, MAX_STALENESS);
}

/// The same with another promise.
#[expect(clippy::print_stdout, reason = "whoever runs it wants to know")]
fn keeps_the_promise_of(name: &str, run: &Run, max_staleness: Duration) {
    let report = Report::of(run);
    println!("{name}: {report}");
    let violations = violations(&run.history, max_staleness);
    let told: String = violations.iter().take(5).map(ToString::to_string).collect();
    assert!(violations.is_empty(), "{} violations, such as\n{told}", violations.len());
    assert!(report.acts > 20, "{report}");
    assert!(report.allowed > 100 && report.denied > 100, "{report}");
    assert!(report.latencies.len() > 3, "{report}");
    assert!(report.faults > 1, "{report}");
}
