//! Copies between stores that are in use, as their operators meet them.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]
#![expect(clippy::cognitive_complexity, reason = "it counts loops and assertions as branches")]

mod checking;
mod failures;
mod following;
mod gaps;
mod refusals;
mod servers;
mod support;
mod switching;
mod whole;
