//! Changes that the source's feed no longer knows.

use std::sync::Arc;
use std::time::Duration;

use keyward::store::Store;
use keyward_store_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

use crate::support::Backend::Sqlite;
use crate::support::{Life, Place, assert_same, copier, folder, followed};

/// A source that keeps hardly any changes.
fn forgetful(folder: &TempDir) -> Arc<dyn Store> {
    let options = SqliteOptions { kept_changes: 1, ..SqliteOptions::default() };
    Arc::new(SqliteStore::open(folder.path().join("source.db"), &options).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn after_a_gap_in_the_feed_everything_is_compared_anew() {
    let folder = folder();
    let (source, destination) = (forgetful(&folder), Place::new(Sqlite));
    let mut life = Life::begin(&source, 31).await;
    life.live(600).await;
    let copier = copier(&source, &destination.store);
    let ended = async {
        // Far more changes than the feed keeps come between two looks at it.
        for _ in 0..3 {
            let store = Arc::clone(&source);
            let lives = (0..4).map(|n| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { Life::begin(&store, 320 + n).await.live(300).await })
            });
            for life in lives.collect::<Vec<_>>() {
                life.await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        followed(&source, &destination.store).await;
    };
    copier.follow(ended).await.unwrap();
    assert!(copier.copy().await.unwrap().is_equal());
    assert_same(&*source, &*destination.store).await;
}
