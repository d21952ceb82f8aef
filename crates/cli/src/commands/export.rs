//! `keyward keys export` and `keyward accounts export`: a JSON object a line, as the imports take them.

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::Api;
use crate::args::{AccountExportArgs, ExportArgs};
use crate::outcome::Outcome;
use crate::printer;

/// Prints the keys of keyspaces, the deleted ones included.
pub(super) async fn keys(api: &Api, as_json: bool, args: ExportArgs) -> anyhow::Result<Outcome> {
    let keyspaces = if args.keyspaces.is_empty() {
        match api.call(Method::GET, "/v1/keyspaces", None).await?.granted(as_json)? {
            Ok(answer) => all_but_management(&answer),
            Err(outcome) => return Ok(outcome),
        }
    } else {
        args.keyspaces
    };
    for keyspace in keyspaces {
        let filter = json!({"keyspace": keyspace, "owner": args.owner});
        if print_all(api, as_json, "/v1/keys/export", &filter).await? == Outcome::Refused {
            return Ok(Outcome::Refused);
        }
    }
    Ok(Outcome::Done)
}

/// Prints service accounts, the deleted ones included.
pub(super) async fn accounts(
    api: &Api,
    as_json: bool,
    args: AccountExportArgs,
) -> anyhow::Result<Outcome> {
    let filter = json!({"owner": args.owner});
    print_all(api, as_json, "/v1/service-accounts/export", &filter).await
}

/// Prints what an export holds, page by page: first what is not deleted, then what is.
async fn print_all(
    api: &Api,
    as_json: bool,
    path: &str,
    filter: &Value,
) -> anyhow::Result<Outcome> {
    for state in [Value::Null, json!("deleted")] {
        let mut cursor = Value::Null;
        loop {
            let mut body = filter.clone();
            if let Some(body) = body.as_object_mut() {
                body.insert("state".to_owned(), state.clone());
                body.insert("cursor".to_owned(), cursor);
            }
            let answer = api.call(Method::POST, path, Some(&body)).await?;
            let page = match answer.granted(as_json)? {
                Ok(page) => page,
                Err(outcome) => return Ok(outcome),
            };
            for item in page.get("data").and_then(Value::as_array).into_iter().flatten() {
                printer::say(item)?;
            }
            match page.get("next_cursor") {
                Some(next @ Value::String(_)) => cursor = next.clone(),
                _ => break,
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
