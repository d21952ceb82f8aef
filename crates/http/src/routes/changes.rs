//! The change feed as server-sent events, for verifiers elsewhere.
#![expect(unused_qualifications, reason = "utoipa writes them")]

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName};
use axum::response::IntoResponse;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use keyward::{FeedEvent, Invalid, KeyId, Keyward, Sequence};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::Right;
use crate::caller::Caller;
use crate::fields::Fields;
use crate::input::Query;
use crate::problem::{Problem, Problems};
use crate::view::Answer;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells nginx, and proxies that follow it, to pass events on as they come.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesParameters {
    /// The id of the last event that is known. The header `last-event-id` counts more. Left out: from
    /// now on.
    since: Option<String>,
}

/// The data of the event `changes`. Those of `current` and `reset` are empty objects.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangesView<'a> {
    /// The ids of keys that were issued, changed, rotated, revoked, deleted, restored or purged.
    #[schema(value_type = Vec<String>)]
    keys: &'a [KeyId],
    /// Whether a keyspace was made or changed.
    keyspaces: bool,
    /// Whether keys changed that are found by their digests, which are not told.
    others: bool,
}

/// What changes, as it becomes known: server-sent events.
///
/// `changes` names what must be read anew. `current` says that the feed was read to its end: whatever
/// was acknowledged a quarter of `max_staleness` (250 ms at most) before it has been told. It comes
/// after what was missed, and then at least four times in `max_staleness` and four times a second.
/// `reset` says that changes are missing, and everything must be read anew. The id of each event is
/// where to go on from. The stream ends when the server stops, and when the key that opened it would
/// no longer be let in.
#[utoipa::path(
    get, path = "/v1/changes", tag = "changes", params(
        ChangesParameters,
        ("last-event-id" = Option<String>, Header, description = "The id of the last event that is known."),
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream", description = "Events."),
        Problems,
    ),
)]
pub(crate) async fn follow(
    State(keyward): State<Keyward>,
    caller: Caller,
    headers: HeaderMap,
    Query(parameters): Query<ChangesParameters>,
) -> Answer {
    let mut fields = Fields::default();
    let since = fields.optional("since", parameters.since.as_deref(), read_place);
    fields.finish_query()?;
    let since = last_event_id(&headers)?.or(since);
    caller.may(Right::ChangesRead, None)?;
    let events = keyward.changes(since).await?;
    let frames =
        stream::unfold((events, caller, keyward), async |(mut events, caller, keyward)| {
            let event = events.next().await?;
            // Asked before each event, so that whoever lost the right is told nothing more.
            let is_open = caller.may_still(Right::ChangesRead, &keyward).await;
            is_open.then(|| (frame(&event), (events, caller, keyward)))
        });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (X_ACCEL_BUFFERING, "no")];
    Ok((headers, Body::from_stream(frames)).into_response())
}

/// An event as it is written (HTML Standard, 9.2.5): none of its texts has a line break.
fn frame(event: &FeedEvent) -> Result<Bytes, serde_json::Error> {
    let (name, data) = match event {
        FeedEvent::Changes { keys, keyspaces, others, .. } => {
            let view = ChangesView { keys, keyspaces: *keyspaces, others: *others };
            ("changes", serde_json::to_string(&view)?)
        }
        FeedEvent::Current(_) => ("current", "{}".to_owned()),
        // Whatever else there may be one day is told as what is always safe.
        _ => ("reset", "{}".to_owned()),
    };
    let id = event.sequence().get();
    Ok(format!("id: {id}\nevent: {name}\ndata: {data}\n\n").into())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Sequence>, Problem> {
    let mut values = headers.get_all(LAST_EVENT_ID).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let place = value.to_str().ok().and_then(|text| read_place(text).ok());
    match (place, values.next()) {
        (Some(place), None) => Ok(Some(place)),
        _ => Err(Problem::invalid_last_event_id()),
    }
}

fn read_place(text: &str) -> Result<Sequence, Invalid> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let place = text.parse().ok().filter(|_| is_number).map(Sequence::new);
    place.ok_or_else(|| Invalid::new("must be the id of an event"))
}
