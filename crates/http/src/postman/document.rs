//! The OpenAPI document as the collection is made from it: its operations, and what they name.

use serde_json::{Map, Value};
use utoipa::openapi::OpenApi;

use super::Unfit;

/// A document.
pub(super) struct Document(Value);

/// An operation of a document.
#[derive(Clone, Copy)]
pub(super) struct Operation<'a> {
    document: &'a Document,
    /// In capital letters.
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    node: &'a Value,
}

/// Where an operation names the schema of its body.
const JSON: &str = "/requestBody/content/application~1json/schema";
const FORM: &str = "/requestBody/content/application~1x-www-form-urlencoded/schema";

const METHODS: [(&str, &str); 5] =
    [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")];

impl Document {
    pub(super) fn read(document: &OpenApi) -> Result<Self, Unfit> {
        let unreadable = |error| Unfit(format!("the document cannot be read: {error}"));
        serde_json::to_value(document).map(Self).map_err(unreadable)
    }

    pub(super) fn title(&self) -> &str {
        self.0.pointer("/info/title").and_then(Value::as_str).unwrap_or_default()
    }

    /// Every operation, by path.
    pub(super) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = at(&self.0, "paths").as_object().into_iter().flatten();
        paths.flat_map(|(path, methods)| {
            METHODS.into_iter().filter_map(|(name, method)| {
                let node = methods.get(name)?;
                Some(Operation { document: self, method, path, node })
            })
        })
    }

    /// The operation that a path without its query leads to: of several, the one that names it most
    /// exactly.
    pub(super) fn operation(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        let of_method = || self.operations().filter(|operation| operation.method == method);
        let exact = of_method().find(|operation| operation.path == path);
        exact.or_else(|| of_method().find(|operation| is_like(operation.path, path)))
    }

    /// What a reference stands for.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let target = text(schema, "$ref").and_then(|target| target.strip_prefix('#'));
        target.and_then(|pointer| self.0.pointer(pointer)).unwrap_or(schema)
    }

    /// The members that a value of a schema has in any case: one list for each way that it may be.
    fn required(&self, schema: &Value) -> Vec<Value> {
        let schema = self.resolve(schema);
        match at(schema, "oneOf").as_array() {
            Some(ways) => ways.iter().flat_map(|way| self.required(way)).collect(),
            None => {
                vec![schema.get("required").cloned().unwrap_or_else(|| Value::Array(Vec::new()))]
            }
        }
    }
}

impl<'a> Operation<'a> {
    pub(super) fn document(&self) -> &'a Document {
        self.document
    }

    pub(super) fn tag(&self) -> &'a str {
        self.node.pointer("/tags/0").and_then(Value::as_str).unwrap_or("others")
    }

    pub(super) fn summary(&self) -> Option<&'a str> {
        text(self.node, "summary")
    }

    pub(super) fn description(&self) -> Option<&'a str> {
        text(self.node, "description")
    }

    /// Whether it takes no management key.
    pub(super) fn is_open(&self) -> bool {
        at(self.node, "security").as_array().is_some_and(|ways| ways.iter().any(is_empty))
    }

    /// Its parameters that stand in the path, in the query, or in a header.
    pub(super) fn parameters(&self, place: &'static str) -> impl Iterator<Item = &'a Value> {
        let all = at(self.node, "parameters").as_array().into_iter().flatten();
        all.filter(move |parameter| at(parameter, "in") == place)
    }

    /// The schema of its body, if it takes one.
    pub(super) fn body(&self) -> Option<&'a Value> {
        [JSON, FORM].into_iter().find_map(|place| self.node.pointer(place))
    }

    /// Whether its body is a form.
    pub(super) fn takes_form(&self) -> bool {
        self.node.pointer(FORM).is_some()
    }

    pub(super) fn statuses(&self) -> Vec<u16> {
        let responses = at(self.node, "responses").as_object().into_iter().flatten();
        responses.filter_map(|(status, _)| status.parse().ok()).collect()
    }

    /// What the answer with a status must have: one list of members for each way that it may be, or
    /// nothing, if it has no body of JSON.
    pub(super) fn required(&self, status: u16) -> Option<Vec<Value>> {
        let content = self.response(&status.to_string()).get("content")?.as_object()?;
        let json = content.iter().find(|(kind, _)| kind.ends_with("json"))?.1;
        Some(self.document.required(at(json, "schema")))
    }

    fn response(&self, status: &str) -> &'a Value {
        at(at(self.node, "responses"), status)
    }

    /// Whether its answer goes on for as long as the caller listens.
    pub(super) fn is_stream(&self) -> bool {
        self.response("200").pointer("/content/text~1event-stream").is_some()
    }
}

/// The member of an object, or null.
pub(super) fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// The member of an object that is a text.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn is_empty(way: &Value) -> bool {
    way.as_object().is_some_and(Map::is_empty)
}

fn is_like(template: &str, path: &str) -> bool {
    let (places, parts) = (template.split('/'), path.split('/'));
    places.clone().count() == parts.clone().count()
        && places.zip(parts).all(|(place, part)| place.starts_with('{') || place == part)
}
