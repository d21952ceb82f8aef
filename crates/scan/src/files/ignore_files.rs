//! Ignore files that nobody vouches for.
//!
//! The walk reads them whole, follows links to them and waits for what writes to them. In a repository
//! of somebody else's they may be links to a device without an end, or pipes.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The most bytes of a file that is read for its rules.
const MOST: u64 = 1024 * 1024;

/// What a directory has in place of an ignore file, if that is nothing to read: something else than a
/// file, or something larger than any ignore file is.
pub(super) fn unreadable_rules(directory: &Path) -> Option<PathBuf> {
    let own = [".gitignore", ".ignore"].map(|name| directory.join(name));
    own.into_iter().find(|path| !is_harmless(path)).or_else(|| unreadable_excludes(directory))
}

/// The same for what is read above what is asked for. Of files that are asked for nothing is read.
pub(super) fn unreadable_rules_above(path: &Path) -> Option<PathBuf> {
    let directory = path.canonicalize().ok().filter(|path| path.is_dir())?;
    directory.ancestors().find_map(unreadable_rules)
}

/// Git's own excludes: in `.git`, or where a file of this name leads.
fn unreadable_excludes(directory: &Path) -> Option<PathBuf> {
    let git = directory.join(".git");
    if !git.is_file() {
        return Some(git.join("info/exclude")).filter(|path| !is_harmless(path));
    }
    if !is_harmless(&git) {
        return Some(git);
    }
    // As the walk reads it: what it does not understand it leaves.
    let target = PathBuf::from(first_line(&git)?.strip_prefix("gitdir: ")?);
    let common = target.join("commondir");
    if !is_harmless(&common) {
        return Some(common);
    }
    let line = first_line(&common)?;
    let common = if line.starts_with('.') { target.join(line) } else { PathBuf::from(line) };
    Some(common.join("info/exclude")).filter(|path| !is_harmless(path))
}

/// Whether a file can be read whole, or is not there.
fn is_harmless(path: &Path) -> bool {
    fs::symlink_metadata(path).map_or(true, |found| found.is_file() && found.len() <= MOST)
}

fn first_line(path: &Path) -> Option<String> {
    let mut line = Vec::new();
    BufReader::new(File::open(path).ok()?).take(MOST).read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8(line).ok()?;
    Some(line.lines().next()?.to_owned())
}
