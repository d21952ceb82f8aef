//! What is found in history.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keyward_scan::{GitObjectKind, HistoryError, Repository};

use crate::repository::{Git, git};
use crate::{Folder, key, scanner};

#[test]
fn a_removed_file_is_found_with_the_oldest_commit_that_had_it() {
    let repository = Git::new();
    repository.commit("readme", "nothing");
    let brought = repository.commit("src/leaked.txt", format!("\nkey={}\n", key(1)));
    repository.run(&["mv", "src/leaked.txt", "moved.txt"]);
    repository.run(&["commit", "--quiet", "--message", "move"]);
    repository.run(&["rm", "--quiet", "moved.txt"]);
    repository.run(&["commit", "--quiet", "--message", "remove"]);
    let find = repository.find();
    assert_eq!(find.secret.expose(), key(1));
    assert_eq!((find.place.line, find.place.column), (2, 5));
    let object = find.place.object.unwrap();
    assert_eq!((object.kind, object.commit.as_deref()), (GitObjectKind::Blob, Some(&*brought)));
    let path = find.place.path.unwrap();
    assert!(path == Path::new("moved.txt") || path == Path::new("src/leaked.txt"), "{path:?}");
    let blob = repository.run(&["rev-parse", &format!("{brought}:src/leaked.txt")]);
    assert_eq!(object.id, blob);
}

#[test]
fn an_amended_commit_is_found_in_the_reflog() {
    let repository = Git::new();
    let first = repository.commit("file", key(1));
    repository.0.write("file", "nothing");
    repository.run(&["commit", "--quiet", "--all", "--amend", "--message", "better"]);
    assert_eq!(repository.find().place.object.unwrap().commit.unwrap(), first);
}

#[test]
fn a_deleted_branch_is_found_where_git_still_has_it() {
    let repository = Git::new();
    repository.commit("file", "nothing");
    repository.run(&["switch", "--quiet", "--create", "other"]);
    let on_branch = repository.commit("leaked", key(1));
    repository.run(&["switch", "--quiet", "main"]);
    repository.run(&["branch", "--quiet", "-D", "other"]);
    assert_eq!(repository.find().place.object.unwrap().commit.unwrap(), on_branch);
}

#[test]
fn stashes_are_found_and_so_are_those_below_the_newest() {
    let repository = Git::new();
    repository.commit("file", "nothing");
    for n in [1, 2] {
        repository.0.write("file", key(n));
        repository.run(&["stash", "--quiet"]);
    }
    assert_eq!(repository.search().finds.len(), 2);
}

#[test]
fn what_is_staged_is_found_without_a_commit() {
    let repository = Git::new();
    repository.commit("file", "nothing");
    repository.0.write("file", key(1));
    repository.run(&["add", "file"]);
    repository.0.write("file", "nothing");
    let find = repository.find();
    assert_eq!(find.place.path.unwrap(), Path::new("file"));
    assert_eq!(find.place.object.unwrap().commit, None);
}

#[test]
fn messages_of_commits_and_tags_are_found() {
    let repository = Git::new();
    repository.commit("file", "nothing");
    let message = format!("use the key\n\n{}", key(1));
    repository.run(&["commit", "--quiet", "--allow-empty", "--message", &message]);
    let commit = repository.head();
    repository.run(&["tag", "--annotate", "v1", "--message", &key(2)]);
    let tag = repository.run(&["rev-parse", "v1"]);
    let report = repository.search();
    let objects = report.finds.iter().map(|find| {
        let object = find.place.object.clone().unwrap();
        assert_eq!(find.place.path, None);
        (object.kind, object.id, object.commit, find.secret.expose().to_owned())
    });
    assert_eq!(
        objects.collect::<Vec<_>>(),
        [
            (GitObjectKind::Commit, commit.clone(), Some(commit), key(1)),
            (GitObjectKind::Tag, tag, None, key(2)),
        ],
    );
}

#[test]
fn packed_objects_are_found_and_each_object_once() {
    let repository = Git::new();
    let first = repository.commit("file", format!("{}\n", key(1)));
    for n in 0..20 {
        repository.commit("file", format!("{}\n{n}\n", "line\n".repeat(100)));
        repository.commit(&format!("copy-{n}"), format!("{}\n", key(1)));
    }
    repository.run(&["gc", "--quiet"]);
    assert!(!repository.path().join(".git/objects").join(&first[..2]).exists(), "not packed");
    assert_eq!(repository.find().place.object.unwrap().commit.unwrap(), first);
}

#[test]
fn a_commit_that_merges_and_brings_something_is_found() {
    let repository = Git::new();
    repository.commit("file", "nothing");
    repository.run(&["switch", "--quiet", "--create", "other"]);
    repository.commit("other", "nothing");
    repository.run(&["switch", "--quiet", "main"]);
    repository.run(&["merge", "--quiet", "--no-ff", "--no-commit", "other"]);
    let merge = repository.commit("leaked", key(1));
    assert_eq!(repository.find().place.object.unwrap().commit.unwrap(), merge);
}

#[test]
fn large_and_binary_blobs_are_searched_to_their_end() {
    let repository = Git::new();
    // Too large for git to hold whole.
    let mut blob: Vec<u8> =
        (0..20_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    blob.extend(key(1).as_bytes());
    repository.commit("large", blob);
    repository.commit("small", key(2));
    assert_eq!(repository.search().finds.len(), 2);
}

#[test]
fn names_of_any_kind_are_no_trouble() {
    let repository = Git::new();
    for (n, name) in
        ["-rf", "a b missing", "new\nline", "\u{1b}[31m", "sub/ blob 5"].iter().enumerate()
    {
        repository.commit(name, key(u64::try_from(n).unwrap()));
    }
    let report = repository.search();
    let paths: Vec<_> = report.finds.iter().map(|f| f.place.path.clone().unwrap()).collect();
    // Git tells names up to the first line break.
    let expected = ["\u{1b}[31m", "-rf", "a b missing", "new", "sub/ blob 5"];
    assert_eq!(paths, expected.map(PathBuf::from));
    let below = Repository::of(&repository.path().join("sub")).unwrap();
    assert_eq!(below, Repository::of(&repository.path().join("-rf")).unwrap());
}

#[test]
fn a_repository_with_nothing_in_it_has_nothing() {
    let report = Git::new().search();
    assert_eq!((report.finds.len(), report.searched, report.unread.len()), (0, 0, 0));
}

#[test]
fn bare_repositories_and_working_trees_share_one_history() {
    let repository = Git::new();
    repository.commit("file", key(1));
    let folder = Folder::new();
    let (bare, tree) = (folder.path().join("bare"), folder.path().join("tree"));
    repository.run(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    let report = scanner().history(&Repository::of(&bare).unwrap()).unwrap();
    assert_eq!(report.finds.len(), 1);
    repository.run(&["worktree", "add", "--quiet", "--detach", tree.to_str().unwrap()]);
    assert_eq!(Repository::of(&tree).unwrap(), Repository::of(repository.path()).unwrap());
}

#[test]
fn a_partial_clone_tells_what_it_lacks_and_fetches_nothing() {
    let repository = Git::new();
    repository.commit("file", key(1));
    repository.commit("file", "nothing");
    repository.run(&["config", "uploadpack.allowFilter", "true"]);
    let folder = Folder::new();
    let clone = folder.path().join("clone");
    let url = format!("file://{}", repository.path().display());
    git(folder.path(), &["clone", "--quiet", "--filter=blob:none", &url, clone.to_str().unwrap()]);
    let report = scanner().history(&Repository::of(&clone).unwrap()).unwrap();
    assert_eq!(report.finds.len(), 0);
    assert_eq!(report.unread, ["1 objects of the history are not here: a partial clone?"],);
}

#[test]
fn what_a_repository_names_is_not_run() {
    let repository = Git::new();
    repository.0.write("file", key(1));
    repository.commit("sub/file", "nothing");
    let marker = repository.path().join("was-run");
    let program =
        repository.0.write("program", format!("#!/bin/sh\ntouch {}\nexit 1\n", marker.display()));
    #[cfg(unix)]
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = program.to_str().unwrap();
    let remote = format!("ext::{program} %S");
    for (name, value) in [
        ("core.fsmonitor", program),
        ("core.hooksPath", repository.path().to_str().unwrap()),
        ("core.pager", program),
        ("pager.rev-list", program),
        ("core.sshCommand", program),
        ("diff.external", program),
        ("diff.evil.textconv", program),
        ("filter.evil.smudge", program),
        ("log.showSignature", "true"),
        ("gpg.program", program),
        ("protocol.ext.allow", "always"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.url", &remote),
        ("remote.origin.promisor", "true"),
    ] {
        repository.run(&["config", name, value]);
    }
    repository.0.write(".gitattributes", "* diff=evil filter=evil\n");
    // Something that would have to be fetched to tell which commit brought the find.
    let tree = repository.run(&["rev-parse", "HEAD:sub"]);
    let loose = repository.path().join(".git/objects").join(&tree[..2]).join(&tree[2..]);
    fs::remove_file(loose).unwrap();
    let report = repository.search();
    assert!(!marker.exists(), "{report:?}");
    assert_eq!(report.finds.len(), 1, "{report:?}");
    assert!(report.unread.iter().any(|unread| unread.contains("partial clone")), "{report:?}");
    // It would be run by a git that is not kept from it.
    let unkept = ["diff-tree", "--root", "-r", "HEAD"];
    let unkept = Command::new("git").arg("-C").arg(repository.path()).args(unkept).output();
    assert!(marker.exists(), "{unkept:?}");
}

#[test]
fn a_shallow_clone_is_told_of_as_its_history_is_not_all_here() {
    let repository = Git::new();
    repository.commit("file", key(1));
    repository.commit("file", "nothing");
    let folder = Folder::new();
    let clone = folder.path().join("clone");
    let url = format!("file://{}", repository.path().display());
    git(folder.path(), &["clone", "--quiet", "--depth=1", &url, clone.to_str().unwrap()]);
    let report = scanner().history(&Repository::of(&clone).unwrap()).unwrap();
    assert_eq!(report.finds.len(), 0);
    assert_eq!(report.unread, ["the history is not all here: it is a shallow clone"]);
}

#[test]
fn a_name_longer_than_any_system_allows_does_not_end_the_search() {
    let repository = Git::new();
    repository.commit("leaked", key(1));
    repository.0.write("last", key(2));
    let first = repository.run(&["rev-parse", "HEAD:leaked"]);
    let last = repository.run(&["hash-object", "-w", "last"]);
    for length in [65_000, 65_536, 70_000, 300_000] {
        let name = "n".repeat(length);
        let tree = format!("100644 blob {first}\t{name}\n100644 blob {last}\tz\n");
        let tree = make_tree(&repository, &tree);
        let commit = repository.run(&["commit-tree", &tree, "-m", "long"]);
        repository.run(&["update-ref", "refs/heads/main", &commit]);
        repository.run(&["reflog", "expire", "--expire=now", "--all"]);
        repository.run(&["read-tree", "--empty"]);
        let report = repository.search();
        assert_eq!((report.finds.len(), report.unread.len()), (2, 0), "{length}: {report:?}");
        let name = report.finds[0].place.path.as_ref().unwrap().to_str().unwrap();
        assert!(name.len() > 64_000 && name.bytes().all(|byte| byte == b'n'), "{length}");
    }
}

/// A tree as `git mktree` reads it.
fn make_tree(repository: &Git, entries: &str) -> String {
    let mut mktree = Command::new("git")
        .arg("-C")
        .arg(repository.path())
        .arg("mktree")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    mktree.stdin.take().unwrap().write_all(entries.as_bytes()).unwrap();
    let output = mktree.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn replaced_and_grafted_history_is_seen_as_it_was() {
    let repository = Git::new();
    let leaked = repository.commit("leaked", key(1));
    let blob = repository.run(&["rev-parse", "HEAD:leaked"]);
    repository.run(&["rm", "--quiet", "leaked"]);
    let harmless = repository.commit("file", "nothing");
    let other = repository.run(&["rev-parse", "HEAD:file"]);
    repository.run(&["replace", &blob, &other]);
    repository.0.write(".git/info/grafts", format!("{harmless}\n"));
    repository.run(&["reflog", "expire", "--expire=now", "--all"]);
    assert_eq!(repository.find().place.object.unwrap().commit.unwrap(), leaked);
}

#[test]
fn a_damaged_repository_is_told_of_and_not_taken_for_an_empty_one() {
    let repository = Git::new();
    repository.commit("file", "nothing");
    let tree = repository.run(&["rev-parse", "HEAD^{tree}"]);
    repository.run(&["commit", "--quiet", "--allow-empty", "--message", &key(1)]);
    repository.commit("file", "something");
    let loose = repository.path().join(".git/objects").join(&tree[..2]).join(&tree[2..]);
    fs::remove_file(&loose).unwrap();
    fs::write(&loose, "nonsense").unwrap();
    let report = repository.search();
    assert_eq!(report.finds.len(), 1, "{report:?}");
    let [unread] = &report.unread[..] else { panic!("{report:?}") };
    assert!(unread.starts_with("not all of the history can be read: "), "{unread}");
    // Nor does git give advice on what is switched off.
    assert!(!unread.contains("graft"), "{unread}");
}

#[test]
fn a_path_outside_of_any_repository_has_no_history() {
    let folder = Folder::new();
    let file = folder.write("file", "");
    for path in [folder.path(), &file] {
        let error = Repository::of(path).unwrap_err();
        assert!(matches!(error, HistoryError::NoRepository(_)), "{error:?}");
    }
}
