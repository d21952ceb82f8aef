//! Being told that something was changed, instead of asking again and again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use parking_lot::Mutex;
use redis::Value;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::calls::Calls;

/// How long Redis is asked to keep silent if nothing happens.
pub(crate) const SILENCE: Duration = Duration::from_secs(5);
/// How long to wait after a failure.
const REST: Duration = Duration::from_millis(500);

/// Reads the stream of changes on a connection of its own, from the first time that somebody asks for hints.
#[derive(Debug)]
pub(crate) struct Watcher {
    calls: Arc<Calls>,
    changed: watch::Sender<()>,
    reading: Mutex<Option<JoinHandle<()>>>,
}

impl Watcher {
    /// With calls that may take longer than [`SILENCE`].
    pub(crate) fn new(calls: Calls) -> Self {
        let (changed, _) = watch::channel(());
        Self { calls: Arc::new(calls), changed, reading: Mutex::new(None) }
    }

    /// Items that come soon after changes. They end with this.
    pub(crate) fn hints(&self) -> BoxStream<'static, ()> {
        let changed = self.changed.subscribe();
        self.begin();
        let hints = stream::unfold(changed, async |mut changed| {
            changed.changed().await.ok().map(|()| ((), changed))
        });
        hints.boxed()
    }

    /// Begins to read, unless it is going on, or there is nothing to do it on.
    fn begin(&self) {
        let mut reading = self.reading.lock();
        let Ok(runtime) = Handle::try_current() else { return };
        if reading.as_ref().is_none_or(JoinHandle::is_finished) {
            let (calls, changed) = (Arc::clone(&self.calls), self.changed.clone());
            *reading = Some(runtime.spawn(async move { read_on(&calls, &changed).await }));
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(reading) = self.reading.lock().take() {
            reading.abort();
        }
    }
}

async fn read_on(calls: &Calls, changed: &watch::Sender<()>) {
    let mut told = None;
    let mut tell = |place: String| {
        if told.as_ref() != Some(&place) {
            told = Some(place);
            changed.send_replace(());
        }
    };
    loop {
        let Some(end) = last(calls).await else {
            tokio::time::sleep(REST).await;
            continue;
        };
        tell(end.clone());
        if let Some(place) = next(calls, &end).await {
            tell(place);
        }
    }
}

/// The place of the last change, if Redis answers.
async fn last(calls: &Calls) -> Option<String> {
    let mut command = redis::cmd("XREVRANGE");
    command.arg(format!("{}feed", calls.names)).arg("+").arg("-").arg("COUNT").arg(1);
    let found = calls.send(&command).await;
    let found = found.inspect_err(|error| tracing::debug!(%error, "changes cannot be waited for"));
    found.ok().map(|found| place_in(&found).unwrap_or_else(|| "0-0".to_owned()))
}

/// The place of a change after that one, if there is one before long.
async fn next(calls: &Calls, after: &str) -> Option<String> {
    let silence = u64::try_from(SILENCE.as_millis()).unwrap_or(u64::MAX);
    let mut command = redis::cmd("XREAD");
    command.arg("COUNT").arg(1).arg("BLOCK").arg(silence);
    command.arg("STREAMS").arg(format!("{}feed", calls.names)).arg(after);
    calls.send(&command).await.ok().as_ref().and_then(place_in)
}

/// The place of the first entry in an answer: the first text that is found in its depths.
fn place_in(answer: &Value) -> Option<String> {
    match answer {
        Value::Array(parts) => parts.iter().find_map(place_in),
        // The streams that were asked for, each with its entries.
        Value::Map(streams) => streams.iter().find_map(|(_, entries)| place_in(entries)),
        Value::BulkString(place) => String::from_utf8(place.clone()).ok(),
        _ => None,
    }
}
