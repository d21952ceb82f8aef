//! Service accounts as they are stored, and lists of them.

use keyward_core::{AccountState, ClientId, ServiceAccount};
use keyward_store::{
    AccountPage, AccountPosition, AccountQuery, AccountSort, Search, StoreError,
    account_search_text,
};
use redis::Value;
use serde::Serialize;

use crate::calls::Calls;
use crate::page::{self, Bounds};
use crate::place::{self, instant};
use crate::reply::{Unreadable, corrupt};
use crate::script;

const WHAT: &str = "service account";

/// What scripts look at in an account, besides its state.
#[derive(Serialize)]
struct Facts<'r> {
    created: String,
    updated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<String>,
    owner: &'r str,
    is_primary: bool,
    search: String,
}

/// What scripts look at in an account, as JSON.
pub(crate) fn facts(account: &ServiceAccount) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Facts {
        created: instant(account.created_at),
        updated: instant(account.updated_at),
        deleted: account.deletion.as_ref().map(|deletion| instant(deletion.at)),
        owner: account.owner.as_str(),
        is_primary: account.is_primary,
        search: account_search_text(account),
    })
}

pub(crate) async fn account(
    calls: &Calls,
    id: &ClientId,
) -> Result<Option<ServiceAccount>, StoreError> {
    let name = format!("account:{id}");
    match calls.ask("read a service account", "HGET", &name, &["record"]).await? {
        Value::Nil => Ok(None),
        found => {
            let account = read(&found).map_err(corrupt(WHAT))?;
            let is_meant = account.id == *id;
            if is_meant { Ok(Some(account)) } else { Err(corrupt(WHAT)("must have the id".into())) }
        }
    }
}

fn read(row: &Value) -> Result<ServiceAccount, Unreadable> {
    match row {
        Value::BulkString(stored) => Ok(ServiceAccount::from_stored(stored)?),
        _ => Err("must be a text".into()),
    }
}

/// The accounts that a script passes on.
#[derive(Clone, Serialize)]
struct Wanted<'q> {
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'q str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_primary: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    with_deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<&'q str>,
}

pub(crate) async fn accounts(
    calls: &Calls,
    query: &AccountQuery,
) -> Result<AccountPage, StoreError> {
    let wanted = Wanted {
        owner: query.owner.as_ref().map(AsRef::as_ref),
        is_primary: query.is_primary,
        state: query.state.map(AccountState::as_str),
        with_deleted: query.with_deleted,
        deleted_by: query.deleted_by.map(instant),
        search: query.search.as_ref().map(Search::as_str),
    };
    let index = match (&query.owner, query.sort) {
        (Some(owner), AccountSort::CreatedAt) => format!("accounts:owner:{owner}"),
        (None, AccountSort::CreatedAt) => "accounts:created".to_owned(),
        (_, AccountSort::UpdatedAt) => "accounts:updated".to_owned(),
    };
    let after = query.after.as_ref().filter(|_| query.skip.is_none());
    let after = after.map(|after| place::of_account(&after.value) + &after.id.to_string());
    let bounds = Bounds::after(index, query.order, after.as_deref());
    let walk = page::Walk::new(bounds, query.limit, query.skip, wanted);
    let page = page::read(calls, "list service accounts", &script::ACCOUNTS, &walk).await?;
    let accounts = page.rows.iter().map(read).collect::<Result<Vec<_>, _>>();
    let accounts = accounts.map_err(corrupt(WHAT))?;
    let last = accounts.last().filter(|_| page.has_more);
    let next = last.map(|account| AccountPosition::of(account, query));
    Ok(AccountPage { accounts, next, total: page.total })
}
