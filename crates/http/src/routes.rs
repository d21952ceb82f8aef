//! The handlers: read the request, check the right, call the library, write the answer.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod changes;
pub(crate) mod export;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod jwks;
pub(crate) mod keys;
pub(crate) mod keyspaces;
pub(crate) mod many;
pub(crate) mod verify;

use keyward::Invalid;

use crate::fields::Fields;

/// The most items on a page.
const MOST_ON_A_PAGE: usize = 200;
/// The items on a page where no number is asked for.
const ON_A_PAGE: usize = 50;

/// Reads the `limit` of a list.
fn page_limit(text: &str) -> Result<usize, Invalid> {
    let limit = text.parse().ok().filter(|limit| (1..=MOST_ON_A_PAGE).contains(limit));
    limit.ok_or_else(|| Invalid::new("must be a number from 1 to 200"))
}

/// Reads the `page` of a list, which does not go together with a cursor.
pub(crate) fn page_number(
    page: Option<&str>,
    cursor: Option<&str>,
    fields: &mut Fields,
) -> Option<u64> {
    const LAST: u64 = 1_000_000_000;
    let number = fields.optional("page", page, |text| {
        let number = text.parse().ok().filter(|number| (1..=LAST).contains(number));
        number.ok_or_else(|| Invalid::new("must be a number from 1 to 1000000000"))
    });
    if page.is_some() && cursor.is_some() {
        let rule = Invalid::new("must not be given together with page");
        fields.take::<()>(Err(rule.at("cursor")));
    }
    number
}

/// How many items are before the page of that number.
pub(crate) fn skipped(number: u64, limit: usize) -> u64 {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    number.saturating_sub(1).saturating_mul(limit)
}

/// Reads yes or no.
pub(crate) fn read_flag(text: &str) -> Result<bool, Invalid> {
    text.parse().map_err(|_| Invalid::new("must be true or false"))
}
