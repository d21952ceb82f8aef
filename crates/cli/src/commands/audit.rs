//! `keyward audit …`

use super::query;
use crate::api::Api;
use crate::args::AuditCommand;
use crate::outcome::Outcome;

pub(super) async fn run(
    api: &Api,
    as_json: bool,
    command: AuditCommand,
) -> anyhow::Result<Outcome> {
    let AuditCommand::List(list) = command;
    let path = query::path(
        "/v1/audit",
        &[
            ("key", list.of_key),
            ("owner", list.owner),
            ("keyspace", list.keyspace),
            ("action", list.action),
            ("actor", list.actor),
            ("since", list.since),
            ("until", list.until),
            ("limit", list.limit.map(|limit| limit.to_string())),
            ("cursor", list.cursor),
        ],
    );
    let columns = ["at", "action", "actor", "key", "keyspace", "owner", "ip"];
    query::print_list(api, as_json, &path, &columns).await
}
