//! Everything is copied as it is.

use std::sync::Arc;

use keyward::Asked;
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Life, Place, assert_same, contents, copier};

#[rstest]
#[tokio::test]
async fn every_kind_of_record_is_copied_as_it_is(
    #[values((Memory, Sqlite), (Sqlite, Memory), (Sqlite, Sqlite))] backends: (Backend, Backend),
) {
    let (source, destination) = (Place::new(backends.0), Place::new(backends.1));
    let mut life = Life::begin(&source.store, 1).await;
    life.live(1_500).await;
    let report = copier(&source.store, &destination.store).copy().await.unwrap();
    assert!(report.is_equal(), "{report:?}");
    let held = contents(&*source.store).await;
    for kind in ["keyspace", "account", "key", "signing key", "revoked token", "event"] {
        assert!(held.count(kind) > 0, "no {kind} was tested");
    }
    assert!(report.rows.iter().all(|row| row.source.count > 0), "{report:?}");
    assert_same(&*source.store, &*destination.store).await;
}

#[tokio::test]
async fn secrets_are_worth_at_the_destination_what_they_were_worth() {
    let (source, destination) = (Place::new(Sqlite), Place::new(Sqlite));
    let mut life = Life::begin(&source.store, 2).await;
    life.live(600).await;
    copier(&source.store, &destination.store).copy().await.unwrap();
    let there = Life::begin(&destination.store, 3).await;
    let mut allowed = 0;
    for (id, secret) in &life.keys {
        let asked = Asked::default();
        let here = life.keyward.verify(secret.expose(), &asked).await.unwrap();
        let there = there.keyward.verify(secret.expose(), &asked).await.unwrap();
        assert_eq!(here.code(), there.code(), "{id}");
        allowed += usize::from(here.code() == "allowed");
    }
    assert!(allowed > 20, "only {allowed} keys were worth anything");
}

#[tokio::test]
async fn a_copy_that_is_made_again_carries_over_what_has_happened_since() {
    let (source, destination) = (Place::new(Sqlite), Place::new(Memory));
    let mut life = Life::begin(&source.store, 4).await;
    for _ in 0..4 {
        life.live(300).await;
        let report = copier(&source.store, &destination.store).copy().await.unwrap();
        assert!(report.is_equal(), "{report:?}");
        assert_same(&*source.store, &*destination.store).await;
    }
}

#[tokio::test]
async fn an_empty_store_is_copied_to_an_empty_one() {
    let (source, destination) = (Place::new(Memory), Place::new(Sqlite));
    for _ in 0..2 {
        let report = copier(&source.store, &destination.store).copy().await.unwrap();
        assert!(report.is_equal(), "{report:?}");
    }
    Life::begin(&source.store, 1).await.live(20).await;
    let report = copier(&source.store, &destination.store).copy().await.unwrap();
    assert!(report.is_equal(), "{report:?}");
}

#[tokio::test]
async fn a_copy_can_be_handed_to_another_thread() {
    let (source, destination) = (Place::new(Memory), Place::new(Memory));
    let copier = Arc::new(copier(&source.store, &destination.store));
    let copy = tokio::spawn(async move { copier.copy().await });
    assert!(copy.await.unwrap().unwrap().is_equal());
}
