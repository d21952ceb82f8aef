//! Examples of what a schema describes: its own, or else those of `postman/examples.json`, which go by
//! the names of fields.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::document::{Document, at};

static BY_NAME: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).unwrap_or_default());

/// How deep a schema may lead into others.
const DEEPEST: usize = 8;

/// An example of the field of a name, which has this schema.
pub(super) fn of(document: &Document, name: &str, schema: &Value) -> Value {
    given(document, name, schema).unwrap_or_else(|| made(document, schema, 0))
}

/// An example that somebody has written.
fn given(document: &Document, name: &str, schema: &Value) -> Option<Value> {
    let by_name = || BY_NAME.get(name);
    let example = schema.get("example").or_else(|| document.resolve(schema).get("example"));
    example.or_else(by_name).cloned()
}

fn made(document: &Document, schema: &Value, depth: usize) -> Value {
    let schema = document.resolve(schema);
    if let Some(example) = schema.get("example").or_else(|| schema.pointer("/enum/0")) {
        return example.clone();
    }
    let ways = at(schema, "oneOf").as_array().into_iter().flatten();
    if let Some(way) = ways.into_iter().find(|way| at(way, "type") != "null") {
        return made(document, way, depth);
    }
    if depth == DEEPEST {
        return Value::Null;
    }
    if let Some(parts) = at(schema, "allOf").as_array() {
        let parts = parts.iter().map(|part| made(document, part, depth + 1));
        let members = parts.filter_map(|part| part.as_object().cloned()).flatten();
        return Value::Object(members.collect());
    }
    match kind(schema) {
        "array" => json!([made(document, at(schema, "items"), depth + 1)]),
        "boolean" => json!(true),
        "integer" | "number" => json!(1),
        "object" => members(document, schema, depth + 1),
        _ if at(schema, "format") == "date-time" => json!("2030-01-01T00:00:00Z"),
        _ => json!("text"),
    }
}

/// The members that must be there, and those for which somebody has written an example.
fn members(document: &Document, schema: &Value, depth: usize) -> Value {
    let required = at(schema, "required").as_array();
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|n| n == name));
    let properties = at(schema, "properties").as_object().into_iter().flatten();
    let members = properties.filter_map(|(name, property)| {
        let example = given(document, name, property);
        let made = || is_required(name).then(|| made(document, property, depth));
        Some((name.clone(), example.or_else(made)?))
    });
    Value::Object(members.collect())
}

/// The type of a schema that is not `null`.
fn kind(schema: &Value) -> &str {
    let kinds = match at(schema, "type") {
        Value::Array(kinds) => kinds.as_slice(),
        kind => std::slice::from_ref(kind),
    };
    kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default()
}
