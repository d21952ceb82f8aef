//! `keyward keys export`: a JSON object a line, as `keys import` takes them.

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::Api;
use crate::args::ExportArgs;
use crate::outcome::Outcome;
use crate::printer;

/// Prints the keys of keyspaces, the deleted ones included.
pub(super) async fn run(api: &Api, as_json: bool, args: ExportArgs) -> anyhow::Result<Outcome> {
    let keyspaces = if args.keyspaces.is_empty() {
        match api.call(Method::GET, "/v1/keyspaces", None).await?.granted(as_json)? {
            Ok(answer) => all_but_management(&answer),
            Err(outcome) => return Ok(outcome),
        }
    } else {
        args.keyspaces
    };
    for keyspace in keyspaces {
        for state in [None, Some("deleted")] {
            let mut cursor = Value::Null;
            loop {
                let owner = &args.owner;
                let body =
                    json!({"keyspace": keyspace, "owner": owner, "state": state, "cursor": cursor});
                let answer = api.call(Method::POST, "/v1/keys/export", Some(&body)).await?;
                let page = match answer.granted(as_json)? {
                    Ok(page) => page,
                    Err(outcome) => return Ok(outcome),
                };
                for key in page.get("data").and_then(Value::as_array).into_iter().flatten() {
                    printer::say(key)?;
                }
                match page.get("next_cursor") {
                    Some(next @ Value::String(_)) => cursor = next.clone(),
                    _ => break,
                }
            }
        }
    }
    Ok(Outcome::Done)
}

fn all_but_management(answer: &Value) -> Vec<String> {
    let keyspaces = answer.get("data").and_then(Value::as_array).into_iter().flatten();
    let ids = keyspaces.filter_map(|keyspace| keyspace.get("id").and_then(Value::as_str));
    ids.filter(|id| *id != keyward::KeyspaceId::MANAGEMENT).map(str::to_owned).collect()
}
