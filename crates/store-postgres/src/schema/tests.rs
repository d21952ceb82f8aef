use keyward_testkit::postgres::Postgres;

use super::*;
use crate::PostgresOptions;
use crate::address::Address;
use crate::connector::Connector;

const FIRST: &str = "CREATE TABLE keyward.one (n bigint)";
const SECOND: &str =
    "ALTER TABLE keyward.one ADD COLUMN m bigint; INSERT INTO keyward.one VALUES (1, 2)";
const BROKEN: &str =
    "CREATE TABLE keyward.three (n bigint); INSERT INTO keyward.nowhere VALUES (1)";

async fn connect(server: &Postgres, database: &str) -> Connection {
    let address = Address::parse(&server.url(database)).unwrap();
    let connector = Connector::to_primary(&address, &PostgresOptions::default()).unwrap();
    connector.connect().await.unwrap()
}

#[tokio::test]
async fn only_what_is_lacking_is_applied_and_all_of_it_or_nothing() {
    let server = Postgres::start(&[]);
    server.create_database("keyward");
    let connection = connect(&server, "keyward").await;
    assert_eq!(Schema::of(&[FIRST]).migrate(&connection).await.unwrap(), 1);
    let both = Schema::of(&[FIRST, SECOND]);
    assert_eq!(both.version_of(&connection).await.unwrap(), 1);
    assert_eq!(both.migrate(&connection).await.unwrap(), 1);
    assert_eq!(both.migrate(&connection).await.unwrap(), 0);
    assert_eq!(server.execute("keyward", "select count(*) from keyward.one"), "1\n");

    let broken = Schema::of(&[FIRST, SECOND, BROKEN]);
    assert!(broken.migrate(&connection).await.is_err());
    drop(connection);
    let connection = connect(&server, "keyward").await;
    assert_eq!(broken.version_of(&connection).await.unwrap(), 2);
    let three = "select to_regclass('keyward.three') is null";
    assert_eq!(server.execute("keyward", three), "t\n");

    let older = Schema::of(&[FIRST]).migrate(&connection).await;
    assert!(matches!(older, Err(Problem::Newer { found: 2, known: 1 })));
}

#[tokio::test]
async fn a_role_that_may_not_make_schemas_uses_one_that_was_made_for_it() {
    let server = Postgres::start(&[]);
    server.create_database("keyward");
    server.execute("keyward", "create role guest login; create schema keyward authorization guest");
    let url = server.url("keyward").replace("postgres@", "guest@");
    let address = Address::parse(&url).unwrap();
    let connector = Connector::to_primary(&address, &PostgresOptions::default()).unwrap();
    let connection = connector.connect().await.unwrap();
    assert_eq!(Schema::CURRENT.migrate(&connection).await.unwrap(), Schema::CURRENT.version());
}
