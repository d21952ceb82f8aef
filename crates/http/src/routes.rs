//! The handlers: read the request, check the right, call the library, write the answer.

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

/// The most items on a page.
const MOST_ON_A_PAGE: usize = 200;
/// The items on a page where no number is asked for.
const ON_A_PAGE: usize = 50;

/// Reads the `limit` of a list.
fn page_limit(text: &str) -> Result<usize, Invalid> {
    let limit = text.parse().ok().filter(|limit| (1..=MOST_ON_A_PAGE).contains(limit));
    limit.ok_or_else(|| Invalid::new("must be a number from 1 to 200"))
}
