//! The stream of changes as its events: server-sent events (HTML Standard, 9.2.6), as far as it has them.

use anyhow::{Context, bail};
use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::Value;

/// Events as they come.
pub(crate) struct Events {
    /// What has come of the next event.
    begun: Vec<u8>,
    source: Source,
}

/// What is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) data: Value,
    pub(crate) name: String,
}

/// Where the bytes come from.
pub(super) enum Source {
    Router(Body),
    Server(reqwest::Response),
}

/// The largest event: some hundred ids are far below it.
const MOST_BYTES: usize = 1 << 20;
const END: &[u8] = b"\n\n";

impl Events {
    pub(super) const fn of(source: Source) -> Self {
        Self { begun: Vec::new(), source }
    }

    /// The next event, or nothing if the stream has ended. If it is dropped before, nothing is lost.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Event>> {
        loop {
            if let Some(event) = take_event(&mut self.begun) {
                return event.map(Some);
            }
            if self.begun.len() > MOST_BYTES {
                bail!("an event of the stream of changes is too long");
            }
            if !self.source.read_on(&mut self.begun).await? {
                return Ok(None);
            }
        }
    }
}

impl Source {
    /// Appends what comes next. Returns whether anything does.
    async fn read_on(&mut self, begun: &mut Vec<u8>) -> anyhow::Result<bool> {
        let bytes = match self {
            // There are no other frames than those of data.
            Self::Router(body) => {
                let frame = body.frame().await.transpose()?;
                frame.map(|frame| frame.into_data().unwrap_or_default())
            }
            Self::Server(response) => {
                response.chunk().await.map_err(reqwest::Error::without_url)?
            }
        };
        begun.extend_from_slice(bytes.as_deref().unwrap_or_default());
        Ok(bytes.is_some())
    }
}

/// Takes the first event from what has come, if it has come to its end.
fn take_event(begun: &mut Vec<u8>) -> Option<anyhow::Result<Event>> {
    let end = begun.windows(END.len()).position(|window| window == END)? + END.len();
    let event: Vec<u8> = begun.drain(..end).collect();
    Some(read(&event).context("the stream of changes cannot be read: is it a Keyward server?"))
}

fn read(event: &[u8]) -> anyhow::Result<Event> {
    let text = std::str::from_utf8(event)?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let name = field("event: ").context("an event without a name")?.to_owned();
    let data = serde_json::from_str(field("data: ").context("an event without data")?)?;
    Ok(Event { data, name })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn events_of(chunks: &[&str]) -> Vec<Event> {
        let mut begun = Vec::new();
        let mut events = Vec::new();
        for chunk in chunks {
            begun.extend_from_slice(chunk.as_bytes());
            while let Some(event) = take_event(&mut begun) {
                events.push(event.unwrap());
            }
        }
        events
    }

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = "id: 4\nevent: changes\ndata: {\"keys\":[\"a\"]}\n\nid: 4\nevent: current\ndata: {}\n\n";
        let changes = Event { name: "changes".to_owned(), data: json!({"keys": ["a"]}) };
        let current = Event { name: "current".to_owned(), data: json!({}) };
        let expected = [changes, current];
        assert_eq!(events_of(&[text]), expected);
        for place in 0..text.len() {
            let (begin, rest) = text.split_at(place);
            assert_eq!(events_of(&[begin, rest]), expected);
        }
        assert_eq!(events_of(&[text.trim_end()]).len(), 1);
    }

    #[test]
    fn what_is_no_event_is_an_error() {
        for text in ["<html>\n\n", "event: x\ndata: {\n\n", "\n\n"] {
            let mut begun = text.as_bytes().to_vec();
            assert!(take_event(&mut begun).unwrap().is_err(), "{text:?}");
        }
    }
}
