//! `keyward audit …`

use axum::http::Method;

use super::query;
use crate::api::Api;
use crate::args::{AuditCommand, AuditFilterArgs};
use crate::outcome::Outcome;

pub(super) async fn run(
    api: &Api,
    as_json: bool,
    command: AuditCommand,
) -> anyhow::Result<Outcome> {
    match command {
        AuditCommand::List(list) => {
            let mut parameters = filter(list.filter);
            parameters.push(("limit", list.limit.map(|limit| limit.to_string())));
            parameters.push(("cursor", list.cursor));
            let columns = ["at", "action", "actor", "key", "keyspace", "owner", "ip"];
            query::print_list(api, as_json, &query::path("/v1/audit", &parameters), &columns).await
        }
        AuditCommand::Summary(args) => {
            let path = query::path("/v1/audit/summary", &filter(args));
            query::print_object(api, as_json, (Method::GET, &path), None).await
        }
        AuditCommand::Erase(args) => {
            let path = query::path("/v1/audit", &filter(args));
            query::print_object(api, as_json, (Method::DELETE, &path), None).await
        }
    }
}

fn filter(args: AuditFilterArgs) -> Vec<(&'static str, Option<String>)> {
    vec![
        ("key", args.of_key),
        ("service_account", args.of_account),
        ("owner", args.owner),
        ("keyspace", args.keyspace),
        ("action", args.action),
        ("actor", args.actor),
        ("since", args.since),
        ("until", args.until),
    ]
}
