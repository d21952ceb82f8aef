//! Bodies and queries, read strictly: what is unknown, repeated or of the wrong type is refused, with
//! the field and the rule, and nothing of what was sent.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use keyward::{FieldError, Invalid, Keyward};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// A JSON body that may be left out, which is the same as an empty object.
#[derive(Debug)]
pub(crate) struct OptionalBody<T>(pub(crate) T);

/// The parameters of a query, each at most once.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Keyward> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, keyward: &Keyward) -> Result<Self, Problem> {
        let is_json = is_json(&request);
        let bytes = read(request, keyward).await?;
        if is_json { parse(&bytes).map(Self) } else { Err(Problem::not_json()) }
    }
}

impl<T: DeserializeOwned> FromRequest<Keyward> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, keyward: &Keyward) -> Result<Self, Problem> {
        let is_json = is_json(&request);
        let bytes = read(request, keyward).await?;
        if bytes.is_empty() {
            return parse(b"{}").map(Self);
        }
        if is_json { parse(&bytes).map(Self) } else { Err(Problem::not_json()) }
    }
}

impl<T: DeserializeOwned> FromRequestParts<Keyward> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Keyward) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let mut parameters = Map::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if parameters.insert(name.to_string(), Value::String(value.into_owned())).is_some() {
                let error = Invalid::new("must be given once").at(printable(&name));
                return Err(Problem::invalid_query(vec![error]));
            }
        }
        let read = serde_path_to_error::deserialize(Value::Object(parameters));
        read.map(Self).map_err(|error| Problem::invalid_query(vec![complaint(&error)]))
    }
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}

async fn read(request: Request, keyward: &Keyward) -> Result<Bytes, Problem> {
    Bytes::from_request(request, keyward).await.map_err(|rejection: BytesRejection| {
        if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::body_too_large()
        } else {
            Problem::unreadable_body()
        }
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        if error.inner().is_data() {
            Problem::invalid_body(vec![complaint(&error)])
        } else {
            Problem::unreadable_json()
        }
    })?;
    deserializer.end().map_err(|_| Problem::unreadable_json())?;
    Ok(read)
}

/// Reads an object that came out of a body.
pub(crate) fn parse_object<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Value::Object(object))
        .map_err(|error| Problem::invalid_body(vec![complaint(&error)]))
}

/// The field and the rule out of an error whose text quotes what was sent.
fn complaint(error: &serde_path_to_error::Error<serde_json::Error>) -> FieldError {
    let text = error.inner().to_string();
    let path = error.path().to_string();
    let quoted = || text.split('`').nth(1).unwrap_or_default();
    if text.starts_with("missing field") {
        return Invalid::new("must be given").at(printable(quoted()));
    }
    if text.starts_with("duplicate field") {
        return Invalid::new("must be given once").at(printable(quoted()));
    }
    if text.starts_with("unknown field") {
        return Invalid::new("is not a known field").at(printable(quoted()));
    }
    // "invalid type: string "…", expected a boolean at line 1 column 9": the end is serde's own.
    let expected = text.rsplit_once(", expected ").map(|(_, expected)| expected);
    let expected = expected.and_then(|text| text.split(" at line ").next());
    let rule = expected.map_or_else(|| "is not acceptable".to_owned(), |e| format!("must be {e}"));
    Invalid::new(rule).at(printable(&path))
}

/// A field's name as it may be sent back and logged.
fn printable(name: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-[]".contains(&b);
    if (1..=64).contains(&name.len()) && name != "." && name.bytes().all(is_plain) {
        name.to_owned()
    } else {
        "body".to_owned()
    }
}
