//! All patterns at once.

use std::io::Read;
use std::path::{Path, PathBuf};

use grep_matcher::Matcher;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use keyward_core::Alphabet;

use crate::files::{self, Walk};
use crate::history::{self, HistoryError, Repository};
use crate::limits::Room;
use crate::pattern::Recognised;
use crate::search::Search;
use crate::shape::Symbols;
use crate::{Limits, Pattern, Place, Report};

/// Finds the secrets of some keyspaces.
#[derive(Clone, Debug)]
pub struct Scanner {
    base58: Symbols,
    limits: Limits,
    /// Finds where a secret may begin. Whether one does, the patterns say.
    matcher: RegexMatcher,
    patterns: Vec<Pattern>,
}

/// The patterns cannot be searched for all at once: there are too many.
#[derive(Debug, thiserror::Error)]
#[error("the patterns cannot be searched for")]
pub struct Unsearchable(#[source] grep_regex::Error);

impl Scanner {
    /// Finds what any of the patterns describes. Without patterns it finds nothing.
    pub fn new(patterns: impl IntoIterator<Item = Pattern>) -> Result<Self, Unsearchable> {
        let mut patterns: Vec<_> = patterns.into_iter().collect();
        // What is certain is believed first.
        patterns.sort_by_key(|pattern| !pattern.is_certain());
        let each: Vec<_> = patterns.iter().map(Pattern::candidate).collect();
        // A class of nothing matches nothing.
        let any = if each.is_empty() { r"[^\x00-\xFF]".to_owned() } else { each.join("|") };
        let matcher = RegexMatcherBuilder::new().unicode(false).build(&any);
        let base58 = Symbols::of(Alphabet::base58());
        let (limits, matcher) = (Limits::default(), matcher.map_err(Unsearchable)?);
        Ok(Self { base58, limits, matcher, patterns })
    }

    /// The same with other limits to what it keeps.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Searches files, and what is below directories. A file that is named is searched whatever
    /// ignore files say; `.git` is not walked into, and symbolic links below directories are not
    /// followed. What cannot be read is in the report.
    pub fn files(&self, paths: &[PathBuf], walk: &Walk) -> Report {
        files::search(self, paths, walk)
    }

    /// Searches whatever a reader gives, however long it is, in bounded memory. If it fails, that is in
    /// the report, behind what was found before.
    pub fn read(&self, path: &Path, reader: impl Read) -> Report {
        let (room, mut report) = (self.room(), Report::default());
        let place = |at| Place::in_file(path, at);
        match Search::new(self, &room).read(reader, place, &mut report) {
            Ok(()) => report.searched = 1,
            Err(error) => report.unread.push(format!("{}: {error}", path.display())),
        }
        report.sorted()
    }

    /// Searches what is in a repository's history: every blob, commit and annotated tag that is
    /// reached from its refs, reflogs, stashes and index, each once.
    pub fn history(&self, repository: &Repository) -> Result<Report, HistoryError> {
        history::search(self, repository)
    }

    /// A text with the secrets in it blotted out, for showing it.
    pub fn redact(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut rest = 0;
        for (start, secret) in self.recognise(text.as_bytes(), 0, text.len()) {
            if let Some(before) = text.get(rest..start) {
                shown.push_str(before);
                shown.push_str(&secret.hint);
                shown.push('\u{2026}');
                rest = start + secret.text.len();
            }
        }
        shown.push_str(text.get(rest..).unwrap_or_default());
        shown
    }

    /// The secrets that begin in `text` between two places. The next one is looked for right behind
    /// the beginning of the one before, so that none hides in what only looks like another.
    pub(crate) fn recognise<'t>(
        &self,
        text: &'t [u8],
        mut from: usize,
        to: usize,
    ) -> impl Iterator<Item = (usize, Recognised<'t>)> {
        std::iter::from_fn(move || {
            while from < to {
                // It cannot fail: its error has no values.
                let candidate = self.matcher.find_at(text, from).ok().flatten()?;
                let start = candidate.start();
                if start >= to {
                    return None;
                }
                from = start + 1;
                let mut patterns = self.patterns.iter();
                let recognise = |pattern: &Pattern| pattern.recognise(text, start, &self.base58);
                if let Some(recognised) = patterns.find_map(recognise) {
                    return Some((start, recognised));
                }
            }
            None
        })
    }

    /// The room of one search.
    pub(crate) const fn room(&self) -> Room {
        Room::new(self.limits)
    }

    /// The most bytes of any secret.
    pub(crate) fn longest(&self) -> usize {
        self.patterns.iter().map(|pattern| pattern.shape().longest()).max().unwrap_or_default()
    }
}
