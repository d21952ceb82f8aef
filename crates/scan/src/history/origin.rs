//! Which commit brought a blob.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::HistoryError;
use super::git::Git;
use crate::{Find, GitObjectKind};

/// All commits, parents first.
const COMMITS: [&str; 5] = ["rev-list", "--all", "--reflog", "--topo-order", "--reverse"];

/// What each of them changes, against each of its parents.
const CHANGES: [&str; 10] = [
    "diff-tree",
    "--stdin",
    "--root",
    "-r",
    "-m",
    "--raw",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
];

/// Names the commits of those finds that are in blobs. All are traced in one pass, so that many finds
/// cost no more than one.
pub(super) fn trace(git: &Git, finds: &mut [Find]) -> Result<(), HistoryError> {
    let in_blobs = finds.iter().filter_map(|find| find.place.object.as_ref());
    let in_blobs = in_blobs.filter(|object| object.kind == GitObjectKind::Blob);
    let mut commits: HashMap<_, _> = in_blobs.map(|object| (object.id.clone(), None)).collect();
    if commits.is_empty() {
        return Ok(());
    }
    let (list, listed) = git.start(&COMMITS, Stdio::null())?;
    let (changes, printed) = git.start(&CHANGES, Stdio::from(listed))?;
    let is_complete = read(BufReader::new(printed), &mut commits);
    let is_complete = is_complete.map_err(|error| HistoryError::Failed(error.to_string()))?;
    for object in finds.iter_mut().filter_map(|find| find.place.object.as_mut()) {
        if let Some(commit) = commits.get(&object.id) {
            object.commit.clone_from(commit);
        }
    }
    if is_complete {
        // Git may have more to say, but nothing that is asked for.
        return Ok(());
    }
    list.end()?;
    changes.end()
}

/// Reads until every blob has its commit, which is what is returned, or to the end.
fn read(
    mut lines: impl BufRead,
    commits: &mut HashMap<String, Option<String>>,
) -> std::io::Result<bool> {
    let (mut commit, mut line, mut wanted) = (String::new(), Vec::new(), commits.len());
    loop {
        line.clear();
        lines.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(false);
        }
        let text = String::from_utf8_lossy(&line);
        match text.strip_prefix(':') {
            // A commit, perhaps with the parent that it is compared to.
            None => text.split_whitespace().next().unwrap_or_default().clone_into(&mut commit),
            // The old mode, the new mode, the old blob, the new blob, what happened, the path.
            Some(change) => {
                let brought = change.split(' ').nth(3).and_then(|blob| commits.get_mut(blob));
                if let Some(origin @ None) = brought {
                    *origin = Some(commit.clone());
                    wanted -= 1;
                }
            }
        }
        if wanted == 0 {
            return Ok(true);
        }
    }
}
