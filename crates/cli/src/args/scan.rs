//! The search for keys in files and history.

use std::path::PathBuf;

use keyward::Reason;
use keyward_scan::RuleFormat;

/// Where to look for keys, and what to do about those that are found.
#[derive(Debug, clap::Args)]
pub(crate) struct ScanArgs {
    /// Files and directories; - is the standard input
    #[arg(default_value = ".", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Search the whole history of the paths' git repositories, too: branches, tags, stashes, reflogs
    #[arg(long)]
    pub(crate) history: bool,
    /// Search also what ignore files name
    #[arg(long)]
    pub(crate) no_ignore: bool,
    /// How many threads search; by default one for each processor
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "NUMBER")]
    pub(crate) threads: u8,
    /// Look for keys of this prefix, of the usual lengths, instead of those of the keyspaces, without any
    /// database or server; may be given more than once
    #[arg(long = "prefix", value_name = "PREFIX")]
    pub(crate) prefixes: Vec<String>,
    /// Whose keys those of --prefix are
    #[arg(
        long,
        requires = "prefixes",
        default_value = "keyward",
        value_parser = ["keyward", "seam", "fork3", "fork4", "rust"]
    )]
    pub(crate) profile: String,
    /// Revoke the keys that are found, if they are real: each is verified first
    #[arg(long)]
    pub(crate) revoke: bool,
    /// Why they are revoked, for people and the audit trail
    #[arg(
        long,
        requires = "revoke",
        default_value = "found by keyward scan",
        value_parser = |text: &str| Reason::parse(text),
        value_name = "TEXT"
    )]
    pub(crate) reason: Reason,
    /// Search nothing, and print rules for this scanner
    #[arg(long, conflicts_with_all = ["history", "revoke"], value_name = "SCANNER")]
    pub(crate) rules: Option<RulesFor>,
}

/// A scanner that rules are written for.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum RulesFor {
    /// GitHub's secret scanning (JSON)
    Github,
    /// Gitleaks (TOML)
    Gitleaks,
    /// `TruffleHog` (YAML)
    Trufflehog,
}

impl From<RulesFor> for RuleFormat {
    fn from(scanner: RulesFor) -> Self {
        match scanner {
            RulesFor::Github => Self::GitHub,
            RulesFor::Gitleaks => Self::Gitleaks,
            RulesFor::Trufflehog => Self::TruffleHog,
        }
    }
}
