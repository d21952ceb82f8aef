//! Lists: pages, filters, searches and orders.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::server::Backend::{self, Memory, Sqlite};
use super::server::Server;

/// Keys of two users in every state, a second apart. Returns the client id of each.
async fn in_every_state(server: &Server) -> [String; 2] {
    let first = server.first_key(json!(1)).await;
    let other = server.first_key(json!(2)).await;
    for key in [&first, &other] {
        server.done("DELETE", &format!("/{}", key.key_id), Value::Null).await;
    }
    for (name, user, more) in [
        ("deleted", 1, json!({})),
        ("revoked", 1, json!({})),
        ("expired", 1, json!({"expires_at": "2027-01-01T00:00:08Z"})),
        ("inactive", 1, json!({"is_active": false})),
        ("active", 1, json!({"description": "Zwölf Äpfel"})),
        ("active of another", 2, json!({})),
    ] {
        server.api.clock.advance(Duration::from_secs(1));
        let mut body = json!({"user_id": user, "name": name});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let id = server.create(body).await["key_id"].as_str().unwrap().to_owned();
        match name {
            "deleted" => drop(server.done("DELETE", &format!("/{id}"), Value::Null).await),
            "revoked" => {
                let path = format!("/v1/keys/{id}/revoke");
                assert_eq!(server.api.call("POST", &path, Value::Null).await.status, 200);
            }
            _ => {}
        }
    }
    server.api.clock.advance(Duration::from_secs(10));
    [first.client_id, other.client_id]
}

const LIVING: [&str; 5] = ["active of another", "active", "inactive", "expired", "revoked"];

#[rstest]
#[case::all("", &LIVING)]
#[case::active("?status=active", &["active of another", "active"])]
#[case::inactive("?status=inactive", &["inactive"])]
#[case::expired("?status=expired", &["expired"])]
#[case::revoked("?status=revoked", &["revoked"])]
#[case::deleted("?status=deleted", &["deleted", "first", "first"])]
#[case::status_counts("?status=active&include_deleted=true", &["active of another", "active"])]
#[case::without_deleted("?include_deleted=false", &LIVING)]
#[case::of_a_client("?client_id=CLIENT1&status=active", &["active"])]
#[case::of_a_user("?user_id=2", &["active of another"])]
#[case::of_both("?user_id=2&client_id=CLIENT2", &["active of another"])]
#[case::by_name("?sort_by=name&sort_order=ASC&limit=2", &["active", "active of another"])]
#[case::lower_case("?sort_by=name&sort_order=desc&limit=1", &["revoked"])]
#[case::by_expiry("?sort_by=expiry_date&sort_order=ASC&limit=2", &["expired", "revoked"])]
#[case::by_activity("?sort_by=is_active&sort_order=ASC&limit=1", &["inactive"])]
#[case::by_creation("?sort_by=created_at&sort_order=ASC&limit=1", &["revoked"])]
#[case::by_change("?sort_by=updated_at&limit=1", &["active of another"])]
#[case::second_page("?limit=2&page=2", &["inactive", "expired"])]
#[case::past_the_end("?limit=2&page=9", &[])]
#[case::search_in_names("?search=REVO", &["revoked"])]
#[case::search_in_descriptions("?search=%C3%84PFEL", &["active"])]
#[case::search_knows_no_wildcards("?search=_", &[])]
#[case::search_knows_no_wildcards_at_all("?search=%25", &[])]
#[case::search_looks_at_notes_alone("?search=kw_nest", &[])]
#[tokio::test]
async fn a_list_holds_what_is_asked_for(
    #[case] query: &str,
    #[case] expected: &[&str],
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let [first, second] = in_every_state(&server).await;
    let query = query.replace("CLIENT1", &first).replace("CLIENT2", &second);
    assert_eq!(server.names(&query).await, expected);
}

#[rstest]
#[tokio::test]
async fn pages_are_counted(#[values(Memory, Sqlite)] backend: Backend) {
    let server = Server::new(backend).await;
    for n in 0..5 {
        server.create(json!({"user_id": n, "name": "n"})).await;
    }
    let pages = [
        (
            "?limit=2",
            json!({"page": 1, "limit": 2, "total": 5, "total_pages": 3,
            "has_next": true, "has_previous": false}),
        ),
        (
            "?limit=2&page=2",
            json!({"page": 2, "limit": 2, "total": 5, "total_pages": 3,
            "has_next": true, "has_previous": true}),
        ),
        (
            "?limit=2&page=3",
            json!({"page": 3, "limit": 2, "total": 5, "total_pages": 3,
            "has_next": false, "has_previous": true}),
        ),
        (
            "?search=nothing",
            json!({"page": 1, "limit": 10, "total": 0, "total_pages": 0,
            "has_next": false, "has_previous": false}),
        ),
    ];
    for (query, expected) in pages {
        let answer = server.get(query).await.json();
        assert_eq!(answer["pagination"], expected, "{query}");
        assert_eq!(answer["data"]["pagination"], expected, "{query}");
    }
}
