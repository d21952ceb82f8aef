//! What must not happen to files: that they are removed by mistake, or others than ours at all.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::symlink;

use rstest::rstest;
use serde_json::Value;

use super::{
    EXPORT, STRANGER, counts, export, file_of, files_in, issue, keyspace, names_in, write,
};
use crate::harness::{Client, Folder};

#[test]
fn only_files_of_the_exact_form_are_removed() {
    let folder = Folder::new();
    let (cli, public) = (folder.cli(), folder.file("public"));
    keyspace(&cli, "ed", "EdDSA");
    let upper = STRANGER.to_uppercase();
    let others = [
        "index.html".to_owned(),
        ".well-known/jwks.json".to_owned(),
        format!("{STRANGER}.json"),
        format!("{upper}/.well-known/jwks.json"),
        format!("{STRANGER}0/.well-known/jwks.json"),
        format!("{STRANGER}/.well-known/jwks.json.bak"),
        format!("{STRANGER}/.well-known/other.json"),
        format!("{STRANGER}/index.html"),
        format!("sub/{STRANGER}/.well-known/jwks.json"),
        "sub/%2e%2e/a\\b".to_owned(),
        "...".to_owned(),
    ];
    for name in &others {
        write(&public, name, b"not ours");
    }
    symlink(&public, public.join("round")).unwrap();
    let beside = folder.write("beside.txt", "not ours");
    write(&public, &file_of(STRANGER), b"an old one");
    assert_eq!(export(&cli, "public", &[]), counts(0, 1, 0));
    std::fs::remove_file(public.join("round")).unwrap();
    let mut expected = others.to_vec();
    expected.sort();
    assert_eq!(names_in(&public), expected);
    assert!(beside.exists());
}

#[test]
fn what_is_no_file_by_that_name_is_left_alone() {
    let folder = Folder::new();
    let (cli, public) = (folder.cli(), folder.file("public"));
    keyspace(&cli, "ed", "EdDSA");
    write(&public, &format!("{}/inside", file_of(STRANGER)), b"a folder by that name");
    let other = STRANGER.replace('7', "6");
    write(&public, &other, b"a file by that name");
    let before = files_in(&public);
    assert_eq!(export(&cli, "public", &[]), counts(0, 0, 0));
    assert_eq!(files_in(&public), before);
}

#[test]
fn an_unreachable_server_removes_nothing() {
    let folder = Folder::new();
    let server = folder.serve();
    let cli = folder.cli().remote(&server);
    write(&folder.file("public"), &file_of(STRANGER), b"{}");
    server.kill();
    for further in [&[][..], &["--follow"]] {
        let ended = cli.run(&[&EXPORT[..], &["public"], further].concat());
        assert_eq!(ended.code, 3, "{ended:?}");
    }
    assert_eq!(names_in(&folder.file("public")), [file_of(STRANGER)]);
}

#[rstest]
#[case("404 Not Found", 1)]
#[case("200 OK", 3)]
#[case("502 Bad Gateway", 3)]
fn a_proxy_that_answers_for_the_server_removes_nothing(#[case] answer: &str, #[case] code: i32) {
    let folder = Folder::new();
    let server = folder.serve();
    keyspace(&folder.cli().remote(&server), "ed", "EdDSA");
    write(&folder.file("public"), &file_of(STRANGER), b"{}");
    let address = answer_about_keys(server.client(), answer.to_owned());
    let url = format!("http://{address}");
    let cli = folder.cli().with(&["--server", &url, "--key-file", "root.key"]);
    let ended = cli.run(&[&EXPORT[..], &["public"]].concat());
    assert_eq!(ended.code, code, "{ended:?}");
    assert_eq!(names_in(&folder.file("public")), [file_of(STRANGER)]);
}

/// A proxy that lets lists through, and answers for itself what single keys are asked about.
fn answer_about_keys(mut server: Client, answer: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = BufReader::new(socket.unwrap());
            let mut lines = Vec::new();
            while lines.last().is_none_or(|line: &String| line != "\r\n") {
                let mut line = String::new();
                socket.read_line(&mut line).unwrap();
                lines.push(line);
            }
            let path = lines[0].split(' ').nth(1).unwrap();
            let is_list = path == "/v1/keyspaces" || path.starts_with("/v1/keys?");
            let (status, body) = if is_list {
                ("200 OK", server.granted("GET", path, &Value::Null).to_string())
            } else {
                (answer.as_str(), "{}".to_owned())
            };
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n");
            let whole = format!("{head}connection: close\r\n\r\n{body}");
            socket.get_mut().write_all(whole.as_bytes()).unwrap();
        }
    });
    address
}

#[rstest]
#[case(&[])]
#[case(&["--follow"])]
fn an_empty_database_removes_nothing_unless_it_is_told_to(#[case] further: &[&str]) {
    let folder = Folder::new();
    let cli = folder.cli();
    write(&folder.file("public"), &file_of(STRANGER), b"{}");
    let ended = cli.run(&[&EXPORT[..], &["public"], further].concat());
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("public holds 1 files"), "{ended:?}");
    assert_eq!(names_in(&folder.file("public")), [file_of(STRANGER)]);
    assert_eq!(export(&cli, "public", &["--allow-empty"]), counts(0, 1, 0));
}

#[rstest]
#[case(&[], "does not get to see any keyspace: it needs keyspaces:read")]
#[case(&["keyspaces:read"], "insufficient_scope")]
#[case(&["keys:read"], "does not get to see any keyspace")]
#[case(&["keys:read", "keyspaces:read", "--follow"], "insufficient_scope")]
fn a_management_key_without_the_right_is_refused(#[case] scopes: &[&str], #[case] complaint: &str) {
    let folder = Folder::new();
    let server = folder.serve();
    let root = folder.cli().remote(&server);
    keyspace(&root, "ed", "EdDSA");
    write(&folder.file("public"), &file_of(STRANGER), b"{}");
    let (further, scopes): (Vec<&str>, Vec<&str>) =
        scopes.iter().partition(|text| text.starts_with("--"));
    let scopes = scopes.iter().flat_map(|scope| ["--scope", scope]);
    let issue = ["keys", "issue", "--keyspace", "management", "--owner", "weak"];
    let weak = root.json(&issue.into_iter().chain(scopes).collect::<Vec<_>>());
    let secret = weak["secret"].as_str().unwrap();
    let cli = folder.cli().with(&["--server", &server.url(), "--key", secret]);
    let ended = cli.run(&[&EXPORT[..], &["public"], &further].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    assert!(ended.stderr.contains(complaint), "{ended:?}");
    assert_eq!(names_in(&folder.file("public")), [file_of(STRANGER)]);
}

#[test]
fn whoever_sees_one_keyspace_keeps_the_files_of_the_others() {
    let folder = Folder::new();
    let server = folder.serve();
    let root = folder.cli().remote(&server);
    keyspace(&root, "ours", "EdDSA");
    keyspace(&root, "theirs", "EdDSA");
    let [ours, dead] = [issue(&root, "ours"), issue(&root, "ours")];
    let theirs = issue(&root, "theirs");
    assert_eq!(export(&root, "public", &[]), counts(3, 0, 0));
    root.done(&["keys", "revoke", &dead]);
    let late = issue(&root, "theirs");
    let confined = root.json(&[
        "keys",
        "issue",
        "--keyspace",
        "management",
        "--owner",
        "o",
        "--resource",
        "keyspace:ours=keys:read,keyspaces:read",
    ]);
    let secret = confined["secret"].as_str().unwrap();
    let cli = folder.cli().with(&["--server", &server.url(), "--key", secret]);
    assert_eq!(export(&cli, "public", &[]), counts(0, 1, 2));
    assert_eq!(names_in(&folder.file("public")), super::files_of(&[&ours, &theirs]));
    // The same for whoever sees all, and has chosen one. What is dead is dead in any.
    root.done(&["keys", "revoke", &theirs]);
    assert_eq!(export(&root, "public", &["--keyspace", "ours"]), counts(0, 1, 1));
    assert_eq!(export(&root, "public", &["--keyspace", "theirs"]), counts(1, 0, 1));
    assert_eq!(names_in(&folder.file("public")), super::files_of(&[&ours, &late]));
}

#[rstest]
#[case(&["public", "--keyspace", "nowhere"], 1, "no signed keyspace \"nowhere\"")]
#[case(&["public", "--keyspace", "default"], 1, "no signed keyspace \"default\"")]
#[case(&["ftp://somewhere"], 2, "--to ftp://somewhere: must be a directory")]
#[case(&["file://host/x"], 2, "must be file:/// and the path")]
#[case(&["s3:///x"], 2, "--to s3:///x: that is no name of a bucket")]
#[case(&["s3://keys?x/y"], 2, "that is no name of a bucket")]
#[case(&["s3://keys/a//b"], 2, "--to s3://keys/a//b: ")]
#[case(&["s3://keys/../x"], 2, "--to s3://keys/../x: ")]
#[case(&["keyward.db/x"], 2, "--to keyward.db/x: ")]
#[case(&["public", "--follow", "--dry-run"], 2, "cannot be used with")]
#[case(&["public", "--interval", "soon"], 2, "must be a duration")]
fn what_cannot_be_done_is_told(
    #[case] arguments: &[&str],
    #[case] code: i32,
    #[case] complaint: &str,
) {
    let folder = Folder::new();
    keyspace(&folder.cli(), "ed", "EdDSA");
    let ended = folder.cli().run(&[&EXPORT[..], arguments].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}");
    assert!(ended.stderr.contains(complaint), "{ended:?}");
}

#[test]
fn ids_that_are_paths_name_no_file() {
    let folder = Folder::new();
    let cli = folder.cli();
    keyspace(&cli, "ed", "EdDSA");
    let hash = format!("sha256:{}", "ab".repeat(32));
    let odd = serde_json::json!({"id": "..", "owner": "o", "keyspace": "default", "hash": hash});
    let taken = cli.clone().stdin(&format!("{odd}\n")).run(&["keys", "import"]);
    assert!(taken.code <= 1, "{taken:?}");
    let kid = issue(&cli, "ed");
    assert_eq!(export(&cli, "deep/public", &[]), counts(1, 0, 0));
    assert_eq!(names_in(&folder.file("deep")), [format!("public/{}", file_of(&kid))]);
}

#[test]
fn a_file_that_cannot_be_removed_does_not_keep_the_others() {
    let folder = Folder::new();
    let (cli, public) = (folder.cli(), folder.file("public"));
    keyspace(&cli, "ed", "EdDSA");
    let [stuck, dead] = [issue(&cli, "ed"), issue(&cli, "ed")];
    export(&cli, "public", &[]);
    for kid in [&stuck, &dead] {
        cli.done(&["keys", "revoke", kid]);
    }
    // A folder in a place where a new file is to be: it cannot be replaced.
    let blocked = issue(&cli, "ed");
    write(&public, &format!("{}/inside", file_of(&blocked)), b"x");
    let living = issue(&cli, "ed");
    let ended = cli.run(&[&EXPORT[..], &["public"]].concat());
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended.stderr.contains(&format!("cannot write the file of {blocked} in public")),
        "{ended:?}"
    );
    let names = names_in(&public);
    assert!(names.contains(&file_of(&living)), "{names:?}");
    assert_eq!(names.len(), 2, "{names:?}");
}
