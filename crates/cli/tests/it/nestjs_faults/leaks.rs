//! W1, W13: secrets in the database, and in the log.

use std::fmt::Write;
use std::fs;

use rstest::rstest;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Value, json};

use super::{Credentials, KEYS, code, done, first_key, folder, serve, validate};
use crate::harness::{Client, Folder};

/// What is random of a secret, as text and as it stands in the dump of a blob.
fn traces(secret: &str) -> Vec<String> {
    let random = secret.rsplit('_').next().unwrap();
    let part = random.get(..32).unwrap_or(random);
    let inner = random.get(4..20).unwrap_or(random);
    vec![part.to_owned(), inner.to_owned(), hex(part.as_bytes()), hex(inner.as_bytes())]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).map(char::from).collect()
}

fn search(what: &str, content: &str, secrets: &[String]) {
    for trace in secrets.iter().flat_map(|secret| traces(secret)) {
        assert!(!content.contains(&trace), "a part of a secret is in {what}");
    }
}

/// All that is in all tables, as text.
fn dump(folder: &Folder) -> String {
    let database = Connection::open(folder.file("keyward.db")).unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let mut tables = database.prepare(tables).unwrap();
    let tables = tables.query_map([], |row| row.get(0)).unwrap();
    let tables: Vec<String> = tables.map(Result::unwrap).collect();
    let mut dump = String::new();
    for table in &tables {
        let mut rows = database.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            write!(dump, "\n{table}").unwrap();
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    ValueRef::Blob(bytes) => {
                        let text = String::from_utf8_lossy(bytes);
                        write!(dump, "|X'{}'|{text}", hex(bytes)).unwrap();
                    }
                    ValueRef::Text(text) => {
                        write!(dump, "|{}", String::from_utf8_lossy(text)).unwrap();
                    }
                    other => write!(dump, "|{other:?}").unwrap(),
                }
            }
        }
    }
    dump
}

/// All bytes of the database's files, as text as far as they are.
fn files(folder: &Folder) -> String {
    let files = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| path.display().to_string().contains("keyward.db"));
    files.map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()).collect()
}

/// Does everything that can be done to keys; returns the secrets.
fn use_in_every_way(client: &mut Client) -> Vec<String> {
    let key = first_key(client, &json!(1));
    let second = done(client, "POST", "", &json!({"user_id": 1, "name": "second"}));
    let second = Credentials::read(&second, &key.client_secret);
    assert_eq!(code(&validate(client, &key)), "KEY_VALID");
    done(
        client,
        "PUT",
        &format!("/{}", key.key_id),
        &json!({"name": "renamed", "is_active": false}),
    );
    done(client, "DELETE", &format!("/{}", second.key_id), &Value::Null);
    let rotate = format!("/v1/service-accounts/{}/rotate", key.client_id);
    let rotated = client.granted("POST", &rotate, &json!({"grace": "1h"}));
    done(client, "GET", "?include_deleted=true", &Value::Null);
    let rotated = rotated["client_secret"].as_str().unwrap().to_owned();
    vec![key.api_key, key.client_secret, second.api_key, rotated]
}

/// Presents secrets that are wrong, and secrets where they do not belong; returns the wrong ones.
fn misuse(client: &mut Client, secrets: &[String]) -> Vec<String> {
    let client_id = "550e8400-e29b-41d4-a716-446655440000";
    let garbage = "Z3JlYXRHYXJiYWdlR3JlYXRHYXJiYWdlR3JlYXQhISE=";
    let mut mistyped = secrets[0].clone();
    let last = mistyped.pop().unwrap();
    mistyped.push(if last == 'x' { 'y' } else { 'x' });
    for secret in secrets.iter().map(String::as_str).chain([garbage, &mistyped]) {
        for body in [
            json!({"client_id": client_id, "client_secret": secret, "api_key": secret}),
            json!({"client_id": secret, "client_secret": secret, "api_key": "x"}),
            json!({"client_id": [secret], "client_secret": {secret: 1}, "api_key": 5}),
            json!({secret: secret}),
        ] {
            for path in ["", "/validate"] {
                let answer = client.call("POST", &format!("{KEYS}{path}"), &body);
                assert!([400, 401].contains(&answer.status), "{answer:?}");
            }
        }
        client.call("GET", &format!("{KEYS}?search={secret}"), &Value::Null);
        client.call("PUT", &format!("{KEYS}/{secret}"), &json!({"name": "n"}));
    }
    vec![garbage.to_owned(), mistyped]
}

#[test]
fn w1_a_dump_of_the_database_holds_no_client_secret_and_no_key() {
    let folder = folder();
    let server = serve(&folder, &[], &[]);
    let mut client = server.client();
    let mut secrets = use_in_every_way(&mut client);
    secrets.extend(misuse(&mut client, &secrets));
    secrets.push(folder.root_key());
    assert!(folder.file("keyward.db-wal").exists(), "no log to search");
    search_database(&folder, &secrets);
    // What the cache and the queues hold is written down at the end.
    server.stop();
    search_database(&folder, &secrets);
}

fn search_database(folder: &Folder, secrets: &[String]) {
    let (dump, files) = (dump(folder), files(folder));
    // It is the right one, and what may be shown of keys is in it.
    assert!(dump.contains("|renamed") && files.contains("kw_nest_"), "nothing to search");
    search("the dump", &dump, secrets);
    search("the files", &files, secrets);
}

#[test]
fn w1_a_dump_that_holds_a_secret_is_found_out() {
    let folder = folder();
    let server = serve(&folder, &[], &[]);
    let key = first_key(&mut server.client(), &json!(1));
    server.stop();
    let database = Connection::open(folder.file("keyward.db")).unwrap();
    database.execute("CREATE TABLE leak (text TEXT, blob BLOB)", []).unwrap();
    let row = ["x", &key.client_secret];
    for (text, blob) in [(row[1], row[0]), (row[0], row[1])] {
        database.execute("DELETE FROM leak", []).unwrap();
        database.execute("INSERT INTO leak VALUES (?1, ?2)", (text, blob.as_bytes())).unwrap();
        let secrets = [key.client_secret.clone()];
        let dump = dump(&folder);
        std::panic::catch_unwind(|| search("the dump", &dump, &secrets)).unwrap_err();
    }
}

#[rstest]
#[case("text")]
#[case("json")]
fn w13_the_log_holds_no_secret_no_beginning_of_one_and_no_query(#[case] format: &str) {
    let folder = folder();
    let server = serve(&folder, &["--log", "trace", "--log-format", format], &[]);
    let mut client = server.client();
    let mut secrets = use_in_every_way(&mut client);
    secrets.extend(misuse(&mut client, &secrets));
    let marker = "zq7whatsomebodylookedfor";
    done(&mut client, "GET", &format!("?search={marker}&limit=7"), &Value::Null);
    done(&mut client, "POST", "", &json!({"user_id": 1, "name": marker, "description": marker}));
    secrets.push(folder.root_key());
    let log = server.stop().stderr;
    assert!(log.lines().count() > 50, "the log is too short to prove anything");
    search("the log", &log, &secrets);
    for secret in &secrets {
        let beginning = secret.rsplit('_').next().unwrap().get(..8).unwrap();
        assert!(!log.contains(beginning), "the beginning of a secret is in the log");
    }
    assert!(!log.contains(marker), "what was asked is in the log");
}
