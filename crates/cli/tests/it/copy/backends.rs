//! From SQLite to PostgreSQL, on to Redis, and back, by commands and with servers on each.

use keyward_testkit::postgres::Postgres;
use keyward_testkit::redis::{DURABLE, Redis};
use serde_json::json;

use crate::harness::Folder;

#[test]
fn keys_move_through_every_database_and_stay_what_they_are() {
    let folder = Folder::new();
    let (postgres, redis) = (Postgres::start(&[]), Redis::start(DURABLE));
    postgres.create_database("keyward");
    let cli = folder.cli();
    let places = ["sqlite:a.db".to_owned(), postgres.url("keyward"), redis.url()];
    let [mut lasting, mut revoked] = [const { None }; 2];
    for (from, to) in places.iter().zip(places.iter().skip(1).chain([&"sqlite:b.db".to_owned()])) {
        let server = folder.serve_with(&["--database", from]);
        let mut client = server.client();
        let lasting = lasting.get_or_insert_with(|| client.issue(&json!({"owner": "x"})));
        assert_eq!(client.verify(&lasting.secret), "valid", "on {from}");
        // One that was taken away at one place is taken away at the next.
        let taken = client.issue(&json!({"owner": "x"}));
        client.granted("POST", &format!("/v1/keys/{}/revoke", taken.id), &json!({}));
        if let Some(before) = revoked.replace(taken) {
            assert_eq!(client.verify(&before.secret), "revoked", "on {from}");
        }
        drop(server.stop());
        cli.done(&["migrate", "--database", to]);
        let report = cli.json(&["copy", "--from", from, "--to", to, "--switch"]);
        assert_eq!(report["equal"], true, "to {to}: {report}");
        let refused = cli.run(&["keys", "issue", "--owner", "o", "--database", from]);
        assert!(refused.code == 3 && refused.stderr.contains("sealed"), "on {from}: {refused:?}");
    }
    let server = folder.serve_with(&["--database", "sqlite:b.db"]);
    let mut client = server.client();
    assert_eq!(client.verify(&lasting.unwrap().secret), "valid");
    assert_eq!(client.verify(&revoked.unwrap().secret), "revoked");
}
