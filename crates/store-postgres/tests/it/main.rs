//! The PostgreSQL store keeps the rules of the port, on a server of each test's own.
#![expect(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod conformance;
mod server;
