//! Why a copy does not go on. Each can be run again once the cause is gone.

use std::fmt;
use std::time::Duration;

use keyward_store::{Conflict, StoreError};

/// One of the two stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that is copied to.
    Destination,
    /// The one that is copied from.
    Source,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Destination => "the destination",
            Self::Source => "the source",
        })
    }
}

/// Why a copy does not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// Somebody else writes to the destination, such as a second copy.
    #[error("the destination is being written to by somebody else")]
    Contended,
    /// A backend breaks a rule that the comparison relies on.
    #[error("{0} does not list its records in their order")]
    Disordered(Side),
    /// Nothing was written.
    #[error(
        "the destination holds records that are no copy of the source: nothing was written. \
         Copy to an empty one; or, if a switch to it was completed before, point the nodes at it"
    )]
    Foreign,
    /// Nothing was written.
    #[error(
        "the destination was written to since it was copied to: nothing was written. \
         Copy to an empty one"
    )]
    InUse,
    /// Nothing was written.
    #[error("the destination holds a copy of another Keyward: nothing was written")]
    OtherSource,
    /// Source and destination are one.
    #[error("the source and the destination are the same store")]
    SameStore,
    /// A store refused, or failed in a way that waiting does not help with.
    #[error("{side} failed")]
    Store {
        /// Which one.
        side: Side,
        /// Why.
        source: StoreError,
    },
    /// A store did not answer for as long as it was waited for.
    #[error("{side} did not answer for {patience:?}; what was copied stays, so run it again")]
    Unanswered {
        /// Which one.
        side: Side,
        /// How long it was waited for.
        patience: Duration,
        /// Why it did not answer.
        source: StoreError,
    },
    /// Usage that is still written at the source cannot be told from what was carried over.
    #[error("the source was changed though it was sealed: its usage cannot be carried any longer")]
    Unsealed,
    /// The source was sealed before the switch began.
    #[error(
        "the source is sealed already: by a switch that was done, or by one that was cut off. \
         Only in the second case lift the seal and begin anew"
    )]
    Sealed,
    /// The switch was given up, and the seal could not be lifted.
    #[error("the switch was given up, but the source is still sealed: lift the seal by hand")]
    StillSealed(#[source] Box<Self>),
}

impl CopyError {
    pub(crate) const fn at_destination(source: StoreError) -> Self {
        Self::Store { side: Side::Destination, source }
    }

    pub(crate) const fn at_source(source: StoreError) -> Self {
        Self::Store { side: Side::Source, source }
    }

    /// Whether the destination is not what was expected of it when it was read.
    pub(crate) const fn is_conflict(&self) -> bool {
        matches!(self, Self::Store { source: StoreError::Conflict(_), .. })
    }

    pub(crate) const fn is_outdated(&self) -> bool {
        matches!(self, Self::Store { source: StoreError::Conflict(Conflict::Outdated), .. })
    }

    /// Whether the copy was refused for what the stores hold, rather than for a failure.
    pub const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Foreign | Self::InUse | Self::OtherSource | Self::SameStore | Self::Sealed
        )
    }
}
