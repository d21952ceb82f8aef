//! The published japikey packages and jose against a running server, in both directions.

mod hostile;
mod minted_here;
mod minted_there;
mod routes;

use serde_json::{Value, json};

use crate::harness::{Client, Folder, Issued, Peer, Server, serve_at_known_port};

/// A server whose issuer is its own address, with japikey's routes, and the published packages.
struct World {
    client: Client,
    peer: Peer,
    issuer: String,
    server: Server,
    folder: Folder,
}

impl World {
    fn new() -> Self {
        let folder = Folder::new();
        let settings =
            "[compat]\njapikey = true\n[signed]\nready_pairs = 1\naudience = \"api-key\"\n";
        folder.write("keyward.toml", settings);
        let arguments = ["--root-key-file", "root.key", "--config", "keyward.toml"];
        let server = serve_at_known_port(folder.path(), &arguments);
        let issuer = format!("{}/jwks", server.url());
        Self { client: server.client(), peer: Peer::start(), issuer, server, folder }
    }

    /// Creates a keyspace of the server's issuer and audience.
    fn keyspace(&mut self, id: &str, algorithm: &str, key_size: Option<usize>) {
        let body = json!({"id": id, "format": "signed", "algorithm": algorithm,
            "key_size": key_size});
        self.client.granted("POST", "/v1/keyspaces", &body);
    }

    /// Issues a key in a keyspace.
    fn issue(&mut self, keyspace: &str) -> Issued {
        self.client.issue(&json!({"owner": "user-1", "keyspace": keyspace, "expires_in": "1h"}))
    }

    /// Takes a key over under its public half, into the keyspace of japikey's routes.
    fn take_over(&mut self, jwk: &Value) {
        let body = json!({"keyspace": "japikey", "keys": [{"owner": "user-1", "jwk": jwk}]});
        let answer = self.client.granted("POST", "/v1/keys/import", &body);
        assert_eq!(answer, json!({"imported": 1, "failed": []}));
    }

    /// What our server finds in a token.
    fn claims(&mut self, token: &str) -> Value {
        let body = json!({"secret": token});
        let answer = self.client.granted("POST", "/v1/verify", &body);
        assert_eq!(answer["valid"], true, "{answer}");
        answer["claims"].clone()
    }

    /// How both sides decide on a token: the published client and our server.
    fn verdicts(&mut self, token: &str) -> [String; 2] {
        [self.peer.verdict(token, &self.issuer), self.client.verify(token)]
    }
}

#[test]
fn the_peers_are_the_ones_that_are_meant() {
    let versions = Peer::start().done(&json!({"do": "versions"}));
    for name in ["@japikey/japikey", "@japikey/authenticate", "@japikey/cloudflare"] {
        assert_eq!(versions[name], "0.4.0", "{name}");
    }
    assert!(versions["jose"].as_str().unwrap().starts_with("6."), "{versions}");
}
