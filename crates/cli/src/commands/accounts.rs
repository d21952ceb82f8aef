//! `keyward accounts …`

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{export, import, query};
use crate::api::Api;
use crate::args::{
    AccountChangeArgs, AccountListArgs, AccountRotateArgs, AccountsCommand, CreateAccountArgs,
};
use crate::outcome::Outcome;
use crate::printer;

/// Where service accounts are in the interface.
const COLLECTION: &str = "service-accounts";

pub(super) async fn run(
    api: &Api,
    as_json: bool,
    command: AccountsCommand,
) -> anyhow::Result<Outcome> {
    let act = match command {
        AccountsCommand::Create(args) => return create(api, as_json, args).await,
        AccountsCommand::Export(args) => return export::accounts(api, as_json, args).await,
        AccountsCommand::Import(args) => return import::accounts(api, as_json, args).await,
        AccountsCommand::List(args) => return list(api, as_json, args).await,
        AccountsCommand::Update(args) => return update(api, as_json, args).await,
        AccountsCommand::Rotate(args) => return rotate(api, as_json, args).await,
        AccountsCommand::Show(args) => (Method::GET, args.id, ""),
        AccountsCommand::Enable(args) => (Method::POST, args.id, "/enable"),
        AccountsCommand::Disable(args) => (Method::POST, args.id, "/disable"),
        AccountsCommand::Delete(args) => (Method::DELETE, args.id, ""),
        AccountsCommand::Restore(args) => (Method::POST, args.id, "/restore"),
        AccountsCommand::Purge(args) => (Method::POST, args.id, "/purge"),
    };
    let (method, id, act) = act;
    let path = query::path_of(COLLECTION, &id, act);
    query::print_object(api, as_json, (method, &path), None).await
}

async fn create(api: &Api, as_json: bool, args: CreateAccountArgs) -> anyhow::Result<Outcome> {
    let body = json!({
        "owner": args.owner,
        "description": args.description,
        "scopes": args.scopes,
        "enabled": !args.disabled,
    });
    print_issued(api, as_json, ("/v1/service-accounts", &body)).await
}

async fn rotate(api: &Api, as_json: bool, args: AccountRotateArgs) -> anyhow::Result<Outcome> {
    let path = query::path_of(COLLECTION, &args.id, "/rotate");
    print_issued(api, as_json, (&path, &json!({"grace": args.grace}))).await
}

async fn update(api: &Api, as_json: bool, args: AccountChangeArgs) -> anyhow::Result<Outcome> {
    let description = args.description.map(|text| if text.is_empty() { None } else { Some(text) });
    let scopes = (args.no_scopes || !args.scopes.is_empty()).then_some(args.scopes);
    let given = [
        ("version", args.version.map(Value::from)),
        ("description", description.map(|text| json!(text))),
        ("scopes", scopes.map(|scopes| json!(scopes))),
    ];
    let body = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let body = Value::Object(body.collect::<Map<_, _>>());
    let path = query::path_of(COLLECTION, &args.id, "");
    query::print_object(api, as_json, (Method::PATCH, &path), Some(&body)).await
}

async fn list(api: &Api, as_json: bool, args: AccountListArgs) -> anyhow::Result<Outcome> {
    let filter = [
        ("owner", args.owner),
        ("primary", args.primary.map(|is_primary| is_primary.to_string())),
        ("state", args.state),
        ("include_deleted", args.include_deleted.then(|| "true".to_owned())),
        ("search", args.search),
        ("sort", args.sort),
        ("order", args.order),
    ];
    let parameters: Vec<_> = filter.into_iter().chain(query::page(args.page)).collect();
    let path = query::path("/v1/service-accounts", &parameters);
    let columns = ["id", "state", "owner", "primary", "description", "scopes", "created_at"];
    query::print_list(api, as_json, &path, &columns).await
}

/// Makes a request that is answered with a new client secret, and prints that, the only time.
async fn print_issued(
    api: &Api,
    as_json: bool,
    (path, body): (&str, &Value),
) -> anyhow::Result<Outcome> {
    let answer = api.call(Method::POST, path, Some(body)).await?;
    let issued = match answer.granted(as_json)? {
        Ok(issued) => issued,
        Err(outcome) => return Ok(outcome),
    };
    if as_json {
        printer::json(&issued)?;
    } else {
        print_credentials(&issued)?;
    }
    Ok(Outcome::Done)
}

/// Prints the service account of an answer and its client secret, if they are there.
pub(super) fn print_credentials(answer: &Value) -> anyhow::Result<()> {
    let Some(secret) = answer.get("client_secret").and_then(Value::as_str) else { return Ok(()) };
    printer::object(answer.get("service_account").unwrap_or(&Value::Null))?;
    printer::complain("this is the service account's client secret, which is shown only now:");
    printer::say(secret)?;
    Ok(())
}
