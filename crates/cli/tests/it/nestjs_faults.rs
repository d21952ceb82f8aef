//! What is wrong with the `NestJS` library 0.0.2 as a process, by the numbers that its defects (D) and
//! weaknesses (W) have in its contract, and right here. The rest is in the tests of `keyward-http`.

mod alive;
mod leaks;
mod zones;

use std::collections::BTreeSet;
use std::thread;

use serde_json::{Value, json};

use crate::harness::{Answer, Client, Folder, Server, serve_with};

const KEYS: &str = "/api/keys";

/// What its holder has of a key.
#[derive(Clone, Debug)]
struct Credentials {
    key_id: String,
    client_id: String,
    client_secret: String,
    api_key: String,
}

impl Credentials {
    /// Those in the answer to the creation of a key.
    fn read(created: &Value, client_secret: &str) -> Self {
        let text = |name: &str| created[name].as_str().unwrap().to_owned();
        Self {
            key_id: text("key_id"),
            client_id: text("client_id"),
            client_secret: client_secret.to_owned(),
            api_key: text("raw_key"),
        }
    }

    fn body(&self) -> Value {
        let Self { client_id, client_secret, api_key, .. } = self;
        json!({"client_id": client_id, "client_secret": client_secret, "api_key": api_key})
    }
}

/// A folder in which servers have the routes.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("keyward.toml", "[compat]\nnestjs = true\n");
    folder
}

fn serve(folder: &Folder, more: &[&str], environment: &[(&str, &str)]) -> Server {
    let usual = ["--root-key-file", "root.key", "--config", "keyward.toml"];
    serve_with(folder.path(), &[&usual[..], more].concat(), environment)
}

/// The data of the answer to a request that is granted.
fn done(client: &mut Client, method: &str, path: &str, body: &Value) -> Value {
    let mut answer = client.granted(method, &format!("{KEYS}{path}"), body);
    answer["data"].take()
}

/// Creates the first key of a user.
fn first_key(client: &mut Client, user: &Value) -> Credentials {
    let created = done(client, "POST", "", &json!({"user_id": user, "name": "first"}));
    Credentials::read(&created, created["client_secret"].as_str().unwrap())
}

fn validate(client: &mut Client, credentials: &Credentials) -> Answer {
    client.call("POST", &format!("{KEYS}/validate"), &credentials.body())
}

fn code(answer: &Answer) -> &str {
    answer.body["code"].as_str().unwrap()
}

#[test]
fn d5_twelve_first_keys_at_once_on_two_servers_make_one_service_account() {
    const AT_ONCE: usize = 12;
    let folder = folder();
    let servers = [serve(&folder, &[], &[]), serve(&folder, &[], &[])];
    for user in 0..5 {
        let created: Vec<Value> = thread::scope(|scope| {
            let creating =
                (0..AT_ONCE).map(|n| (n, servers[n % 2].client())).map(|(n, mut client)| {
                    let body = json!({"user_id": user, "name": format!("key {n}")});
                    scope.spawn(move || done(&mut client, "POST", "", &body))
                });
            let creating: Vec<_> = creating.collect();
            creating.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let accounts: BTreeSet<_> =
            created.iter().map(|key| key["client_id"].to_string()).collect();
        assert_eq!(accounts.len(), 1, "{created:?}");
        let mut secrets = created.iter().filter_map(|key| key["client_secret"].as_str());
        let secret = secrets.next().unwrap();
        assert_eq!(secrets.next(), None, "two client secrets for one account");
        for (n, key) in created.iter().enumerate() {
            let key = Credentials::read(key, secret);
            assert_eq!(code(&validate(&mut servers[n % 2].client(), &key)), "KEY_VALID");
        }
    }
    let accounts = servers[1].client().all("/v1/service-accounts?limit=200");
    assert_eq!(accounts.len(), 5);
}

#[test]
fn w8_the_database_itself_refuses_a_second_primary_account() {
    let folder = folder();
    let server = serve(&folder, &[], &[]);
    first_key(&mut server.client(), &json!(1));
    server.stop();
    let database = rusqlite::Connection::open(folder.file("keyward.db")).unwrap();
    let columns =
        "SELECT group_concat(name) FROM pragma_table_info('service_accounts') WHERE name <> 'id'";
    let columns: String = database.query_row(columns, [], |row| row.get(0)).unwrap();
    let copy = format!(
        "INSERT INTO service_accounts (id, {columns}) \
         SELECT randomblob(16), {columns} FROM service_accounts"
    );
    let error = database.execute(&copy, []).unwrap_err().to_string();
    assert_eq!(error, "UNIQUE constraint failed: service_accounts.owner");
}

#[test]
fn w11_the_routes_are_off_unless_the_configuration_says_otherwise() {
    let folder = Folder::new();
    let server = folder.serve();
    assert_eq!(server.client().call("GET", KEYS, &Value::Null).status, 404);
    server.stop();
    folder.write("keyward.toml", "[compat]\nnestjs = true\n");
    for user in 0..2 {
        let server = serve(&folder, &[], &[]);
        let mut client = server.client();
        assert_eq!(client.call("GET", KEYS, &Value::Null).status, 200);
        let key = first_key(&mut client, &json!(user));
        assert_eq!(code(&validate(&mut client, &key)), "KEY_VALID");
        // Nobody without a management key may do anything.
        let mut stranger = Client::new(server.address(), &key.api_key);
        assert_eq!(code(&validate(&mut stranger, &key)), "UNAUTHORIZED");
        server.stop();
    }
}
