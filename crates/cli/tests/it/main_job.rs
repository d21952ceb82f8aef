//! The first quarter of an hour of a user: start, issue, verify, rotate, revoke, restart.

use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Folder, Issued, serve};

#[test]
fn a_key_lives_its_life_without_any_configuration() {
    let folder = Folder::new();
    let server = folder.serve();
    let root_key = folder.read("root.key");
    let mode = folder.file("root.key").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(root_key.lines().count(), 1);
    assert!(root_key.starts_with("kwm_") && root_key.ends_with('\n'));

    let mut client = server.client();
    let key = client.issue(&json!({"owner": "customer-1", "scopes": ["read"]}));
    assert_eq!(client.verify(&key.secret), "valid");
    assert_eq!(client.verify_for(&key.secret, &["read"]), "valid");
    assert_eq!(client.verify_for(&key.secret, &["write"]), "insufficient_scope");

    let rotated = Issued::read(&client.act(&key.id, "rotate"));
    assert_eq!(rotated.id, key.id);
    assert_eq!(client.verify(&key.secret), "unknown");
    assert_eq!(client.verify(&rotated.secret), "valid");

    client.act(&key.id, "revoke");
    assert_eq!(client.verify(&rotated.secret), "revoked");
    let other = client.issue(&json!({"owner": "customer-1"}));
    assert_eq!(client.verify(&other.secret), "valid");
    let stopped = server.stop();
    assert_eq!(stopped.status.code(), Some(0));
    assert_eq!(stopped.stdout, "");
    // The last verifications came right before the end.
    assert_eq!([uses_in(&folder, &key.id), uses_in(&folder, &other.id)], [3, 1]);

    let again = folder.serve();
    let mut client = again.client();
    assert_eq!(client.verify(&key.secret), "unknown");
    assert_eq!(client.verify(&rotated.secret), "revoked");
    assert_eq!(client.verify(&other.secret), "valid");
    assert_eq!(client.show(&key.id)["uses"], 3);
    assert_eq!(folder.read("root.key"), root_key);
    assert_eq!(again.stop().status.code(), Some(0));
}

#[test]
fn the_root_key_is_printed_exactly_once_over_two_starts() {
    let folder = Folder::new();
    let first = serve(folder.path(), &[]).stop();
    let second = serve(folder.path(), &[]).stop();
    assert_eq!([first.status.code(), second.status.code()], [Some(0), Some(0)]);
    let printed: Vec<_> = first.stdout.lines().collect();
    let [announcement, root_key] = printed[..] else { panic!("{printed:?}") };
    assert_eq!(announcement, "The root key, which is shown only now:");
    assert!(root_key.starts_with("kwm_"));
    assert_eq!(second.stdout, "");
    assert!(!first.stderr.contains("kwm_") && !second.stderr.contains("kwm_"));

    folder.write("root.key", root_key);
    let server = folder.serve();
    let keyspaces = server.client().granted("GET", "/v1/keyspaces", &Value::Null);
    assert_eq!(keyspaces["data"].as_array().unwrap().len(), 2);
}

#[test]
fn a_root_key_file_that_holds_something_else_is_refused_and_stays() {
    let folder = Folder::new();
    folder.write("notes.txt", "buy milk\n");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--root-key-file", "notes.txt"];
    let ended = folder.cli().run(&serve);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("--root-key-file notes.txt"), "{ended:?}");
    assert!(!ended.stderr.contains("milk") && !ended.stderr.contains("kwm_"), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert_eq!(folder.read("notes.txt"), "buy milk\n");

    // The first start is still to come.
    let server = folder.serve();
    assert_eq!(server.client().call("GET", "/v1/keys", &Value::Null).status, 200);
}

#[test]
fn nobody_but_the_holder_of_the_root_key_gets_in() {
    let folder = Folder::new();
    let server = folder.serve();
    let mut client = server.client();
    let key = client.issue(&json!({"owner": "customer-1", "scopes": ["root"]}));
    let mut status = |headers: &str| client.send("GET", "/v1/keys", headers, b"").unwrap().status;
    let with = |key: &str| format!("authorization: Bearer {key}\r\n");
    assert_eq!(status(""), 401);
    assert_eq!(status(&with(&key.secret)), 401);
    assert_eq!(status(&with("kwm_nonsense")), 401);
    assert_eq!(status(&with(&folder.root_key())), 200);
}

fn uses_in(folder: &Folder, id: &str) -> i64 {
    let database = Connection::open(folder.file("keyward.db")).unwrap();
    let sql = "SELECT uses FROM usage WHERE key_id = ?";
    database.query_row(sql, [id], |row| row.get(0)).unwrap()
}
