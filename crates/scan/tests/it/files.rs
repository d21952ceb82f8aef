//! Which files are searched.

use std::fs;
use std::path::{Path, PathBuf};

use keyward_scan::{Find, IgnoreFiles, Walk};

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

/// Puts something in place of a file that is not one to read.
#[cfg(unix)]
type Trap = fn(&Path);

#[cfg(unix)]
const TRAPS: [Trap; 3] = [
    |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
    |path| {
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    },
    |path| fs::File::create(path).unwrap().set_len(1024 * 1024 + 1).unwrap(),
];

#[cfg(unix)]
#[test]
fn ignore_files_that_are_none_are_not_read_and_all_below_is_searched() {
    for trap in TRAPS {
        for name in [".ignore", ".gitignore", ".git/info/exclude"] {
            for above in ["", "deep/down/"] {
                let folder = Folder::new();
                folder.write("other/.ignore", "*");
                folder.write("other/file", key(1));
                folder.write(&format!("{above}.git/info/exclude"), "file");
                folder.write(&format!("{above}.ignore"), "file");
                folder.write(&format!("{above}.gitignore"), "file");
                folder.write(&format!("{above}sub/file"), key(2));
                let rules = folder.path().join(above).join(name);
                fs::remove_file(&rules).unwrap();
                trap(&rules);
                // From above, and from below.
                for path in ["", above, &format!("{above}sub")] {
                    let paths = [folder.path().join(path)];
                    let report = scanner().files(&paths, &Walk::default());
                    let [unread] = &report.unread[..] else { panic!("{name}: {report:?}") };
                    assert!(unread.contains(&format!("{above}{name}: it is no file")), "{unread}");
                    let is_there = |find: &Find| find.secret.expose() == key(2);
                    assert!(report.finds.iter().any(is_there), "{name}: {report:?}");
                    let is_elsewhere = |find: &Find| find.secret.expose() == key(1);
                    let is_whole = above.is_empty() && path.is_empty();
                    assert_eq!(report.finds.iter().any(is_elsewhere), is_whole, "{report:?}");
                }
                let all = Walk { ignore_files: IgnoreFiles::Disregarded, ..Walk::default() };
                let report = scanner().files(&[folder.path().to_owned()], &all);
                assert_eq!((report.finds.len(), report.unread.len()), (2, 0), "{report:?}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_read_where_the_git_file_of_a_working_tree_leads_to_no_file() {
    for trap in TRAPS {
        for trapped in ["work/.git", "git/tree/commondir", "git/info/exclude"] {
            let folder = Folder::new();
            let tree = folder.path().join("git/tree");
            folder.write("git/info/exclude", "ignored");
            folder.write("git/tree/commondir", b"..\n\xff");
            folder.write("work/.git", format!("gitdir: {}\n", tree.display()));
            folder.write("work/file", key(1));
            folder.write("work/ignored", key(2));
            let paths = [folder.path().join("work")];
            let report = scanner().files(&paths, &Walk::default());
            assert_eq!((report.finds.len(), report.unread.len()), (1, 0), "{report:?}");
            fs::remove_file(folder.path().join(trapped)).unwrap();
            trap(&folder.path().join(trapped));
            let report = scanner().files(&paths, &Walk::default());
            assert_eq!(report.finds.len(), 2, "{trapped}: {report:?}");
            // What is no file at all in the place of `.git` leads nowhere.
            let is_told = trapped != "work/.git" || folder.path().join(trapped).is_file();
            assert_eq!(report.unread.len(), usize::from(is_told), "{trapped}: {report:?}");
        }
    }
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
