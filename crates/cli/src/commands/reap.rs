//! `keyward reap`

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::Api;
use crate::args::ReapArgs;
use crate::outcome::Outcome;
use crate::printer;

/// Purges keys, call by call, until there are no more.
pub(super) async fn run(api: &Api, as_json: bool, args: ReapArgs) -> anyhow::Result<Outcome> {
    let body = json!({"older_than": args.older_than});
    let mut purged = 0;
    loop {
        let answer = api.call(Method::POST, "/v1/keys/reap", Some(&body)).await?;
        let answer = match answer.granted(as_json)? {
            Ok(answer) => answer,
            Err(outcome) => return Ok(outcome),
        };
        purged += answer.get("purged").and_then(Value::as_u64).unwrap_or_default();
        if answer.get("has_more") != Some(&Value::Bool(true)) {
            break;
        }
    }
    let total = json!({"purged": purged});
    if as_json {
        printer::json(&total)?;
    } else {
        printer::object(&total)?;
    }
    Ok(Outcome::Done)
}
