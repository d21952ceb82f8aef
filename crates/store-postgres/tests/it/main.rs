//! The PostgreSQL store keeps the rules of the port, on servers of each test's own, and whatever happens to
//! those.
#![expect(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod conformance;
mod corrupt;
mod durable;
mod hints;
mod killed;
mod network;
mod open;
mod replica;
mod server;
mod tls;
mod usage;
