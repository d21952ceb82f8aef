//! `keyward verify`

use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use axum::http::Method;
use keyward::jose::SignedToken;
use keyward::{MAX_SECRET_LENGTH, Secret};
use serde_json::{Value, json};

use super::many;
use crate::api::Api;
use crate::args::VerifyArgs;
use crate::outcome::{Outcome, Unusable};
use crate::printer;

pub(super) async fn run(api: &Api, as_json: bool, args: VerifyArgs) -> anyhow::Result<Outcome> {
    if args.many {
        return many::verify(api, as_json, args).await;
    }
    let (secret, client_secret) = secrets(args.secret, args.client_secret_file.as_deref())?;
    let body = json!({
        "secret": secret.expose(),
        "client_id": args.client_id,
        "client_secret": client_secret.as_ref().map(Secret::expose),
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

/// The key, and the client secret if it is presented with one. Where both come from the standard input,
/// each has a line of its own.
fn secrets(key: Option<String>, file: Option<&Path>) -> anyhow::Result<(Secret, Option<Secret>)> {
    let key = key.map(Secret::new);
    match (key, file) {
        (Some(key), None) => Ok((key, None)),
        (None, None) => Ok((read_secret()?, None)),
        (Some(key), Some(file)) if file == Path::new("-") => Ok((key, Some(read_secret()?))),
        (None, Some(file)) if file == Path::new("-") => {
            let both = read_secret()?;
            let rule =
                "the standard input must hold the key and, on the next line, the client secret";
            let lines = both.expose().split_once('\n');
            let (key, client) = lines.ok_or_else(|| Unusable(rule.to_owned()))?;
            let secret = |text: &str| Secret::new(text.trim().to_owned());
            Ok((secret(key), Some(secret(client))))
        }
        (key, Some(file)) => {
            let text = fs::read_to_string(file);
            let text =
                text.map_err(|e| Unusable(format!("cannot read {}: {e}", file.display())))?;
            let client = Secret::new(text.trim().to_owned());
            Ok((key.map_or_else(read_secret, Ok)?, Some(client)))
        }
    }
}

/// What the standard input holds; of anything longer than two secrets, only the beginning.
pub(super) fn read_secret() -> anyhow::Result<Secret> {
    let most = u64::try_from(MAX_SECRET_LENGTH.max(SignedToken::MOST_LENGTH))? * 2 + 64;
    let mut text = String::new();
    let read = std::io::stdin().take(most).read_to_string(&mut text);
    read.context("cannot read the key from the standard input")?;
    Ok(Secret::new(text.trim().to_owned()))
}
