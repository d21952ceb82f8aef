//! Lists, a page at a time.

use serde::Serialize;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) data: Vec<T>,
    /// Give it as `cursor` for the next page; null: there is none.
    pub(crate) next_cursor: Option<String>,
    /// Where this page is among all. Left out unless a `page` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pagination: Option<Pagination>,
}

impl<T> Page<T> {
    /// A page that is followed by cursors.
    pub(crate) fn new(data: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { data, next_cursor, pagination: None }
    }

    /// The same page with its place among all, if it was asked for by its number.
    pub(crate) fn numbered(self, pagination: Option<Pagination>) -> Self {
        Self { pagination, ..self }
    }
}

/// Where a page with a number is among all.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Pagination {
    /// The number of the page; the first is 1.
    page: u64,
    /// The most items on a page.
    limit: u64,
    /// Items on all pages.
    total: u64,
    /// How many pages there are.
    total_pages: u64,
    /// Whether there is a page after this one.
    has_next: bool,
    /// Whether there is a page before this one.
    has_previous: bool,
}

impl Pagination {
    /// The page of that number, of a list with that many items.
    pub(crate) fn new(page: u64, limit: usize, total: u64) -> Self {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        let total_pages = total.div_ceil(limit);
        let has_previous = page > 1 && total_pages > 0;
        Self { page, limit, total, total_pages, has_next: page < total_pages, has_previous }
    }
}
