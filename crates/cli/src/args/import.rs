//! The commands that take keys and service accounts over and hand them out.

use std::path::PathBuf;

use clap::ValueEnum;

/// The keys to take over.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,
    /// The keyspace that describes the form of their secrets, unless each names its own
    #[arg(long)]
    pub(crate) keyspace: Option<String>,
    /// Whose export it is
    #[arg(long, value_enum, default_value_t, value_name = "SOURCE")]
    pub(crate) from: Source,
    /// Put this before every id, where the numbers of two tables would be the same
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub(crate) id_prefix: String,
    /// Leave out to which service accounts the keys belong
    #[arg(long)]
    pub(crate) no_accounts: bool,
}

/// The service accounts to take over.
#[derive(Debug, clap::Args)]
pub(crate) struct AccountImportArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,
    /// Whose export it is
    #[arg(long, value_enum, default_value_t, value_name = "SOURCE")]
    pub(crate) from: AccountSource,
}

/// A file that describes one of them a line, and what to do with it.
#[derive(Debug, clap::Args)]
pub(crate) struct TableArgs {
    /// The file, one a line; left out: the standard input
    pub(crate) file: Option<PathBuf>,
    /// How the file is written; left out: as its name ends, or else JSON lines
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<FileFormat>,
    /// How the hashes were made, where the file does not say it, such as keypal-salted-sha256
    #[arg(long)]
    pub(crate) scheme: Option<String>,
    /// Take a field from a column of the file; may be given more than once
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    pub(crate) maps: Vec<String>,
    /// Give a field of every one that has no other this value; may be given more than once
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub(crate) sets: Vec<String>,
    /// The time zone of instants that are written without one
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    pub(crate) time_zone: String,
    /// Write nothing; say of each line what would become of it
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write nothing at all unless every line is acceptable
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) strict: bool,
    /// Begin with this line, where an earlier run ended
    #[arg(long, default_value_t = 1, hide_default_value = true, value_name = "LINE")]
    pub(crate) from_line: u64,
    /// Show no progress
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Whose export a file of keys is: which of its columns mean what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// The fields of POST /v1/keys/import, as keys export writes them
    #[default]
    Keyward,
    /// Records of keypal
    Keypal,
    /// A table of seam's prefixed-api-key, of its fork up to version 3, or of the Rust crate
    Seam,
    /// A table of the fork's version 4
    Fork4,
    /// The table `api_keys` of the key manager for `NestJS`; its accounts are taken over before
    Nestjs,
    /// The table `personal_access_tokens` of Laravel Sanctum
    Sanctum,
}

/// Whose export a file of service accounts is: which of its columns mean what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccountSource {
    /// The fields of POST /v1/service-accounts/import, as accounts export writes them
    #[default]
    Keyward,
    /// The table `sa_info` of the key manager for `NestJS`. The oldest account of each user that is not
    /// deleted becomes the primary one
    Nestjs,
}

impl From<AccountSource> for Source {
    fn from(source: AccountSource) -> Self {
        match source {
            AccountSource::Keyward => Self::Keyward,
            AccountSource::Nestjs => Self::Nestjs,
        }
    }
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileFormat {
    /// Comma-separated values (RFC 4180), whose first line names the columns
    Csv,
    /// A JSON object a line
    Jsonl,
}

/// The keys to hand out.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Only keys of this keyspace; may be given more than once. Left out: all but those of management
    #[arg(long = "keyspace", value_name = "ID")]
    pub(crate) keyspaces: Vec<String>,
    /// Only keys of this owner
    #[arg(long)]
    pub(crate) owner: Option<String>,
}

/// The service accounts to hand out.
#[derive(Debug, clap::Args)]
pub(crate) struct AccountExportArgs {
    /// Only accounts of this owner
    #[arg(long)]
    pub(crate) owner: Option<String>,
}
