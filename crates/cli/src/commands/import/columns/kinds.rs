//! Values as the interface wants them: files hold lists and instants in many ways.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, fmt};
use keyward::{FieldError, Invalid};
use serde_json::{Value, json};

use crate::commands::import::noun::Noun;

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    Flag,
    Json,
    List,
    Number,
    Text,
    Time,
}

const ACCOUNT_FIELDS: &[(&str, Kind)] = &[
    ("client_secret", Kind::Text),
    ("created_at", Kind::Time),
    ("created_by", Kind::Text),
    ("deleted_at", Kind::Time),
    ("deleted_by", Kind::Text),
    ("description", Kind::Text),
    ("enabled", Kind::Flag),
    ("hash", Kind::Json),
    ("hash_scheme", Kind::Text),
    ("hash_value", Kind::Text),
    ("id", Kind::Text),
    ("owner", Kind::Text),
    ("previous", Kind::Json),
    ("primary", Kind::Flag),
    ("rotated_at", Kind::Time),
    ("scopes", Kind::List),
    ("updated_at", Kind::Time),
    ("updated_by", Kind::Text),
    ("version", Kind::Number),
];

const KEY_FIELDS: &[(&str, Kind)] = &[
    ("claims", Kind::Json),
    ("created_at", Kind::Time),
    ("deleted_at", Kind::Time),
    ("deleted_by", Kind::Text),
    ("description", Kind::Text),
    ("enabled", Kind::Flag),
    ("expires_at", Kind::Time),
    ("hash", Kind::Json),
    ("hash_scheme", Kind::Text),
    ("hash_value", Kind::Text),
    ("id", Kind::Text),
    ("jwk", Kind::Json),
    ("keyspace", Kind::Text),
    ("last_used_at", Kind::Time),
    ("metadata", Kind::Json),
    ("name", Kind::Text),
    ("not_before", Kind::Time),
    ("owner", Kind::Text),
    ("previous", Kind::Json),
    ("previous_uses", Kind::Number),
    ("resources", Kind::Json),
    ("revoked_at", Kind::Time),
    ("revoked_by", Kind::Text),
    ("revoked_reason", Kind::Text),
    ("rotated_at", Kind::Time),
    ("rotated_from", Kind::Text),
    ("rotated_to", Kind::Text),
    ("scopes", Kind::List),
    ("secret", Kind::Text),
    ("service_account_id", Kind::Text),
    ("tags", Kind::List),
    ("updated_at", Kind::Time),
    ("uses", Kind::Number),
    ("version", Kind::Number),
];

/// Whether there is a field of that name.
pub(super) fn is_field(noun: Noun, name: &str) -> bool {
    kind(noun, name).is_some()
}

/// What the field of that name holds, if there is one.
fn kind(noun: Noun, name: &str) -> Option<Kind> {
    let fields = match noun {
        Noun::Accounts => ACCOUNT_FIELDS,
        Noun::Keys => KEY_FIELDS,
    };
    fields.iter().find(|(field, _)| *field == name).map(|(_, kind)| *kind)
}

/// Brings the value of a field into its kind. What is of it already, and what nobody can tell, stays
/// as it is: then the interface complains about it.
pub(super) fn convert(
    noun: Noun,
    field: &str,
    value: &mut Value,
    zone: &TimeZone,
) -> Result<(), FieldError> {
    let converted = match (kind(noun, field), &*value) {
        (Some(Kind::Text), Value::Number(number)) => Some(json!(number.to_string())),
        (Some(Kind::Flag), value) => flag(value),
        (Some(Kind::Json), Value::String(text)) if text.starts_with(['{', '[']) => {
            let rule = || Invalid::new("must be JSON").at(field.to_owned());
            Some(serde_json::from_str(text).map_err(|_| rule())?)
        }
        (Some(Kind::List), Value::String(text)) => Some(list(text)),
        (Some(Kind::Number), Value::String(text)) => text.parse::<u64>().ok().map(Value::from),
        (Some(Kind::Time), value) => {
            let rule = "must be an instant, such as 2027-01-31T00:00:00Z or 2027-01-31 00:00:00";
            let instant = instant(value, zone);
            Some(instant.ok_or_else(|| Invalid::new(rule).at(field.to_owned()))?.into())
        }
        _ => None,
    };
    if let Some(converted) = converted {
        *value = converted;
    }
    Ok(())
}

fn flag(value: &Value) -> Option<Value> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_ascii_lowercase);
    match text.as_str() {
        "1" | "t" | "true" | "yes" => Some(Value::Bool(true)),
        "0" | "f" | "false" | "no" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// A list as a JSON array, as an array of PostgreSQL, or divided by commas, semicolons or spaces.
fn list(text: &str) -> Value {
    if let Ok(Value::Array(items)) = serde_json::from_str(text) {
        return Value::Array(items);
    }
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let items = inner.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    items.map(|item| item.trim_matches('"')).filter(|item| !item.is_empty()).collect()
}

/// An instant as RFC 3339: of one with a zone, of one without, of a date, or of the seconds or
/// milliseconds since 1970.
fn instant(value: &Value, zone: &TimeZone) -> Option<String> {
    static PARSER: fmt::temporal::DateTimeParser = fmt::temporal::DateTimeParser::new();
    let timestamp = match value {
        Value::String(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
            return instant(&json!(text.parse::<i64>().ok()?), zone);
        }
        Value::String(text) => {
            let with_zone = PARSER.parse_timestamp(text).or_else(|_| {
                // PostgreSQL writes `2027-01-31 00:00:00+00`.
                Timestamp::strptime("%Y-%m-%d %H:%M:%S%.f%#z", text)
            });
            with_zone.ok().or_else(|| {
                let local: DateTime = text.parse().ok()?;
                zone.to_timestamp(local).ok()
            })?
        }
        Value::Number(number) => {
            let number = number.as_i64()?;
            // As seconds, that is the year 5138.
            if number.abs() >= 100_000_000_000 {
                Timestamp::from_millisecond(number).ok()?
            } else {
                Timestamp::from_second(number).ok()?
            }
        }
        _ => return None,
    };
    Some(timestamp.to_string())
}

/// A time zone by its name, or by its distance from UTC.
pub(super) fn time_zone(name: &str) -> Option<TimeZone> {
    let offset = || fmt::strtime::parse("%:z", name).ok()?.offset();
    match offset() {
        Some(offset) => Some(TimeZone::fixed(offset)),
        None if name == "UTC" => Some(TimeZone::fixed(Offset::UTC)),
        None => TimeZone::get(name).ok(),
    }
}
