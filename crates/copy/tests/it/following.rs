//! What happens at the source while a copy goes on.

use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Life, Place, assert_same, copier, followed};

/// Lives go on until everything of them was followed.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn whatever_happens_while_a_copy_goes_on_is_carried_over(
    #[values((Memory, Sqlite), (Sqlite, Memory), (Sqlite, Sqlite))] backends: (Backend, Backend),
    #[values(11, 12)] seed: u64,
) {
    let (source, destination) = (Place::new(backends.0), Place::new(backends.1));
    Life::begin(&source.store, seed).await.live(800).await;
    let lives = [0, 1, 2].map(|n| {
        let store = Arc::clone(&source.store);
        tokio::spawn(async move {
            let mut life = Life::begin(&store, seed * 100 + n).await;
            for _ in 0..40 {
                life.live(15).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    });
    let copier = copier(&source.store, &destination.store);
    let ended = async {
        for life in lives {
            life.await.unwrap();
        }
        followed(&source.store, &destination.store).await;
    };
    copier.follow(ended).await.unwrap();
    let report = copier.copy().await.unwrap();
    assert!(report.is_equal(), "{report:?}");
    assert_same(&*source.store, &*destination.store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_follower_alone_carries_over_every_act_and_every_use() {
    let (source, destination) = (Place::new(Sqlite), Place::new(Sqlite));
    Life::begin(&source.store, 21).await.live(300).await;
    let copier = copier(&source.store, &destination.store);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let follower = tokio::spawn(async move {
        copier.follow(async { stopped.await.unwrap() }).await.map(|()| copier)
    });
    let mut life = Life::begin(&source.store, 22).await;
    life.live(400).await;
    followed(&source.store, &destination.store).await;
    stop.send(()).unwrap();
    let copier = follower.await.unwrap().unwrap();
    assert!(copier.copy().await.unwrap().is_equal());
    assert_same(&*source.store, &*destination.store).await;
}
