//! Flows: steps that call operations one after the other, keep what is answered, and test it.
//!
//! A step names its operation by method and path, so that one which no document knows makes no
//! collection. Texts may hold variables of the collection, written `{{name}}`.

mod expectation;

use std::collections::BTreeMap;

use expectation::Expectation;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::document::{Document, Operation, at};
use super::{Unfit, request};

/// A run through operations.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flow {
    name: String,
    description: String,
    /// The variable that must be `on`: for routes that a server need not have.
    needs: Option<String>,
    sections: Vec<Section>,
}

/// Steps that belong together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    name: String,
    steps: Vec<Step>,
}

/// A request, and what its answer must be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// What is tried, as a sentence.
    #[serde(rename = "step")]
    name: String,
    /// The operation, as in `GET /v1/keys/{{key}}`; its query as it is written in a URL.
    call: String,
    body: Option<Value>,
    /// The key that the request carries; an empty text: none. Left out: the management key.
    key: Option<String>,
    /// How many milliseconds to wait before.
    wait: Option<u32>,
    status: u16,
    /// Headers of the answer.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// What stands at places of the answer.
    #[serde(default)]
    expect: BTreeMap<String, Value>,
    /// Variables that get what stands at places of the answer.
    #[serde(default)]
    keep: BTreeMap<String, String>,
}

impl Flow {
    pub(super) fn read(text: &str) -> Result<Self, Unfit> {
        serde_json::from_str(text).map_err(|error| Unfit(format!("a flow cannot be read: {error}")))
    }

    /// The flow as a folder. Each run has a name of its own, in the variable `run`, so that nothing is
    /// in its way that others have left behind.
    pub(super) fn folder(&self, documents: &[Document]) -> Result<Value, Unfit> {
        let begin = "pm.collectionVariables.set(\"run\", Date.now().toString(36));";
        let mut before = Some(begin.to_owned());
        let mut folders = Vec::new();
        for section in &self.sections {
            let steps = section.steps.iter().map(|step| step.item(documents, before.take()));
            let steps = steps.collect::<Result<Vec<_>, _>>()?;
            folders.push(json!({"name": section.name, "item": steps}));
        }
        let guard = self.needs.iter().map(|variable| request::unless(variable, "on"));
        let events: Vec<_> = guard.map(|guard| request::script("prerequest", &guard)).collect();
        let Self { name, description, .. } = self;
        Ok(json!({"name": name, "description": description, "event": events, "item": folders}))
    }
}

impl Step {
    fn item(&self, documents: &[Document], before: Option<String>) -> Result<Value, Unfit> {
        let operation = self.operation(documents)?;
        let wait = self.wait.map(|millis| format!("setTimeout(() => {{}}, {millis});"));
        let before: Vec<_> = before.into_iter().chain(wait).collect();
        let mut events = Vec::new();
        if !before.is_empty() {
            events.push(request::script("prerequest", &before.join("\n")));
        }
        events.push(request::script("test", &self.script(&operation)?));
        let mut item = Map::new();
        item.insert("name".to_owned(), json!(self.name));
        item.insert("event".to_owned(), Value::Array(events));
        item.insert("request".to_owned(), self.request(&operation));
        Ok(Value::Object(item))
    }

    /// The operation that is called, if the step is one that it can answer so.
    fn operation<'a>(&self, documents: &'a [Document]) -> Result<Operation<'a>, Unfit> {
        let unfit = |what: &str| Unfit(format!("{}: {} {what}", self.name, self.call));
        let (method, path, query) = self.parts();
        let mut known = documents.iter().filter_map(|document| document.operation(method, path));
        let operation = known.next().ok_or_else(|| unfit("is not known"))?;
        if !operation.statuses().contains(&self.status) {
            return Err(unfit(&format!("does not answer {}", self.status)));
        }
        if self.body.is_some() && operation.body().is_none() {
            return Err(unfit("takes no body"));
        }
        let names: Vec<_> = operation.parameters("query").map(|known| at(known, "name")).collect();
        // What is wrong on purpose is refused.
        let unknown = query.iter().find(|(name, _)| !names.contains(&&json!(name)));
        match unknown {
            Some((name, _)) if self.status < 400 => Err(unfit(&format!("takes no {name}"))),
            _ => Ok(operation),
        }
    }

    /// Method, path, and the parameters of the query.
    fn parts(&self) -> (&str, &str, Vec<(&str, &str)>) {
        let (method, target) = self.call.split_once(' ').unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        (method, path, pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect())
    }

    fn request(&self, operation: &Operation<'_>) -> Value {
        let (method, path, query) = self.parts();
        let query = query.into_iter().map(|(name, value)| json!({"key": name, "value": value}));
        let mut written = request::request(method, path, query.collect());
        if let Some(body) = &self.body {
            written.insert("body".to_owned(), request::body(body, operation));
        }
        let auth = match self.key.as_deref() {
            None if operation.is_open() => Some(request::no_key()),
            None => None,
            Some("") => Some(request::no_key()),
            Some(key) => Some(request::bearer(key)),
        };
        if let Some(auth) = auth {
            written.insert("auth".to_owned(), auth);
        }
        Value::Object(written)
    }

    /// What is tested of the answer, and kept of it.
    fn script(&self, operation: &Operation<'_>) -> Result<String, Unfit> {
        let status = self.status;
        let mut lines = vec![format!(
            "pm.test(\"the status is {status}\", () => pm.response.to.have.status({status}));"
        )];
        for (name, value) in &self.headers {
            let what = json!(format!("{name} is {value}"));
            let (name, value) = (json!(name), json!(value));
            lines.push(format!(
                "pm.test({what}, () => pm.expect(pm.response.headers.get({name})).to.eql({value}));"
            ));
        }
        match operation.required(status) {
            None => lines.push(
                "pm.test(\"there is no body\", () => pm.expect(pm.response.text()).to.eql(\"\"));"
                    .to_owned(),
            ),
            Some(ways) => {
                lines.push("const answer = pm.response.json();".to_owned());
                lines.push(format!(
                    "pm.test(\"the answer has the documented members\", () => pm.expect({}.some((names) => \
                     names.every((name) => name in answer))).to.eql(true));",
                    Value::Array(ways)
                ));
            }
        }
        for (place, value) in &self.expect {
            lines.push(Expectation::read(place, value)?.script());
        }
        for (variable, place) in &self.keep {
            let (variable, place) = (json!(variable), expectation::place("answer", place));
            lines.push(format!("pm.collectionVariables.set({variable}, {place});"));
        }
        Ok(lines.join("\n"))
    }
}
