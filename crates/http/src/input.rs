//! Bodies and queries, read strictly: what is unknown, repeated or of the wrong type is refused, with
//! the field and the rule, and nothing of what was sent.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use keyward::{FieldError, Invalid, Keyward};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::envelope::RequestContext;
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

/// The one place in a path that is left open.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

/// A JSON object. Serde alone would take a list of the fields in their order, too.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

/// The members of a JSON object, each given once. Serde alone would take the last one.
#[derive(Debug)]
pub(crate) struct Members<T>(pub(crate) BTreeMap<String, T>);

impl<T: DeserializeOwned> FromRequest<Keyward> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Keyward) -> Result<Self, Problem> {
        let is_json = is_json(&request);
        let bytes = read(request).await?;
        if is_json { parse(&bytes).map(Self) } else { Err(Problem::not_json()) }
    }
}

impl<T: DeserializeOwned> FromRequest<Keyward> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Keyward) -> Result<Self, Problem> {
        let is_json = is_json(&request);
        let bytes = read(request).await?;
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

impl<T: DeserializeOwned + Send> FromRequestParts<Keyward> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, keyward: &Keyward) -> Result<Self, Problem> {
        let path = axum::extract::Path::from_request_parts(parts, keyward).await;
        // What is not UTF-8 names nothing.
        path.map(|axum::extract::Path(path)| Self(path)).map_err(|_| Problem::not_found())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(Reader(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members<T>, A::Error> {
                let mut members = BTreeMap::new();
                let mut is_repeated = false;
                while let Some((name, value)) = object.next_entry()? {
                    is_repeated |= members.insert(name, value).is_some();
                }
                // Told at the end, where the place is the object and not a name in it.
                if is_repeated { Err(A::Error::custom(REPEATED)) } else { Ok(Members(members)) }
            }
        }

        deserializer.deserialize_map(Reader(PhantomData))
    }
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// Reads a field that may be left out, and not be null: that would mean nothing.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Bytes in the largest body that is read, unless the server says otherwise.
pub(crate) const BODY_LIMIT: usize = 64 * 1_024;
/// How serde complains where one of a few words is expected and there is something else.
const NO_WORD: &str = "expected value";
/// The complaint about an object with a member given twice.
const REPEATED: &str = "must hold each member once";

/// Whether a request says that its body is JSON.
pub(crate) fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}

/// Reads a body up to the limit. One that comes in one piece, as nearly all do, is not copied.
async fn read(request: Request) -> Result<Bytes, Problem> {
    let context = request.extensions().get::<RequestContext>();
    let limit = context.map_or(BODY_LIMIT, |context| context.body_limit);
    let mut body = request.into_body();
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(Problem::body_too_large());
    }
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::unreadable_body())?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len().max(all.len()) + data.len() > limit {
            return Err(Problem::body_too_large());
        }
        if first.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Nearly every body is fine; only of others the path to what is wrong is worth its price.
    let read = serde_json::from_slice(bytes).map(|Object(read)| read);
    read.or_else(|_| parse_with_complaints(bytes))
}

/// Reads an object that is a part of a body.
pub(crate) fn parse_part<T: DeserializeOwned>(part: &RawValue) -> Result<T, Problem> {
    parse(part.get().as_bytes())
}

fn parse_with_complaints<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut deserializer);
    let Object(read) = read.map_err(|error| {
        if error.inner().is_data() || is_no_word(&error, bytes) {
            Problem::invalid_body(vec![complaint(&error)])
        } else {
            Problem::unreadable_json()
        }
    })?;
    deserializer.end().map_err(|_| Problem::unreadable_json())?;
    Ok(read)
}

/// Whether all that is wrong is that a word was expected and something else is there, which serde
/// takes for a mistake in the JSON.
fn is_no_word(error: &serde_path_to_error::Error<serde_json::Error>, bytes: &[u8]) -> bool {
    let is_expected = error.inner().to_string().starts_with(NO_WORD);
    is_expected && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Reads an object that came out of a body.
pub(crate) fn parse_object<T: DeserializeOwned>(object: Members<Value>) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Value::Object(object.0.into_iter().collect()))
        .map_err(|error| Problem::invalid_body(vec![complaint(&error)]))
}

/// Reads parameters that came out of a query.
pub(crate) fn parse_parameters<T: DeserializeOwned>(
    parameters: Members<Value>,
) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Value::Object(parameters.0.into_iter().collect()))
        .map_err(|error| Problem::invalid_query(vec![complaint(&error)]))
}

/// The field and the rule out of an error whose text quotes what was sent.
fn complaint(error: &serde_path_to_error::Error<serde_json::Error>) -> FieldError {
    let text = error.inner().to_string();
    let path = error.path().to_string();
    let quoted = || within(&path, text.split('`').nth(1).unwrap_or_default());
    if text.starts_with("missing field") {
        return Invalid::new("must be given").at(printable(&quoted()));
    }
    if text.starts_with("duplicate field") {
        return Invalid::new("must be given once").at(printable(&quoted()));
    }
    if text.starts_with("unknown field") {
        return Invalid::new("is not a known field").at(printable(&quoted()));
    }
    if text.starts_with(NO_WORD) {
        return Invalid::new("must be a text").at(printable(&path));
    }
    if text.starts_with(REPEATED) {
        return Invalid::new(REPEATED).at(printable(&path));
    }
    // "invalid type: string "…", expected a boolean at line 1 column 9": the end is serde's own.
    let expected = text.rsplit_once(", expected ").map(|(_, expected)| expected);
    let expected = expected.and_then(|text| text.split(" at line ").next());
    let expected = expected.map(|text| match text {
        "a map" => "an object",
        "a sequence" => "a list",
        "u32" | "u64" | "usize" => "a whole number",
        other => other,
    });
    let rule = expected.map_or_else(|| "is not acceptable".to_owned(), |e| format!("must be {e}"));
    Invalid::new(rule).at(printable(&path))
}

/// The path of a field of the object at `path`; serde tells some paths with the field.
fn within(path: &str, field: &str) -> String {
    let is_there = path == field || path.ends_with(&format!(".{field}"));
    match path {
        "." => field.to_owned(),
        path if is_there => path.to_owned(),
        path => format!("{path}.{field}"),
    }
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
