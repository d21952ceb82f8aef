//! The command line.

mod accounts;
mod copy;
mod import;
mod jwks;
mod keys;
mod keyspaces;
mod pages;
mod scan;
mod token;

use std::path::PathBuf;

pub(crate) use accounts::{
    AccountChangeArgs, AccountListArgs, AccountRotateArgs, AccountsCommand, CreateAccountArgs,
};
use clap::{Parser, Subcommand};
pub(crate) use copy::CopyArgs;
pub(crate) use import::{
    AccountExportArgs, AccountImportArgs, ExportArgs, FileFormat, ImportArgs, Source, TableArgs,
};
pub(crate) use jwks::{JwksCommand, JwksExportArgs};
pub(crate) use keys::{
    ChangeArgs, FieldArgs, IssueArgs, IssueManyArgs, KeysCommand, ListArgs, RevokeAllArgs,
    RevokeArgs, RevokeManyArgs, RotateArgs,
};
pub(crate) use keyspaces::{KeyspacesCommand, PolicyArgs};
pub(crate) use pages::PageArgs;
pub(crate) use scan::ScanArgs;
pub(crate) use token::{
    ProfileArgs, TokenArgs, TokenCheckArgs, TokenCommand, TokenGenerateArgs, TokenInspectArgs,
};

use crate::config::Overrides;

/// API keys done right: issue, verify, rotate and revoke them.
///
/// Without --server, commands work on the database of this machine; with it, on that server.
///
/// Exit codes: 0 done, 1 refused, 2 unusable call or configuration, 3 failure.
#[derive(Debug, Parser)]
#[command(name = "keyward", version)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where to work, and how to tell of it.
#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// Work on this server instead of the local database, by its URL
    #[arg(long, global = true, env = "KEYWARD_SERVER", value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The management key for --server
    #[arg(long, global = true, env = "KEYWARD_KEY", hide_env_values = true, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// The file that holds the management key for --server
    #[arg(long, global = true, env = "KEYWARD_KEY_FILE", value_name = "PATH")]
    pub(crate) key_file: Option<PathBuf>,
    /// Print the answers as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What the audit trail shall keep about what is done, as a JSON object
    #[arg(long, global = true, env = "KEYWARD_AUDIT_METADATA", value_name = "JSON")]
    pub(crate) audit_metadata: Option<String>,
    /// The configuration file (TOML)
    #[arg(long, global = true, env = "KEYWARD_CONFIG", value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) overrides: Overrides,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(ServeArgs),
    /// Issue, list, change, rotate and revoke keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Create, list, change, switch and delete service accounts
    #[command(subcommand)]
    Accounts(AccountsCommand),
    /// Create, list and change keyspaces
    #[command(subcommand)]
    Keyspaces(KeyspacesCommand),
    /// Write the public keys of signed keys to where files are served from
    #[command(subcommand)]
    Jwks(JwksCommand),
    /// Purge keys that ended long ago, and deleted service accounts, and say how many there were
    ///
    /// At least one of --older-than and --deleted-older-than must be given. What is purged cannot be
    /// brought back; its audit events stay.
    Reap(ReapArgs),
    /// Look at what was done
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Say whether a key may do something; exit code 1 if not
    Verify(VerifyArgs),
    /// Find keys in files and git history, and write rules for other scanners
    ///
    /// Nothing is asked of anybody but the list of keyspaces; with --prefix, not even that.
    ///
    /// Exit codes: 0 nothing was found, 1 something was, 2 unusable call, 3 failure. What cannot be
    /// read is told, and is a failure if nothing is found in the rest.
    Scan(ScanArgs),
    /// Check, draw, hash and take apart tokens, of Keyward and of other libraries
    #[command(subcommand)]
    Token(TokenCommand),
    /// Bring the database to the newest schema
    Migrate(MigrateArgs),
    /// Copy everything to another database, and move there without a pause
    ///
    /// Without a flag, it copies, compares both, and ends. It can be run again whenever it ended, and
    /// goes on where it was.
    ///
    /// Exit codes: 0 both hold the same, 1 they differ or the database to copy to is in use, 2 unusable
    /// call, 3 failure or interrupted.
    Copy(CopyArgs),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// How to run the server.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Where the first start writes the root key, instead of printing it
    #[arg(long, env = "KEYWARD_ROOT_KEY_FILE", value_name = "PATH")]
    pub(crate) root_key_file: Option<PathBuf>,
}

/// Which keys and service accounts to purge.
#[derive(Debug, clap::Args)]
pub(crate) struct ReapArgs {
    /// How long ago keys must have expired, or been revoked, such as 30d; deleted ones, too
    #[arg(long, value_name = "DURATION", required_unless_present = "deleted_older_than")]
    pub(crate) older_than: Option<String>,
    /// How long ago keys and service accounts must have been deleted, such as 90d; accounts go with
    /// their keys
    #[arg(long, value_name = "DURATION")]
    pub(crate) deleted_older_than: Option<String>,
}

/// How to migrate.
#[derive(Debug, clap::Args)]
pub(crate) struct MigrateArgs {
    /// Only say whether there is something to do; exit code 1 if there is
    #[arg(long)]
    pub(crate) check: bool,
}

/// Looking at what was done.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List events, the newest first
    List(AuditListArgs),
    /// Count events by action, and tell when the last one happened
    Summary(AuditFilterArgs),
    /// Remove events for good; at least one filter must be given
    Erase(AuditFilterArgs),
}

/// Which part of the events to list.
#[derive(Debug, clap::Args)]
pub(crate) struct AuditListArgs {
    #[command(flatten)]
    pub(crate) filter: AuditFilterArgs,
    /// How many events
    #[arg(long)]
    pub(crate) limit: Option<u32>,
    /// Where the page before said that there is more
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

/// Which events.
#[derive(Debug, clap::Args)]
pub(crate) struct AuditFilterArgs {
    /// Only events of this key
    #[arg(long, value_name = "ID")]
    pub(crate) of_key: Option<String>,
    /// Only events of this service account and its keys
    #[arg(long, value_name = "ID")]
    pub(crate) of_account: Option<String>,
    /// Only events of keys and service accounts of this owner
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// Only events of this keyspace
    #[arg(long)]
    pub(crate) keyspace: Option<String>,
    /// Only events of this action, such as key.revoked
    #[arg(long)]
    pub(crate) action: Option<String>,
    /// Only events by this actor
    #[arg(long)]
    pub(crate) actor: Option<String>,
    /// Only events at or after this instant (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    pub(crate) since: Option<String>,
    /// Only events before this instant (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    pub(crate) until: Option<String>,
}

/// What to verify.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct VerifyArgs {
    /// The key's text; left out, it is read from the standard input, where other users cannot see it
    pub(crate) secret: Option<String>,
    /// The client id of the service account as whose the key was presented
    #[arg(long, value_name = "ID", requires = "client_secret_file")]
    pub(crate) client_id: Option<String>,
    /// The file that holds the account's client secret; -: the standard input, after the key if that
    /// is read from there, too
    #[arg(long, value_name = "PATH", requires = "client_id")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// A scope that is needed; may be given more than once
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// Any one of the scopes is enough
    #[arg(long)]
    pub(crate) any: bool,
    /// The resource on which the scopes are needed, as type:id
    #[arg(long)]
    pub(crate) resource: Option<String>,
    /// Ask the database, whatever the server has cached
    #[arg(long)]
    pub(crate) skip_cache: bool,
    /// Do not count the use
    #[arg(long)]
    pub(crate) skip_tracking: bool,
    /// Verify each line of the standard input, up to 100; exit code 1 if any may not
    #[arg(long, conflicts_with_all = ["secret", "client_id", "skip_cache", "skip_tracking"])]
    pub(crate) many: bool,
}

/// Looking at the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the configuration that is in force, without its secrets
    Print,
    /// Check the configuration and the files that it names
    Check,
}
