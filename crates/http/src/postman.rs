//! A Postman collection (format v2.1), made from the OpenAPI document: a reference with every operation,
//! and flows, which run against a server and test what it answers.
//!
//! A flow is data: see `postman/flow.json`, whose steps name operations of the document. To run through
//! other routes as well, write another such file and name it, with their document, in [`parts`].

mod document;
mod example;
mod flow;
mod reference;
mod request;

use document::Document;
use flow::Flow;
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

/// Why there is no collection: a flow and the document do not fit together.
#[derive(Debug, PartialEq, Eq)]
pub struct Unfit(String);

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

/// A document, and a flow through its operations.
struct Part {
    document: OpenApi,
    flow: &'static str,
}

/// What the collection is made of.
fn parts() -> Vec<Part> {
    vec![Part { document: crate::openapi(), flow: include_str!("postman/flow.json") }]
}

/// The collection of this version's routes.
pub fn collection() -> Result<Value, Unfit> {
    collection_of(&parts())
}

fn collection_of(parts: &[Part]) -> Result<Value, Unfit> {
    let (mut flows, mut references) = (Vec::new(), Vec::new());
    for part in parts {
        let document = Document::read(&part.document)?;
        flows.push(Flow::read(part.flow)?.folder(&document)?);
        references.extend(reference::folders(&document));
    }
    let reference = json!({
        "name": "Reference",
        "description": "Every operation of the OpenAPI document with an example. A run of the whole \
            collection passes over this folder, so that it does no harm: to send single requests, set \
            the variable `reference` to `send`.",
        "event": [request::script("prerequest", reference::GUARD)],
        "item": references,
    });
    flows.push(reference);
    Ok(json!({
        "info": {
            "name": "Keyward",
            "description": "Written from the OpenAPI document. Set `base_url`, and `management_key` to \
                a management key that may do everything, such as the root key of a server for tests.",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": request::bearer("{{management_key}}"),
        "variable": [
            {"key": "base_url", "value": "http://127.0.0.1:8080"},
            {"key": "management_key", "value": ""},
            {"key": "reference", "value": "pass over"},
        ],
        "item": flows,
    }))
}

#[cfg(test)]
mod tests;
