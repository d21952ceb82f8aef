//! The documents of signed keys as files, for servers of files to serve.

mod bucket;
mod follow;
mod safety;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use rstest::rstest;
use serde_json::{Value, json};

use crate::commands::Site;
use crate::harness::{Cli, Folder, wait_for};

const EXPORT: [&str; 3] = ["jwks", "export", "--to"];
/// A signed key that nobody has issued.
const STRANGER: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Makes a keyspace of signed keys.
fn keyspace(cli: &Cli<'_>, id: &str, algorithm: &str) {
    let issuer = "https://keys.example/jwks";
    let named = ["keyspaces", "create", id, "--format", "signed", "--algorithm", algorithm];
    cli.done(&[&named[..], &["--keyspace-issuer", issuer]].concat());
}

/// Issues a signed key and returns its id.
fn issue(cli: &Cli<'_>, keyspace: &str) -> String {
    issue_for(cli, keyspace, "1h")
}

fn issue_for(cli: &Cli<'_>, keyspace: &str, lifetime: &str) -> String {
    let of = ["keys", "issue", "--owner", "o", "--keyspace", keyspace];
    id_in(&cli.json(&[&of[..], &["--expires-in", lifetime]].concat()))
}

fn id_in(issued: &Value) -> String {
    issued["key"]["id"].as_str().unwrap().to_owned()
}

fn export(cli: &Cli<'_>, to: &str, further: &[&str]) -> Value {
    cli.json(&[&EXPORT[..], &[to], further].concat())
}

fn counts(written: u64, removed: u64, unchanged: u64) -> Value {
    json!({"written": written, "removed": removed, "unchanged": unchanged})
}

fn file_of(kid: &str) -> String {
    format!("{kid}/.well-known/jwks.json")
}

/// What lies in a folder, by name.
fn files_in(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

fn names_in(folder: &Path) -> Vec<String> {
    files_in(folder).into_keys().collect()
}

fn files_of(kids: &[&String]) -> Vec<String> {
    let mut names: Vec<_> = kids.iter().map(|kid| file_of(kid)).collect();
    names.sort();
    names
}

/// Writes a file, and the folders above it.
fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The bytes that the server serves as a key's document.
fn served(address: SocketAddr, kid: &str) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).unwrap();
    let path = format!("/jwks/{kid}/.well-known/jwks.json");
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    body.as_bytes().to_vec()
}

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn each_active_key_has_the_file_that_its_server_serves(#[case] site: Site) {
    let (cli, public) = (site.cli(), site.folder.file("public"));
    keyspace(&cli, "ed", "EdDSA");
    keyspace(&cli, "ec", "ES256");
    let active = [issue(&cli, "ed"), issue(&cli, "ed"), issue(&cli, "ec")];
    let [revoked, disabled, deleted] = [(); 3].map(|()| issue(&cli, "ed"));
    cli.done(&["keys", "revoke", &revoked]);
    cli.done(&["keys", "disable", &disabled]);
    cli.done(&["keys", "delete", &deleted]);
    let expired = issue_for(&cli, "ed", "2s");
    wait_for("a key to expire", || {
        (cli.json(&["keys", "show", &expired])["state"] == "expired").then_some(())
    });
    cli.done(&["keys", "issue", "--owner", "o"]);

    assert_eq!(export(&cli, "public", &[]), counts(3, 0, 0));
    let files = files_in(&public);
    assert_eq!(files.len(), 3);
    let own = site.server.is_none().then(|| site.folder.serve());
    let address = site.server.as_ref().or(own.as_ref()).unwrap().address();
    for kid in &active {
        assert_eq!(files[&file_of(kid)], served(address, kid));
    }
    assert_eq!(export(&cli, "public", &[]), counts(0, 0, 3));

    cli.done(&["keys", "enable", &disabled]);
    cli.done(&["keys", "revoke", &active[0]]);
    cli.done(&["keys", "delete", &active[1]]);
    cli.done(&["keys", "purge", &active[1]]);
    assert_eq!(export(&cli, "public", &[]), counts(1, 2, 1));
    assert_eq!(names_in(&public), files_of(&[&active[2], &disabled]));
    assert_eq!(fs::read_dir(&public).unwrap().count(), 2, "no empty folder is left");
}

#[test]
fn more_keys_than_a_page_holds_are_all_written() {
    let folder = Folder::new();
    let cli = folder.cli();
    keyspace(&cli, "ed", "EdDSA");
    let line = json!({"keyspace": "ed", "owner": "o", "expires_in": "1h"});
    cli.clone().stdin(&format!("{line}\n").repeat(450)).done(&["keys", "issue-many"]);
    let url = format!("file://{}", folder.file("some public files").display());
    assert_eq!(export(&cli, &url, &[]), counts(450, 0, 0));
    assert_eq!(files_in(&folder.file("some public files")).len(), 450);
    assert_eq!(export(&cli, "some public files", &[]), counts(0, 0, 450));
}

#[test]
fn a_rotated_key_and_its_successor_have_both_a_file_for_as_long_as_both_work() {
    let folder = Folder::new();
    let cli = folder.cli();
    keyspace(&cli, "ed", "EdDSA");
    let first = issue(&cli, "ed");
    let successor = ["--successor", "--grace", "1h", "--expires-in", "2h"];
    let rotated = cli.json(&[&["keys", "rotate", &first], &successor[..]].concat());
    let second = id_in(&rotated);
    assert_eq!(export(&cli, "public", &[]), counts(2, 0, 0));
    assert_eq!(names_in(&folder.file("public")), files_of(&[&first, &second]));
}

#[test]
fn a_file_that_is_not_as_it_should_be_is_written_anew() {
    let folder = Folder::new();
    let cli = folder.cli();
    keyspace(&cli, "ed", "EdDSA");
    let [cut, other] = [issue(&cli, "ed"), issue(&cli, "ed")];
    export(&cli, "public", &[]);
    let public = folder.file("public");
    let good = files_in(&public);
    write(&public, &file_of(&cut), &good[&file_of(&cut)][..10]);
    write(&public, &file_of(&other), &vec![b'x'; good[&file_of(&other)].len()]);
    // What a crash may leave behind is seen at once, what only malice does is looked for if asked.
    assert_eq!(export(&cli, "public", &[]), counts(1, 0, 1));
    assert_eq!(export(&cli, "public", &["--verify-content"]), counts(1, 0, 1));
    assert_eq!(files_in(&public), good);
    assert_eq!(export(&cli, "public", &["--verify-content"]), counts(0, 0, 2));
}

#[test]
fn a_dry_run_counts_and_touches_nothing() {
    let folder = Folder::new();
    let cli = folder.cli();
    keyspace(&cli, "ed", "EdDSA");
    let kid = issue(&cli, "ed");
    let planned = |write: u64, remove: u64, unchanged: u64| json!({"to_write": write, "to_remove": remove, "unchanged": unchanged});
    assert_eq!(export(&cli, "public", &["--dry-run"]), planned(1, 0, 0));
    assert!(!folder.file("public").exists());
    export(&cli, "public", &[]);
    write(&folder.file("public"), &file_of(STRANGER), b"{}");
    cli.done(&["keys", "revoke", &kid]);
    issue(&cli, "ed");
    let before = files_in(&folder.file("public"));
    assert_eq!(export(&cli, "public", &["--dry-run"]), planned(1, 2, 0));
    assert_eq!(files_in(&folder.file("public")), before);
}
