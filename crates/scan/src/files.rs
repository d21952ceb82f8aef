//! Files below directories, as ripgrep walks them.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Mutex;

use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::search::Search;
use crate::{Find, Place, Report, Scanner};

/// How to walk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walk {
    /// How many threads search; 0: as many as there are processors.
    pub threads: usize,
    /// Whether ignore files count.
    pub ignore_files: IgnoreFiles,
}

/// Whether `.gitignore`, `.ignore` and git's own excludes keep files from being searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IgnoreFiles {
    /// Everything is searched.
    Disregarded,
    /// What they name is passed over, unless it was asked for by its own path.
    #[default]
    Respected,
}

pub(crate) fn search(scanner: &Scanner, paths: &[PathBuf], walk: &Walk) -> Report {
    let Some(walker) = walker(paths, walk) else { return Report::default() };
    let report = Mutex::new(Report::default());
    walker.build_parallel().run(|| {
        let mut worker =
            Worker { search: Search::new(scanner), own: Report::default(), all: &report };
        Box::new(move |entry| {
            worker.take(entry);
            WalkState::Continue
        })
    });
    report.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).sorted()
}

fn walker(paths: &[PathBuf], walk: &Walk) -> Option<WalkBuilder> {
    let (first, others) = paths.split_first()?;
    let mut builder = WalkBuilder::new(first);
    for path in others {
        builder.add(path);
    }
    builder
        .standard_filters(walk.ignore_files == IgnoreFiles::Respected)
        // `.env` is where keys are.
        .hidden(false)
        .threads(walk.threads)
        .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
    Some(builder)
}

/// What one thread does: it keeps its report to itself until it ends.
struct Worker<'s> {
    search: Search<'s>,
    own: Report,
    all: &'s Mutex<Report>,
}

impl Worker<'_> {
    fn take(&mut self, entry: Result<DirEntry, ignore::Error>) {
        let read = match entry {
            Ok(entry) => self.read(&entry),
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok(count) => self.own.searched += count,
            Err(unread) => self.own.unread.push(unread),
        }
    }

    /// Searches what is a file; returns how many files that were.
    fn read(&mut self, entry: &DirEntry) -> Result<u64, String> {
        let path = entry.path();
        let unread = |error| format!("{}: {error}", path.display());
        // Pipes and devices are read where they were asked for, and not where they lie about.
        let is_file = match entry.depth() {
            0 => !path.is_dir(),
            _ => entry.file_type().is_some_and(|kind| kind.is_file()),
        };
        if !is_file {
            return Ok(0);
        }
        let file = File::open(path).map_err(unread)?;
        let finds: &mut Vec<Find> = &mut self.own.finds;
        self.search.read(file, |at| Place::in_file(path, at), finds).map_err(unread)?;
        Ok(1)
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.append(std::mem::take(&mut self.own));
    }
}
