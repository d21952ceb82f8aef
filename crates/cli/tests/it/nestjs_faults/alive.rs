//! D3, W5: requests that end the process, or are answered with 5xx.

use serde_json::{Value, json};

use super::{Credentials, KEYS, code, first_key, folder, serve, validate};
use crate::harness::{Client, Dice, Server};

/// A step that goes wrong there: what is sent, and how it is answered here.
type Step = (&'static str, &'static str, String, Value, u16, &'static str);

/// The steps by which the defects were shown, with a key of user 1 and another one that was removed.
fn steps(key: &Credentials, removed: &Credentials) -> [Step; 16] {
    let with = |field: &str, value: Value| {
        let mut body = key.body();
        body[field] = value;
        body
    };
    let without = |field: &str| {
        let mut body = key.body();
        body.as_object_mut().unwrap().remove(field);
        body
    };
    let at = |path: &str| format!("{KEYS}{path}");
    let (none, invalid) = (Value::Null, "VALIDATION_ERROR");
    let path = at(&format!("/{}", removed.key_id));
    let sql = json!("'; DROP TABLE api_keys; --");
    [
        ("D1", "POST", at("/validate"), removed.body(), 401, "INVALID_CLIENT_CREDENTIALS"),
        ("D2", "POST", at(""), json!({"name": "n"}), 400, invalid),
        ("D2", "POST", at(""), json!({"user_id": null, "name": "n"}), 400, invalid),
        ("D3", "POST", at("/validate"), with("api_key", json!("")), 400, invalid),
        ("D3", "POST", at("/validate"), with("api_key", json!("   ")), 400, invalid),
        ("D4", "POST", at("/validate"), without("client_id"), 400, invalid),
        ("D4", "POST", at("/validate"), with("client_id", json!(null)), 400, invalid),
        ("D7", "POST", at(""), json!({"user_id": 1}), 400, invalid),
        ("D7", "POST", at(""), none.clone(), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("D7", "POST", at("/validate"), with("client_id", sql), 401, "INVALID_CLIENT_CREDENTIALS"),
        ("D7", "POST", at("/validate"), with("api_key", json!(12345)), 400, invalid),
        ("D7", "PUT", at("/abc"), json!({"name": "n"}), 404, "KEY_NOT_FOUND"),
        ("D7", "GET", at("?limit=abc"), none.clone(), 400, "INVALID_LIMIT"),
        ("D7", "GET", at("?sort_order=sideways"), none.clone(), 400, invalid),
        ("D8", "PUT", path, json!({"is_active": true}), 404, "KEY_NOT_FOUND"),
        ("D9", "GET", at("?include_deleted=no"), none, 400, invalid),
    ]
}

/// A key of user 1, and another one that was removed.
fn two_keys(client: &mut Client) -> (Credentials, Credentials) {
    let key = first_key(client, &json!(1));
    let created = super::done(client, "POST", "", &json!({"user_id": 1, "name": "removed"}));
    let removed = Credentials::read(&created, &key.client_secret);
    super::done(client, "DELETE", &format!("/{}", removed.key_id), &Value::Null);
    (key, removed)
}

fn assert_alive(server: &Server, process: u32, key: &Credentials) {
    assert_eq!(server.process_id(), process);
    let mut client = server.client();
    assert_eq!(client.send("GET", "/healthz", "", b"").unwrap().status, 200);
    assert_eq!(code(&validate(&mut client, key)), "KEY_VALID");
}

#[test]
fn d3_none_of_the_steps_ends_the_process_or_is_answered_with_5xx() {
    let folder = folder();
    let server = serve(&folder, &[], &[]);
    let process = server.process_id();
    let mut client = server.client();
    let (key, removed) = two_keys(&mut client);
    for (defect, method, path, body, status, expected) in steps(&key, &removed) {
        let answer = client.call(method, &path, &body);
        assert_eq!((answer.status, code(&answer)), (status, expected), "{defect} {path} {body}");
        assert_alive(&server, process, &key);
    }
    assert_eq!(server.stop().status.code(), Some(0));
}

/// Pieces of which bodies are put together.
const PIECES: [&str; 34] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "-1",
    "1e999",
    "18446744073709551616",
    "0.1",
    "\"user_id\":",
    "\"name\":",
    "\"api_key\":",
    "\"client_id\":",
    "\"client_secret\":",
    "\"expires_at\":",
    "\"is_active\":",
    "\"description\":",
    "\"\"",
    "\"a\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"'; DROP TABLE keys; --\"",
    "\"2027-02-30T25:61:61Z\"",
    "\u{1f511}",
    "\u{0}",
    "\\",
    "\r\n",
    "{\"user_id\":1,\"name\":\"n\"}",
    "{\"is_active\":false}",
    "[[[[[[[[[[[[[[[[",
];

const PATHS: [&str; 12] = [
    "",
    "/",
    "/validate",
    "/KEY",
    "/abc",
    "/%00",
    "/%F0%9F%94%91",
    "/..%2f..%2fetc",
    "?limit=%27",
    "?search=%25%27%00",
    "?page=99999999999999999999",
    "?sort_by=name&sort_order=%22",
];

#[test]
fn d3_nothing_that_can_be_sent_ends_the_process_or_is_answered_with_5xx() {
    const REQUESTS: usize = 3_000;
    let folder = folder();
    let server = serve(&folder, &[], &[]);
    let process = server.process_id();
    let mut client = server.client();
    let (key, removed) = two_keys(&mut client);
    let dice = Dice::new(11);
    let root = folder.root_key();
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for _ in 0..REQUESTS {
        let method = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"][dice.roll(6)];
        let path = PATHS[dice.roll(PATHS.len())].replace("KEY", &removed.key_id);
        let body: String = (0..dice.roll(24)).map(|_| PIECES[dice.roll(PIECES.len())]).collect();
        let mut body = body.into_bytes();
        if dice.roll(4) == 0 {
            body.extend((0..dice.roll(200)).map(|_| u8::try_from(dice.roll(256)).unwrap()));
        }
        let kind = ["application/json", "application/json; charset=utf-8", "text/plain", ""];
        // Most of them are said to be what they should be.
        let kind = kind[dice.roll(16).saturating_sub(12)];
        let headers = format!("authorization: Bearer {root}\r\ncontent-type: {kind}\r\n");
        let answer = client.send(method, &format!("{KEYS}{path}"), &headers, &body).unwrap();
        let sent = String::from_utf8_lossy(&body);
        assert!(answer.status < 500, "{} to {method} {path} {sent}", answer.status);
        *statuses.entry(answer.status).or_default() += 1;
    }
    assert!(statuses.keys().any(|status| *status < 300) && statuses.len() > 4, "{statuses:?}");
    assert_alive(&server, process, &key);
    assert_eq!(server.stop().status.code(), Some(0));
}

#[test]
fn w5_bodies_that_are_cut_off_or_too_long_are_answered() {
    let folder = folder();
    let server = serve(&folder, &[], &[]);
    let process = server.process_id();
    let mut client = server.client();
    let (key, _) = two_keys(&mut client);
    let root = folder.root_key();
    let headers = format!("authorization: Bearer {root}\r\ncontent-type: application/json\r\n");
    let whole = key.body().to_string();
    for length in 0..whole.len() {
        let path = format!("{KEYS}/validate");
        let answer = client.send("POST", &path, &headers, &whole.as_bytes()[..length]).unwrap();
        assert_eq!((answer.status, code(&answer)), (400, "VALIDATION_ERROR"), "{length}");
    }
    let long = json!({"user_id": 1, "name": "n".repeat(1_000_000)}).to_string();
    // The server may hang up before all of it is sent.
    if let Ok(answer) =
        Client::new(server.address(), "").send("POST", KEYS, &headers, long.as_bytes())
    {
        assert_eq!((answer.status, code(&answer)), (413, "PAYLOAD_TOO_LARGE"));
    }
    assert_alive(&server, process, &key);
}
