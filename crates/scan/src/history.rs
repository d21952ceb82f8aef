//! What a git repository has ever held.
//!
//! The `git` program lists the objects and prints them, in one stream. A repository may come from
//! anybody and its configuration with it, so that git is kept from running anything: see [`git`].

mod git;
mod objects;
mod origin;

use std::path::{Path, PathBuf};

use self::git::Git;
use crate::{Report, Scanner};

/// A repository whose history can be searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// What all of its working trees share.
    common: PathBuf,
}

/// The history cannot be searched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Git, or talking to it, failed.
    #[error("git failed: {0}")]
    Failed(String),
    /// There is no `git` program.
    #[error("cannot run git, which is needed to search history")]
    NoGit(#[source] std::io::Error),
    /// The path is in no repository that git would read.
    #[error("it is in no git repository: {0}")]
    NoRepository(String),
}

impl Repository {
    /// The repository that holds a file or directory.
    pub fn of(path: &Path) -> Result<Self, HistoryError> {
        let directory = if path.is_dir() { Some(path) } else { path.parent() };
        let directory = directory.filter(|directory| !directory.as_os_str().is_empty());
        let git = Git::at(directory.unwrap_or(Path::new(".")));
        let common = git.line(&["rev-parse", "--path-format=absolute", "--git-common-dir"])?;
        Ok(Self { common: PathBuf::from(common) })
    }
}

pub(crate) fn search(scanner: &Scanner, repository: &Repository) -> Result<Report, HistoryError> {
    let git = Git::at(&repository.common);
    let mut report = objects::search(scanner, &git)?;
    if git.line(&["rev-parse", "--is-shallow-repository"])? == "true" {
        report.unread.push("the history is not all here: it is a shallow clone".to_owned());
    }
    if let Err(error) = origin::trace(&git, &mut report.finds) {
        report.unread.push(format!("cannot tell which commits brought what was found: {error}"));
    }
    Ok(report.sorted())
}
