//! The built binary as its users meet it: over real sockets and files, started, killed and started again.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]
#![expect(clippy::cognitive_complexity, reason = "it counts assertions as branches")]

mod commands;
mod configuration;
mod copy;
#[cfg(target_os = "linux")]
mod dev_cluster;
mod harness;
mod history;
mod japikey_interop;
mod jwks_export;
mod killed;
mod leaks;
mod main_job;
mod metrics;
mod nestjs_faults;
mod nestjs_tables;
mod oauth;
mod outage;
mod popular;
mod postman;
mod scan;
mod signed_leaks;
mod streams;
mod traffic;
mod two_processes;
mod verifier;
