//! The one binary: server, client and operator's tool of Keyward.
#![forbid(unsafe_code)]

mod api;
mod args;
mod commands;
mod config;
mod database;
mod first_key;
mod instance;
mod metrics;
mod outcome;
mod printer;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(args)),
        Err(error) => Err(error.into()),
    };
    outcome::report(outcome)
}
