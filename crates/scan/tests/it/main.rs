//! What is found, what is not, and where it is said to be.
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod files;
mod formats;
mod history;
mod limits;
mod repository;
mod rules;
mod signed;
mod streams;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use keyward_core::{
    Alphabet, Clock, Dialect, Foreign, ForeignPrefix, Format, KeyId, KeyspaceId, Opaque, Prefix,
    Prefixed, Profile, WeakSecrets,
};
use keyward_scan::{Find, Limits, Pattern, Report, Scanner};
use keyward_testkit::{FixedClock, SeededEntropy};
use tempfile::TempDir;

/// A folder with files in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }
}

fn prefixed(prefix: &str) -> Format {
    Format::Prefixed(Prefixed::new(Prefix::parse(prefix).unwrap()))
}

fn opaque(prefix: &str, length: usize, alphabet: &str) -> Format {
    let alphabet = Alphabet::parse(alphabet).unwrap();
    let prefix = Some(Prefix::parse(prefix).unwrap());
    Format::Opaque(Opaque::new(prefix, length, alphabet).unwrap())
}

fn foreign(prefix: &str, profile: Profile) -> Format {
    let prefix = ForeignPrefix::parse(prefix).unwrap();
    Format::Foreign(Foreign::new(prefix, profile, WeakSecrets::Warn).unwrap())
}

/// One format of each kind, and some that are hard to tell apart or to write as an expression.
fn formats() -> Vec<(&'static str, Format)> {
    let base58 = String::from(Alphabet::base58().clone());
    vec![
        ("default", prefixed("kw")),
        ("long", prefixed("acme_live_2")),
        (
            "opaque",
            opaque("op", 32, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
        ),
        ("hex", opaque("hex", 40, "0123456789abcdef")),
        ("odd", opaque("odd", 32, r##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##)),
        ("signs", opaque("si", 40, "+-0123456789")),
        ("short", opaque("s", 24, &base58)),
        ("seam", foreign("my-Company", Profile::new(Dialect::Seam))),
        ("fork3", foreign("f3", Profile::new(Dialect::Fork3))),
        ("fork4", foreign("f4", Profile::new(Dialect::Fork4))),
        ("rust", foreign("ru_st", Profile::new(Dialect::Rust))),
        ("dash", foreign("-my", Profile::new(Dialect::Seam))),
        ("dev", foreign("de", Profile::new(Dialect::Seam).with_short_prefix("I0").unwrap())),
    ]
}

fn pattern(name: &str, format: Format) -> Pattern {
    Pattern::new(Some(KeyspaceId::parse(name).unwrap()), format).unwrap()
}

fn scanner() -> Scanner {
    Scanner::new(formats().into_iter().map(|(name, format)| pattern(name, format))).unwrap()
}

/// The same without limits to what it keeps.
fn unlimited() -> Scanner {
    scanner().with_limits(Limits { in_one_text: usize::MAX, in_all: usize::MAX })
}

/// A new secret and its id.
fn mint(format: &Format, seed: u64) -> (String, KeyId) {
    let entropy = SeededEntropy::new(seed);
    let id = format.draw_id(&entropy, FixedClock::new().now());
    let minted = format.mint(&entropy, &id).unwrap();
    (minted.secret.expose().to_owned(), id)
}

/// A secret of the format that most tests are about.
fn key(seed: u64) -> String {
    mint(&prefixed("kw"), seed).0
}

/// The secrets that are found in a text.
fn found_in(text: impl AsRef<[u8]>) -> Vec<String> {
    let report = scanner().read(Path::new("-"), text.as_ref());
    report.finds.iter().map(|find| find.secret.expose().to_owned()).collect()
}

/// Where each find is: its file below a folder, its line and its column.
fn places(report: &Report, folder: &Path) -> Vec<(String, u64, u64)> {
    assert_eq!(report.unread, [] as [String; 0]);
    let place = |find: &Find| {
        let path = find.place.path.as_ref().unwrap();
        let path = path.strip_prefix(folder).unwrap_or(path);
        (path.to_str().unwrap().to_owned(), find.place.line, find.place.column)
    };
    report.finds.iter().map(place).collect()
}
