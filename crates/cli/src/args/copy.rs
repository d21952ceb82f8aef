//! How to move to another database.

use keyward::Lifetime;

/// From where to where to copy, and what to do then.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct CopyArgs {
    /// The database to copy from, such as sqlite:PATH
    #[arg(long, env = "KEYWARD_COPY_FROM", hide_env_values = true, value_name = "URL")]
    pub(crate) from: String,
    /// The database to copy to: an empty one, or one that holds the beginning of this copy
    #[arg(
        long,
        env = "KEYWARD_COPY_TO",
        hide_env_values = true,
        required_unless_present = "unseal",
        value_name = "URL"
    )]
    pub(crate) to: Option<String>,
    /// Write nothing: only compare both; exit code 1 if they differ
    #[arg(long, conflicts_with_all = ["follow", "switch", "unseal"])]
    pub(crate) check: bool,
    /// Stay, carry over what happens, and tell how far behind the copy is. With --switch: carry over
    /// the usage that nodes still write, until they are stopped
    #[arg(long)]
    pub(crate) follow: bool,
    /// Seal the database that is copied from once the other one is up to date, so that nobody changes
    /// anything there any more
    #[arg(long, conflicts_with = "unseal")]
    pub(crate) switch: bool,
    /// Let the database --from be written to again, after a switch that is to be taken back
    #[arg(long, conflicts_with_all = ["follow", "to"])]
    pub(crate) unseal: bool,
    /// How long a database that does not answer is waited for
    #[arg(long, default_value = "1m", value_parser = Lifetime::parse, value_name = "DURATION")]
    pub(crate) patience: Lifetime,
    /// Show no progress
    #[arg(long)]
    pub(crate) quiet: bool,
}
