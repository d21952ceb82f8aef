//! The authorization server of the built binary: its tokens by jose under Node and by our own client, over
//! two processes on one database, and nothing of them in files.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use keyward_client::Verifier;
use memchr::memmem;
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Client, Folder, Peer, Server, serve, serve_at_known_port};

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

/// A server whose issuer is its own address, and a service account.
struct World {
    authorization: String,
    client: Client,
    client_id: String,
    secret: String,
    server: Server,
    folder: Folder,
}

impl World {
    fn new(algorithm: &str) -> Self {
        let folder = Folder::new();
        folder.write("keyward.toml", format!("[oauth]\nalgorithm = \"{algorithm}\"\n"));
        let arguments = ["--root-key-file", "root.key", "--config", "keyward.toml"];
        let log = ["--log", "trace"];
        let arguments = [arguments.as_slice(), log.as_slice()].concat();
        let server = serve_at_known_port(folder.path(), &arguments);
        let mut client = server.client();
        let body = json!({"owner": "customer-1", "scopes": ["read", "write"]});
        let account = client.granted("POST", "/v1/service-accounts", &body);
        let text = |name: &str| account[name].as_str().unwrap().to_owned();
        let (client_id, secret) = (text("client_id"), text("client_secret"));
        let basic = STANDARD.encode(format!("{client_id}:{secret}"));
        let authorization = format!("authorization: Basic {basic}\r\n{FORM}");
        Self { authorization, client, client_id, secret, server, folder }
    }

    fn post(&mut self, path: &str, form: &str) -> Value {
        let answer = self.client.send("POST", path, &self.authorization, form.as_bytes()).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    fn token(&mut self) -> String {
        let answer = self.post("/oauth/token", "grant_type=client_credentials&scope=read");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn is_active(&mut self, token: &str) -> bool {
        self.post("/oauth/introspect", &format!("token={token}"))["active"] == true
    }
}

#[rstest]
#[case("RS256")]
#[case("ES256")]
#[case("EdDSA")]
fn jose_verifies_access_tokens_by_the_keys_that_are_published(#[case] algorithm: &str) {
    let mut world = World::new(algorithm);
    let token = world.token();
    let issuer = world.server.url();
    let metadata =
        world.client.granted("GET", "/.well-known/oauth-authorization-server", &Value::Null);
    assert_eq!(metadata["issuer"], issuer);
    let mut peer = Peer::start();
    let mut ask = |token: &str, options: Value| {
        peer.ask(&json!({"do": "jose_verify", "token": token, "jwks_url": metadata["jwks_uri"],
            "options": options}))
    };
    let options = json!({"issuer": issuer, "audience": issuer, "typ": "at+jwt",
        "requiredClaims": ["sub", "client_id", "jti", "iat", "exp"]});
    let read = ask(&token, options);
    assert_eq!(read["ok"], true, "{read}");
    assert_eq!(read["header"]["alg"], algorithm);
    assert_eq!(read["claims"]["client_id"], world.client_id);
    assert_eq!(read["claims"]["scope"], "read");
    assert_eq!(ask(&token, json!({"audience": "another"}))["ok"], false);
    assert_eq!(ask(&token, json!({"typ": "JWT"}))["ok"], false);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", "A".repeat(signature.len()));
    assert_eq!(ask(&forged, json!({}))["ok"], false);
}

#[test]
fn our_client_verifies_access_tokens_of_two_processes_on_one_database_and_of_one_that_is_gone() {
    let mut world = World::new("RS256");
    let issuer = world.server.url();
    let first = world.token();
    let config = format!("[oauth]\nissuer = \"{issuer}\"\n");
    world.folder.write("other.toml", config);
    let arguments = ["--config", "other.toml"];
    let other = serve(world.folder.path(), &arguments);
    let mut at_other = Client::new(other.address(), "");
    let form = b"grant_type=client_credentials";
    let answer = at_other.send("POST", "/oauth/token", &world.authorization, form).unwrap();
    let second = answer.body["access_token"].as_str().unwrap().to_owned();
    assert!(world.is_active(&first) && world.is_active(&second));
    // Its key stays for as long as its tokens.
    other.kill();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let verifier = Verifier::builder().authorization_server(issuer.parse().unwrap());
    let verifier = verifier.build().unwrap();
    for token in [&first, &second] {
        let read = runtime.block_on(verifier.verify(token)).unwrap();
        assert_eq!(read.client_id(), Some(world.client_id.as_str()));
        assert!(read.has_scope("read"));
    }
    world.post("/oauth/revoke", &format!("token={second}"));
    assert!(world.is_active(&first) && !world.is_active(&second));
    // What is verified elsewhere lives until it expires.
    assert!(runtime.block_on(verifier.verify(&second)).is_ok());
}

#[test]
fn neither_tokens_nor_client_secrets_nor_private_keys_reach_the_database_or_the_log() {
    let mut world = World::new("RS256");
    let token = world.token();
    assert!(world.is_active(&token));
    world.post("/oauth/revoke", &format!("token={token}"));
    let wrong = format!("client_id={token}&client_secret={token}&grant_type={token}&scope={token}");
    world.client.send("POST", "/oauth/token", FORM, wrong.as_bytes()).unwrap();
    let World { secret, server, folder, .. } = world;
    let signature = token.rsplit('.').next().unwrap().to_owned();
    let bytes = URL_SAFE_NO_PAD.decode(&signature).unwrap();
    let private = ["PRIVATE KEY", "\"d\":\""].map(str::as_bytes);
    let wanted = [token.as_bytes(), signature.as_bytes(), &bytes, secret.as_bytes()];
    let search = || {
        for file in fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            let content = fs::read(&path).unwrap();
            for piece in wanted.iter().chain(&private) {
                let is_there = memmem::find(&content, piece).is_some();
                assert!(!is_there, "something secret is in {}", path.display());
            }
        }
    };
    search();
    let stopped = server.stop();
    assert!(stopped.stderr.contains("a key for access tokens was published"), "no log to search");
    search();
}
