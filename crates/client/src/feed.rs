//! Following a Keyward server's changes, so that revocations take effect at once.

mod events;

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use keyward_core::jose::BaseIssuer;
use keyward_core::{Invalid, KeyId, Moment, Secret};
use reqwest::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::FetchLimits;
use crate::keys::{Keys, client};
use events::{Event, EventReader};

/// A Keyward server whose changes are followed (`GET /v1/changes`).
///
/// While its feed is heard, public keys count for as long as [`KeyLifetimes`](crate::KeyLifetimes) say
/// and are given up when the server tells of a change. While it is not, they count for `max_staleness`
/// after they were fetched, and are fetched anew then. All issuers of the verifier should be of that
/// server: changes of others are not told.
#[derive(Debug)]
pub struct ChangeFeed {
    key: Secret,
    max_staleness: Duration,
    server: BaseIssuer,
}

impl ChangeFeed {
    /// The feed of the server at that URL, which must be `https` or be on this machine. The key must have
    /// the right to read changes.
    pub fn new(server: &str, key: Secret) -> Result<Self, Invalid> {
        let server = BaseIssuer::parse(server)?;
        if !server.is_protected() {
            return Err(Invalid::new("must be https, or http on this machine"));
        }
        Ok(Self { key, max_staleness: Duration::from_secs(5), server })
    }

    /// For how long after it was last heard the feed is believed: a revocation takes no longer than that,
    /// and what the server and the network need to tell it. By default 5 seconds. The server tells at
    /// least four times a second that it is there.
    #[must_use]
    pub fn max_staleness(self, max_staleness: Duration) -> Self {
        Self { max_staleness, ..self }
    }

    pub(crate) fn most_staleness(&self) -> Duration {
        self.max_staleness
    }
}

/// The task that follows the feed, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Follower(AbortHandle);

impl Follower {
    /// Begins to follow. Must be called inside of a tokio runtime.
    pub(crate) fn start(
        feed: ChangeFeed,
        limits: &FetchLimits,
        keys: Arc<Keys>,
    ) -> Result<Self, reqwest::Error> {
        let client = client(limits.connect_timeout).build()?;
        let patience = feed.max_staleness.max(Following::LEAST_PATIENCE);
        let following = Following { client, feed, keys, patience, place: None };
        Ok(Self(tokio::spawn(following.run()).abort_handle()))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Following {
    client: Client,
    feed: ChangeFeed,
    keys: Arc<Keys>,
    /// After so long a silence, the connection is given up.
    patience: Duration,
    /// The id of the last event.
    place: Option<String>,
}

/// Why a connection ended.
#[derive(Debug)]
enum End {
    Closed,
    Connection,
    Events(events::Malformed),
    Silence,
    Status(StatusCode),
}

impl Following {
    const LEAST_PATIENCE: Duration = Duration::from_secs(1);
    /// Waits between connections: from this one on they double until the longest.
    const FIRST_WAIT: Duration = Duration::from_millis(100);
    const LONGEST_WAIT: Duration = Duration::from_secs(5);

    async fn run(mut self) {
        let mut failures = 0;
        loop {
            let end = match self.connect().await {
                Ok(response) => {
                    let mut has_heard = false;
                    let end = self.read(response, &mut has_heard).await;
                    failures = if has_heard { 0 } else { failures };
                    end
                }
                Err(end) => end,
            };
            tracing::warn!(server = %self.feed.server, %end, "the change feed is not heard");
            sleep(wait(failures)).await;
            failures = failures.saturating_add(1);
        }
    }

    async fn connect(&mut self) -> Result<Response, End> {
        let url = format!("{}/v1/changes", self.feed.server.as_str());
        let bearer = format!("Bearer {}", self.feed.key.expose());
        let mut bearer = HeaderValue::try_from(bearer).map_err(|_| End::Connection)?;
        bearer.set_sensitive(true);
        let request = self.client.get(url).header(AUTHORIZATION, bearer);
        let mut request =
            request.header(ACCEPT, "text/event-stream").header(CACHE_CONTROL, "no-cache");
        if let Some(place) = &self.place {
            request = request.header("last-event-id", place);
        }
        let response = timeout(self.patience, request.send()).await.map_err(|_| End::Silence)?;
        let response = response.map_err(|_| End::Connection)?;
        let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let is_stream = content_type.is_some_and(|value| value.starts_with(b"text/event-stream"));
        match response.status() {
            StatusCode::OK if is_stream => Ok(response),
            status => {
                // Perhaps it is the place that the server does not take.
                self.place = self.place.take().filter(|_| !status.is_client_error());
                Err(End::Status(status))
            }
        }
    }

    async fn read(&mut self, mut response: Response, has_heard: &mut bool) -> End {
        let mut events = EventReader::default();
        loop {
            // Before it is waited for: what waited here must not count as heard now.
            let moment = self.keys.moment();
            let chunk = match timeout(self.patience, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return End::Closed,
                Ok(Err(_)) => return End::Connection,
                Err(_) => return End::Silence,
            };
            let malformed = events.read(&chunk, |event| {
                *has_heard = true;
                self.hear(event, moment);
            });
            if let Err(malformed) = malformed {
                // Who knows what was in it.
                self.keys.forget_all();
                self.place = None;
                return End::Events(malformed);
            }
        }
    }

    fn hear(&mut self, event: Event<'_>, moment: Moment) {
        match event.name {
            "changes" => match serde_json::from_str::<Changes>(event.data) {
                Ok(changes) => self.keys.forget(&changes.keys),
                Err(_) => self.keys.forget_all(),
            },
            "current" => {
                // The first one of all: what was fetched before may have changed before.
                if self.place.is_none() {
                    self.keys.forget_all();
                }
                self.keys.renew_lease(moment);
            }
            "reset" => self.keys.forget_all(),
            _ => {}
        }
        // The place of changes that were missed is known only after the first `current`.
        if self.place.is_some() || event.name == "current" {
            self.place = event.id.map(str::to_owned).or(self.place.take());
        }
    }
}

#[derive(Deserialize)]
struct Changes {
    keys: Vec<KeyId>,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the server ended it"),
            Self::Connection => f.write_str("there is no connection"),
            Self::Events(malformed) => malformed.fmt(f),
            Self::Silence => f.write_str("nothing was heard for too long"),
            Self::Status(status) => write!(f, "the server answered {}", status.as_u16()),
        }
    }
}

/// Twice as long each time, and by chance up to half as long as that: so that verifiers do not all come
/// back at once.
fn wait(failures: u32) -> Duration {
    let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
    let longest = Following::FIRST_WAIT.saturating_mul(factor).min(Following::LONGEST_WAIT);
    // The keys that the standard library draws for its maps are chance enough for that.
    let share = u32::try_from(RandomState::new().hash_one(failures) % 512).unwrap_or(0);
    longest * (512 + share) / 1_024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        for (failures, longest) in [(0, 100), (1, 200), (3, 800), (6, 5_000), (100, 5_000)] {
            let longest = Duration::from_millis(longest);
            assert!((longest / 2..=longest).contains(&wait(failures)), "{failures}");
        }
    }

    #[test]
    fn neither_debug_form_tells_the_key() {
        let feed = ChangeFeed::new("https://example.com", Secret::new("kw_secret".to_owned()));
        assert!(!format!("{:?}", feed.unwrap()).contains("kw_secret"));
    }

    #[test]
    fn servers_on_the_network_must_be_https() {
        let feed = |url| ChangeFeed::new(url, Secret::new(String::new()));
        assert!(feed("http://127.0.0.1:8080").is_ok() && feed("https://example.com/a").is_ok());
        assert!(feed("http://example.com").is_err() && feed("example.com").is_err());
    }
}
