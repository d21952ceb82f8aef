//! What a comparison finds.

use keyward_copy::{Kind, Verdict};
use rstest::rstest;
use rusqlite::Connection;

use crate::support::Backend::Sqlite;
use crate::support::{Life, Place, assert_same, copier};

/// The destination is changed past the store, and one row is found to differ.
#[rstest]
#[case::a_key_is_gone("DELETE FROM keys WHERE id = (SELECT max(id) FROM keys)", Kind::Keys)]
#[case::a_digest(
    "UPDATE keys SET digest = zeroblob(32) WHERE id = \
    (SELECT max(id) FROM keys WHERE format = 'prefixed')",
    Kind::Keys
)]
#[case::a_right(
    "UPDATE keys SET scopes = '[\"root\"]' WHERE id = (SELECT max(id) FROM keys)",
    Kind::Keys
)]
#[case::an_account(
    "UPDATE service_accounts SET enabled = 1 - enabled WHERE id = \
    (SELECT max(id) FROM service_accounts WHERE owner <> 'keyward copy')",
    Kind::ServiceAccounts
)]
#[case::a_count(
    "UPDATE usage SET uses = uses + 1 WHERE key_id = \
    (SELECT max(key_id) FROM usage)",
    Kind::Usage
)]
#[case::an_event("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)", Kind::AuditEvents)]
#[case::an_event_of_another(
    "UPDATE audit SET actor = 'mallory' WHERE id = \
    (SELECT min(id) FROM audit)",
    Kind::AuditEvents
)]
#[case::an_event_too_much(
    "INSERT INTO audit (at, id, action, actor, data) VALUES \
    (1800000000000000, zeroblob(16), 'key.issued', 'mallory', '{}')",
    Kind::AuditEvents
)]
#[case::a_signing_key("DELETE FROM signing_keys", Kind::SigningKeys)]
#[case::a_revoked_token("DELETE FROM revoked_tokens", Kind::RevokedTokens)]
#[tokio::test]
async fn a_mutilated_destination_is_found_and_mended(#[case] sql: &str, #[case] kind: Kind) {
    let (source, destination) = (Place::new(Sqlite), Place::new(Sqlite));
    let mut life = Life::begin(&source.store, 71).await;
    life.live(1_000).await;
    let copier = copier(&source.store, &destination.store);
    copier.copy().await.unwrap();
    assert!(copier.check().await.unwrap().is_equal());
    let file = Connection::open(destination.folder.path().join("keyward.db")).unwrap();
    file.pragma_update(None, "foreign_keys", true).unwrap();
    assert!(file.execute(sql, []).unwrap() > 0);
    let report = copier.check().await.unwrap();
    assert!(!report.is_equal());
    let row = report.rows.iter().find(|row| row.kind == kind).unwrap();
    assert_eq!(row.verdict, Verdict::Differs, "{report:?}");
    assert!(row.differing > 0 && !row.named.is_empty(), "{report:?}");
    assert!(copier.copy().await.unwrap().is_equal());
    assert_same(&*source.store, &*destination.store).await;
}

#[tokio::test]
async fn a_comparison_writes_nothing() {
    let (source, destination) = (Place::new(Sqlite), Place::new(Sqlite));
    Life::begin(&source.store, 81).await.live(50).await;
    let report = copier(&source.store, &destination.store).check().await.unwrap();
    assert!(!report.is_equal());
    assert_eq!(destination.store.position().await.unwrap(), keyward::Sequence::START);
    assert_eq!(report.rows[2].destination.count, 0, "{report:?}");
}
