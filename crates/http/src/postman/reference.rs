//! The reference: every operation as a request with an example, in a folder for each tag.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::document::{Document, Operation, at, text};
use super::{example, request};

/// A folder for a document, with one for each tag.
pub(super) fn folder(document: &Document) -> Value {
    let mut folders: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for operation in document.operations() {
        folders.entry(operation.tag()).or_default().push(item(&operation));
    }
    let folders = folders.into_iter().map(|(tag, items)| json!({"name": tag, "item": items}));
    json!({"name": document.title(), "item": folders.collect::<Vec<_>>()})
}

fn item(operation: &Operation<'_>) -> Value {
    let name = operation.summary().map_or_else(
        || format!("{} {}", operation.method, operation.path),
        |summary| summary.trim_end_matches('.').to_owned(),
    );
    let mut item = Map::new();
    item.insert("name".to_owned(), json!(name));
    item.insert("event".to_owned(), json!([request::script("test", &tests(operation))]));
    item.insert("request".to_owned(), Value::Object(request_of(operation)));
    Value::Object(item)
}

fn request_of(operation: &Operation<'_>) -> Map<String, Value> {
    let document = operation.document();
    let query = operation.parameters("query").map(|parameter| {
        let name = text(parameter, "name").unwrap_or_default();
        let value = written(&example::of(document, name, at(parameter, "schema")));
        let is_optional = at(parameter, "required") != true;
        json!({"key": name, "value": value, "disabled": is_optional,
            "description": at(parameter, "description")})
    });
    // `{id}` is `:id` here.
    let path = operation.path.replace('{', ":").replace('}', "");
    let mut request = request::request(operation.method, &path, query.collect());
    let variables = operation.parameters("path").map(|parameter| {
        let name = text(parameter, "name").unwrap_or_default();
        let description = at(parameter, "description");
        json!({"key": name, "value": format!("{{{{{name}}}}}"), "description": description})
    });
    let variables: Vec<_> = variables.collect();
    if !variables.is_empty()
        && let Some(Value::Object(url)) = request.get_mut("url")
    {
        url.insert("variable".to_owned(), Value::Array(variables));
    }
    if let Some(schema) = operation.body() {
        let example = example::of(document, "", schema);
        request.insert("body".to_owned(), request::body(&example, operation));
    }
    if operation.is_open() {
        request.insert("auth".to_owned(), request::no_key());
    }
    let description = operation.description().or_else(|| operation.summary());
    if let Some(description) = description {
        request.insert("description".to_owned(), json!(description));
    }
    request
}

/// That the answer is one that the document names.
fn tests(operation: &Operation<'_>) -> String {
    let statuses = operation.statuses();
    let named = json!(statuses);
    let status = format!(
        "\
pm.test(\"the status is one that the document names\", () => {{
    pm.expect(pm.response.code).to.be.oneOf({named});
}});"
    );
    if operation.is_stream() {
        return status;
    }
    let (good, bad): (Vec<u16>, _) = statuses.iter().partition(|status| **status < 400);
    let good = good.iter().map(|status| (status.to_string(), operation.required(*status)));
    let good = json!(good.collect::<BTreeMap<_, _>>());
    // The errors of an operation are nearly all alike.
    let mut bad: Vec<_> = bad.iter().filter_map(|status| operation.required(*status)).collect();
    bad.dedup();
    let bad = json!(bad.concat());
    format!(
        "\
{status}
pm.test(\"the answer has the members that the document names\", () => {{
    const code = pm.response.code;
    const ways = code < 400 ? {good}[code] : {bad};
    if (ways === null) {{
        pm.expect(pm.response.text()).to.eql(\"\");
        return;
    }}
    const answer = pm.response.json();
    pm.expect(ways.some((names) => names.every((name) => name in answer))).to.eql(true);
}});"
    )
}

/// A value as it stands in a query.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
