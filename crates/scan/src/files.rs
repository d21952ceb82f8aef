//! Files below directories, as ripgrep walks them.

mod ignore_files;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};

use self::ignore_files::{unreadable_rules, unreadable_rules_above};
use crate::limits::Room;
use crate::search::Search;
use crate::{Place, Report, Scanner};

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
    let (room, report) = (scanner.room(), Mutex::new(Report::default()));
    let search = |walker: &WalkBuilder| run(walker, scanner, &room, &report);
    let unruled = Arc::new(Mutex::new(Vec::new()));
    if walk.ignore_files == IgnoreFiles::Disregarded {
        walker(paths, walk).iter().for_each(search);
    } else {
        let is_ruled =
            |path: &&PathBuf| Unruled::note(path, unreadable_rules_above(path), &unruled);
        let paths: Vec<_> = paths.iter().filter(is_ruled).cloned().collect();
        walker(&paths, walk).map(|walker| with_rules(walker, &unruled)).iter().for_each(search);
    }
    let unruled = std::mem::take(&mut *unruled.lock().unwrap_or_else(PoisonError::into_inner));
    let directories: Vec<_> = unruled.iter().map(|unruled| unruled.directory.clone()).collect();
    walker(&directories, walk).iter().for_each(search);
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.unread.extend(unruled.iter().map(Unruled::complaint));
    report.sorted()
}

/// A walk without any ignore files.
fn walker(paths: &[PathBuf], walk: &Walk) -> Option<WalkBuilder> {
    let (first, others) = paths.split_first()?;
    let mut builder = WalkBuilder::new(first);
    for path in others {
        builder.add(path);
    }
    // `.env` is where keys are, so that hidden files count, too.
    builder.standard_filters(false).threads(walk.threads).filter_entry(is_walked);
    Some(builder)
}

/// The walk with ignore files, which does not enter directories where these are nothing to read.
fn with_rules(mut walker: WalkBuilder, unruled: &Arc<Mutex<Vec<Unruled>>>) -> WalkBuilder {
    let unruled = Arc::clone(unruled);
    walker.standard_filters(true).hidden(false).filter_entry(move |entry| {
        let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
        // What was asked for is known to have rules.
        let is_new = entry.depth() > 0 && is_directory;
        let path = entry.path();
        is_walked(entry) && (!is_new || Unruled::note(path, unreadable_rules(path), &unruled))
    });
    walker
}

fn is_walked(entry: &DirEntry) -> bool {
    entry.depth() == 0 || entry.file_name() != ".git"
}

fn run(walker: &WalkBuilder, scanner: &Scanner, room: &Room, all: &Mutex<Report>) {
    walker.build_parallel().run(|| {
        let mut worker = Worker { search: Search::new(scanner, room), own: Report::default(), all };
        Box::new(move |entry| {
            worker.take(entry);
            WalkState::Continue
        })
    });
}

/// A directory that is searched without ignore files, as one of them cannot be read.
struct Unruled {
    directory: PathBuf,
    rules: PathBuf,
}

impl Unruled {
    /// Notes a directory if it has something unreadable; whether it has not.
    fn note(directory: &Path, rules: Option<PathBuf>, all: &Mutex<Vec<Self>>) -> bool {
        let Some(rules) = rules else { return true };
        let unruled = Self { directory: directory.to_owned(), rules };
        all.lock().unwrap_or_else(PoisonError::into_inner).push(unruled);
        false
    }

    fn complaint(&self) -> String {
        let Self { directory, rules } = self;
        let why = "it is no file of at most 1 MiB, so that no ignore files count below";
        format!("{}: {why} {}", rules.display(), directory.display())
    }
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
        let place = |at| Place::in_file(path, at);
        self.search.read(file, place, &mut self.own).map_err(unread)?;
        Ok(1)
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.append(std::mem::take(&mut self.own));
    }
}
