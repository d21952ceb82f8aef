//! Requests, and the scripts around them, in the words of Postman.

use serde_json::{Map, Value, json};

use super::document::Operation;

/// A request without its body.
pub(super) fn request(method: &str, path: &str, query: Vec<Value>) -> Map<String, Value> {
    let written: Vec<_> =
        query.iter().filter(|one| one.get("disabled") != Some(&json!(true))).collect();
    let pairs = written.iter().map(|one| {
        let text = |name| one.get(name).and_then(Value::as_str).unwrap_or_default();
        format!("{}={}", text("key"), text("value"))
    });
    let pairs = pairs.collect::<Vec<_>>().join("&");
    let mark = if pairs.is_empty() { "" } else { "?" };
    let mut url = Map::new();
    url.insert("raw".to_owned(), json!(format!("{{{{base_url}}}}{path}{mark}{pairs}")));
    url.insert("host".to_owned(), json!(["{{base_url}}"]));
    let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
    url.insert("path".to_owned(), json!(parts));
    if !query.is_empty() {
        url.insert("query".to_owned(), Value::Array(query));
    }
    let mut request = Map::new();
    request.insert("method".to_owned(), json!(method));
    request.insert("url".to_owned(), Value::Object(url));
    request
}

/// The body of a call to an operation: JSON, or the same members as a form.
pub(super) fn body(body: &Value, operation: &Operation<'_>) -> Value {
    if operation.takes_form() {
        let pairs = body.as_object().into_iter().flatten();
        let pairs = pairs.map(|(name, value)| json!({"key": name, "value": value, "type": "text"}));
        return json!({"mode": "urlencoded", "urlencoded": pairs.collect::<Vec<_>>()});
    }
    let options = json!({"raw": {"language": "json"}});
    json!({"mode": "raw", "raw": format!("{body:#}"), "options": options})
}

/// That a request carries a key.
pub(super) fn bearer(key: &str) -> Value {
    let token = json!({"key": "token", "value": key, "type": "string"});
    json!({"type": "bearer", "bearer": [token]})
}

/// That a request carries none.
pub(super) fn no_key() -> Value {
    json!({"type": "noauth"})
}

/// A script before a request (`prerequest`) or after its answer (`test`).
pub(super) fn script(when: &str, text: &str) -> Value {
    let lines: Vec<_> = text.lines().collect();
    json!({"listen": when, "script": {"type": "text/javascript", "exec": lines}})
}

/// A script that passes over its request unless a variable has a value.
pub(super) fn unless(variable: &str, value: &str) -> String {
    let (variable, value) = (json!(variable), json!(value));
    format!("if (pm.variables.get({variable}) !== {value}) {{\n    pm.execution.skipRequest();\n}}")
}
