//! `keyward verify`

use std::io::Read;

use anyhow::Context;
use axum::http::Method;
use keyward::jose::SignedToken;
use keyward::{MAX_SECRET_LENGTH, Secret};
use serde_json::{Value, json};

use super::many;
use crate::api::Api;
use crate::args::VerifyArgs;
use crate::outcome::Outcome;
use crate::printer;

pub(super) async fn run(api: &Api, as_json: bool, args: VerifyArgs) -> anyhow::Result<Outcome> {
    if args.many {
        return many::verify(api, as_json, args).await;
    }
    let secret = match args.secret {
        Some(secret) => Secret::new(secret),
        None => read_secret()?,
    };
    let body = json!({
        "secret": secret.expose(),
        "scopes": args.scopes,
        "match": if args.any { "any" } else { "all" },
        "resource": args.resource,
        "skip_cache": args.skip_cache,
        "skip_tracking": args.skip_tracking,
    });
    let answer = api.call(Method::POST, "/v1/verify", Some(&body)).await?;
    let verification = match answer.granted(as_json)? {
        Ok(verification) => verification,
        Err(outcome) => return Ok(outcome),
    };
    let is_valid = verification.get("valid") == Some(&Value::Bool(true));
    if as_json {
        printer::json(&verification)?;
    } else {
        printer::object(verification.get("key").unwrap_or(&verification))?;
    }
    Ok(if is_valid { Outcome::Done } else { Outcome::Refused })
}

/// The first line of the standard input; of anything longer than a secret, only the beginning.
pub(super) fn read_secret() -> anyhow::Result<Secret> {
    let most = u64::try_from(MAX_SECRET_LENGTH.max(SignedToken::MOST_LENGTH))? + 64;
    let mut text = String::new();
    let read = std::io::stdin().take(most).read_to_string(&mut text);
    read.context("cannot read the key from the standard input")?;
    Ok(Secret::new(text.trim().to_owned()))
}
