//! Questions for lists of service accounts.

use keyward_core::{AccountState, ClientId, OwnerId, ServiceAccount, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Order, Position, Search, SortValue};

/// Which service accounts to list, in which order, how many, and from where on.
#[derive(Clone, Debug)]
pub struct AccountQuery {
    /// Only accounts of this owner.
    pub owner: Option<OwnerId>,
    /// Only accounts that are an owner's primary one, or only others.
    pub is_primary: Option<bool>,
    /// Only accounts in this state. Absent: all that are not deleted.
    pub state: Option<AccountState>,
    /// Deleted ones, too, where no state is asked for.
    pub with_deleted: bool,
    /// Only accounts that were deleted at or before this instant.
    pub deleted_by: Option<Timestamp>,
    /// Only accounts with this text in description, owner or id.
    pub search: Option<Search>,
    /// By what to sort.
    pub sort: AccountSort,
    /// In which direction to sort.
    pub order: Order,
    /// The most accounts to return.
    pub limit: usize,
    /// Only accounts after this place in the order.
    pub after: Option<AccountPosition>,
    /// Passes over that many accounts, wherever the list begins, and counts all that it holds.
    pub skip: Option<u64>,
}

impl AccountQuery {
    /// The newest accounts that are not deleted, up to `limit`.
    pub const fn new(limit: usize) -> Self {
        Self {
            owner: None,
            is_primary: None,
            state: None,
            with_deleted: false,
            deleted_by: None,
            search: None,
            sort: AccountSort::CreatedAt,
            order: Order::Descending,
            limit,
            after: None,
            skip: None,
        }
    }

    /// The primary account of an owner, if there is one.
    pub fn primary_of(owner: OwnerId) -> Self {
        Self { owner: Some(owner), is_primary: Some(true), ..Self::new(1) }
    }

    /// Accounts that were deleted at or before an instant, in any order.
    pub fn deleted_by(instant: Timestamp, limit: usize) -> Self {
        let state = Some(AccountState::Deleted);
        Self { deleted_by: Some(instant), state, ..Self::new(limit) }
    }

    /// Whether an account belongs to the list, wherever its pages begin.
    pub fn includes(&self, account: &ServiceAccount) -> bool {
        let state = account.state();
        let is_shown = self.with_deleted || state != AccountState::Deleted;
        let deleted_at = account.deletion.as_ref().map(|deletion| deletion.at);
        self.state.map_or(is_shown, |wanted| wanted == state)
            && self.owner.as_ref().is_none_or(|owner| *owner == account.owner)
            && self.is_primary.is_none_or(|wanted| wanted == account.is_primary)
            && self.deleted_by.is_none_or(|by| deleted_at.is_some_and(|at| at.has_come(by)))
            && self.search.as_ref().is_none_or(|search| search.finds_account(account))
    }
}

/// By what service accounts are sorted. Those that are alike in it are sorted by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountSort {
    /// When they were created.
    #[default]
    CreatedAt,
    /// When they were last changed.
    UpdatedAt,
}

/// A page of service accounts.
#[derive(Clone, Debug)]
pub struct AccountPage {
    /// The accounts.
    pub accounts: Vec<ServiceAccount>,
    /// Where the next page begins, if there is one.
    pub next: Option<AccountPosition>,
    /// How many accounts the list holds in all, where it was asked to skip.
    pub total: Option<u64>,
}

/// A place in a list of service accounts.
pub type AccountPosition = Position<AccountSort, ClientId>;

impl AccountPosition {
    /// Whether it is a place in a list that is sorted so.
    pub fn is_of(&self, sort: AccountSort, order: Order) -> bool {
        (self.sort, self.order) == (sort, order) && matches!(self.value, SortValue::Number(_))
    }

    /// The place of an account in the order of a query.
    pub fn of(account: &ServiceAccount, query: &AccountQuery) -> Self {
        let at = match query.sort {
            AccountSort::CreatedAt => account.created_at,
            AccountSort::UpdatedAt => account.updated_at,
        };
        let value = SortValue::Number(at.as_micros());
        Self { sort: query.sort, order: query.order, value, id: account.id }
    }
}
