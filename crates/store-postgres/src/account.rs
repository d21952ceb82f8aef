//! Service accounts as rows.

use keyward_core::{AccountState, AccountWrite, ClientId, ServiceAccount, Version};
use keyward_store::account_search_text;
use keyward_store::{AccountPage, AccountPosition, AccountQuery, AccountSort, StoreError};

use crate::apply::Step;
use crate::feed::with_position;
use crate::page;
use crate::pool::Pool;
use crate::row::{
    Fields, Shape, Unreadable, client_id, count, deletion, digests, flag, json, text, time,
};
use crate::sql::{self, Sql, Value, bytes, containing, integer, micros, optional, scheme};

/// The columns of a record, in the order in which [`read`] reads and [`values`] writes them.
macro_rules! columns {
    () => {
        "id, version, owner, is_primary, description, scopes, digest_scheme, digest, \
         previous_digest_scheme, previous_digest, previous_until, enabled, deleted_at, deleted_by, \
         created_at, created_by, updated_at, updated_by, rotated_at"
    };
}

/// What [`account`] asks for.
macro_rules! by_id {
    () => {
        concat!("SELECT ", columns!(), " FROM keyward.service_accounts WHERE id = $1")
    };
}

/// A record.
pub(crate) const ACCOUNT: Shape<ServiceAccount> = Shape { what: "service account", read };

/// Asks for an account.
pub(crate) fn account(id: &ClientId) -> Sql {
    Sql::fixed(by_id!(), vec![sql::client_id(*id)])
}

/// The same of a standby server, which says beside it how far it is.
pub(crate) fn account_with_position(id: &ClientId) -> Sql {
    Sql::fixed(with_position!(by_id!()), vec![sql::client_id(*id)])
}

pub(crate) async fn accounts(pool: &Pool, query: &AccountQuery) -> Result<AccountPage, StoreError> {
    let (accounts, has_more, total) = page::read(
        pool,
        "list service accounts",
        &ACCOUNT,
        statement(query),
        query.skip.map(|_| count_statement(query)),
        query.limit,
    )
    .await?;
    let last = accounts.last().filter(|_| has_more);
    let next = last.map(|account| AccountPosition::of(account, query));
    Ok(AccountPage { accounts, next, total })
}

pub(crate) fn statement(query: &AccountQuery) -> Sql {
    let mut sql = Sql::new(concat!("SELECT ", columns!()));
    filter(&mut sql, query);
    let columns = match query.sort {
        AccountSort::CreatedAt if query.owner.is_none() => ("(created_at + 0)", "id"),
        AccountSort::CreatedAt => ("created_at", "id"),
        AccountSort::UpdatedAt => ("updated_at", "id"),
    };
    let after = query.after.as_ref().map(|after| (&after.value, sql::client_id(after.id)));
    page::take(&mut sql, columns, query.order, after, query.skip, query.limit);
    sql
}

fn count_statement(query: &AccountQuery) -> Sql {
    let mut sql = Sql::new("SELECT count(*)");
    filter(&mut sql, query);
    sql
}

/// The same rule as `AccountQuery::includes`.
fn filter(sql: &mut Sql, query: &AccountQuery) {
    sql.push(" FROM keyward.service_accounts WHERE true");
    if let Some(owner) = &query.owner {
        sql.bind(" AND owner = ?", sql::text(owner));
    }
    match query.is_primary {
        Some(true) => sql.push(" AND is_primary"),
        Some(false) => sql.push(" AND NOT is_primary"),
        None => {}
    }
    sql.push(match query.state {
        None if query.with_deleted => "",
        None => " AND deleted_at IS NULL",
        Some(AccountState::Active) => " AND deleted_at IS NULL AND enabled",
        Some(AccountState::Deleted) => " AND deleted_at IS NOT NULL",
        Some(AccountState::Disabled) => " AND deleted_at IS NULL AND NOT enabled",
    });
    if let Some(by) = query.deleted_by {
        sql.bind(" AND deleted_at <= ?", by.as_micros());
    }
    if let Some(search) = &query.search {
        sql.bind(" AND search_text LIKE ?", containing(search.as_str()));
    }
}

fn read(fields: &mut Fields<'_>) -> Result<ServiceAccount, Unreadable> {
    Ok(ServiceAccount {
        id: fields.read(client_id)?,
        version: Version::new(fields.read(count)?),
        owner: fields.read(text)?,
        is_primary: fields.read(flag)?,
        description: fields.optional(text)?,
        scopes: fields.read(json)?,
        secret: digests(fields)?,
        enabled: fields.read(flag)?,
        deletion: deletion(fields)?,
        created_at: fields.read(time)?,
        created_by: fields.read(text)?,
        updated_at: fields.read(time)?,
        updated_by: fields.read(text)?,
        rotated_at: fields.optional(time)?,
    })
}

pub(crate) fn write(write: &AccountWrite) -> Result<Step, serde_json::Error> {
    Ok(match write {
        AccountWrite::Insert(account) => {
            let text = concat!(
                "INSERT INTO keyward.service_accounts (",
                columns!(),
                ", search_text) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
                 $14, $15, $16, $17, $18, $19, $20)"
            );
            Step::any(Sql::fixed(text, values(account)?.into()))
        }
        AccountWrite::Purge(account) => {
            let text = "DELETE FROM keyward.service_accounts WHERE id = $1 AND version = $2";
            let values = vec![sql::client_id(account.id), integer(account.version.get()).into()];
            Step::of_a_row(Sql::fixed(text, values))
        }
        AccountWrite::Update { before, after } => {
            let text = concat!(
                "UPDATE keyward.service_accounts SET (",
                columns!(),
                ", search_text) = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
                 $15, $16, $17, $18, $19, $20) WHERE id = $21 AND version = $22"
            );
            let place = [sql::client_id(before.id), integer(before.version.get()).into()];
            let values = values(after)?.into_iter().chain(place).collect();
            Step::of_a_row(Sql::fixed(text, values))
        }
    })
}

/// A record's values, column by column, and the text for searches.
fn values(account: &ServiceAccount) -> Result<[Value; 20], serde_json::Error> {
    let previous = account.secret.previous.as_ref();
    let deletion = account.deletion.as_ref();
    Ok([
        sql::client_id(account.id),
        integer(account.version.get()).into(),
        sql::text(&account.owner),
        account.is_primary.into(),
        optional(account.description.as_ref()),
        sql::json(&account.scopes)?,
        scheme(&account.secret.current).into(),
        bytes(&account.secret.current).into(),
        previous.map(|previous| scheme(&previous.digest)).into(),
        previous.map(|previous| bytes(&previous.digest)).into(),
        micros(previous.map(|previous| previous.until)),
        account.enabled.into(),
        micros(deletion.map(|deletion| deletion.at)),
        optional(deletion.map(|deletion| &deletion.by)),
        account.created_at.as_micros().into(),
        sql::text(&account.created_by),
        account.updated_at.as_micros().into(),
        sql::text(&account.updated_by),
        micros(account.rotated_at),
        account_search_text(account).into(),
    ])
}
