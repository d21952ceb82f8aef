//! Tells how a copy goes.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use keyward::{Clock, Moment, SystemClock};
use keyward_copy::{CopyError, Kind, Observer, Progress};
use serde_json::json;
use tokio::sync::Notify;

use crate::printer;

/// At least between two lines about how far behind a copy is.
const PACE: Duration = Duration::from_secs(5);

/// A bar that moves as keys are compared, and lines for a copy that stays.
#[derive(Debug)]
pub(super) struct Watcher {
    as_json: bool,
    bar: ProgressBar,
    told: Mutex<Told>,
    /// Told when nobody reads the lines any more.
    unread: Notify,
}

#[derive(Debug, Default)]
struct Told {
    at: Option<Moment>,
    failure: Option<io::Error>,
}

impl Watcher {
    pub(super) fn new(as_json: bool, is_quiet: bool) -> anyhow::Result<Self> {
        let bar = if is_quiet {
            ProgressBar::hidden()
        } else {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        };
        let style = "{msg} {wide_bar} {pos}/{len} {elapsed} (still {eta})";
        bar.set_style(ProgressStyle::with_template(style)?);
        Ok(Self { as_json, bar, told: Mutex::default(), unread: Notify::new() })
    }

    /// Ready with a signal, and when nobody reads the lines any more.
    pub(super) async fn until(&self, signal: impl Future<Output = ()>) {
        tokio::select! {
            () = signal => {}
            () = self.unread.notified() => {}
        }
    }

    /// Why a line could not be printed.
    pub(super) fn failure(&self) -> Option<anyhow::Error> {
        let failure = self.told.lock().ok()?.failure.take()?;
        Some(failure.into())
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn is_due(&self) -> bool {
        let now = SystemClock.moment();
        self.told.lock().is_ok_and(|mut told| {
            if told.at.is_none() {
                printer::complain("everything is copied; following the changes");
            }
            let is_due = told.at.is_none_or(|at| now.since(at) >= PACE);
            told.at = if is_due { Some(now) } else { told.at };
            is_due
        })
    }

    fn say(&self, progress: &Progress) -> io::Result<()> {
        let Progress { changes, behind, lag } = *progress;
        if self.as_json {
            let lag_ms = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
            return printer::say(json!({"changes": changes, "behind": behind, "lag_ms": lag_ms}));
        }
        let lag = lag.as_secs_f64();
        printer::say(format_args!("{changes} changes followed, {behind} behind, lag {lag:.2} s"))
    }
}

impl Observer for Watcher {
    fn begin(&self, kind: Kind, total: Option<u64>) {
        self.bar.set_message(kind.as_str());
        self.bar.set_position(0);
        if let Some(total) = total {
            self.bar.set_length(total);
        } else {
            self.bar.unset_length();
        }
    }

    fn advance(&self, _kind: Kind, count: u64) {
        self.bar.inc(count);
    }

    fn wait(&self, error: &CopyError, pause: Duration) {
        let mut line = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            // Writing to a text does not fail.
            let _written = write!(line, ": {error}");
            cause = error.source();
        }
        self.bar.suspend(|| printer::complain(&format!("{line}; trying again in {pause:?}")));
    }

    fn follow(&self, progress: &Progress) {
        if self.is_due()
            && let Err(error) = self.say(progress)
            && let Ok(mut told) = self.told.lock()
        {
            told.failure = Some(error);
            self.unread.notify_one();
        }
    }
}
