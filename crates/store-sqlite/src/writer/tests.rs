use std::future::poll_fn;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::Poll;

use keyward_store::Conflict;
use tokio::task::JoinHandle;

use super::*;

fn writer() -> (Arc<Writer>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("test.db")).unwrap();
    connection.execute_batch("CREATE TABLE numbers (n INTEGER PRIMARY KEY)").unwrap();
    (Arc::new(Writer::start(connection).unwrap()), folder)
}

async fn insert(writer: &Writer, number: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO numbers VALUES (?)";
    writer.write("insert", move |c| Ok(c.execute(sql, [number]).map(|_| ())?)).await
}

async fn count(writer: &Writer) -> i64 {
    let sql = "SELECT count(*) FROM numbers";
    writer.write("count", move |c| Ok(c.query_row(sql, [], |row| row.get(0))?)).await.unwrap()
}

/// Holds the writer up until it is released, so that what comes meanwhile forms one group.
async fn hold(writer: &Arc<Writer>) -> (JoinHandle<Result<(), StoreError>>, impl FnOnce()) {
    let (release, released) = channel::<()>();
    let (start, started) = oneshot::channel();
    let writer = Arc::clone(writer);
    let mut first = Some((start, released));
    let work = move |_: &Connection| {
        // It may be run again.
        if let Some((start, released)) = first.take() {
            start.send(()).unwrap();
            released.recv().unwrap();
        }
        Ok(())
    };
    let waiting = tokio::spawn(async move { writer.write("wait", work).await });
    started.await.unwrap();
    (waiting, move || release.send(()).unwrap())
}

#[tokio::test]
async fn a_refused_job_leaves_its_group_alone() {
    let (writer, _folder) = writer();
    let (wait, release) = hold(&writer).await;
    let (first, second, third) = (insert(&writer, 1), insert(&writer, 1), insert(&writer, 2));
    let (waited, first, second, third, ()) =
        tokio::join!(wait, first, second, third, async { release() });
    waited.unwrap().unwrap();
    first.unwrap();
    third.unwrap();
    assert!(matches!(second, Err(StoreError::Conflict(Conflict::Exists))));
    assert_eq!(count(&writer).await, 2);
}

#[tokio::test]
async fn a_job_that_fails_half_way_leaves_nothing() {
    let (writer, _folder) = writer();
    let failed = writer.write("write", |c| {
        c.execute("INSERT INTO numbers VALUES (1)", [])?;
        Err::<(), _>(Conflict::Outdated.into())
    });
    assert!(matches!(failed.await, Err(StoreError::Conflict(Conflict::Outdated))));
    assert_eq!(count(&writer).await, 0);
}

#[tokio::test]
async fn a_job_that_loses_the_transaction_leaves_its_group_alone() {
    let (writer, _folder) = writer();
    let (wait, release) = hold(&writer).await;
    // What SQLite does by itself when the disk is full.
    let failing = writer.write("lose", |c| {
        c.execute_batch("ROLLBACK")?;
        Err::<(), _>(Conflict::Outdated.into())
    });
    let (waited, first, lost, third, ()) =
        tokio::join!(wait, insert(&writer, 1), failing, insert(&writer, 2), async { release() });
    waited.unwrap().unwrap();
    first.unwrap();
    third.unwrap();
    assert!(matches!(lost, Err(StoreError::Conflict(Conflict::Outdated))), "{lost:?}");
    assert_eq!(count(&writer).await, 2);
}

#[tokio::test]
async fn a_panic_is_told_to_its_group_and_the_writer_goes_on() {
    let (writer, _folder) = writer();
    let (wait, release) = hold(&writer).await;
    let bug = writer.write("panic", |_| -> Result<(), WriteError> { panic!("a bug in a job") });
    let (waited, first, bug, ()) = tokio::join!(wait, insert(&writer, 1), bug, async { release() });
    waited.unwrap().unwrap();
    for result in [first, bug] {
        assert!(matches!(result, Err(StoreError::Unavailable { .. })), "{result:?}");
    }
    assert_eq!(count(&writer).await, 0);
    insert(&writer, 1).await.unwrap();
}

#[tokio::test]
async fn dropping_the_writer_finishes_what_is_queued() {
    let (writer, folder) = writer();
    let (wait, release) = hold(&writer).await;
    let mut jobs: Vec<_> = (0..100).map(|n| Box::pin(insert(&writer, n))).collect();
    // Each job is queued by the first poll, and nobody waits for its answer.
    poll_fn(|context| {
        assert!(jobs.iter_mut().all(|job| job.as_mut().poll(context).is_pending()));
        Poll::Ready(())
    })
    .await;
    drop(jobs);
    release();
    wait.await.unwrap().unwrap();
    drop(writer);
    let connection = Connection::open(folder.path().join("test.db")).unwrap();
    let sql = "SELECT count(*) FROM numbers";
    let written: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(written, 100);
}
