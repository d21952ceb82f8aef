//! Which files are searched.

use std::fs;
use std::path::PathBuf;

use keyward_scan::{IgnoreFiles, Walk};

use crate::{Folder, key, places, scanner};

fn found(paths: &[PathBuf], walk: Walk, folder: &Folder) -> Vec<(String, u64, u64)> {
    places(&scanner().files(paths, &walk), folder.path())
}

/// A folder with a repository in it, as far as ignore files need one.
fn ignoring_folder() -> Folder {
    let folder = Folder::new();
    folder.write(".git/HEAD", key(1));
    folder.write(".gitignore", "ignored.txt\n/build\n");
    folder.write(".ignore", "ignored-too.txt\n");
    folder.write("ignored.txt", key(2));
    folder.write("ignored-too.txt", key(3));
    folder.write("build/out.js", key(4));
    folder.write("src/main.rs", format!("\n\n  {}\n", key(5)));
    folder.write(".env", format!("KEY={}\n", key(6)));
    folder.write(".config/deep/file", key(7));
    folder
}

#[test]
fn hidden_files_are_searched_and_ignored_ones_and_git_itself_are_not() {
    let folder = ignoring_folder();
    let at = |name: &str, line, column| (name.to_owned(), line, column);
    for threads in [0, 1, 7] {
        let walk = Walk { threads, ..Walk::default() };
        assert_eq!(
            found(&[folder.path().to_owned()], walk, &folder),
            [at(".config/deep/file", 1, 1), at(".env", 1, 5), at("src/main.rs", 3, 3)],
        );
    }
}

#[test]
fn ignored_files_are_searched_on_request() {
    let folder = ignoring_folder();
    let walk = Walk { ignore_files: IgnoreFiles::Disregarded, ..Walk::default() };
    let found = found(&[folder.path().to_owned()], walk, &folder);
    let names: Vec<_> = found.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            ".config/deep/file",
            ".env",
            "build/out.js",
            "ignored-too.txt",
            "ignored.txt",
            "src/main.rs"
        ],
    );
}

#[test]
fn a_file_that_is_named_is_searched_whatever_ignores_it() {
    let folder = ignoring_folder();
    let paths = ["ignored.txt", "ignored-too.txt"].map(|name| folder.path().join(name));
    assert_eq!(found(&paths, Walk::default(), &folder).len(), 2);
}

#[cfg(unix)]
#[test]
fn links_are_followed_where_they_are_named_and_only_there() {
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    let target = elsewhere.write("target", key(1));
    std::os::unix::fs::symlink(&target, folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("links")).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
    assert!(found(&[folder.path().to_owned()], Walk::default(), &folder).is_empty());
    let link = [folder.path().join("link")];
    assert_eq!(found(&link, Walk::default(), &folder), [("link".to_owned(), 1, 1)]);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_where_it_is_named_and_not_waited_for_elsewhere() {
    let folder = Folder::new();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status();
    assert!(made.unwrap().success());
    folder.write("file", key(1));
    let in_folder = found(&[folder.path().to_owned()], Walk::default(), &folder);
    assert_eq!(in_folder, [("file".to_owned(), 1, 1)]);
    // It is read where it is named, as a shell does for `<(command)`.
    let pipe = folder.path().join("pipe");
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, key(2)).unwrap()
    });
    assert_eq!(found(&[pipe], Walk::default(), &folder), [("pipe".to_owned(), 1, 1)]);
    writer.join().unwrap();
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_searched() {
    let folder = Folder::new();
    folder.write("file", key(1));
    let missing = folder.path().join("missing");
    let report = scanner().files(&[missing, folder.path().to_owned()], &Walk::default());
    assert_eq!((report.finds.len(), report.searched), (1, 1));
    let [unread] = &report.unread[..] else { panic!("{report:?}") };
    assert!(unread.contains("missing"), "{unread}");
}

#[test]
fn many_files_are_each_searched_once() {
    let folder = Folder::new();
    for n in 0..500 {
        folder.write(&format!("{:03}/{n}", n % 20), key(n));
    }
    let report = scanner().files(&[folder.path().to_owned()], &Walk::default());
    assert_eq!((report.searched, report.finds.len()), (500, 500));
    let mut places: Vec<_> = report.finds.iter().map(|find| find.place.clone()).collect();
    let as_reported = places.clone();
    places.sort();
    places.dedup();
    assert_eq!(places, as_reported);
}

#[test]
fn empty_files_and_empty_lists_of_paths_are_no_trouble() {
    let folder = Folder::new();
    fs::write(folder.path().join("empty"), "").unwrap();
    assert_eq!(scanner().files(&[folder.path().to_owned()], &Walk::default()).searched, 1);
    assert_eq!(scanner().files(&[], &Walk::default()).searched, 0);
}
