//! What was found, and where.

use std::path::{Path, PathBuf};

use keyward_core::{KeyId, KeyspaceId, Secret};

/// A key in a place where it may not belong.
#[derive(Debug)]
pub struct Find {
    /// Where it stands.
    pub place: Place,
    /// The keyspace whose secrets are written so; of several that share a form, the first.
    pub keyspace: Option<KeyspaceId>,
    /// The key's id, if it stands in the secret. It is not secret, and it may be made up.
    pub key: Option<KeyId>,
    /// What lists show of the key: never a character of the secret part.
    pub hint: String,
    /// The whole text.
    pub secret: Secret,
}

/// Where something stands. Places are ordered by path, then by object, line and column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file: as it was reached from what was asked for, or, in history, within its repository.
    /// Commits and tags have none.
    pub path: Option<PathBuf>,
    /// The object that holds it, in history.
    pub object: Option<GitObject>,
    /// The line, from 1.
    pub line: u64,
    /// The byte within the line, from 1. UTF-16 counts as if it were UTF-8.
    pub column: u64,
}

impl Place {
    pub(crate) fn in_file(path: &Path, (line, column): (u64, u64)) -> Self {
        Self { path: Some(path.to_owned()), object: None, line, column }
    }
}

/// An object of a git repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitObject {
    /// What it is.
    pub kind: GitObjectKind,
    /// Its name: 40 or 64 hexadecimal digits.
    pub id: String,
    /// The oldest commit that has it, parents before children. Absent for tags, and for what was
    /// staged and never committed.
    pub commit: Option<String>,
}

/// What a git object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GitObjectKind {
    /// The content of a file.
    Blob,
    /// A commit, with its message.
    Commit,
    /// An annotated tag, with its message.
    Tag,
}

impl GitObjectKind {
    /// The word that git has for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Commit => "commit",
            Self::Tag => "tag",
        }
    }
}

/// What came out of a search.
#[derive(Debug, Default)]
pub struct Report {
    /// The finds, by place.
    pub finds: Vec<Find>,
    /// How many more were found than the [`Limits`](crate::Limits) let be kept.
    pub not_kept: u64,
    /// How many files, or objects of history, were searched.
    pub searched: u64,
    /// What could not be read, and why, in order. The texts hold names as they are on the disk.
    pub unread: Vec<String>,
}

impl Report {
    /// Takes over what another search found, behind what is there.
    pub fn append(&mut self, mut other: Self) {
        self.finds.append(&mut other.finds);
        self.not_kept += other.not_kept;
        self.searched += other.searched;
        self.unread.append(&mut other.unread);
    }

    pub(crate) fn sorted(mut self) -> Self {
        self.finds.sort_by(|one, other| one.place.cmp(&other.place));
        self.unread.sort();
        self
    }
}
