//! Acts on many keys at once.

use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use axum::http::Method;
use serde_json::{Value, json};

use crate::api::Api;
use crate::args::{IssueManyArgs, RevokeManyArgs, VerifyArgs};
use crate::outcome::{Outcome, Unusable};
use crate::printer;

/// How many items the interface takes at once.
const AT_ONCE: usize = 100;

/// Issues keys, and prints a line for each: the answer as JSON, or what [`line`] says.
pub(super) async fn issue(
    api: &Api,
    as_json: bool,
    args: IssueManyArgs,
) -> anyhow::Result<Outcome> {
    let keys = read_lines(args.file.as_deref())?;
    let mut outcome = Outcome::Done;
    for keys in keys.chunks(AT_ONCE) {
        let call = ("/v1/keys/issue-many", json!({"keys": keys}));
        if send(api, as_json, call).await? == Outcome::Refused {
            outcome = Outcome::Refused;
        }
    }
    Ok(outcome)
}

pub(super) async fn revoke(
    api: &Api,
    as_json: bool,
    args: RevokeManyArgs,
) -> anyhow::Result<Outcome> {
    let body = json!({"ids": args.ids, "reason": args.reason});
    send(api, as_json, ("/v1/keys/revoke-many", body)).await
}

/// Verifies each line of the standard input.
pub(super) async fn verify(api: &Api, as_json: bool, args: VerifyArgs) -> anyhow::Result<Outcome> {
    let text = read(None)?;
    let secrets: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let body = json!({
        "secrets": secrets,
        "scopes": args.scopes,
        "match": if args.any { "any" } else { "all" },
        "resource": args.resource,
    });
    send(api, as_json, ("/v1/verify-many", body)).await
}

/// Sends items, prints a line for each result, and says whether all of them are good.
async fn send(api: &Api, as_json: bool, (path, body): (&str, Value)) -> anyhow::Result<Outcome> {
    let answer = match api.call(Method::POST, path, Some(&body)).await?.granted(as_json)? {
        Ok(answer) => answer,
        Err(outcome) => return Ok(outcome),
    };
    let mut outcome = Outcome::Done;
    for result in answer.get("results").and_then(Value::as_array).into_iter().flatten() {
        if result.get("done").or_else(|| result.get("valid")) != Some(&Value::Bool(true)) {
            outcome = Outcome::Refused;
        }
        printer::say(if as_json { result.to_string() } else { line(result) })?;
    }
    Ok(outcome)
}

/// A result in words: the key's id with its secret, and the credentials of the service account that was
/// made with it; or why there is none.
fn line(result: &Value) -> String {
    let text = |pointer: &str| result.pointer(pointer).and_then(Value::as_str);
    let words = [
        text("/key/id"),
        text("/secret"),
        text("/client_id"),
        text("/client_secret"),
        text("/problem/code").or_else(|| text("/code")),
        text("/problem/detail").or_else(|| text("/message")),
        text("/problem/errors/0/field"),
        text("/problem/errors/0/message"),
    ];
    printer::text(&words.into_iter().flatten().collect::<Vec<_>>().join(" ").into())
}

/// The JSON values of a file, one a line; lines without anything are passed over.
fn read_lines(file: Option<&Path>) -> anyhow::Result<Vec<Value>> {
    let text = read(file)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let values = lines.map(|(number, line)| {
        serde_json::from_str(line)
            .map_err(|_| Unusable(format!("line {} is not JSON", number + 1)).into())
    });
    values.collect()
}

fn read(file: Option<&Path>) -> anyhow::Result<String> {
    if let Some(path) = file {
        let text = fs::read_to_string(path);
        return text.map_err(|e| Unusable(format!("cannot read {}: {e}", path.display())).into());
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read the standard input")?;
    Ok(text)
}
