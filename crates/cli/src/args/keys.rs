//! The commands about keys.

use std::path::PathBuf;

use super::{ExportArgs, ImportArgs, PageArgs};
use clap::Subcommand;

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Issue a key; its secret is printed now and never again
    Issue(IssueArgs),
    /// Issue the keys that are described in a file; their secrets are printed now and never again
    IssueMany(IssueManyArgs),
    /// Take over the keys that are described in a file, with their hashes or their secrets
    ///
    /// Running it again is safe: keys that are there already are passed over.
    Import(ImportArgs),
    /// Print keys with their digests, one a line, as import takes them; never their secrets
    Export(ExportArgs),
    /// List keys
    List(ListArgs),
    /// Show a key
    Show(IdArgs),
    /// Change a key
    Update(ChangeArgs),
    /// Switch a key on
    Enable(IdArgs),
    /// Switch a key off
    Disable(IdArgs),
    /// Revoke a key for good
    Revoke(RevokeArgs),
    /// Revoke several keys for good
    RevokeMany(RevokeManyArgs),
    /// Revoke all keys of an owner
    RevokeAll(RevokeAllArgs),
    /// Give a key a new secret, which is printed now and never again
    Rotate(RotateArgs),
    /// Write down that a key was used now, without counting it
    Touch(IdArgs),
    /// Let the server forget what it has cached of a key
    Invalidate(IdArgs),
    /// Delete a key; it can be restored until it is purged
    Delete(IdArgs),
    /// Bring a deleted key back
    Restore(IdArgs),
    /// Remove a deleted key for good
    Purge(IdArgs),
}

/// Which key.
#[derive(Debug, clap::Args)]
pub(crate) struct IdArgs {
    /// The key's id
    pub(crate) id: String,
}

/// The key to issue.
#[derive(Debug, clap::Args)]
pub(crate) struct IssueArgs {
    /// Whoever the key acts for
    #[arg(long)]
    pub(crate) owner: String,
    /// The keyspace under which to issue it
    #[arg(long)]
    pub(crate) keyspace: Option<String>,
    /// The service account that it shall belong to; left out: as the keyspace says
    #[arg(long, value_name = "ID")]
    pub(crate) service_account: Option<String>,
    /// Issue it switched off
    #[arg(long)]
    pub(crate) disabled: bool,
    /// What the token of a signed key shall say, as a JSON object
    #[arg(long, value_name = "JSON")]
    pub(crate) claims: Option<String>,
    #[command(flatten)]
    pub(crate) fields: FieldArgs,
}

/// The keys to issue.
#[derive(Debug, clap::Args)]
pub(crate) struct IssueManyArgs {
    /// The file: a JSON object a line, as the body of POST /v1/keys; left out: the standard input
    pub(crate) file: Option<PathBuf>,
}

/// The keys to revoke, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct RevokeManyArgs {
    /// The keys' ids, up to 100
    #[arg(required = true)]
    pub(crate) ids: Vec<String>,
    /// Why, for people and the audit trail
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

/// The key to change, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangeArgs {
    /// The key's id
    pub(crate) id: String,
    /// Only if the key still has this version
    #[arg(long = "if-version", value_name = "VERSION")]
    pub(crate) version: Option<u64>,
    #[command(flatten)]
    pub(crate) fields: FieldArgs,
}

/// The key to rotate, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct RotateArgs {
    /// How long the old secret still works, such as 24h
    #[arg(long)]
    pub(crate) grace: Option<String>,
    /// Make a new key that succeeds this one, instead of giving it a new secret
    #[arg(long)]
    pub(crate) successor: bool,
    /// What the token of a signed key shall say, as a JSON object; left out: the same as before
    #[arg(long, value_name = "JSON")]
    pub(crate) claims: Option<String>,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

/// The key to revoke, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct RevokeArgs {
    /// The key's id
    pub(crate) id: String,
    /// Why, for people and the audit trail
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

/// Whose keys to revoke, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct RevokeAllArgs {
    /// The owner of the keys
    #[arg(long)]
    pub(crate) owner: String,
    /// Why, for people and the audit trail
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

/// The fields of a key. Text fields that are given empty are removed.
#[derive(Debug, clap::Args)]
pub(crate) struct FieldArgs {
    /// A name for people
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// A longer note for people
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// A scope; may be given more than once
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// Scopes on one resource, as type:id=scope,scope; may be given more than once
    #[arg(long = "resource", value_name = "TYPE:ID=SCOPES")]
    pub(crate) resources: Vec<String>,
    /// A tag; may be given more than once
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// Free data as a JSON object
    #[arg(long, value_name = "JSON")]
    pub(crate) metadata: Option<String>,
    #[command(flatten)]
    pub(crate) expiry: ExpiryArgs,
    /// Not valid before this instant (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    pub(crate) not_before: Option<String>,
}

/// When a key expires.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct ExpiryArgs {
    /// Expires at this instant (RFC 3339), or "never"
    #[arg(long, value_name = "INSTANT")]
    pub(crate) expires_at: Option<String>,
    /// Expires after this time, such as 30d
    #[arg(long, value_name = "DURATION")]
    pub(crate) expires_in: Option<String>,
}

/// What `--state` of a list may be: a state, or more of them under one name.
const STATES: [&str; 7] =
    ["active", "deleted", "disabled", "expired", "inactive", "not_yet_valid", "revoked"];

/// Which keys to list.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only keys of this owner
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// Only keys with this tag; given more than once, with any of the tags
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// Only keys with all of the tags
    #[arg(long)]
    pub(crate) all_tags: bool,
    /// Only the key with this digest, such as sha256:… in hexadecimal digits
    #[arg(long)]
    pub(crate) digest: Option<String>,
    /// Only keys in this state; by default all that are not deleted. Inactive ones are disabled or not
    /// yet valid
    #[arg(long, value_parser = STATES)]
    pub(crate) state: Option<String>,
    /// Deleted keys, too
    #[arg(long)]
    pub(crate) include_deleted: bool,
    /// Only keys of this keyspace
    #[arg(long)]
    pub(crate) keyspace: Option<String>,
    /// Only keys of this service account
    #[arg(long, value_name = "ID")]
    pub(crate) service_account: Option<String>,
    /// Only keys with this text in name, description, owner, id or hint
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// By what to sort
    #[arg(long, value_parser = ["created_at", "updated_at", "expires_at", "name", "enabled"])]
    pub(crate) sort: Option<String>,
    /// In which direction
    #[arg(long, value_parser = ["asc", "desc"])]
    pub(crate) order: Option<String>,
    #[command(flatten)]
    pub(crate) page: PageArgs,
}
