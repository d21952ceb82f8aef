//! `keyward keys …`

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{accounts, export, import, many, query};
use crate::api::Api;
use crate::args::{
    ChangeArgs, FieldArgs, IssueArgs, KeysCommand, ListArgs, RevokeAllArgs, RevokeArgs, RotateArgs,
};
use crate::outcome::{Outcome, Unusable};
use crate::printer;

pub(super) async fn run(api: &Api, as_json: bool, command: KeysCommand) -> anyhow::Result<Outcome> {
    let act = match command {
        KeysCommand::Issue(args) => return issue(api, as_json, args).await,
        KeysCommand::Export(args) => return export::keys(api, as_json, args).await,
        KeysCommand::Import(args) => return import::keys(api, as_json, args).await,
        KeysCommand::IssueMany(args) => return many::issue(api, as_json, args).await,
        KeysCommand::List(args) => return list(api, as_json, args).await,
        KeysCommand::Update(args) => return update(api, as_json, args).await,
        KeysCommand::Revoke(args) => return revoke(api, as_json, args).await,
        KeysCommand::RevokeMany(args) => return many::revoke(api, as_json, args).await,
        KeysCommand::RevokeAll(args) => return revoke_all(api, as_json, args).await,
        KeysCommand::Rotate(args) => return rotate(api, as_json, args).await,
        KeysCommand::Show(args) => (Method::GET, args.id, ""),
        KeysCommand::Enable(args) => (Method::POST, args.id, "/enable"),
        KeysCommand::Disable(args) => (Method::POST, args.id, "/disable"),
        KeysCommand::Touch(args) => (Method::POST, args.id, "/touch"),
        KeysCommand::Invalidate(args) => (Method::POST, args.id, "/invalidate"),
        KeysCommand::Delete(args) => (Method::DELETE, args.id, ""),
        KeysCommand::Restore(args) => (Method::POST, args.id, "/restore"),
        KeysCommand::Purge(args) => (Method::POST, args.id, "/purge"),
    };
    let (method, id, act) = act;
    let path = query::path_of("keys", &id, act);
    query::print_object(api, as_json, (method, &path), None).await
}

async fn issue(api: &Api, as_json: bool, args: IssueArgs) -> anyhow::Result<Outcome> {
    let mut body = fields(args.fields)?;
    body.insert("owner".to_owned(), json!(args.owner));
    body.insert("enabled".to_owned(), json!(!args.disabled));
    if let Some(claims) = args.claims {
        body.insert("claims".to_owned(), read_json("--claims", &claims)?);
    }
    let named = [("keyspace", args.keyspace), ("service_account_id", args.service_account)];
    body.extend(named.into_iter().filter_map(|(name, id)| Some((name.to_owned(), json!(id?)))));
    let answer = api.call(Method::POST, "/v1/keys", Some(&Value::Object(body))).await?;
    answer.granted(as_json)?.map_or_else(Ok, |new| print_new(as_json, &new))
}

async fn update(api: &Api, as_json: bool, args: ChangeArgs) -> anyhow::Result<Outcome> {
    let path = query::path_of("keys", &args.id, "");
    let body = Value::Object(changes(args)?);
    query::print_object(api, as_json, (Method::PATCH, &path), Some(&body)).await
}

async fn revoke(api: &Api, as_json: bool, args: RevokeArgs) -> anyhow::Result<Outcome> {
    let path = query::path_of("keys", &args.id, "/revoke");
    let body = json!({"reason": args.reason});
    query::print_object(api, as_json, (Method::POST, &path), Some(&body)).await
}

async fn revoke_all(api: &Api, as_json: bool, args: RevokeAllArgs) -> anyhow::Result<Outcome> {
    let body = json!({"owner": args.owner, "reason": args.reason});
    query::print_object(api, as_json, (Method::POST, "/v1/keys/revoke-all"), Some(&body)).await
}

async fn rotate(api: &Api, as_json: bool, args: RotateArgs) -> anyhow::Result<Outcome> {
    let path = query::path_of("keys", &args.change.id, "/rotate");
    let mut body = changes(args.change)?;
    if args.successor {
        body.insert("mode".to_owned(), json!("successor"));
    }
    if let Some(claims) = args.claims {
        body.insert("claims".to_owned(), read_json("--claims", &claims)?);
    }
    if let Some(grace) = args.grace {
        body.insert("grace".to_owned(), json!(grace));
    }
    let answer = api.call(Method::POST, &path, Some(&Value::Object(body))).await?;
    answer.granted(as_json)?.map_or_else(Ok, |new| print_new(as_json, &new))
}

async fn list(api: &Api, as_json: bool, mut args: ListArgs) -> anyhow::Result<Outcome> {
    // A single tag may hold a comma.
    let only_tag = if args.tags.len() == 1 { args.tags.pop() } else { None };
    let filter = [
        ("owner", args.owner),
        ("tag", only_tag),
        ("tags", (!args.tags.is_empty()).then(|| args.tags.join(","))),
        ("match", args.all_tags.then(|| "all".to_owned())),
        ("digest", args.digest),
        ("state", args.state),
        ("include_deleted", args.include_deleted.then(|| "true".to_owned())),
        ("keyspace", args.keyspace),
        ("service_account_id", args.service_account),
        ("search", args.search),
        ("sort", args.sort),
        ("order", args.order),
    ];
    let parameters: Vec<_> = filter.into_iter().chain(query::page(args.page)).collect();
    let path = query::path("/v1/keys", &parameters);
    let columns = ["id", "state", "owner", "name", "scopes", "expires_at", "last_used_at"];
    query::print_list(api, as_json, &path, &columns).await
}

/// Prints a new secret, the only time, and its key.
fn print_new(as_json: bool, new: &Value) -> anyhow::Result<Outcome> {
    if as_json {
        printer::json(new)?;
        return Ok(Outcome::Done);
    }
    printer::object(new.get("key").unwrap_or(&Value::Null))?;
    accounts::print_credentials(new)?;
    printer::complain("this is the key's secret, which is shown only now:");
    printer::say(new.get("secret").and_then(Value::as_str).unwrap_or_default())?;
    Ok(Outcome::Done)
}

fn changes(args: ChangeArgs) -> anyhow::Result<Map<String, Value>> {
    let mut changes = fields(args.fields)?;
    if let Some(version) = args.version {
        changes.insert("version".to_owned(), json!(version));
    }
    Ok(changes)
}

/// The members of a body for those fields that are given.
fn fields(args: FieldArgs) -> anyhow::Result<Map<String, Value>> {
    let mut fields = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    let text = |text: Option<String>| {
        text.map(|text| if text.is_empty() { Value::Null } else { json!(text) })
    };
    let texts = |texts: Vec<String>| (!texts.is_empty()).then(|| json!(texts));
    set("name", text(args.name));
    set("description", text(args.description));
    set("scopes", texts(args.scopes));
    set("tags", texts(args.tags));
    set("not_before", text(args.not_before));
    set("expires_in", args.expiry.expires_in.map(Value::from));
    set(
        "expires_at",
        args.expiry.expires_at.map(|at| if at == "never" { Value::Null } else { json!(at) }),
    );
    let resources = args.resources.iter().map(|resource| read_resource(resource));
    let resources = resources.collect::<anyhow::Result<Map<_, _>>>()?;
    set("resources", (!resources.is_empty()).then_some(Value::Object(resources)));
    if let Some(metadata) = args.metadata {
        set("metadata", Some(read_json("--metadata", &metadata)?));
    }
    Ok(fields)
}

fn read_json(flag: &str, text: &str) -> anyhow::Result<Value> {
    let read = serde_json::from_str(text);
    read.map_err(|error| Unusable(format!("{flag} is not JSON: {error}")).into())
}

fn read_resource(text: &str) -> anyhow::Result<(String, Value)> {
    let rule = || Unusable("--resource must be given as TYPE:ID=SCOPE,SCOPE".to_owned());
    let (resource, scopes) = text.rsplit_once('=').ok_or_else(rule)?;
    let scopes: Vec<_> = scopes.split(',').filter(|scope| !scope.is_empty()).collect();
    Ok((resource.to_owned(), json!(scopes)))
}
