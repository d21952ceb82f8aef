//! A Postman collection (format v2.1), made from the OpenAPI document: a reference with every operation,
//! and flows, which run against a server and test what it answers.
//!
//! A flow is data: see `postman/flow.json`, whose steps name operations of the document. To run through
//! other routes as well, write another such file and name it, with their document, in `parts`.

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
    let flow = include_str!("postman/flow.json");
    let nestjs = include_str!("postman/nestjs.json");
    vec![
        Part { document: crate::openapi(), flow },
        Part { document: crate::nestjs::openapi(), flow: nestjs },
    ]
}

/// The collection of this version's routes.
pub fn collection() -> Result<Value, Unfit> {
    collection_of(&parts())
}

fn collection_of(parts: &[Part]) -> Result<Value, Unfit> {
    let documents = parts.iter().map(|part| Document::read(&part.document));
    let documents = documents.collect::<Result<Vec<_>, _>>()?;
    let flows = parts.iter().map(|part| Flow::read(part.flow)?.folder(&documents));
    let mut items = flows.collect::<Result<Vec<_>, _>>()?;
    let references: Vec<_> = documents.iter().map(reference::folder).collect();
    let reference = json!({
        "name": "Reference",
        "description": "Every operation of the OpenAPI document with an example. A run of the whole \
            collection passes over this folder, so that it does no harm: to send single requests, set \
            the variable `reference` to `send`.",
        "event": [request::script("prerequest", &request::unless("reference", "send"))],
        "item": references,
    });
    items.push(reference);
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
            {"key": "nestjs", "value": "off"},
            {"key": "reference", "value": "pass over"},
        ],
        "item": items,
    }))
}

#[cfg(test)]
mod tests;
