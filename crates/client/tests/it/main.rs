//! The behaviour of the verifier, over a socket to a server that does what it is told.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "what is not there fails the test"
)]

mod access_tokens;
mod attacks;
mod bounds;
mod caching;
mod documents;
mod feed;
mod layer;
mod server;
mod support;
