//! Where Keyward keeps its records.
//!
//! [`Store`] is the port: few and wide methods, each one atomic step. [`MemoryStore`] keeps
//! everything in the process, for tests and for trying things out. A backend of your own implements
//! [`Store`] and runs the conformance suite (feature `conformance`), which holds the rules of the
//! port as tests.
#![forbid(unsafe_code)]

mod cache;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod feed;
mod memory;
mod query;
mod store;
mod usage;

pub use cache::{CacheError, SharedCache};
pub use error::{Conflict, StoreError};
pub use feed::Feed;
pub use memory::MemoryStore;
pub use query::{
    AccountPage, AccountPosition, AccountQuery, AccountSort, AuditPage, AuditPosition, AuditQuery,
    AuditSummary, Cursor, KeyPage, KeyPosition, KeyQuery, KeySort, KeyStates, Order, Position,
    Search, SearchIn, SortValue, account_search_text, notes_search_text, search_text,
};
pub use store::{Applied, Store};
pub use usage::{StoredKey, Usage, UsageDelta};
