//! No secret is anywhere but in the answer that hands it out: not in the database, not in the logs.

use std::fs;
use std::path::{Path, PathBuf};

use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Client, Folder, Issued};

const KEYS: usize = 40;

#[rstest]
#[case::debug_text("debug", "text")]
#[case::debug_json("debug", "json")]
#[case::trace_text("trace", "text")]
#[case::trace_json("trace", "json")]
fn no_secret_reaches_the_database_or_the_log(#[case] filter: &str, #[case] format: &str) {
    let folder = Folder::new();
    let server = folder.serve_with(&["--log", filter, "--log-format", format]);
    let mut client = server.client();
    let root_key = folder.root_key();
    // The management key is in its file, and nowhere else.
    fs::rename(folder.file("root.key"), folder.file("root.hidden")).unwrap();
    let mut secrets = vec![root_key.clone()];
    let keyspaces = make_keyspaces(&mut client);
    for n in 0..KEYS {
        let body = json!({"owner": "customer-1", "keyspace": keyspaces[n % keyspaces.len()]});
        use_in_every_way(&mut client, &body, &mut secrets);
    }
    misuse(&mut client, &root_key, &mut secrets);

    let while_it_runs = contents(folder.path());
    assert!(while_it_runs.iter().any(|(name, _)| name.ends_with("-wal")), "no log to search");
    search(&while_it_runs, &secrets);
    // What the cache and the queues hold is written down at the end.
    let stopped = server.stop();
    assert_eq!(stopped.stdout, "");
    assert!(stopped.stderr.lines().count() > KEYS, "the log is too short to prove anything");
    search(&contents(folder.path()), &secrets);
}

#[test]
fn secrets_that_a_search_would_find_are_found() {
    let folder = Folder::new();
    folder.write("innocent.log", "nothing to see here");
    let secret = "kw_AAAABBBBCCCC_0123456789abcdefghijklmnopqrstuv012345".to_owned();
    search(&contents(folder.path()), std::slice::from_ref(&secret));
    folder.write("guilty.log", [b"\0\xff", &secret.as_bytes()[16..48], b"\0"].concat());
    let found = std::panic::catch_unwind(|| search(&contents(folder.path()), &[secret]));
    found.unwrap_err();
}

/// One keyspace of each format, beside the default.
fn make_keyspaces(client: &mut Client) -> [&'static str; 3] {
    let opaque = json!({"id": "opaque", "format": "opaque", "prefix": "op"});
    client.granted("POST", "/v1/keyspaces", &opaque);
    let sha512 = json!({"id": "wide", "format": "prefixed", "prefix": "w", "algorithm": "sha512"});
    client.granted("POST", "/v1/keyspaces", &sha512);
    ["default", "opaque", "wide"]
}

/// Issues a key and does with it what is usual.
fn use_in_every_way(client: &mut Client, body: &Value, secrets: &mut Vec<String>) {
    let first = client.issue(body);
    assert_eq!(client.verify(&first.secret), "valid");
    let rotate = format!("/v1/keys/{}/rotate", first.id);
    let second = Issued::read(&client.granted("POST", &rotate, &json!({"grace": "1h"})));
    assert_eq!(client.verify(&first.secret), "valid");
    assert_eq!(client.verify_for(&second.secret, &["write"]), "insufficient_scope");
    let successor = json!({"mode": "successor"});
    let third = Issued::read(&client.granted("POST", &rotate, &successor));
    assert_eq!(client.verify(&second.secret), "revoked");
    client.act(&third.id, "disable");
    assert_eq!(client.verify(&third.secret), "disabled");
    secrets.extend([first.secret, second.secret, third.secret]);
}

/// Presents secrets where they do not belong, and in ways that they cannot be read.
fn misuse(client: &mut Client, root_key: &str, secrets: &mut Vec<String>) {
    let good = secrets[1].clone();
    // Wrong ones are as good as right ones: they may be right ones of somebody else, or mistyped.
    let wrong = mistyped(&good);
    let malformed = ["garbage0123456789garbage0123456789garbage", "kw_short"];
    for secret in malformed.into_iter().chain([wrong.as_str()]) {
        assert_eq!(client.verify(secret), "malformed", "{secret}");
    }
    let other = format!("opaque{}", "7".repeat(40));
    client.verify(&other);
    let bodies = [
        json!({"secret": good, "scopes": good}),
        json!({"secret": [good]}),
        json!({"secret": {"text": good}}),
        json!({"secret": "x", "scopes": [good, 5]}),
        json!({"secret": "x", "match": good}),
        json!({"secret": "x", "resource": good}),
        json!({good.as_str(): true}),
        json!({"owner": "x", "expires_in": good}),
        json!(good),
    ];
    let with = |authorization: &str| format!("authorization: {authorization}\r\n");
    let json = "content-type: application/json\r\n";
    let root = with(&format!("Bearer {root_key}"));
    for body in bodies {
        for path in ["/v1/verify", "/v1/keys"] {
            let body = body.to_string();
            let answer = client.send("POST", path, &format!("{root}{json}"), body.as_bytes());
            let status = answer.unwrap().status;
            assert!(status == 422, "{status} {body}");
            // Cut off, and as something else than JSON.
            let half = &body.as_bytes()[..body.len() - 1];
            client.send("POST", path, &format!("{root}{json}"), half).unwrap();
            client.send("POST", path, &root, body.as_bytes()).unwrap();
        }
    }
    let wrong_root = mistyped(root_key);
    let headers = [
        with(&format!("Bearer {good}")),
        with(&format!("Bearer {wrong_root}")),
        with(&format!("Basic {root_key}")),
        with(root_key),
        with(&format!("Bearer {root_key} {root_key}")),
        with(&format!("Bearer {root_key}\u{e4}")),
        with(&format!("Bearer {root_key}")).repeat(2),
        format!("cookie: session={root_key}\r\nx-api-key: {good}\r\n"),
    ];
    for headers in headers {
        let status = client.send("GET", "/v1/keys", &headers, b"").unwrap().status;
        assert!([400, 401].contains(&status), "{status} {headers:?}");
    }
    for path in [format!("/v1/keys/{good}"), format!("/v1/keys?owner={good}&cursor={good}")] {
        client.send("GET", &path, &root, b"").unwrap();
    }
    secrets.extend([wrong, malformed[0].to_owned(), other, wrong_root]);
}

/// The secret with another last character.
fn mistyped(secret: &str) -> String {
    let mut text = secret.to_owned();
    let last = text.pop().unwrap();
    text.push(if last == 'x' { 'y' } else { 'x' });
    text
}

/// Looks for the secrets, and for what is random of them alone.
pub(crate) fn search(contents: &[(String, String)], secrets: &[String]) {
    for secret in secrets {
        let part = secret.rsplit('_').next().unwrap();
        let random = part.get(..32).unwrap_or(part);
        for (name, content) in contents {
            assert!(!content.contains(random), "a secret is in {name}");
        }
    }
}

/// Everything that is in the folder, except the key's own file. Secrets are ASCII, so that what is
/// no text may be replaced.
pub(crate) fn contents(folder: &Path) -> Vec<(String, String)> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| !path.ends_with("root.hidden"));
    let read = |path: PathBuf| {
        let content = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        (path.display().to_string(), content)
    };
    files.map(read).collect()
}
