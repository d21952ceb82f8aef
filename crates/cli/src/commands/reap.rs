//! `keyward reap`

use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::api::Api;
use crate::args::ReapArgs;
use crate::outcome::Outcome;
use crate::printer;

/// Purges keys and service accounts, call by call, until there are no more.
pub(super) async fn run(api: &Api, as_json: bool, args: ReapArgs) -> anyhow::Result<Outcome> {
    let given = [("older_than", args.older_than), ("deleted_older_than", args.deleted_older_than)];
    let given = given.into_iter().filter_map(|(name, age)| Some((name.to_owned(), json!(age?))));
    let body = Value::Object(given.collect::<Map<_, _>>());
    let (mut accounts, mut purged) = (0, 0);
    loop {
        let answer = api.call(Method::POST, "/v1/keys/reap", Some(&body)).await?;
        let answer = match answer.granted(as_json)? {
            Ok(answer) => answer,
            Err(outcome) => return Ok(outcome),
        };
        let count = |member: &str| answer.get(member).and_then(Value::as_u64).unwrap_or_default();
        accounts += count("accounts");
        purged += count("purged");
        if answer.get("has_more") != Some(&Value::Bool(true)) {
            break;
        }
    }
    let total = json!({"purged": purged, "accounts": accounts});
    if as_json {
        printer::json(&total)?;
    } else {
        printer::object(&total)?;
    }
    Ok(Outcome::Done)
}
