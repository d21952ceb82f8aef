//! Finds keys in files and in git history, offline, by what their keyspaces say of them.
//!
//! Use it to look for keys where none should be: in a repository before it is published, in logs, in
//! what a build leaves behind. Keys of the `prefixed` format are told by their checksum, so that what
//! is found is a key and nothing else; signed ones by header and issuer; the others by prefix, length,
//! alphabet and what stands around them.
//!
//! ```
//! use keyward_core::{Format, Prefix, Prefixed};
//! use keyward_scan::{Pattern, Scanner, Walk};
//!
//! let format = Format::Prefixed(Prefixed::new(Prefix::parse("kw")?));
//! let scanner = Scanner::new(Pattern::new(None, format))?;
//! let report = scanner.files(&["src".into()], &Walk::default());
//! assert!(report.finds.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Walking and matching are those of ripgrep. Nothing is asked of any server.
#![forbid(unsafe_code)]

mod files;
mod find;
mod history;
mod limits;
mod lines;
mod pattern;
mod rules;
mod scanner;
mod search;
mod shape;
mod tokens;

pub use files::{IgnoreFiles, Walk};
pub use find::{Find, GitObject, GitObjectKind, Place, Report};
pub use history::{HistoryError, Repository};
pub use limits::Limits;
pub use pattern::Pattern;
pub use rules::{RuleError, RuleFormat, rules};
pub use scanner::{Scanner, Unsearchable};
