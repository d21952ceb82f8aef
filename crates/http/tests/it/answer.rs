//! Answers, and how snapshots show them.

use std::fmt::Write;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A header's value, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status, headers and the whole body.
    pub(crate) fn show(&self) -> String {
        self.render(|body| body)
    }

    /// Status, headers and what the body has beyond nulls and empty lists.
    pub(crate) fn brief(&self) -> String {
        self.render(without_nothings)
    }

    fn render(&self, edit: fn(Value) -> Value) -> String {
        let mut shown = format!("{}\n", self.status);
        for name in ["content-type", "allow", "retry-after", "www-authenticate"] {
            if let Some(value) = self.headers.get(name) {
                writeln!(shown, "{name}: {}", value.to_str().unwrap()).unwrap();
            }
        }
        if !self.body.is_empty() {
            write!(shown, "{:#}", edit(self.json())).unwrap();
        }
        shown
    }

    /// A problem in one line: status, code and, with their rules, the fields.
    pub(crate) fn complaint(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        let code = problem["code"].as_str().unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["type"], format!("urn:keyward:problem:{code}"));
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        let mut line = format!("{} {code}", self.status.as_u16());
        for error in problem["errors"].as_array().into_iter().flatten() {
            let part = |name: &str| error[name].as_str().unwrap().to_owned();
            write!(line, "; {} {}", part("field"), part("message")).unwrap();
        }
        line
    }
}

fn without_nothings(value: Value) -> Value {
    let is_something = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    match value {
        Value::Array(items) => items.into_iter().map(without_nothings).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, v)| (name, without_nothings(v)));
            Value::Object(members.filter(|(_, value)| is_something(value)).collect())
        }
        other => other,
    }
}
