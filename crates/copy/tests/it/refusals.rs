//! Destinations that nothing is written to.

use std::sync::Arc;

use keyward_copy::CopyError;

use crate::support::Backend::{Memory, Sqlite};
use crate::support::{Life, Place, contents, copier};

/// A copy is refused, and the destination stays as it is.
async fn refused(source: &Place, destination: &Place) -> CopyError {
    let before = contents(&*destination.store).await;
    let error = copier(&source.store, &destination.store).copy().await.unwrap_err();
    assert!(error.is_refusal(), "{error:?}");
    before.assert_same(&contents(&*destination.store).await);
    error
}

#[tokio::test]
async fn a_destination_with_records_of_its_own_is_refused() {
    let (source, destination) = (Place::new(Memory), Place::new(Sqlite));
    Life::begin(&source.store, 1).await.live(30).await;
    Life::begin(&destination.store, 2).await.live(30).await;
    assert!(matches!(refused(&source, &destination).await, CopyError::Foreign));
}

#[tokio::test]
async fn a_copy_of_another_source_is_refused() {
    let (source, other, destination) = (Place::new(Memory), Place::new(Memory), Place::new(Sqlite));
    Life::begin(&source.store, 1).await.live(30).await;
    Life::begin(&other.store, 2).await.live(30).await;
    copier(&other.store, &destination.store).copy().await.unwrap();
    assert!(matches!(refused(&source, &destination).await, CopyError::OtherSource));
}

#[tokio::test]
async fn a_copy_that_was_used_since_is_refused() {
    let (source, destination) = (Place::new(Memory), Place::new(Sqlite));
    Life::begin(&source.store, 1).await.live(30).await;
    copier(&source.store, &destination.store).copy().await.unwrap();
    Life::begin(&destination.store, 2).await.live(30).await;
    assert!(matches!(refused(&source, &destination).await, CopyError::InUse));
}

#[tokio::test]
async fn one_store_is_not_copied_to_itself() {
    let place = Place::new(Sqlite);
    let error = copier(&place.store, &place.store).copy().await.unwrap_err();
    assert!(matches!(error, CopyError::SameStore), "{error:?}");
    assert!(contents(&*place.store).await.records.is_empty());
    Life::begin(&place.store, 1).await.live(30).await;
    assert!(matches!(refused(&place, &place).await, CopyError::Foreign));
}

#[tokio::test]
async fn a_second_copy_to_the_same_destination_stops_the_first() {
    let (source, destination) = (Place::new(Memory), Place::new(Memory));
    Life::begin(&source.store, 1).await.live(300).await;
    let copiers = [(); 2].map(|()| Arc::new(copier(&source.store, &destination.store)));
    let (first, second) = tokio::join!(copiers[0].copy(), copiers[1].copy());
    let contended = [&first, &second].iter().filter(|ended| ended.is_err()).count();
    assert!(contended <= 1, "{first:?} {second:?}");
    for error in [first, second].into_iter().filter_map(Result::err) {
        assert!(matches!(error, CopyError::Contended), "{error:?}");
    }
    assert!(copiers[0].copy().await.unwrap().is_equal());
}
