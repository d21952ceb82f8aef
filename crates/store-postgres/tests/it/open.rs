//! Which databases are taken, and which are refused untouched.

use std::error::Error;

use keyward_store::Store;
use keyward_store::conformance::sample::{insert, key};
use keyward_store_postgres::{OpenError, PostgresOptions, PostgresStore};
use keyward_testkit::postgres::Postgres;

use crate::server::open;

/// All that an error tells.
fn told(error: &OpenError) -> String {
    let mut told = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        told = format!("{told}: {error}");
        source = error.source();
    }
    told
}

async fn refusals(url: &str) -> [OpenError; 3] {
    [
        PostgresStore::connect(url, &PostgresOptions::default()).await.unwrap_err(),
        PostgresStore::migrate(url).await.unwrap_err(),
        PostgresStore::pending_migrations(url).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn only_databases_of_ours_that_are_up_to_date_are_taken() {
    let server = Postgres::start(&[]);
    let url = |name: &str| {
        server.create_database(name);
        server.url(name)
    };

    let ours = url("ours");
    assert_eq!(PostgresStore::pending_migrations(&ours).await.unwrap(), 1);
    let refused = PostgresStore::connect(&ours, &PostgresOptions::default()).await.unwrap_err();
    assert!(refused.is_outdated() && told(&refused).contains("keyward migrate"));
    assert_eq!(PostgresStore::migrate(&ours).await.unwrap(), 1);
    assert_eq!(PostgresStore::migrate(&ours).await.unwrap(), 0);
    let store = open(&ours).await;
    insert(&store, &key("first")).await;
    // Also beside a store that is in use.
    assert_eq!(PostgresStore::migrate(&ours).await.unwrap(), 0);
    assert_eq!(PostgresStore::pending_migrations(&ours).await.unwrap(), 0);

    // The tables of an application that keeps its own beside ours are nobody's business.
    let shared = url("shared");
    server.execute("shared", "create table theirs (n integer); create schema keyward");
    assert_eq!(PostgresStore::migrate(&shared).await.unwrap(), 1);

    let foreign = url("theirs");
    server.execute("theirs", "create schema keyward; create table keyward.theirs (n integer)");
    for refused in refusals(&foreign).await {
        assert!(refused.is_foreign(), "{refused:?}");
    }
    let tables = "select count(*) from pg_class where relnamespace = 'keyward'::regnamespace";
    assert_eq!(server.execute("theirs", tables), "1\n");

    server.execute("ours", "insert into keyward.migrations (number) values (1000)");
    for refused in refusals(&ours).await {
        assert!(refused.is_newer(), "{refused:?}");
        assert!(told(&refused).contains("a newer version of keyward has migrated it"));
    }

    let latin = "create database latin encoding 'LATIN1' template template0";
    server.execute("postgres", latin);
    for refused in refusals(&server.url("latin")).await {
        assert!(told(&refused).contains("must store them as UTF8"), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_migrated_once_by_several_callers_at_once() {
    let server = Postgres::start(&[]);
    server.create_database("keyward");
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let url = server.url("keyward");
            tokio::spawn(async move { PostgresStore::migrate(&url).await })
        })
        .collect();
    let mut applied = 0;
    for call in calls {
        applied += call.await.unwrap().unwrap();
    }
    assert_eq!(applied, 1);
    open(&server.url("keyward")).await.health().await.unwrap();
}

#[tokio::test]
async fn no_error_tells_a_password() {
    // Nobody listens on that port.
    for url in [
        "postgres://somebody:geheim@127.0.0.1:1/keyward",
        "postgres://somebody:ge%68eim@127.0.0.1:1/keyward?pooler=transaction",
    ] {
        for refused in refusals(url).await {
            assert!(refused.is_unreachable(), "{refused:?}");
            assert!(refused.to_string().contains("127.0.0.1:1/keyward"));
            assert!(!told(&refused).contains("geheim") && !told(&refused).contains("somebody"));
        }
    }
    // Of one that cannot be read, any part may be a password.
    for url in [
        "postgres://somebody:ge@heim@127.0.0.1/keyward",
        "postgres://somebody:ge:heim/127.0.0.1@/keyward",
        "postgres://127.0.0.1:geheim/keyward",
        "postgres://127.0.0.1/keyward?password=geheim&geheim=1",
        "postgres://127.0.0.1/keyward?sslmode=geheim",
        "geheim",
    ] {
        for refused in refusals(url).await {
            assert!(!told(&refused).contains("heim"), "{}", told(&refused));
            assert!(!refused.is_unreachable() && !refused.is_foreign() && !refused.is_outdated());
        }
    }
}
