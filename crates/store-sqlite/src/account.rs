//! Service accounts as rows.

use keyward_core::{AccountState, AccountWrite, ClientId, ServiceAccount, Version};
use keyward_store::{
    AccountPage, AccountPosition, AccountQuery, AccountSort, Conflict, StoreError,
    account_search_text,
};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::failure::WriteError;
use crate::page;
use crate::row::{
    Fields, Shape, Unreadable, client_id, count, deletion, digests, flag, json, text, time,
};
use crate::sql::{self, Sql, bytes, execute, integer, json_text, micros, owned, scheme};

/// The columns of a record, in the order in which [`read`] reads and [`values`] writes them.
macro_rules! columns {
    () => {
        "id, version, owner, is_primary, description, scopes, digest_scheme, digest, \
         previous_digest_scheme, previous_digest, previous_until, enabled, deleted_at, deleted_by, \
         created_at, created_by, updated_at, updated_by, rotated_at"
    };
}

const ACCOUNT: Shape<ServiceAccount> =
    Shape { what: "service account", operation: "read service accounts", read };

pub(crate) fn account(
    connection: &Connection,
    id: &ClientId,
) -> Result<Option<ServiceAccount>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM service_accounts WHERE id = ?");
    ACCOUNT.first(connection, sql, [id.as_bytes()])
}

pub(crate) fn accounts(
    connection: &Connection,
    query: &AccountQuery,
) -> Result<AccountPage, StoreError> {
    let (accounts, has_more, total) = page::read(
        connection,
        &ACCOUNT,
        &statement(query),
        query.skip.map(|_| count_statement(query)).as_ref(),
        query.limit,
    )?;
    let last = accounts.last().filter(|_| has_more);
    let next = last.map(|account| AccountPosition::of(account, query));
    Ok(AccountPage { accounts, next, total })
}

fn statement(query: &AccountQuery) -> Sql {
    let mut sql = Sql::new(concat!("SELECT ", columns!()));
    filter(&mut sql, query);
    let columns = match query.sort {
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
    sql.push(" FROM service_accounts WHERE true");
    if let Some(owner) = &query.owner {
        sql.bind(" AND owner = ?", owned(owner));
    }
    match query.is_primary {
        Some(true) => sql.push(" AND is_primary = 1"),
        Some(false) => sql.push(" AND is_primary = 0"),
        None => {}
    }
    sql.push(match query.state {
        None if query.with_deleted => "",
        None => " AND deleted_at IS NULL",
        Some(AccountState::Active) => " AND deleted_at IS NULL AND enabled = 1",
        Some(AccountState::Deleted) => " AND deleted_at IS NOT NULL",
        Some(AccountState::Disabled) => " AND deleted_at IS NULL AND enabled = 0",
    });
    if let Some(by) = query.deleted_by {
        sql.bind(" AND deleted_at <= ?", by.as_micros());
    }
    if let Some(search) = &query.search {
        sql.bind(" AND instr(search_text, ?) > 0", search.as_str().to_owned());
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

pub(crate) fn write(connection: &Connection, write: &AccountWrite) -> Result<(), WriteError> {
    match write {
        AccountWrite::Insert(account) => {
            let sql = concat!(
                "INSERT INTO service_accounts (",
                columns!(),
                ", search_text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, \
                 ?15, ?16, ?17, ?18, ?19, ?20)"
            );
            execute(connection, sql, params_from_iter(values(account)?))?;
            Ok(())
        }
        AccountWrite::Purge(account) => {
            let sql = "DELETE FROM service_accounts WHERE id = ? AND version = ?";
            let params = (account.id.as_bytes(), integer(account.version.get()));
            found(execute(connection, sql, params)?)
        }
        AccountWrite::Update { before, after } => {
            let sql = concat!(
                "UPDATE service_accounts SET (",
                columns!(),
                ", search_text) = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
                 ?16, ?17, ?18, ?19, ?20) WHERE id = ?21 AND version = ?22"
            );
            let place = [sql::client_id(before.id), integer(before.version.get()).into()];
            let params = values(after)?.into_iter().chain(place);
            found(execute(connection, sql, params_from_iter(params))?)
        }
    }
}

/// A row that was to be changed must have been there, in its version.
fn found(rows: usize) -> Result<(), WriteError> {
    if rows == 0 { Err(Conflict::Outdated.into()) } else { Ok(()) }
}

/// A record's values, column by column, and the text for searches.
fn values(account: &ServiceAccount) -> rusqlite::Result<[Value; 20]> {
    let previous = account.secret.previous.as_ref();
    let deletion = account.deletion.as_ref();
    Ok([
        sql::client_id(account.id),
        integer(account.version.get()).into(),
        owned(&account.owner),
        account.is_primary.into(),
        account.description.as_ref().map(owned).into(),
        json_text(&account.scopes)?.into(),
        scheme(&account.secret.current),
        bytes(&account.secret.current),
        previous.map(|previous| scheme(&previous.digest)).into(),
        previous.map(|previous| bytes(&previous.digest)).into(),
        micros(previous.map(|previous| previous.until)),
        account.enabled.into(),
        micros(deletion.map(|deletion| deletion.at)),
        deletion.map(|deletion| owned(&deletion.by)).into(),
        account.created_at.as_micros().into(),
        owned(&account.created_by),
        account.updated_at.as_micros().into(),
        owned(&account.updated_by),
        micros(account.rotated_at),
        account_search_text(account).into(),
    ])
}
