//! D6, W9: instants that mean another time elsewhere. Processes in other time zones are in the tests of
//! `keyward-cli`.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::nestjs::server::Backend::{self, Memory, Sqlite};
use crate::nestjs::server::{Server, assert_instant};

#[rstest]
#[case("2027-06-01T12:00:00Z", "2027-06-01T12:00:00.000Z")]
#[case("2027-06-01T12:00:00.123Z", "2027-06-01T12:00:00.123Z")]
#[case("2027-06-01T12:00:00.123999Z", "2027-06-01T12:00:00.123Z")]
#[case("2027-06-01T12:00:00-05:00", "2027-06-01T17:00:00.000Z")]
#[case("2027-06-01T00:00:00+05:30", "2027-05-31T18:30:00.000Z")]
#[case("2027-06-01", "2027-06-01T00:00:00.000Z")]
#[tokio::test]
async fn d6_an_instant_is_stored_and_shown_in_utc(
    #[case] sent: &str,
    #[case] shown: &str,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let created = server.create(json!({"user_id": 1, "name": "n", "expires_at": sent})).await;
    assert_eq!(created["expires_at"], shown);
    let list = server.done("GET", "", Value::Null).await;
    assert_eq!(list["keys"][0]["expires_at"], shown);
    let path = format!("/{}", created["key_id"].as_str().unwrap());
    let updated = server.done("PUT", &path, json!({"expires_at": sent})).await;
    assert_eq!(updated["expires_at"], shown);
}

#[rstest]
#[case("2027-06-01T12:00:00")]
#[case("2027-06-01 12:00:00")]
#[case("June 1, 2027")]
#[case("01/06/2027")]
#[tokio::test]
async fn w9_a_time_without_a_zone_is_refused_and_not_guessed(
    #[case] sent: &str,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let body = json!({"user_id": 1, "name": "n", "expires_at": sent});
    let told = server.refused("POST", "", body).await;
    assert!(told.starts_with("400 INVALID_EXPIRY_DATE: "), "{told}");
}

#[rstest]
#[tokio::test]
async fn w9_a_key_ends_at_its_instant_to_the_microsecond(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let path = format!("/{}", key.key_id);
    server.done("PUT", &path, json!({"expires_at": "2027-01-01T05:30:01+05:30"})).await;
    server.api.clock.advance(Duration::from_micros(999_999));
    assert_eq!(server.validate(&key).await, "200 KEY_VALID");
    server.api.clock.advance(Duration::from_micros(1));
    assert_eq!(server.validate(&key).await, "401 KEY_EXPIRED: API key has expired");
    let answer = server.get("").await.json();
    assert_instant(answer["timestamp"].as_str().unwrap());
    assert_eq!(answer["timestamp"], "2027-01-01T00:00:01.000Z");
}
