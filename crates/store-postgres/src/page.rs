//! A page of a list: its order, where it begins, and how many rows the whole list has.

use keyward_store::{Order, SortValue, StoreError};

use crate::pool::Pool;
use crate::row::{Shape, count};
use crate::sql::{Sql, Value, integer};

const TOTAL: Shape<u64> = Shape { what: "count", read: |fields| fields.read(count) };

/// Ends a statement: rows sorted by a column and then by another one that tells them apart, from a place
/// on or behind that many others.
pub(crate) fn take(
    sql: &mut Sql,
    columns: (&'static str, &'static str),
    order: Order,
    after: Option<(&SortValue, Value)>,
    skip: Option<u64>,
    limit: usize,
) {
    if let Some((value, id)) = after.filter(|_| skip.is_none()) {
        start_after(sql, columns, order, value, id);
    }
    let direction = match order {
        Order::Ascending => " ASC",
        Order::Descending => " DESC",
    };
    for text in [" ORDER BY ", columns.0, direction, ", ", columns.1, direction] {
        sql.push(text);
    }
    sql.limit_one_more_than(limit);
    if let Some(skip) = skip {
        sql.bind(" OFFSET ?", integer(skip));
    }
}

fn start_after(
    sql: &mut Sql,
    columns: (&'static str, &'static str),
    order: Order,
    value: &SortValue,
    id: Value,
) {
    let value: Value = match value {
        SortValue::Number(number) => (*number).into(),
        SortValue::Text(text) => text.clone().into(),
    };
    sql.push(" AND (");
    sql.push(columns.0);
    sql.push(", ");
    sql.push(columns.1);
    sql.push(match order {
        Order::Ascending => ") > (",
        Order::Descending => ") < (",
    });
    sql.bind("?", value);
    sql.bind(", ?)", id);
}

/// Reads a page, whether there are more rows behind it, and, with a statement that counts, how many
/// there are in all: both of the same instant.
pub(crate) async fn read<T>(
    pool: &Pool,
    operation: &'static str,
    shape: &Shape<T>,
    rows: Sql,
    counting: Option<Sql>,
    limit: usize,
) -> Result<(Vec<T>, bool, Option<u64>), StoreError> {
    let (answer, total) = match counting {
        None => (pool.read(operation, &rows).await?, None),
        Some(counting) => {
            let both = [rows, counting];
            let mut answers = pool.read_at_once(operation, &both).await?.into_iter();
            let (Some(answer), Some(counted)) = (answers.next(), answers.next()) else {
                unreachable!("each statement is answered")
            };
            (answer, TOTAL.first(&counted.rows)?)
        }
    };
    let mut read = shape.all(&answer.rows)?;
    let has_more = read.len() > limit;
    read.truncate(limit);
    Ok((read, has_more, total))
}
