//! The commands about tokens of Keyward and of others, which need no database.

use clap::Subcommand;

/// What to do with a token. Left out, it is read from the standard input.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Say whether a token is the one whose hash is stored; exit code 1 if not
    Check(TokenCheckArgs),
    /// Draw a new token, and print what to store of it
    Generate(TokenGenerateArgs),
    /// Print the hash to store of a token
    Hash(TokenArgs),
    /// Take a token apart
    Inspect(TokenInspectArgs),
}

/// How a token is written.
#[derive(Debug, clap::Args)]
pub(crate) struct ProfileArgs {
    /// Whose tokens they are
    #[arg(long, default_value = "keyward", value_parser = ["keyward", "seam", "fork3", "fork4", "rust"])]
    pub(crate) profile: String,
    /// The length of ids: characters, or bytes in fork4 and rust
    #[arg(long, value_name = "NUMBER")]
    pub(crate) id_length: Option<usize>,
    /// The length of secrets: characters, or bytes in fork4 and rust
    #[arg(long, value_name = "NUMBER")]
    pub(crate) secret_length: Option<usize>,
    /// What ids begin with, in seam and rust
    #[arg(long, value_name = "TEXT")]
    pub(crate) short_prefix: Option<String>,
    /// The digest of the rust profile, such as sha512
    #[arg(long, value_name = "DIGEST")]
    pub(crate) digest: Option<String>,
}

/// A token and how it is written.
#[derive(Debug, clap::Args)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    pub(crate) profile: ProfileArgs,
    /// The token; left out, it is read from the standard input, where other users cannot see it
    pub(crate) token: Option<String>,
}

/// The token to check, and against what.
#[derive(Debug, clap::Args)]
pub(crate) struct TokenCheckArgs {
    /// The hash that is stored
    #[arg(long, value_name = "HASH")]
    pub(crate) stored_hash: String,
    /// The prefix under which it was issued
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    /// The id under which the hash is stored
    #[arg(long)]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) token: TokenArgs,
}

/// The token to draw.
#[derive(Debug, clap::Args)]
pub(crate) struct TokenGenerateArgs {
    /// What the token begins with
    #[arg(long)]
    pub(crate) prefix: String,
    /// Also where its secret holds less than 128 bits of chance
    #[arg(long)]
    pub(crate) allow_weak: bool,
    #[command(flatten)]
    pub(crate) profile: ProfileArgs,
}

/// The token to take apart.
#[derive(Debug, clap::Args)]
pub(crate) struct TokenInspectArgs {
    /// Print the secret, too
    #[arg(long)]
    pub(crate) show_secret: bool,
    #[command(flatten)]
    pub(crate) token: TokenArgs,
}
