//! Copies that are cut off, and stores that do not answer.

use std::sync::Arc;
use std::time::Duration;

use keyward::store::Store;
use keyward_copy::{CopyError, Side};
use rstest::rstest;

use crate::support::Backend::Sqlite;
use crate::support::{FlakyStore, Life, Place, assert_same, copier};

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_that_fail_now_and_then_are_copied_all_the_same(#[values(41, 42, 43)] seed: u64) {
    let (source, destination) = (Place::new(Sqlite), Place::new(Sqlite));
    let mut life = Life::begin(&source.store, seed).await;
    life.live(700).await;
    let flaky: Arc<dyn Store> = FlakyStore::new(&destination.store, seed, 12);
    let failing: Arc<dyn Store> = FlakyStore::new(&source.store, seed + 1, 25);
    let report = copier(&failing, &flaky).copy().await.unwrap();
    assert!(report.is_equal(), "{report:?}");
    assert_same(&*source.store, &*destination.store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_cut_off_anywhere_goes_on_where_it_was() {
    let (source, destination) = (Place::new(Sqlite), Place::new(Sqlite));
    let mut life = Life::begin(&source.store, 51).await;
    life.live(1_200).await;
    for round in 0..40 {
        let cut = Duration::from_micros(500 + life.roll(15_000));
        let copier = copier(&source.store, &destination.store);
        drop(tokio::time::timeout(cut, copier.copy()).await.map(Result::unwrap));
        if round % 4 == 0 {
            life.live(10).await;
        }
    }
    let report = copier(&source.store, &destination.store).copy().await.unwrap();
    assert!(report.is_equal(), "{report:?}");
    assert_same(&*source.store, &*destination.store).await;
}

#[rstest]
#[case::source(Side::Source)]
#[case::destination(Side::Destination)]
#[tokio::test]
async fn a_store_that_stays_away_is_waited_for_and_named(#[case] side: Side) {
    let (source, destination) = (Place::new(Sqlite), Place::new(Sqlite));
    Life::begin(&source.store, 61).await.live(100).await;
    let ends = [&source.store, &destination.store].map(|store| FlakyStore::new(store, 1, 0));
    let [from, to] = ends.clone().map(|store| store as Arc<dyn Store>);
    let copier = copier(&from, &to).patience(Duration::from_millis(300));
    copier.copy().await.unwrap();
    let away = usize::from(side == Side::Destination);
    ends[away].fail_one_in(1);
    match copier.copy().await {
        Err(CopyError::Unanswered { side: named, .. } | CopyError::Store { side: named, .. }) => {
            assert_eq!(named, side);
        }
        other => panic!("{other:?}"),
    }
    ends[away].fail_one_in(0);
    assert!(copier.copy().await.unwrap().is_equal());
}
