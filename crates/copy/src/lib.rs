//! Copies Keyward's records from one store to another while they are in use.
//!
//! [`Copier`] works over the storage port alone, between any two backends. It compares both stores in the
//! order in which they list their records, writes what differs, and follows the source's change feed
//! meanwhile. Use it to move to another backend without a pause: [`Copier::copy`] as a rehearsal,
//! [`Copier::switch`] for the move itself.
//!
//! ```
//! # use std::sync::Arc;
//! # use keyward_copy::Copier;
//! # use keyward_core::{Clock, Entropy};
//! # use keyward_store::{MemoryStore, Store};
//! # async fn example(
//! #     source: Arc<dyn Store>,
//! #     destination: Arc<dyn Store>,
//! #     clock: Arc<dyn Clock>,
//! #     entropy: Arc<dyn Entropy>,
//! # ) -> Result<(), keyward_copy::CopyError> {
//! let report = Copier::new(source, destination, clock, entropy).copy().await?;
//! assert!(report.is_equal());
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod baseline;
mod copier;
mod ends;
mod error;
mod follow;
mod kind;
mod listed;
mod mark;
mod observer;
mod report;
mod rows;
mod switch;
mod touched;
mod usage;
mod verify;
mod walk;

pub use copier::Copier;
pub use error::{CopyError, Side};
pub use kind::Kind;
pub use observer::{Observer, Progress, Unobserved};
pub use report::{Report, Row, Sum, Verdict};
pub use switch::{Remainder, Switched};
