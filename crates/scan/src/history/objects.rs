//! Every object, once, in one stream.

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::Stdio;

use super::HistoryError;
use super::git::Git;
use crate::search::Search;
use crate::{GitObject, GitObjectKind, Place, Report, Scanner};

/// Lists what is reached from anywhere, parents or not. What a partial clone lacks is told, not
/// fetched.
const LIST: [&str; 6] =
    ["rev-list", "--objects", "--missing=print", "--all", "--reflog", "--indexed-objects"];

/// Prints what is listed, each object behind a line about it.
const PRINT: [&str; 3] =
    ["cat-file", "--batch=%(objectname) %(objecttype) %(objectsize) %(rest)", "--buffer"];

/// The most that is kept of a line about an object. Git lets names of files be longer than any system
/// does.
const HEADER: u64 = 64 * 1024;

pub(super) fn search(scanner: &Scanner, git: &Git) -> Result<Report, HistoryError> {
    let room = scanner.room();
    let (list, listed) = git.start(&LIST, Stdio::null())?;
    let (print, printed) = git.start(&PRINT, Stdio::from(listed))?;
    let mut objects = Objects {
        stream: BufReader::with_capacity(256 * 1024, printed),
        search: Search::new(scanner, &room),
        report: Report::default(),
        missing: 0,
    };
    let read = objects.read_all().map_err(|error| HistoryError::Failed(error.to_string()));
    let Objects { mut report, missing, .. } = objects;
    // What was found before is told all the same.
    if let Err(error) = read.and_then(|()| list.end()).and_then(|()| print.end()) {
        report.unread.push(format!("not all of the history can be read: {error}"));
    }
    if missing > 0 {
        report
            .unread
            .push(format!("{missing} objects of the history are not here: a partial clone?"));
    }
    Ok(report)
}

struct Objects<'s, R> {
    stream: BufReader<R>,
    search: Search<'s>,
    report: Report,
    missing: u64,
}

/// What git says before an object's content.
struct Header {
    kind: Option<GitObjectKind>,
    id: String,
    size: u64,
    path: PathBuf,
}

impl<R: Read> Objects<'_, R> {
    fn read_all(&mut self) -> io::Result<()> {
        while self.next()? {}
        Ok(())
    }

    /// Searches the next object; false when there is none.
    fn next(&mut self) -> io::Result<bool> {
        let Some(line) = self.line()? else { return Ok(false) };
        if line.strip_suffix(b" missing").is_some_and(|name| !name.contains(&b' ')) {
            self.missing += 1;
            return Ok(true);
        }
        let header = Header::read(&line).ok_or_else(unreadable)?;
        let mut content = self.stream.by_ref().take(header.size);
        if let Some(kind) = header.kind {
            let place = |at| header.place(kind, at);
            self.search.read(&mut content, place, &mut self.report)?;
            self.report.searched += 1;
        }
        // What was not searched, and the end of the line behind it.
        let left = content.limit() + 1;
        let passed = io::copy(&mut self.stream.by_ref().take(left), &mut io::sink())?;
        if passed == left { Ok(true) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// The beginning of the next line, if there is one.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = self.stream.by_ref().take(HEADER).read_until(b'\n', &mut line)?;
        let is_whole = line.pop_if(|last| *last == b'\n').is_some();
        if read == 0 {
            return Ok(None);
        }
        if !is_whole {
            // The name goes on.
            let passed = self.stream.skip_until(b'\n')?;
            if passed == 0 {
                return Err(unreadable());
            }
        }
        Ok(Some(line))
    }
}

impl Header {
    /// Reads `id kind size path`.
    fn read(line: &[u8]) -> Option<Self> {
        let mut parts = line.splitn(4, |&byte| byte == b' ');
        let mut part = || parts.next().map(String::from_utf8_lossy);
        let (id, kind, size) = (part()?, part()?, part()?);
        Some(Self {
            kind: match &*kind {
                "blob" => Some(GitObjectKind::Blob),
                "commit" => Some(GitObjectKind::Commit),
                "tag" => Some(GitObjectKind::Tag),
                _ => None,
            },
            id: id.into_owned(),
            size: size.parse().ok()?,
            path: part().map(|path| PathBuf::from(path.into_owned())).unwrap_or_default(),
        })
    }

    fn place(&self, kind: GitObjectKind, (line, column): (u64, u64)) -> Place {
        let is_blob = kind == GitObjectKind::Blob;
        let commit = (kind == GitObjectKind::Commit).then(|| self.id.clone());
        Place {
            path: is_blob.then(|| self.path.clone()),
            object: Some(GitObject { kind, id: self.id.clone(), commit }),
            line,
            column,
        }
    }
}

fn unreadable() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "its output is not what was asked for")
}
