//! What Keyward costs: operations per CPU-second, as tables. Run it as `./dev bench`.
//!
//! Operations are counted against CPU time and not against the clock on the wall, so that a busy
//! machine changes little. Each number is the median of several rounds, with the least and the most.
#![forbid(unsafe_code)]

mod accounts;
mod http;
mod import;
mod in_process;
mod keys;
mod measure;
mod nodes;
mod pieces;
mod scan;
mod server;
mod signed;
mod tokens;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What to measure.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    what: What,
    /// How many rounds each number is the median of
    #[arg(long, global = true, default_value_t = 5)]
    rounds: usize,
    /// Measure less, to try the benchmark itself
    #[arg(long, global = true)]
    quick: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Verification in the process
    Verify {
        /// Measure only this
        #[arg(long)]
        only: Option<in_process::Part>,
    },
    /// Verification over HTTP, against the same server's bare route
    Http {
        /// The `keyward` binary to run
        #[arg(long)]
        binary: PathBuf,
    },
    /// Service accounts: keys that are validated with the credentials of an account that has many
    Accounts {
        /// The `keyward` binary to run
        #[arg(long)]
        binary: PathBuf,
    },
    /// Taking over hashed keys into SQLite, by the command line
    Import {
        /// The `keyward` binary to run
        #[arg(long)]
        binary: PathBuf,
    },
    /// Signed keys: checking, issuing and serving them, beside japikey's packages and jose
    Signed {
        /// The `keyward` binary to run
        #[arg(long)]
        binary: PathBuf,
    },
    /// Many nodes on PostgreSQL and Redis, which are started for it
    Nodes {
        /// Measure only this
        #[arg(long)]
        only: Option<nodes::Part>,
        /// How many keys PostgreSQL holds at last
        #[arg(long, default_value_t = 10_000_000)]
        keys: usize,
    },
    /// Makes changes in a database until it is killed
    #[command(hide = true)]
    Write {
        url: String,
        #[arg(long)]
        per_second: u32,
    },
    /// Making and checking tokens of the prefixed-api-key family, beside the crate of that name
    Tokens,
    /// Searching files for keys, against ripgrep where it is installed
    Scan {
        /// The `keyward` binary to run
        #[arg(long)]
        binary: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    match &args.what {
        What::Verify { only } => in_process::run(*only, args.rounds, args.quick),
        What::Http { binary } => http::run(binary, args.rounds, args.quick),
        What::Accounts { binary } => accounts::run(binary, args.rounds, args.quick),
        What::Import { binary } => import::run(binary, args.quick),
        What::Signed { binary } => signed::run(binary, args.rounds, args.quick),
        What::Nodes { only, keys } => nodes::run(*only, *keys, args.rounds, args.quick),
        What::Write { url, per_second } => nodes::write(url, *per_second),
        What::Tokens => tokens::run(args.rounds, args.quick),
        What::Scan { binary } => scan::run(binary, args.rounds, args.quick),
    }
}
