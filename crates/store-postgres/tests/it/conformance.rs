//! The rules of the port, in each of the ways in which a server can be reached.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::Sequence;
use keyward_store::Store;
use keyward_store::conformance::broken_rules;
use keyward_store_postgres::{PostgresOptions, PostgresStore, Replica};
use keyward_system::SystemClock;
use keyward_testkit::pgbouncer::PgBouncer;

use crate::server::{Server, wait_for};

async fn connect(url: &str, options: &PostgresOptions) -> Arc<dyn Store> {
    Arc::new(PostgresStore::connect(url, options).await.unwrap())
}

#[tokio::test]
async fn every_rule_is_kept() {
    let server = Server::start(&[]).await;
    let make = async || {
        let url = server.postgres.url(&server.database());
        (connect(&url, &PostgresOptions::default()).await, ())
    };
    assert_eq!(broken_rules(make).await, [""; 0]);
}

#[tokio::test]
async fn every_rule_is_kept_behind_a_pooler_that_hands_out_connections_by_the_transaction() {
    let server = Server::start(&[]).await;
    let pooler = PgBouncer::start(&server.postgres);
    let make = async || {
        let url = format!("{}?pooler=transaction", pooler.url(&server.database()));
        (connect(&url, &PostgresOptions::default()).await, ())
    };
    assert_eq!(broken_rules(make).await, [""; 0]);
}

#[tokio::test]
async fn every_rule_is_kept_with_a_standby_server_that_answers_what_it_can() {
    let server = Server::start(&[]).await;
    let standby = server.postgres.standby();
    let make = async || {
        let database = server.database();
        wait_for(|| {
            standby.execute(
                "postgres",
                &format!("select 1 from pg_database where datname = '{database}'"),
            ) == "1\n"
        });
        let replica = Replica {
            max_staleness: Duration::MAX,
            ..Replica::new(standby.url(&database), Arc::new(SystemClock))
        };
        let options = PostgresOptions { replica: Some(replica), ..PostgresOptions::default() };
        let store = connect(&server.postgres.url(&database), &options).await;
        // From now on it knows what has happened.
        store.changes_since(Sequence::START).await.unwrap();
        (store, ())
    };
    assert_eq!(broken_rules(make).await, [""; 0]);
    let asked = "select sum(xact_commit) > 50 from pg_stat_database where datname like 'keyward%'";
    wait_for(|| standby.execute("postgres", asked) == "t\n");
}
