//! `keyward keyspaces …`

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::query;
use crate::api::Api;
use crate::args::{KeyspacesCommand, PolicyArgs};
use crate::outcome::{Outcome, Unusable};

pub(super) async fn run(
    api: &Api,
    as_json: bool,
    command: KeyspacesCommand,
) -> anyhow::Result<Outcome> {
    match command {
        KeyspacesCommand::Create(args) => {
            let mut body = policy(args.policy)?;
            body.insert("id".to_owned(), json!(args.id));
            body.insert("format".to_owned(), json!(args.format));
            let given = [
                ("prefix", args.prefix.map(Value::from)),
                ("length", args.length.map(Value::from)),
                ("alphabet", args.alphabet.map(Value::from)),
                ("profile", args.profile.map(Value::from)),
                ("id_length", args.id_length.map(Value::from)),
                ("secret_length", args.secret_length.map(Value::from)),
                ("short_prefix", args.short_prefix.map(Value::from)),
                ("weak_secrets", args.weak_secrets.map(Value::from)),
                ("key_size", args.key_size.map(Value::from)),
                ("issuer", args.keyspace_issuer.map(Value::from)),
                ("audience", args.audience.map(Value::from)),
            ];
            body.extend(given.into_iter().filter_map(|(name, v)| Some((name.to_owned(), v?))));
            let body = Value::Object(body);
            let request = (Method::POST, "/v1/keyspaces");
            query::print_object(api, as_json, request, Some(&body)).await
        }
        KeyspacesCommand::List => {
            let columns = ["id", "format", "prefix", "default_lifetime", "maximum_lifetime"];
            query::print_list(api, as_json, "/v1/keyspaces", &columns).await
        }
        KeyspacesCommand::Show { id } => {
            let path = query::path_of("keyspaces", &id, "");
            query::print_object(api, as_json, (Method::GET, &path), None).await
        }
        KeyspacesCommand::Update(args) => {
            let mut body = policy(args.policy)?;
            if let Some(version) = args.version {
                body.insert("version".to_owned(), json!(version));
            }
            let (path, body) = (query::path_of("keyspaces", &args.id, ""), Value::Object(body));
            query::print_object(api, as_json, (Method::PATCH, &path), Some(&body)).await
        }
    }
}

/// The members of a body for those demands that are given; null for those that are given empty.
fn policy(args: PolicyArgs) -> anyhow::Result<Map<String, Value>> {
    let text = |text: String| if text.is_empty() { Value::Null } else { json!(text) };
    let given = [
        ("description", args.description.map(text)),
        ("algorithm", args.algorithm.map(text)),
        ("default_lifetime", args.default_lifetime.map(text)),
        ("maximum_lifetime", args.maximum_lifetime.map(text)),
        ("service_account", args.service_account.map(Value::from)),
        ("rate_limit", args.rate_limit.as_deref().map(rate_limit).transpose()?),
    ];
    Ok(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

fn rate_limit(text: &str) -> anyhow::Result<Value> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let rule =
        || Unusable("--rate-limit must be given as REQUESTS/PERIOD, such as 100/1m".to_owned());
    let (requests, per) = text.split_once('/').ok_or_else(rule)?;
    let requests: u32 = requests.parse().map_err(|_| rule())?;
    Ok(json!({"requests": requests, "per": per}))
}
