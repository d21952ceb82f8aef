//! The OpenAPI document: as it was reviewed, complete, and true of every answer.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::accounts::service_account;
use crate::answer::Answer;
use crate::support::Api;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(keyward_http::openapi()).unwrap());

#[tokio::test]
async fn the_document_is_the_reviewed_one() {
    let answer = Api::new().await.get("/openapi.json").await;
    let reviewed: Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
    let help = "review it and run the test `writes_the_document`, which is ignored";
    assert!(answer.json() == reviewed, "openapi.json is not that of the code: {help}");
    assert!(reviewed["openapi"].as_str().unwrap().starts_with("3.1."));
}

#[test]
#[ignore = "writes openapi.json anew, for review"]
fn writes_the_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/openapi.json");
    std::fs::write(path, format!("{:#}\n", *DOCUMENT)).unwrap();
}

#[tokio::test]
async fn every_documented_operation_is_routed() {
    let api = Api::new().await;
    let kid = signed_key(&api).await;
    let mut walked = 0;
    for (path, method) in operations() {
        let (_, id) = api.issue(json!({"owner": "customer-1"})).await;
        let account = service_account(&api).await;
        let id = match &path {
            path if path.contains("keyspaces") => "default",
            path if path.contains("service-accounts") => &account,
            _ => &id,
        };
        let path = path.replace("{id}", id).replace("{kid}", &kid);
        let answer = api.call(&method.to_uppercase(), &path, Value::Null).await;
        let status = answer.status.as_u16();
        assert!(![404, 405].contains(&status), "{method} {path}: {status} {}", answer.text());
        walked += 1;
    }
    assert_eq!(walked, 45, "routes come and go with a look at this test");
}

/// Issues a signed key, in a keyspace of its own; returns its id.
async fn signed_key(api: &Api) -> String {
    let keyspace = json!({"id": "signed", "format": "signed", "algorithm": "EdDSA",
        "issuer": "https://keys.example/jwks"});
    assert_eq!(api.call("POST", "/v1/keyspaces", keyspace).await.status, 201);
    let key = json!({"owner": "customer-1", "keyspace": "signed", "expires_in": "1d"});
    api.issue(key).await.1
}

#[test]
fn every_reference_names_a_component() {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| walk(member, found));
            }
            _ => {}
        }
    }
    let mut references = Vec::new();
    walk(&DOCUMENT, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        assert!(DOCUMENT.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[test]
fn every_operation_under_v1_needs_a_key() {
    assert_eq!(DOCUMENT["security"], json!([{"bearer": []}]));
    for (path, method) in operations() {
        let is_open = DOCUMENT["paths"][&path][&method]["security"] == json!([{}]);
        assert_eq!(is_open, !path.starts_with("/v1/"), "{method} {path}");
    }
}

/// Every path and method of the document.
fn operations() -> impl Iterator<Item = (String, String)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, methods)| {
        let names = methods.as_object().unwrap().keys();
        names.map(|method| (path.clone(), method.clone()))
    })
}

/// The documents of every interface in one, by which answers are checked.
static WHOLE: LazyLock<Value> = LazyLock::new(|| {
    let mut whole = DOCUMENT.clone();
    let nestjs = serde_json::to_value(keyward_http::nestjs::openapi()).unwrap();
    for part in ["/paths", "/components/schemas"] {
        let more = nestjs.pointer(part).unwrap().as_object().unwrap().clone();
        let members = whole.pointer_mut(part).unwrap().as_object_mut().unwrap();
        for (name, value) in more {
            let before = members.insert(name.clone(), value.clone());
            assert!(before.is_none_or(|before| before == value), "{name} means two things");
        }
    }
    whole
});

/// Fails unless the document knows of the answer's status and members.
pub(crate) fn check(method: &str, path: &str, answer: &Answer) {
    let path = path.strip_prefix("/compat/nestjs").unwrap_or(path);
    let Some(operation) = operation(method, path) else { return };
    let status = answer.status.as_u16().to_string();
    let response = &operation["responses"][&status];
    assert!(!response.is_null(), "{method} {path} does not document {status}");
    let Some(content) = response["content"].as_object() else {
        return assert!(answer.body.is_empty(), "{method} {path} has an undocumented body");
    };
    let kind = answer.header("content-type");
    if kind == "text/event-stream" {
        return assert!(content.contains_key(kind), "{kind} is not documented");
    }
    let schema = &content.get(kind).unwrap_or_else(|| panic!("{kind} is not documented"))["schema"];
    if let Err(what) = fits(schema, &answer.json()) {
        panic!("{method} {path} {status} is not as documented: {what} in {}", answer.text());
    }
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let paths = WHOLE["paths"].as_object()?;
    let is_like = |template: &str| {
        let (parts, places) = (path.split('/'), template.split('/'));
        parts.clone().count() == places.clone().count()
            && parts.zip(places).all(|(part, place)| place.starts_with('{') || place == part)
    };
    let route = paths.get(path).or_else(|| paths.iter().find(|(t, _)| is_like(t)).map(|(_, r)| r));
    route?.get(method.to_lowercase())
}

/// Whether a value has the type and the members that a schema names. Not a whole validator: it knows
/// the words that the document uses.
fn fits(schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits(WHOLE.pointer(reference.trim_start_matches('#')).unwrap(), value);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices.iter().map(|choice| fits(choice, value));
        return fitting.reduce(|a, b| if a.is_ok() { a } else { b }).unwrap();
    }
    let is = |kind: &Value| match kind.as_str().unwrap() {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        other => panic!("a new type: {other}"),
    };
    let kind = &schema["type"];
    if !kind.is_null() && !kind.as_array().map_or_else(|| is(kind), |kinds| kinds.iter().any(is)) {
        return Err(format!("{value} is not {kind}"));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return Err(format!("{value} is not one of the words"));
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| fits(&schema["items"], item)),
        Value::Object(members) => members_fit(schema, members),
        _ => Ok(()),
    }
}

fn members_fit(schema: &Value, members: &Map<String, Value>) -> Result<(), String> {
    let required = schema["required"].as_array().into_iter().flatten();
    if let Some(missing) = required.map(|n| n.as_str().unwrap()).find(|n| !members.contains_key(*n))
    {
        return Err(format!("{missing} is missing"));
    }
    let Some(properties) = schema["properties"].as_object() else { return Ok(()) };
    members.iter().try_for_each(|(name, member)| {
        let property = properties.get(name).ok_or_else(|| format!("{name} is not documented"))?;
        fits(property, member)
    })
}
