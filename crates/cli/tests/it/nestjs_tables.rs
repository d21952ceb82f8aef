//! The two tables of the `NestJS` library, out of a real PostgreSQL: exported by `psql`, taken over into a
//! running server, and used.

mod seed;

use seed::{Account, Key, Seed};
use serde_json::{Value, json};

use crate::harness::{Cli, Client, Folder, verdict};
use crate::leaks::{contents, search};

/// Where the library's processes ran.
const BERLIN: &str = "Europe/Berlin";
const NEW_YORK: &str = "America/New_York";
/// The forms in which its secrets are written.
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
const PAST: &str = "2024-02-29T23:30:00Z";

/// A key that was written, and what must become of it.
struct Written {
    account: Account,
    id: String,
    text: String,
    state: &'static str,
    /// `valid`, or the code of the refusal.
    verdict: &'static str,
}

/// Accounts and keys in all states.
fn fill(seed: &mut Seed) -> Vec<Written> {
    let mut newer = |age, description: &str| seed.account(BERLIN, (1, age), description, None);
    let second = newer(10, "second, \"quoted\", it's; drop table keys");
    let oldest = newer(20, "Größe – 鍵 \u{1f511}\nin two lines");
    let gone = seed.account(BERLIN, (1, 30), "gone", Some(PAST));
    let other = seed.account(BERLIN, (2, 5), "", None);
    let live = |account| Key::of(account);
    let keys = [
        (live(&second), "active", "valid"),
        (live(&oldest), "active", "valid"),
        (
            Key { name: "naïve \"name\", with ' and % and _ 名前", ..live(&oldest) },
            "active",
            "valid",
        ),
        (Key { description: Some("a\nb\r\n\"c\", d"), ..live(&oldest) }, "active", "valid"),
        (Key { name: "", ..live(&other) }, "active", "valid"),
        (Key { is_active: false, ..live(&oldest) }, "disabled", "disabled"),
        (Key { expires_at: PAST, ..live(&oldest) }, "expired", "expired"),
        (Key { expires_at: PAST, is_active: false, ..live(&oldest) }, "expired", "expired"),
        (Key { deleted_at: Some(PAST), ..live(&oldest) }, "deleted", "unknown"),
        (Key { deleted_at: Some(PAST), is_active: false, ..live(&oldest) }, "deleted", "unknown"),
        (live(&gone), "deleted", "unknown"),
    ];
    let written = keys.into_iter().map(|(key, state, verdict)| {
        let (id, text) = seed.key(BERLIN, &key);
        Written { account: key.account.clone(), id, text, state, verdict }
    });
    written.collect()
}

/// What is said of a key that is presented with credentials.
fn decision(client: &mut Client, account: &Account, key: &str) -> String {
    let Account { client_id, client_secret } = account;
    let body = json!({"secret": key, "client_id": client_id, "client_secret": client_secret});
    verdict(&client.granted("POST", "/v1/verify", &body))
}

fn create_keyspace(cli: &Cli<'_>) {
    let form = ["--format", "opaque", "--length", "44", "--alphabet", ALPHABET];
    let create = ["keyspaces", "create", "nestjs-keys"];
    cli.done(&[&create[..], &form, &["--service-account", "primary"]].concat());
}

fn import(cli: &Cli<'_>, noun: &str, file: &str, zone: &str) -> String {
    let keyspace: &[_] = if noun == "keys" { &["--keyspace", "nestjs-keys"] } else { &[] };
    let options = [noun, "import", file, "--from", "nestjs", "--time-zone", zone];
    cli.done(&[&options[..], keyspace].concat())
}

#[test]
fn every_live_account_and_key_of_the_nestjs_library_works_at_once() {
    let mut seed = Seed::new();
    let written = fill(&mut seed);
    // In a folder of their own: they hold the secrets.
    let (folder, tables) = (Folder::new(), Folder::new());
    let [accounts, keys] = ["sa_info.csv", "api_keys.csv"].map(|name| tables.file(name));
    for (table, file) in [("sa_info", &accounts), ("api_keys", &keys)] {
        seed.psql(&format!("\\copy {table} to '{}' csv header\n", file.display()));
    }
    let server = folder.serve();
    // The command's own time zone does not matter, either.
    let cli = folder.cli().remote(&server).env("TZ", "Asia/Tokyo");
    create_keyspace(&cli);
    let (accounts, keys) = (accounts.to_str().unwrap(), keys.to_str().unwrap());
    let told = import(&cli, "accounts", accounts, BERLIN);
    assert_eq!(told, "4 service accounts were taken over\n");
    assert_eq!(import(&cli, "keys", keys, BERLIN), "11 keys were taken over\n");

    let mut client = server.client();
    for _ in 0..2 {
        for Written { account, id, text, state, verdict: expected } in &written {
            assert_eq!(decision(&mut client, account, text), *expected, "key {id}");
            let shown = client.show(id);
            assert_eq!(
                [&shown["state"], &shown["service_account_id"]],
                [state, account.client_id.as_str()]
            );
        }
        // Used or not: doing it again changes nothing.
        let told = import(&cli, "accounts", accounts, BERLIN);
        assert_eq!(told, "0 service accounts were taken over, 4 are there already\n");
        let told = import(&cli, "keys", keys, BERLIN);
        assert_eq!(told, "0 keys were taken over, 11 are there already\n");
    }
    credentials_of_others_are_refused(&mut client, &written);
    what_was_written_came_along(&mut client, &written);
    search(&contents(folder.path()), &seed.secrets);
    drop(server.stop());
    search(&contents(folder.path()), &seed.secrets);
}

/// Each key with the credentials of each other account.
fn credentials_of_others_are_refused(client: &mut Client, written: &[Written]) {
    for key in written {
        for other in written.iter().map(|other| &other.account) {
            if other.client_id != key.account.client_id {
                assert_eq!(decision(client, other, &key.text), "unknown");
                let secret = key.account.client_secret.clone();
                let mixed = Account { client_secret: secret, ..other.clone() };
                assert_eq!(decision(client, &mixed, &key.text), "unknown");
            }
        }
    }
}

fn what_was_written_came_along(client: &mut Client, written: &[Written]) {
    let accounts = client.all("/v1/service-accounts?include_deleted=true&order=asc");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told: Vec<_> = accounts
        .iter()
        .map(|account| {
            (text(&account["owner"]), text(&account["description"]), account["primary"] == true)
        })
        .collect();
    let expected = [
        ("1", "gone", false),
        ("1", "Größe – 鍵 \u{1f511}\nin two lines", true),
        ("1", "second, \"quoted\", it's; drop table keys", false),
        ("2", "", true),
    ];
    assert_eq!(told, expected.map(|(owner, text, is)| (owner.to_owned(), text.to_owned(), is)));
    let at = |account: &Value, field: &str| account[field].as_str().unwrap().to_owned();
    assert_eq!(at(&accounts[0], "deleted_at"), PAST);
    assert_eq!(at(&accounts[0], "deleted_by"), "ops");
    assert_eq!(at(&accounts[0], "created_by"), "key-manager-service");

    let shown: Vec<_> = written.iter().map(|key| client.show(&key.id)).collect();
    assert_eq!(shown[0]["expires_at"], "2099-07-01T12:00:00Z");
    assert_eq!(shown[2]["name"], "naïve \"name\", with ' and % and _ 名前");
    assert_eq!(shown[3]["description"], "a\nb\r\n\"c\", d");
    assert_eq!([&shown[4]["name"], &shown[4]["owner"]], [&Value::Null, &json!("2")]);
    assert_eq!([&shown[6]["expires_at"], &shown[8]["deleted_at"]], [PAST, PAST]);
    assert_eq!(shown[8]["deleted_by"], "key-manager-service");
    // The next key of the user belongs to the account that became the primary one.
    let body = json!({"owner": "1", "keyspace": "nestjs-keys"});
    let issued = client.granted("POST", "/v1/keys", &body);
    assert_eq!(issued["key"]["service_account_id"], written[1].account.client_id.as_str());
    assert_eq!(issued["client_secret"], Value::Null);
}

#[test]
fn tables_that_processes_in_different_time_zones_wrote_are_taken_over_zone_by_zone() {
    let mut seed = Seed::new();
    let zones = [(BERLIN, 1), (NEW_YORK, 2)];
    let keys = zones.map(|(zone, user)| {
        let account = seed.account(zone, (user, 1), zone, Some(PAST));
        seed.key(zone, &Key { expires_at: PAST, ..Key::of(&account) }).0
    });
    let tables = Folder::new();
    let cli = tables.cli();
    create_keyspace(&cli);
    for (zone, user) in zones {
        let [accounts, keys] =
            ["accounts", "keys"].map(|noun| tables.file(&format!("{noun}-{user}.csv")));
        let select = format!("select * from sa_info where user_id = {user}");
        seed.psql(&format!("\\copy ({select}) to '{}' csv header\n", accounts.display()));
        let select = format!(
            "select k.* from api_keys k join sa_info s on s.id = k.client_id where s.user_id = {user}"
        );
        seed.psql(&format!("\\copy ({select}) to '{}' csv header\n", keys.display()));
        import(&cli, "accounts", accounts.to_str().unwrap(), zone);
        import(&cli, "keys", keys.to_str().unwrap(), zone);
    }
    let listed = cli.json(&["accounts", "list", "--state", "deleted"]);
    for account in listed["data"].as_array().unwrap() {
        assert_eq!(account["deleted_at"], PAST, "{account}");
    }
    let [first, second] = keys.map(|id| cli.json(&["keys", "show", &id])["expires_at"].clone());
    assert_eq!([first, second], [PAST, PAST]);
}
