//! Which part of a list to show.

/// Which page, and how long it is.
#[derive(Debug, clap::Args)]
pub(crate) struct PageArgs {
    /// How many of them, 1 to 200; by default 50
    #[arg(long)]
    pub(crate) limit: Option<u32>,
    /// Where the page before said that there is more
    #[arg(long)]
    pub(crate) cursor: Option<String>,
    /// The number of a page, from 1, instead of a cursor; it is told how many there are in all
    #[arg(long, value_name = "NUMBER", conflicts_with = "cursor")]
    pub(crate) page: Option<u64>,
}
