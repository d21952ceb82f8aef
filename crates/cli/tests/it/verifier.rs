//! `keyward-client` against a running server: a service that only verifies.

use std::time::Duration;

use keyward::Secret;
use keyward_client::{
    ChangeFeed, KeyLifetimes, UnauthorizedReason, VerifiedToken, Verifier, VerifyError,
};
use serde_json::json;

use crate::harness::{Client, Folder, PATIENCE, Server, now, serve, serve_at_known_port};

/// A server whose issuer is its own address, with a keyspace of signed keys.
struct World {
    client: Client,
    server: Server,
    folder: Folder,
}

impl World {
    fn new() -> Self {
        let folder = Folder::new();
        let arguments = ["--root-key-file", "root.key"];
        let server = serve_at_known_port(folder.path(), &arguments);
        let mut client = server.client();
        let keyspace = json!({"id": "signed", "format": "signed", "algorithm": "EdDSA"});
        client.granted("POST", "/v1/keyspaces", &keyspace);
        Self { client, server, folder }
    }

    /// A key's id and its token.
    fn issue(&mut self) -> (String, String) {
        let body = json!({"owner": "user-1", "keyspace": "signed", "expires_in": "1h",
            "scopes": ["read"], "claims": {"plan": "gold"}});
        let issued = self.client.issue(&body);
        (issued.id, issued.secret)
    }

    /// A verifier that would keep public keys for ever, were it not for the server's changes.
    fn following(&self) -> Verifier {
        let feed = ChangeFeed::new(&self.server.url(), Secret::new(self.folder.root_key()));
        let feed = feed.unwrap().max_staleness(Duration::from_secs(1));
        let lifetimes = KeyLifetimes { least: Duration::from_hours(1), ..KeyLifetimes::default() };
        let most = Duration::from_hours(1);
        let builder =
            Verifier::builder().issuer(format!("{}/jwks", self.server.url()).parse().unwrap());
        builder.lifetimes(KeyLifetimes { most, ..lifetimes }).feed(feed).build().unwrap()
    }
}

/// Asks again and again until the answer is the one that is waited for.
async fn becomes(
    verifier: &Verifier,
    token: &str,
    wanted: impl Fn(&Result<VerifiedToken, VerifyError>) -> bool,
) {
    let begun = now();
    loop {
        if wanted(&verifier.verify(token).await) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "it never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_verifier_elsewhere_hears_of_a_revocation_while_it_keeps_the_key() {
    let mut world = World::new();
    let verifier = world.following();
    let (id, token) = world.issue();
    let first = verifier.verify(&token).await.unwrap();
    assert_eq!((first.id().as_str(), first.subject()), (id.as_str(), "user-1"));
    assert!(first.has_scope("read"));
    let begun = now();
    while !verifier.is_current() {
        assert!(begun.elapsed() < PATIENCE, "the feed is never heard");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(verifier.verify(&token).await.is_ok());
    world.client.act(&id, "revoke");
    becomes(&verifier, &token, |answer| {
        matches!(answer, Err(VerifyError::Unauthorized(UnauthorizedReason::UnknownKey)))
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_no_revocation_and_no_yes() {
    let mut world = World::new();
    let verifier = world.following();
    let (_, token) = world.issue();
    assert!(verifier.verify(&token).await.is_ok());
    let World { server, folder, .. } = world;
    let address = server.url().trim_start_matches("http://").to_owned();
    server.kill();
    becomes(&verifier, &token, |answer| answer.as_ref().is_err_and(|error| error.status() == 503))
        .await;
    let arguments = ["--listen", address.as_str(), "--root-key-file", "root.key"];
    let _again = serve(folder.path(), &arguments);
    becomes(&verifier, &token, Result::is_ok).await;
}
