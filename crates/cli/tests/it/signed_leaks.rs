//! Of a signed key nothing stays behind but its public half: not in files, not in the log, and nothing
//! in the memory of the server once the token is handed out.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use memchr::memmem;
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Client, Folder, Server};

const KEYSPACES: [&str; 2] = ["ed25519", "japikey"];

/// A server that makes RSA and Ed25519 keys, and has one RSA pair ready.
fn serve(folder: &Folder, log: &[&str]) -> Server {
    let settings = "[compat]\njapikey = true\n[signed]\nready_pairs = 1\n\
        issuer = \"https://keys.example/jwks\"\n";
    folder.write("keyward.toml", settings);
    let server = folder.serve_with(&[&["--config", "keyward.toml"], log].concat());
    let ed25519 = json!({"id": "ed25519", "format": "signed", "algorithm": "EdDSA"});
    server.client().granted("POST", "/v1/keyspaces", &ed25519);
    server
}

/// Makes keys in all ways in which tokens are handed out; returns the tokens, and the RSA moduli.
fn hand_out(client: &mut Client, root_key: &str) -> (Vec<String>, Vec<Vec<u8>>) {
    let (mut tokens, mut moduli) = (Vec::new(), Vec::new());
    let mut take = |token: &Value, key: &Value| {
        tokens.push(token.as_str().unwrap().to_owned());
        moduli.extend(key["jwk"]["n"].as_str().map(|n| URL_SAFE_NO_PAD.decode(n).unwrap()));
    };
    for keyspace in KEYSPACES {
        let new = json!({"owner": "user-1", "keyspace": keyspace, "expires_in": "1h",
            "claims": {"plan": "gold"}});
        let issued = client.granted("POST", "/v1/keys", &new);
        take(&issued["secret"], &issued["key"]);
        let rotate = format!("/v1/keys/{}/rotate", issued["key"]["id"].as_str().unwrap());
        let rotated = client.granted("POST", &rotate, &json!({"grace": "1h"}));
        take(&rotated["secret"], &rotated["key"]);
        let many = json!({"keys": [new, new]});
        let many = client.granted("POST", "/v1/keys/issue-many", &many);
        for done in many["results"].as_array().unwrap() {
            take(&done["secret"], &done["key"]);
        }
    }
    let headers = format!(
        "authorization: Bearer {root_key}\r\nkeyward-user: user-1\r\ncontent-type: application/json\r\n"
    );
    let body = br#"{"expires_in":"1h"}"#;
    let created = client.send("POST", "/compat/japikey", &headers, body).unwrap().body;
    let key = client.show(created["kid"].as_str().unwrap());
    take(&created["api_key"], &key);
    assert_eq!((tokens.len(), moduli.len()), (9, 5));
    (tokens, moduli)
}

/// What is secret of a token: its signature, in pieces.
fn texts(token: &str) -> impl Iterator<Item = &[u8]> {
    token.rsplit('.').next().unwrap().as_bytes().chunks_exact(20)
}

/// The same, and what the text stands for.
fn pieces(token: &str) -> Vec<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(token.rsplit('.').next().unwrap()).unwrap();
    texts(token).chain(bytes.chunks_exact(16)).map(<[u8]>::to_vec).collect()
}

/// Every file in a folder, whatever is in it.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect()
}

fn search(files: &[(String, Vec<u8>)], tokens: &[String]) {
    for piece in tokens.iter().flat_map(|token| pieces(token)) {
        let finder = memmem::Finder::new(&piece);
        for (name, content) in files {
            assert!(finder.find(content).is_none(), "a part of a token is in {name}");
        }
    }
}

#[rstest]
#[case::text("text")]
#[case::json("json")]
fn no_token_reaches_the_database_or_the_log(#[case] format: &str) {
    let folder = Folder::new();
    let server = serve(&folder, &["--log", "trace", "--log-format", format]);
    let mut client = server.client();
    let root_key = folder.root_key();
    let (tokens, _) = hand_out(&mut client, &root_key);
    for token in &tokens {
        assert_eq!(client.verify(token), "valid");
        misuse(&mut client, token, &root_key);
    }
    let while_it_runs = files(folder.path());
    assert!(while_it_runs.iter().any(|(name, _)| name.ends_with("-wal")), "no log to search");
    search(&while_it_runs, &tokens);
    let stopped = server.stop();
    assert!(stopped.stderr.lines().count() > 100, "the log is too short to prove anything");
    search(&files(folder.path()), &tokens);
}

/// Presents a token where it does not belong, and in ways that it cannot be read.
fn misuse(client: &mut Client, token: &str, root_key: &str) {
    let root = format!("authorization: Bearer {root_key}\r\n");
    let json = format!("{root}content-type: application/json\r\n");
    for text in [format!("{token}=="), format!(" {token}"), token.replacen('.', "", 1)] {
        client.verify(&text);
    }
    let bodies = [
        json!({"secret": [token]}),
        json!({"secret": "x", "scopes": [token, 5]}),
        json!({token: true}),
        json!({"owner": "x", "keyspace": "ed25519", "expires_in": token}),
        json!({"owner": "x", "keyspace": "ed25519", "claims": token}),
        json!({"keyspace": "ed25519", "keys": [{"owner": "x", "jwk": token}]}),
    ];
    for body in bodies {
        for path in ["/v1/verify", "/v1/keys", "/v1/keys/import", "/compat/japikey"] {
            client.send("POST", path, &json, body.to_string().as_bytes()).unwrap();
        }
    }
    for path in [format!("/v1/keys/{token}"), format!("/jwks/{token}/.well-known/jwks.json")] {
        client.send("GET", &path, &root, b"").unwrap();
    }
    for headers in [format!("authorization: Bearer {token}\r\n"), format!("cookie: a={token}\r\n")]
    {
        assert_eq!(client.send("GET", "/v1/keys", &headers, b"").unwrap().status, 401);
    }
}

#[test]
fn tokens_that_a_search_would_find_are_found() {
    let token = format!("e30.e30.{}", "0123456789abcdefghij".repeat(4));
    for piece in pieces(&token) {
        let files = [("guilty".to_owned(), [b"\0", piece.as_slice(), b"\xff"].concat())];
        std::panic::catch_unwind(|| search(&files, std::slice::from_ref(&token))).unwrap_err();
    }
}

#[cfg(target_os = "linux")]
mod in_memory {
    use keyward::jose::PairKind;
    use num_bigint::BigUint;

    use super::*;
    use crate::harness::Memory;

    #[test]
    fn neither_a_token_nor_a_private_half_stays_in_memory() {
        let folder = Folder::new();
        let server = serve(&folder, &[]);
        let root_key = folder.root_key();
        let mut client = server.client();
        let (tokens, moduli) = hand_out(&mut client, &root_key);
        // Their public halves are asked for, as they are when somebody verifies them.
        for key in client.all("/v1/keys?limit=200") {
            let id = key["id"].as_str().unwrap();
            client.call("GET", &format!("/jwks/{id}/.well-known/jwks.json"), &Value::Null);
        }
        drop(client);

        let memory = Memory::of(server.process_id());
        assert!(memory.length() > 1 << 20, "{} bytes prove nothing", memory.length());
        let moduli: Vec<_> = moduli.iter().map(|modulus| BigUint::from_bytes_be(modulus)).collect();
        let is_known = |modulus: &BigUint| memory.holds(&modulus.to_bytes_be());
        assert!(moduli.iter().all(is_known), "the public halves are there");
        assert_eq!(memory.broken(&moduli), Vec::<&BigUint>::new(), "private halves are there");

        // Of the last ones, aws-lc leaves the bytes that the text stands for, and nothing wipes those.
        for (n, token) in tokens.iter().enumerate() {
            let is_there = texts(token).any(|text| memory.holds(text));
            assert!(!is_there, "a part of token {n} is there");
        }
    }

    #[test]
    fn a_private_half_that_is_there_is_found() {
        let pair = keyward_signatures::generate(PairKind::Rsa2048).unwrap();
        let other = keyward_signatures::generate(PairKind::Rsa2048).unwrap();
        let modulus = |pair: &dyn keyward::jose::SigningPair| {
            let jwk: Value = serde_json::from_str(&pair.public_key().to_jwk("")).unwrap();
            let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
            BigUint::from_bytes_be(&modulus)
        };
        let moduli = [modulus(&*pair), modulus(&*other)];
        // The second one signs, and its private half is gone.
        other.sign(b"text").unwrap();
        let memory = Memory::of(std::process::id());
        assert_eq!(memory.broken(&moduli), [&moduli[0]]);
        drop(pair);
    }
}
