//! The commands about service accounts.

use clap::Subcommand;
use keyward::AccountState;

use super::{AccountExportArgs, AccountImportArgs, PageArgs};

/// What to do with service accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountsCommand {
    /// Create a service account; its client secret is printed now and never again
    Create(CreateAccountArgs),
    /// Take over the service accounts that are described in a file, with their client secrets or hashes
    ///
    /// Running it again is safe: accounts that are there already are passed over. Their keys are taken
    /// over afterwards.
    Import(AccountImportArgs),
    /// Print service accounts with their digests, one a line, as import takes them; never their secrets
    Export(AccountExportArgs),
    /// List service accounts
    List(AccountListArgs),
    /// Show a service account
    Show(AccountIdArgs),
    /// Change a service account
    Update(AccountChangeArgs),
    /// Give a service account a new client secret, which is printed now and never again
    Rotate(AccountRotateArgs),
    /// Switch a service account on, and with it its keys that are switched on themselves
    Enable(AccountIdArgs),
    /// Switch a service account off, and with it all of its keys
    Disable(AccountIdArgs),
    /// Delete a service account and its keys; they can be restored until it is purged
    Delete(AccountIdArgs),
    /// Bring a deleted service account back, and with it its keys as they were
    Restore(AccountIdArgs),
    /// Remove a deleted service account for good, and with it all of its keys
    Purge(AccountIdArgs),
}

/// Which service account.
#[derive(Debug, clap::Args)]
pub(crate) struct AccountIdArgs {
    /// The account's id, which is the client id
    pub(crate) id: String,
}

/// The service account to create.
#[derive(Debug, clap::Args)]
pub(crate) struct CreateAccountArgs {
    /// Whoever the account acts for
    #[arg(long)]
    pub(crate) owner: String,
    /// A note for people
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// A scope that access tokens of the account may be for; may be given more than once
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// Create it switched off
    #[arg(long)]
    pub(crate) disabled: bool,
}

/// The service account to change, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct AccountChangeArgs {
    /// The account's id, which is the client id
    pub(crate) id: String,
    /// Only if the account still has this version
    #[arg(long = "if-version", value_name = "VERSION")]
    pub(crate) version: Option<u64>,
    /// A note for people; given empty, it is removed
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// A scope, of all that access tokens of the account may be for; may be given more than once
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// Access tokens of the account may be for no scope
    #[arg(long, conflicts_with = "scopes")]
    pub(crate) no_scopes: bool,
}

/// The service account to give a new client secret, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct AccountRotateArgs {
    /// The account's id, which is the client id
    pub(crate) id: String,
    /// How long the old client secret still works, such as 24h
    #[arg(long)]
    pub(crate) grace: Option<String>,
}

/// Which service accounts to list.
#[derive(Debug, clap::Args)]
pub(crate) struct AccountListArgs {
    /// Only accounts of this owner
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// Only accounts that are their owner's primary one (true), or only others (false)
    #[arg(long, value_name = "BOOLEAN", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) primary: Option<bool>,
    /// Only accounts in this state; by default all that are not deleted
    #[arg(long, value_parser = AccountState::ALL.map(AccountState::as_str))]
    pub(crate) state: Option<String>,
    /// Deleted accounts, too
    #[arg(long)]
    pub(crate) include_deleted: bool,
    /// Only accounts with this text in description, owner or id
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// By what to sort
    #[arg(long, value_parser = ["created_at", "updated_at"])]
    pub(crate) sort: Option<String>,
    /// In which direction
    #[arg(long, value_parser = ["asc", "desc"])]
    pub(crate) order: Option<String>,
    #[command(flatten)]
    pub(crate) page: PageArgs,
}
