//! The commands that take keys over and hand them out.

use std::path::PathBuf;

use clap::ValueEnum;

/// The keys to take over.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// The file, one key a line; left out: the standard input
    pub(crate) file: Option<PathBuf>,
    /// The keyspace that describes the form of their secrets, unless each names its own
    #[arg(long)]
    pub(crate) keyspace: Option<String>,
    /// Whose export it is
    #[arg(long, value_enum, default_value_t, value_name = "SOURCE")]
    pub(crate) from: Source,
    /// How the file is written; left out: as its name ends, or else JSON lines
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<FileFormat>,
    /// How the hashes were made, where the file does not say it, such as keypal-salted-sha256
    #[arg(long)]
    pub(crate) scheme: Option<String>,
    /// Take a field from a column of the file; may be given more than once
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    pub(crate) maps: Vec<String>,
    /// Give a field of every key that has no other this value; may be given more than once
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub(crate) sets: Vec<String>,
    /// Put this before every id, where the numbers of two tables would be the same
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub(crate) id_prefix: String,
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

/// Whose export a file is: which of its columns mean what.
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
    /// The tables `api_keys` and `sa_info` of the key manager for `NestJS`, joined
    Nestjs,
    /// The table `personal_access_tokens` of Laravel Sanctum
    Sanctum,
}

/// How a file of keys is written.
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
