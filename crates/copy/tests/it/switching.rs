//! From one store to the other, without a pause.

use std::future::{pending, ready};
use std::sync::Arc;
use std::time::Duration;

use keyward::store::StoreError;
use keyward::{Asked, Error, NewKey};
use keyward_copy::Switched;
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Life, Place, assert_same, contents, copier};

/// Acts until the store is sealed.
async fn live_until_sealed(mut life: Life) -> Life {
    loop {
        match life.try_act().await {
            Err(StoreError::Sealed) => return life,
            outcome => outcome.unwrap(),
        }
        tokio::task::yield_now().await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn acts_before_a_switch_are_at_the_destination_and_later_ones_are_refused(
    #[values((Memory, Sqlite), (Sqlite, Memory), (Sqlite, Sqlite))] backends: (Backend, Backend),
) {
    let (source, destination) = (Place::new(backends.0), Place::new(backends.1));
    Life::begin(&source.store, 91).await.live(500).await;
    let lives = [0, 1].map(|n| {
        let store = Arc::clone(&source.store);
        tokio::spawn(async move { live_until_sealed(Life::begin(&store, 910 + n).await).await })
    });
    let copier = copier(&source.store, &destination.store);
    let switched = copier.switch(pending()).await.unwrap();
    let Switched::Done(report, remainder) = switched else { panic!("{switched:?}") };
    assert!(report.is_equal(), "{report:?}");
    let before = contents(&*destination.store).await;
    for life in lives {
        let life = life.await.unwrap();
        life.keyward.flush_usage().await.unwrap();
        assert!(matches!(
            life.keyward.issue(NewKey::new("o".parse().unwrap()), &crate::support::me()).await,
            Err(Error::Store(StoreError::Sealed))
        ));
    }
    copier.carry_usage(remainder, ready(())).await.unwrap();
    assert!(before.count("key") > 30);
    assert_same(&*source.store, &*destination.store).await;
}

#[tokio::test]
async fn uses_at_both_stores_after_a_switch_are_added_up() {
    let (source, destination) = (Place::new(Sqlite), Place::new(Sqlite));
    let mut life = Life::begin(&source.store, 101).await;
    let new = |owner: &str| NewKey::new(owner.parse().unwrap());
    let me = crate::support::me();
    life.live(200).await;
    let issued = life.keyward.issue(new("o"), &me).await.unwrap();
    let secret = issued.secret.expose();
    let uses = async |life: &Life, count: u32| {
        for _ in 0..count {
            let decision = life.keyward.verify(secret, &Asked::default()).await.unwrap();
            assert_eq!(decision.code(), "allowed");
        }
        life.keyward.flush_usage().await.unwrap();
    };
    uses(&life, 5).await;
    let copier = copier(&source.store, &destination.store);
    let switched = copier.switch(pending()).await.unwrap();
    let Switched::Done(_, remainder) = switched else { panic!("{switched:?}") };
    let there = Life::begin(&destination.store, 102).await;
    uses(&there, 7).await;
    uses(&life, 3).await;
    let stop = async {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        uses(&there, 1).await;
        uses(&life, 2).await;
    };
    copier.carry_usage(remainder, stop).await.unwrap();
    let key = destination.store.key(&issued.key.id).await.unwrap().unwrap();
    assert_eq!(key.usage.uses, 5 + 7 + 3 + 1 + 2);
}

#[tokio::test]
async fn a_switch_that_is_stopped_leaves_the_source_as_it_was() {
    let (source, destination) = (Place::new(Sqlite), Place::new(Sqlite));
    let mut life = Life::begin(&source.store, 111).await;
    life.live(400).await;
    let copier = copier(&source.store, &destination.store);
    for round in 0..30 {
        let stop = tokio::time::sleep(Duration::from_millis(round));
        match copier.switch(stop).await.unwrap() {
            Switched::Stopped => life.live(3).await,
            Switched::Done(..) => return,
            Switched::Differs(report) => panic!("{report:?}"),
        }
    }
    assert!(matches!(copier.switch(pending()).await.unwrap(), Switched::Done(..)));
}

#[tokio::test]
async fn after_a_switch_nothing_is_copied_to_the_destination_any_more() {
    let (source, destination) = (Place::new(Memory), Place::new(Sqlite));
    Life::begin(&source.store, 121).await.live(50).await;
    let copier = copier(&source.store, &destination.store);
    assert!(matches!(copier.switch(pending()).await.unwrap(), Switched::Done(..)));
    Life::begin(&destination.store, 122).await.live(20).await;
    let before = contents(&*destination.store).await;
    assert!(copier.copy().await.unwrap_err().is_refusal());
    assert!(copier.switch(pending()).await.unwrap_err().is_refusal());
    before.assert_same(&contents(&*destination.store).await);
    // That a copy was refused takes nothing back.
    let sealed = Life::begin(&source.store, 123).await;
    let new = NewKey::new("o".parse().unwrap());
    assert!(sealed.keyward.issue(new, &crate::support::me()).await.is_err());
}

/// A destination that loses an event is never switched to.
#[tokio::test]
async fn a_destination_that_does_not_keep_what_it_is_given_is_not_switched_to() {
    let (source, destination) = (Place::new(Memory), Place::new(Sqlite));
    Life::begin(&source.store, 131).await.live(100).await;
    let file = rusqlite::Connection::open(destination.folder.path().join("keyward.db")).unwrap();
    file.execute_batch(
        "CREATE TRIGGER forget AFTER INSERT ON audit WHEN new.action = 'key.revoked' \
         BEGIN DELETE FROM audit WHERE id = new.id; END",
    )
    .unwrap();
    let copier = copier(&source.store, &destination.store);
    let switched = copier.switch(pending()).await.unwrap();
    let Switched::Differs(report) = switched else { panic!("{switched:?}") };
    assert!(!report.is_equal());
    Life::begin(&source.store, 132).await.live(10).await;
}
