//! Git repositories to search.

use std::path::Path;
use std::process::Command;

use keyward_scan::{Find, Report, Repository};

use crate::{Folder, scanner};

/// A repository in a folder.
pub(crate) struct Git(pub(crate) Folder);

impl Git {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let git = Self(Folder::new());
        git.run(&["init", "--quiet", "--initial-branch=main"]);
        git
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs git, and returns what it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        git(self.path(), arguments)
    }

    /// Commits a file, and returns the commit's name.
    pub(crate) fn commit(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        self.0.write(name, content);
        self.run(&["add", "--all"]);
        self.run(&["commit", "--quiet", "--message", "a change"]);
        self.head()
    }

    pub(crate) fn head(&self) -> String {
        self.run(&["rev-parse", "HEAD"])
    }

    pub(crate) fn search(&self) -> Report {
        scanner().history(&Repository::of(self.path()).unwrap()).unwrap()
    }

    /// The one find of a search.
    pub(crate) fn find(&self) -> Find {
        let mut report = self.search();
        assert_eq!((report.finds.len(), report.unread.len()), (1, 0), "{report:?}");
        report.finds.remove(0)
    }
}

/// Runs git in a directory, with a clock and a name that stay the same.
pub(crate) fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(["-c", "user.name=A", "-c", "user.email=a@example.org"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_DATE", "2027-01-01T00:00:00Z")
        .env("GIT_COMMITTER_DATE", "2027-01-01T00:00:00Z")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
