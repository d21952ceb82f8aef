//! Copies between stores that are in use, as their operators meet them.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod checking;
mod failures;
mod following;
mod gaps;
mod refusals;
mod servers;
mod support;
mod switching;
mod whole;
