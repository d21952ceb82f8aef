//! Queries and lists.

use axum::http::Method;
use serde_json::Value;

use crate::api::Api;
use crate::args::PageArgs;
use crate::outcome::Outcome;
use crate::printer;

/// A path with those parameters that are given.
pub(super) fn path(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    format!("{path}?{}", query.finish())
}

/// A path to the thing of that id, whatever the id holds.
pub(super) fn path_of(collection: &str, id: &str, act: &str) -> String {
    // Form encoding differs from path encoding only in how it writes a space, which no id holds.
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/v1/{collection}/{id}{act}")
}

/// Which part of a list to show, as parameters.
pub(super) fn page(args: PageArgs) -> [(&'static str, Option<String>); 3] {
    let PageArgs { limit, cursor, page } = args;
    let text = |number: u64| number.to_string();
    [("limit", limit.map(u64::from).map(text)), ("cursor", cursor), ("page", page.map(text))]
}

/// Prints a page of a list, and how to come to the next.
pub(super) async fn print_list(
    api: &Api,
    as_json: bool,
    path: &str,
    columns: &[&str],
) -> anyhow::Result<Outcome> {
    let answer = api.call(Method::GET, path, None).await?;
    let page = match answer.granted(as_json)? {
        Ok(page) => page,
        Err(outcome) => return Ok(outcome),
    };
    if as_json {
        printer::json(&page)?;
    } else {
        printer::list(page.get("data").unwrap_or(&Value::Null), columns)?;
        if let Some(cursor) = page.get("next_cursor").and_then(Value::as_str) {
            printer::complain(&format!("there is more: --cursor {cursor}"));
        }
        if let Some(pagination) = page.get("pagination") {
            let number = |member: &str| pagination.get(member).and_then(Value::as_u64);
            let [page, pages, total] =
                ["page", "total_pages", "total"].map(|member| number(member).unwrap_or_default());
            printer::complain(&format!("page {page} of {pages}, {total} in all"));
        }
    }
    Ok(Outcome::Done)
}

/// Makes a request and prints the object that answers it.
pub(super) async fn print_object(
    api: &Api,
    as_json: bool,
    (method, path): (Method, &str),
    body: Option<&Value>,
) -> anyhow::Result<Outcome> {
    let answer = api.call(method, path, body).await?;
    let object = match answer.granted(as_json)? {
        Ok(object) => object,
        Err(outcome) => return Ok(outcome),
    };
    if as_json {
        printer::json(&object)?;
    } else {
        printer::object(&object)?;
    }
    Ok(Outcome::Done)
}
