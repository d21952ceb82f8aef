//! The commands about keyspaces.

use clap::Subcommand;

/// What to do with keyspaces.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyspacesCommand {
    /// Create a keyspace
    Create(Box<CreateKeyspaceArgs>),
    /// List the keyspaces
    List,
    /// Show a keyspace
    Show {
        /// The keyspace's id
        id: String,
    },
    /// Change a keyspace
    Update(UpdateKeyspaceArgs),
}

/// The keyspace to create.
#[derive(Debug, clap::Args)]
pub(crate) struct CreateKeyspaceArgs {
    /// The keyspace's id
    pub(crate) id: String,
    /// How its secrets are written: prefixed, opaque or signed
    #[arg(long, default_value = "prefixed")]
    pub(crate) format: String,
    /// What its secrets begin with
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    /// Whose secrets they are, if not Keyward's: seam, fork3, fork4 or rust
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// For secrets of other libraries: how long ids are, in characters; in fork4 and rust, in bytes
    #[arg(long)]
    pub(crate) id_length: Option<u32>,
    /// For secrets of other libraries: how long secrets are, in the same unit
    #[arg(long)]
    pub(crate) secret_length: Option<u32>,
    /// For secrets of seam and rust: what ids begin with
    #[arg(long)]
    pub(crate) short_prefix: Option<String>,
    /// For secrets of other libraries: whether new ones of fewer than 128 bits are made
    #[arg(long, value_parser = ["refuse", "warn"])]
    pub(crate) weak_secrets: Option<String>,
    /// For signed keys of RS256: how long the RSA keys are, 2048, 3072 or 4096 bits
    #[arg(long, value_name = "BITS")]
    pub(crate) key_size: Option<u32>,
    /// For signed keys: the URL under which their public keys are found; by default as configured
    #[arg(long = "keyspace-issuer", value_name = "URL")]
    pub(crate) keyspace_issuer: Option<String>,
    /// For signed keys: for whom they are
    #[arg(long)]
    pub(crate) audience: Option<String>,
    /// For opaque secrets: how many characters are random
    #[arg(long)]
    pub(crate) length: Option<u32>,
    /// For opaque secrets: what the random characters are drawn from
    #[arg(long)]
    pub(crate) alphabet: Option<String>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// The keyspace to change, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateKeyspaceArgs {
    /// The keyspace's id
    pub(crate) id: String,
    /// Only if the keyspace still has this version
    #[arg(long = "if-version", value_name = "VERSION")]
    pub(crate) version: Option<u64>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// What a keyspace demands of its keys. What is given empty is removed.
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyArgs {
    /// A note for people
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// The hash for digests where no pepper is configured: sha256 or sha512; for signed keys, RS256,
    /// ES256 or EdDSA
    #[arg(long)]
    pub(crate) algorithm: Option<String>,
    /// The lifetime of a key that is issued without one, such as 90d
    #[arg(long, value_name = "DURATION")]
    pub(crate) default_lifetime: Option<String>,
    /// No key may live longer, such as 365d
    #[arg(long, value_name = "DURATION")]
    pub(crate) maximum_lifetime: Option<String>,
    /// Whether new keys belong to a service account: if one is named (optional), or else to their
    /// owner's primary one, which is made where there is none (primary)
    #[arg(long, value_parser = ["optional", "primary"])]
    pub(crate) service_account: Option<String>,
    /// How often each key may be used on each node, such as 100/1m
    #[arg(long, value_name = "REQUESTS/PERIOD")]
    pub(crate) rate_limit: Option<String>,
}
