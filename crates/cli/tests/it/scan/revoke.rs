//! What becomes of the keys that are found.

use serde_json::Value;

use crate::scan::{Site, finds, hides, made_up, text};

fn codes(finds: &[Value]) -> Vec<&str> {
    finds.iter().map(|find| find["revocation"]["code"].as_str().unwrap()).collect()
}

#[test]
fn real_keys_are_revoked_each_once_and_with_a_reason() {
    let site = Site::new();
    let (id, secret) = site.issue("default");
    site.files.write("a.txt", format!("{secret}\n{secret}\n"));
    let uses = site.cli().json(&["keys", "show", &id])["uses"].clone();
    let finds = site.scan(&["--revoke"], &[&secret]);
    assert_eq!(codes(&finds), ["revoked", "revoked"]);
    assert_eq!(finds[0]["revocation"]["message"], "revoked");
    let key = site.cli().json(&["keys", "show", &id]);
    assert_eq!([&key["state"], &key["uses"]], [&"revoked".into(), &uses]);
    let events = site.cli().json(&["audit", "list", "--of-key", &id]);
    assert!(events.to_string().contains("found by keyward scan"), "{events}");
    // Afterwards there is nothing to do, and still something to find.
    let again = site.scan(&["--revoke"], &[&secret]);
    assert_eq!(codes(&again), ["dead", "dead"]);
    assert_eq!(again[0]["revocation"]["message"], "revoked already");
}

#[test]
fn nothing_is_revoked_without_being_asked_for() {
    let site = Site::new();
    let (id, secret) = site.issue("default");
    site.files.write("a.txt", &secret);
    let finds = site.scan(&[], &[&secret]);
    assert!(finds[0].get("revocation").is_none());
    assert_eq!(site.state(&id), "active");
}

#[test]
fn a_made_up_secret_does_not_take_its_victim_down() {
    let site = Site::new();
    let (id, secret) = site.issue("default");
    let forged = forged(&id);
    assert_ne!(forged, secret);
    site.files.write("a.txt", &forged);
    let finds = site.scan(&["--revoke"], &[&forged]);
    assert_eq!(finds[0]["key"], id.as_str());
    assert_eq!(codes(&finds), ["not_ours"]);
    assert_eq!(site.state(&id), "active");
    // Not even where the key itself would be refused.
    site.cli().done(&["keys", "disable", &id]);
    assert_eq!(codes(&site.scan(&["--revoke"], &[&forged])), ["not_ours"]);
    assert_eq!(site.state(&id), "disabled");
}

/// A secret with somebody else's id and a checksum that is right, as anybody can make it.
fn forged(id: &str) -> String {
    let digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".as_bytes();
    let beginning = format!("kw_{id}_{}", "x".repeat(32));
    let mut sum = !0_u32;
    for byte in beginning.bytes() {
        sum ^= u32::from(byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1));
        }
    }
    let mut sum = !sum;
    let mut checksum = Vec::new();
    for _ in 0..6 {
        checksum.insert(0, digits[(sum % 58) as usize]);
        sum /= 58;
    }
    beginning + std::str::from_utf8(&checksum).unwrap()
}

#[test]
fn keys_that_would_be_refused_anyway_are_revoked_if_they_could_come_back() {
    let site = Site::new();
    let (disabled, secret) = site.issue("default");
    site.cli().done(&["keys", "disable", &disabled]);
    site.files.write("a.txt", &secret);
    let later = ["keys", "issue", "--owner", "o", "--not-before", "2999-01-01T00:00:00Z"];
    let later = site.cli().json(&later);
    site.files.write("b.txt", later["secret"].as_str().unwrap());
    assert_eq!(codes(&site.scan(&["--revoke"], &[&secret])), ["revoked", "revoked"]);
    assert_eq!(site.state(&disabled), "revoked");
    assert_eq!(site.state(later["key"]["id"].as_str().unwrap()), "revoked");
}

#[test]
fn expired_keys_are_revoked_as_another_expiry_would_bring_them_back() {
    let site = Site::new();
    let expired = |keyspace: &str| {
        let (id, secret) = site.issue(keyspace);
        let database = rusqlite::Connection::open(site.home.file("keyward.db")).unwrap();
        let past = "UPDATE keys SET expires_at = 1 WHERE id = ?";
        assert_eq!(database.execute(past, [&id]).unwrap(), 1);
        (id, secret)
    };
    site.cli().done(&["keyspaces", "create", "op", "--format", "opaque", "--prefix", "op"]);
    let keys = ["default", "op"].map(expired);
    let text = keys.each_ref().map(|(_, secret)| secret.as_str());
    site.files.write("a.txt", text.join("\n"));
    site.files.write("b.txt", forged(&keys[0].0));
    assert_eq!(codes(&site.scan(&["--revoke"], &text)), ["revoked", "revoked", "not_ours"]);
    for (id, _) in &keys {
        let key = site.cli().json(&["keys", "show", id]);
        assert!(key["revoked_at"].is_string(), "{key}");
    }
    // Such a key is refused as expired, and is as dead as any other that was revoked.
    assert_eq!(codes(&site.scan(&["--revoke"], &text)), ["dead", "dead", "not_ours"]);
}

#[test]
fn the_key_of_the_call_is_left_and_those_behind_it_are_revoked() {
    let site = Site::new();
    let root = site.home.root_key();
    let (id, secret) = site.issue("default");
    let (management, other) = site.issue("management");
    site.files.write("a.txt", format!("{root}\n{other}\n{secret}\n{root}"));
    for more in [&["--revoke"][..], &["--prefix", "kw", "--prefix", "kwm", "--revoke"]] {
        let finds = site.scan(more, &[&root, &secret, &other]);
        let own: Vec<_> =
            finds.iter().filter(|find| find["line"] == 1 || find["line"] == 4).collect();
        assert!(!own.is_empty(), "{finds:?}");
        for find in own {
            assert_eq!(find["revocation"]["code"], "own_key");
            assert_eq!(find["revocation"]["message"], "NOT revoked: it is the key of this call");
        }
        assert_eq!([site.state(&id), site.state(&management)], ["revoked", "revoked"]);
    }
}

#[test]
fn the_key_of_the_call_is_left_even_if_it_comes_through_a_pipe_or_was_rotated() {
    let site = Site::new();
    let issue = ["keys", "issue", "--owner", "o", "--keyspace", "management"];
    let scopes = ["keyspaces:read", "keys:verify", "keys:read", "keys:write"];
    let scopes = scopes.iter().flat_map(|scope| ["--scope", scope]);
    let key = site.cli().json(&issue.into_iter().chain(scopes).collect::<Vec<_>>());
    let id = key["key"]["id"].as_str().unwrap();
    let old = key["secret"].as_str().unwrap();
    let new = site.cli().json(&["keys", "rotate", id, "--grace", "1h"]);
    let new = new["secret"].as_str().unwrap();
    site.files.write("a.txt", format!("{old}\n{new}\n"));
    let made = std::process::Command::new("mkfifo").arg(site.home.file("pipe")).status();
    assert!(made.unwrap().success());
    let pipe = site.home.file("pipe");
    let writer = std::thread::spawn({
        let (pipe, new) = (pipe.clone(), new.to_owned());
        move || std::fs::write(pipe, new).unwrap()
    });
    let call = ["--server", &site.server.url(), "--key-file", pipe.to_str().unwrap()];
    let ended = site.files.cli().with(&call).run(&["--json", "scan", "--revoke"]);
    writer.join().unwrap();
    assert_eq!(codes(&finds(&ended)), ["own_key", "own_key"], "{ended:?}");
    assert_eq!(site.state(id), "active");
}

#[test]
fn keys_without_an_id_in_them_are_found_by_their_digest() {
    let site = Site::new();
    site.cli().done(&["keyspaces", "create", "op", "--format", "opaque", "--prefix", "op"]);
    let sha512 = ["--format", "opaque", "--prefix", "wide", "--algorithm", "sha512"];
    site.cli().done(&[&["keyspaces", "create", "wide"], &sha512[..]].concat());
    let keys = ["op", "op", "wide"].map(|keyspace| site.issue(keyspace));
    for (id, _) in &keys[1..] {
        site.cli().done(&["keys", "disable", id]);
    }
    let text: Vec<_> = keys.iter().map(|(_, secret)| secret.as_str()).collect();
    site.files.write("a.txt", text.join("\n"));
    assert_eq!(codes(&site.scan(&["--revoke"], &text)), ["revoked"; 3]);
    for (id, _) in &keys {
        assert_eq!(site.state(id), "revoked");
    }
}

#[test]
fn signed_keys_are_revoked_by_the_id_in_them_if_their_signature_is_right() {
    let site = Site::new();
    let signed = |id: &str, issuer: &str| {
        let more = ["--format", "signed", "--algorithm", "EdDSA", "--default-lifetime", "1h"];
        let create = ["keyspaces", "create", id, "--keyspace-issuer", issuer];
        site.cli().done(&[&create[..], &more].concat());
        site.issue(id)
    };
    let (id, token) = signed("services", "https://example.com/jwks");
    let (elsewhere, other) = signed("others", "https://example.com/others");
    let place = token.len() - 20;
    let letter = if &token[place..=place] == "A" { "B" } else { "A" };
    let forged = format!("{}{letter}{}", &token[..place], &token[place + 1..]);
    site.files.write("a.txt", format!("It is {forged}."));
    let secrets = [token.as_str(), &forged, &other];
    let told = |finds: &[Value]| -> Vec<_> {
        let told = |find: &Value| ["keyspace", "key", "hint"].map(|name| text(&find[name]));
        finds.iter().map(told).collect()
    };
    let [found] = &site.scan(&["--revoke"], &secrets)[..] else { panic!() };
    assert_eq!(told(std::slice::from_ref(found)), [["services", &id, &id]]);
    assert_eq!(
        (codes(std::slice::from_ref(found)), site.state(&id).as_str()),
        (vec!["not_ours"], "active")
    );
    site.files.write("a.txt", format!("Authorization: Bearer {token}\n\"{other}\""));
    let finds = site.scan(&["--revoke"], &secrets);
    assert_eq!(told(&finds), [["services", &id, &id], ["others", &elsewhere, &elsewhere]]);
    assert_eq!(codes(&finds), ["revoked", "revoked"]);
    assert_eq!([site.state(&id), site.state(&elsewhere)], ["revoked", "revoked"]);
    assert_eq!(codes(&site.scan(&["--revoke"], &secrets)), ["dead", "dead"]);
}

#[test]
fn a_rotated_secret_counts_as_long_as_it_works() {
    let site = Site::new();
    let (id, first) = site.issue("default");
    let second = site.cli().json(&["keys", "rotate", &id, "--grace", "1h"]);
    let second = second["secret"].as_str().unwrap();
    site.cli().done(&["keys", "rotate", &id, "--grace", "1h"]);
    site.files.write("a.txt", &first);
    assert_eq!(codes(&site.scan(&["--revoke"], &[&first])), ["not_ours"]);
    assert_eq!(site.state(&id), "active");
    site.files.write("a.txt", second);
    assert_eq!(codes(&site.scan(&["--revoke"], &[second])), ["revoked"]);
    assert_eq!(site.state(&id), "revoked");
}

#[test]
fn a_management_key_for_scanning_needs_four_scopes() {
    let site = Site::new();
    site.cli().done(&["keyspaces", "create", "op", "--format", "opaque", "--prefix", "op"]);
    let (id, secret) = site.issue("op");
    site.cli().done(&["keys", "disable", &id]);
    site.files.write("a.txt", &secret);
    let scopes = ["keyspaces:read", "keys:verify", "keys:read", "keys:write"];
    let revoke_with = |scopes: &[&str]| {
        let issue = ["keys", "issue", "--owner", "o", "--keyspace", "management"];
        let scopes = scopes.iter().flat_map(|scope| ["--scope", scope]);
        let key = site.cli().json(&issue.into_iter().chain(scopes).collect::<Vec<_>>());
        let call = ["--server", &site.server.url(), "--key", key["secret"].as_str().unwrap()];
        site.files.cli().with(&call).run(&["--json", "scan", "--revoke"])
    };
    for left_out in 0..scopes.len() {
        let fewer: Vec<_> = scopes.iter().enumerate().filter(|(n, _)| *n != left_out).collect();
        revoke_with(&fewer.into_iter().map(|(_, scope)| *scope).collect::<Vec<_>>());
        assert_eq!(site.state(&id), "disabled");
    }
    assert_eq!(codes(&finds(&revoke_with(&scopes))), ["revoked"]);
    assert_eq!(site.state(&id), "revoked");
}

#[test]
fn keys_of_others_are_left_and_the_search_goes_on() {
    let site = Site::new();
    let (id, secret) = site.issue("default");
    let other = made_up("kw");
    site.files.write("a.txt", format!("{other} {secret}"));
    assert_eq!(
        codes(&site.scan(&["--prefix", "kw", "--revoke"], &[&secret])),
        ["not_ours", "revoked"]
    );
    assert_eq!(site.state(&id), "revoked");
}

#[test]
fn finds_are_told_even_if_they_cannot_be_revoked() {
    let site = Site::new();
    let (id, secret) = site.issue("default");
    site.files.write("a.txt", &secret);
    let reader = ["keys", "issue", "--owner", "o", "--keyspace", "management"];
    let scopes = ["--scope", "keyspaces:read", "--scope", "keys:verify"];
    let reader = site.cli().json(&[&reader[..], &scopes].concat());
    let cli = site.files.cli();
    let url = site.server.url();
    let as_reader = ["--server", &url, "--key", reader["secret"].as_str().unwrap()];
    let ended = cli.with(&as_reader).run(&["--json", "scan", "--revoke"]);
    assert_eq!((ended.code, codes(&finds(&ended))), (1, vec!["failed"]), "{ended:?}");
    hides(&ended, &secret);
    assert_eq!(site.state(&id), "active");
    // The same where nobody answers.
    let call = ["--server", "http://127.0.0.1:1", "--key", "x", "--json", "scan", "--prefix", "kw"];
    let ended = site.files.cli().run(&[&call[..], &["--revoke"]].concat());
    assert_eq!((ended.code, codes(&finds(&ended))), (1, vec!["failed"]), "{ended:?}");
}
