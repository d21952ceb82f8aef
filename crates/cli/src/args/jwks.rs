//! The commands about the documents with public keys.

use clap::Subcommand;
use keyward::Lifetime;

use crate::config::Span;

/// What to do with the documents with public keys.
#[derive(Debug, Subcommand)]
pub(crate) enum JwksCommand {
    /// Write the documents of active signed keys to where files are served from, and remove the others
    ///
    /// The file of a key is KID/.well-known/jwks.json below the target, and holds what the server
    /// answers at that path below /jwks. A file is removed if its key is not active any more. Whatever
    /// has another name is left alone.
    ///
    /// For S3, region, endpoint and credentials come from the environment: `AWS_REGION`,
    /// `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`.
    Export(JwksExportArgs),
}

/// Which documents to write, and where.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct JwksExportArgs {
    /// Where to write: a directory, `file:///DIRECTORY` or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "TARGET")]
    pub(crate) to: String,
    /// Write only keys of this keyspace; may be given more than once. Left out: of all signed ones
    #[arg(long = "keyspace", value_name = "ID")]
    pub(crate) keyspaces: Vec<String>,
    /// Stay, and do to the files what happens to the keys
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) follow: bool,
    /// With --follow: how often all files are compared with all keys
    #[arg(long, default_value = "1m", value_parser = Lifetime::parse, value_name = "DURATION")]
    pub(crate) interval: Lifetime,
    /// In S3: for how long others may keep a file, as its header cache-control says
    #[arg(long, default_value = "60s", value_parser = read_span, value_name = "DURATION")]
    pub(crate) max_age: Span,
    /// Read the files that are there, and write those anew that are not as they should be
    #[arg(long)]
    pub(crate) verify_content: bool,
    /// Remove the files even if there is no signed keyspace at all, as in an empty database
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// Write and remove nothing; say how many files would be
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show no progress
    #[arg(long)]
    pub(crate) quiet: bool,
}

fn read_span(text: &str) -> Result<Span, keyward::Invalid> {
    Span::try_from(text.to_owned())
}
