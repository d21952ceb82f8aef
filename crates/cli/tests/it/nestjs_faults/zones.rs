//! D6, W9: processes that think that they are somewhere else.

use keyward::{Lifetime, Timestamp};
use serde_json::{Value, json};

use super::{Credentials, code, done, folder, serve, validate};
use crate::harness::{Client, Server, wait_for};

const ZONES: [&str; 3] = ["America/New_York", "Asia/Kolkata", "UTC"];

fn instant(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().unwrap()).unwrap()
}

/// All that lists tell of keys, but when the answer was written.
fn listed(client: &mut Client) -> Value {
    done(client, "GET", "?sort_by=name&sort_order=ASC", &Value::Null)
}

#[test]
fn d6_servers_in_three_time_zones_tell_the_same_instants_of_one_database() {
    let folder = folder();
    let servers = ZONES.map(|zone| serve(&folder, &[], &[("TZ", zone)]));
    let mut created = Vec::new();
    for (n, server) in servers.iter().enumerate() {
        let body =
            json!({"user_id": n, "name": format!("key {n}"), "expires_at": "2030-03-10T02:30:00Z"});
        created.push(done(&mut server.client(), "POST", "", &body));
    }
    let [first, others @ ..] = servers.each_ref().map(|server| listed(&mut server.client()));
    for other in others {
        assert_eq!(first, other);
    }
    for (key, row) in created.iter().zip(first["keys"].as_array().unwrap()) {
        assert_eq!(row["expires_at"], "2030-03-10T02:30:00.000Z");
        for name in ["created_at", "expires_at"] {
            assert_eq!(key[name], row[name]);
        }
    }
    // They also agree on what time it is.
    let now = servers.each_ref().map(|server| {
        instant(&server.client().granted("GET", super::KEYS, &Value::Null)["timestamp"]).as_micros()
    });
    assert!(now.iter().max().unwrap() - now.iter().min().unwrap() < 60_000_000, "{now:?}");
    // One after the other, too: what a server in one zone has written, one in another reads.
    for server in servers {
        server.stop();
    }
    let again = serve(&folder, &[], &[("TZ", "Pacific/Kiritimati")]);
    assert_eq!(listed(&mut again.client()), first);
}

#[test]
fn w9_a_key_expires_in_every_time_zone_at_its_instant() {
    let folder = folder();
    let servers = ZONES.map(|zone| serve(&folder, &[], &[("TZ", zone)]));
    let mut clients = servers.each_ref().map(Server::client);
    let now = clients[0].granted("GET", super::KEYS, &Value::Null);
    let end = instant(&now["timestamp"]).after(Lifetime::parse("1500ms").unwrap()).unwrap();
    let body = json!({"user_id": 1, "name": "n", "expires_at": end});
    let created = done(&mut clients[0], "POST", "", &body);
    let key = Credentials::read(&created, created["client_secret"].as_str().unwrap());
    for client in &mut clients {
        wait_for("the key to expire", || {
            let answer = validate(client, &key);
            let at = instant(&answer.body["timestamp"]);
            match code(&answer) {
                // The answer is written after the decision, and its last digits are cut off.
                "KEY_VALID" => None,
                "KEY_EXPIRED" => {
                    assert!(at.as_micros() / 1_000 >= end.as_micros() / 1_000, "{at} before {end}");
                    Some(())
                }
                other => panic!("{other}"),
            }
        });
        let last = end.after(Lifetime::parse("20s").unwrap()).unwrap();
        let answer = client.granted("GET", super::KEYS, &Value::Null);
        assert!(instant(&answer["timestamp"]) < last, "hours too late");
    }
}
