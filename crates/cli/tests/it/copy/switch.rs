//! Servers over a database that is switched away from.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{copy, issue};
use crate::harness::{Client, Dice, Folder};

/// What a client was told that it did, until it was refused.
struct Told {
    refused: Value,
    /// The ids of its keys, their secrets, and what they are worth.
    keys: Vec<(String, String, &'static str)>,
}

fn act_until_refused(mut client: Client, seed: u64, is_over: &AtomicBool) -> Told {
    let dice = Dice::new(seed);
    let mut keys: Vec<(String, String, &'static str)> = Vec::new();
    loop {
        assert!(!is_over.load(Ordering::SeqCst), "acts were taken after the switch");
        let place = dice.roll(keys.len().max(1));
        let (path, body, worth) = match (dice.roll(5), keys.get(place)) {
            (1, Some((id, _, "valid"))) => (format!("{id}/revoke"), json!({}), Some("revoked")),
            (2, Some((id, _, "valid"))) => (format!("{id}/disable"), Value::Null, Some("disabled")),
            (3, Some((id, _, "disabled"))) => (format!("{id}/enable"), Value::Null, Some("valid")),
            (4, Some((id, _, "valid"))) => (format!("{id}/rotate"), json!({}), None),
            _ => (String::new(), json!({"owner": "o"}), None),
        };
        let is_new = path.is_empty();
        let path = if is_new { "/v1/keys".to_owned() } else { format!("/v1/keys/{path}") };
        let answer = client.call("POST", &path, &body);
        if answer.status == 503 {
            return Told { refused: answer.body, keys };
        }
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        let secret = answer.body["secret"].as_str().unwrap_or_default().to_owned();
        match worth {
            Some(worth) => keys[place].2 = worth,
            None if is_new => {
                let id = answer.body["key"]["id"].as_str().unwrap().to_owned();
                keys.push((id, secret, "valid"));
            }
            None => keys[place].1 = secret,
        }
    }
}

#[test]
fn acts_before_the_switch_are_at_the_new_database_and_later_ones_are_refused() {
    let folder = Folder::new();
    let cli = folder.cli();
    issue(&cli, 500);
    let servers = [folder.serve(), folder.serve()];
    let is_over = AtomicBool::new(false);
    let told: Vec<_> = thread::scope(|scope| {
        let clients = servers.iter().chain(&servers).enumerate();
        let clients: Vec<_> = clients
            .map(|(seed, server)| {
                let (client, seed, is_over) = (server.client(), seed.try_into().unwrap(), &is_over);
                scope.spawn(move || act_until_refused(client, seed, is_over))
            })
            .collect();
        thread::sleep(Duration::from_millis(300));
        let said = cli.done(&copy(&["--switch"]));
        assert!(said.contains("switched: point the nodes at the new database now"), "{said}");
        thread::sleep(Duration::from_millis(300));
        is_over.store(true, Ordering::SeqCst);
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    for server in servers {
        let mut client = server.client();
        let refused = client.call("POST", "/v1/keys", &json!({"owner": "o"}));
        assert_eq!((refused.status, &refused.body["code"]), (503, &json!("sealed")));
        assert_eq!(server.stop().status.code(), Some(0));
    }
    let checked = cli.run(&[&["--json"], &copy(&["--check"])[..]].concat()).stdout;
    let checked: Value = serde_json::from_str(&checked).unwrap();
    for kind in checked["kinds"].as_array().unwrap() {
        // The nodes have written the last usage since.
        assert!(kind["verdict"] == "equal" || kind["kind"] == "usage", "{kind}");
    }
    let new = folder.serve_with(&["--database", "sqlite:new.db"]);
    let mut client = new.client();
    let mut keys = 0;
    for told in told {
        assert_eq!(told.refused["code"], "sealed");
        for (id, secret, worth) in told.keys {
            assert_eq!(client.verify(&secret), worth, "{id}");
            keys += 1;
        }
    }
    assert!(keys > 20, "only {keys} keys were tested");
    client.issue(&json!({"owner": "o"}));
}

#[test]
fn no_use_is_lost_while_nodes_move_one_after_the_other() {
    let folder = Folder::new();
    let cli = folder.cli();
    let old = [folder.serve(), folder.serve()];
    let mut client = old[0].client();
    let key = client.issue(&json!({"owner": "o"}));
    let mut uses = 0;
    let mut verify = |client: &mut Client, count: u32| {
        uses += count;
        (0..count).for_each(|_| assert_eq!(client.verify(&key.secret), "valid"));
        uses
    };
    verify(&mut client, 3);
    let mut copying = cli.start(&copy(&["--switch", "--follow"]));
    copying.complains("carrying usage over");
    for server in old {
        let node = folder.serve_with(&["--database", "sqlite:new.db"]);
        verify(&mut server.client(), 5);
        verify(&mut node.client(), 7);
        assert_eq!(server.stop().status.code(), Some(0));
        verify(&mut node.client(), 2);
        assert_eq!(node.stop().status.code(), Some(0));
    }
    let ended = copying.stop();
    assert_eq!(ended.code, 0, "{ended:?}");
    let expected = verify(&mut folder.serve_with(&["--database", "sqlite:new.db"]).client(), 0);
    let file = rusqlite::Connection::open(folder.file("new.db")).unwrap();
    let sql = "SELECT uses FROM usage WHERE key_id = ?";
    let found: u32 = file.query_row(sql, [&key.id], |row| row.get(0)).unwrap();
    assert_eq!(found, expected);
}

#[test]
fn a_switch_can_be_taken_back_while_nothing_was_done_at_the_new_database() {
    let folder = Folder::new();
    let cli = folder.cli();
    issue(&cli, 2);
    cli.done(&copy(&["--switch"]));
    let refused = cli.run(&["keys", "issue", "--owner", "o"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("sealed"), "{refused:?}");
    // Neither the same switch nor one to another place is begun, and the seal stays.
    for to in ["sqlite:new.db", "sqlite:other.db"] {
        cli.done(&["migrate", "--database", to]);
        let again = cli.run(&["copy", "--from", "sqlite:keyward.db", "--to", to, "--switch"]);
        assert_eq!(again.code, 1, "{again:?}");
        assert!(again.stderr.contains("the source is sealed already"), "{again:?}");
    }
    assert_eq!(cli.run(&["keys", "issue", "--owner", "o"]).code, 3);
    cli.done(&["copy", "--unseal", "--from", "sqlite:keyward.db"]);
    issue(&cli, 1);
}

#[test]
fn a_switch_that_is_interrupted_lifts_the_seal() {
    let folder = Folder::new();
    let cli = folder.cli();
    issue(&cli, 4_000);
    let dice = Dice::new(3);
    for _ in 0..12 {
        let copying = cli.start(&copy(&["--switch"]));
        thread::sleep(Duration::from_millis(20 + u64::try_from(dice.roll(400)).unwrap()));
        let ended = copying.stop();
        if ended.code == 0 {
            assert!(ended.stdout.contains("switched"), "{ended:?}");
            return;
        }
        // A signal before it listens for signals ends it as such.
        if ended.code != -1 {
            assert_eq!(ended.code, 3, "{ended:?}");
            assert!(ended.stderr.contains("interrupted before the switch"), "{ended:?}");
        }
        issue(&cli, 1);
    }
}
