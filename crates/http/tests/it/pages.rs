//! Lists of keys: filters, orders and pages.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::Api;

/// Seven keys that differ in name, tags, expiry and state, two of them issued at the same instant.
async fn seven_keys() -> Api {
    let api = Api::new().await;
    api.keyspace("payments").await;
    let bodies = [
        json!({"owner": "a", "name": "delta", "tags": ["prod"], "expires_in": "4h"}),
        json!({"owner": "a", "name": "alpha", "expires_in": "1h"}),
        json!({"owner": "a", "name": "charlie", "enabled": false}),
        json!({"owner": "b", "tags": ["Prod", "eu"], "expires_in": "30m"}),
        json!({"owner": "b", "name": "bravo", "not_before": "2028-01-01T00:00:00Z"}),
        json!({"owner": "c", "name": "echo 100%", "keyspace": "payments", "expires_in": "4h"}),
        json!({"owner": "c", "name": "foxtrot", "description": "Ümlaut"}),
    ];
    api.clock.advance(Duration::from_secs(1));
    let mut ids = Vec::new();
    for (number, body) in bodies.into_iter().enumerate() {
        ids.push(api.issue(body).await.1);
        if number != 2 {
            api.clock.advance(Duration::from_secs(1));
        }
    }
    api.call("POST", &format!("/v1/keys/{}/revoke", ids[6]), Value::Null).await;
    api.clock.advance(Duration::from_mins(45));
    api
}

fn names(page: &Value) -> Vec<String> {
    let name = |key: &Value| key["name"].as_str().unwrap_or("-").to_owned();
    page["data"].as_array().unwrap().iter().map(name).collect()
}

async fn all_pages(api: &Api, query: &str, limit: usize) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = api.get(&format!("/v1/keys?{query}&limit={limit}{cursor}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        let count = page["data"].as_array().unwrap().len();
        assert!(count <= limit);
        all.extend(names(&page));
        let Some(next) = page["next_cursor"].as_str() else { return all };
        assert_eq!(count, limit, "only the last page may be short");
        cursor = format!("&cursor={next}");
    }
}

// Keys that are alike in what is sorted by come in the order of their ids.
#[rstest]
#[case("sort=created_at&order=asc", "root key,delta,alpha,-,charlie,bravo,echo 100%,foxtrot")]
#[case("sort=expires_at&order=asc", "-,alpha,delta,echo 100%,charlie,bravo,root key,foxtrot")]
#[case("sort=updated_at&order=asc", "root key,delta,alpha,-,charlie,bravo,echo 100%,foxtrot")]
#[case("sort=enabled&order=asc", "charlie,echo 100%,-,alpha,delta,bravo,root key,foxtrot")]
#[case("sort=name&order=asc", "-,alpha,bravo,charlie,delta,echo 100%,foxtrot,root key")]
#[tokio::test]
async fn pages_of_any_size_lead_through_the_whole_list_in_every_order(
    #[case] query: &str,
    #[case] expected: &str,
    #[values(1, 2, 3, 8, 200)] limit: usize,
) {
    let api = seven_keys().await;
    let all = all_pages(&api, query, limit).await;
    let mut reverse = all_pages(&api, &query.replace("asc", "desc"), limit).await;
    reverse.reverse();
    assert_eq!(all, reverse);
    assert_eq!(all.join(","), expected);
}

#[rstest]
#[tokio::test]
async fn pages_with_numbers_hold_the_same_and_tell_how_many_there_are(
    #[values("", "sort=name&order=asc", "sort=enabled&order=desc&state=active")] query: &str,
    #[values(1, 3, 8, 200)] limit: usize,
) {
    let api = seven_keys().await;
    let all = all_pages(&api, query, 200).await;
    let pages = all.len().div_ceil(limit);
    let mut found = Vec::new();
    for number in 1..=pages + 1 {
        let page = api.get(&format!("/v1/keys?{query}&limit={limit}&page={number}")).await.json();
        found.extend(names(&page));
        assert_eq!(
            page["pagination"],
            json!({"page": number, "limit": limit, "total": all.len(), "total_pages": pages,
                "has_next": number < pages, "has_previous": number > 1})
        );
    }
    assert_eq!(found, all);
    assert!(api.get("/v1/keys").await.json().get("pagination").is_none());
}

#[tokio::test]
async fn a_page_with_a_number_can_be_followed_by_its_cursor() {
    let api = seven_keys().await;
    let page = api.get("/v1/keys?limit=3&page=2").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = api.get(&format!("/v1/keys?limit=3&cursor={cursor}")).await.json();
    assert_eq!(names(&next), names(&api.get("/v1/keys?limit=3&page=3").await.json()));
}

#[tokio::test]
async fn deleted_keys_are_listed_where_they_are_asked_for() {
    let api = seven_keys().await;
    let listed = async |query: &str| {
        let page = api.get(&format!("/v1/keys?{query}")).await.json();
        (names(&page).len(), names(&page).contains(&"delta".to_owned()))
    };
    let delta = api.get("/v1/keys?search=delta").await.json();
    let id = delta["data"][0]["id"].as_str().unwrap().to_owned();
    api.call("DELETE", &format!("/v1/keys/{id}"), Value::Null).await;
    assert_eq!(listed("").await, (7, false));
    assert_eq!(listed("include_deleted=false").await, (7, false));
    assert_eq!(listed("include_deleted=true").await, (8, true));
    assert_eq!(listed("state=deleted").await, (1, true));
    assert!(!listed("state=active&include_deleted=true").await.1);
    assert_eq!(listed("include_deleted=true&owner=a").await, (3, true));
}

#[tokio::test]
async fn what_is_inactive_is_switched_off_or_not_valid_yet() {
    let api = seven_keys().await;
    let listed = names(&api.get("/v1/keys?state=inactive&sort=name&order=asc").await.json());
    assert_eq!(listed, ["bravo", "charlie"]);
}

#[tokio::test]
async fn the_newest_come_first_unless_something_else_is_asked() {
    let api = seven_keys().await;
    let default = names(&api.get("/v1/keys").await.json());
    assert_eq!(default, all_pages(&api, "sort=created_at&order=desc", 200).await);
    assert_eq!([default[0].as_str(), default[7].as_str()], ["foxtrot", "root key"]);
}

#[rstest]
#[case("owner=a", "alpha,charlie,delta")]
#[case("owner=A", "")]
#[case("keyspace=payments", "echo 100%")]
#[case("keyspace=nowhere", "")]
#[case("tag=PROD", "-,delta")]
#[case("tag=prod&owner=a", "delta")]
#[case("state=active", "alpha,delta,echo 100%,root key")]
#[case("state=disabled", "charlie")]
#[case("state=expired", "-")]
#[case("state=not_yet_valid", "bravo")]
#[case("state=revoked", "foxtrot")]
#[case("state=deleted", "")]
#[case("search=LPH", "alpha")]
#[case("search=%C3%BCml", "foxtrot")]
#[case("search=100%25", "echo 100%")]
#[case("search=_", "-,alpha,bravo,charlie,delta,echo 100%,foxtrot,root key")]
#[case("search=%25", "echo 100%")]
#[case("search=echo+100", "echo 100%")]
#[tokio::test]
async fn filters_choose_keys(#[case] query: &str, #[case] expected: &str) {
    let api = seven_keys().await;
    let found = all_pages(&api, &format!("sort=name&order=asc&{query}"), 2).await;
    assert_eq!(found.join(","), expected);
}

#[tokio::test]
async fn deleted_keys_are_listed_only_where_they_are_asked_for() {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "gone"})).await;
    api.call("DELETE", &format!("/v1/keys/{id}"), Value::Null).await;
    assert_eq!(api.get("/v1/keys?owner=gone").await.json()["data"], json!([]));
    let deleted = api.get("/v1/keys?owner=gone&state=deleted").await.json();
    assert_eq!(deleted["data"][0]["id"], id.as_str());
}

#[tokio::test]
async fn keys_that_come_while_a_list_is_read_disturb_no_page() {
    let api = seven_keys().await;
    let before = all_pages(&api, "order=desc", 200).await;
    let first = api.get("/v1/keys?limit=3").await.json();
    api.issue(json!({"owner": "late", "name": "late"})).await;
    let next = first["next_cursor"].as_str().unwrap();
    let rest = api.get(&format!("/v1/keys?cursor={next}")).await.json();
    assert_eq!([names(&first), names(&rest)].concat(), before);
}

#[tokio::test]
async fn no_list_shows_a_secret_or_a_digest() {
    let api = Api::new().await;
    let (secret, _) = api.issue(json!({"owner": "o"})).await;
    let listed = api.get("/v1/keys").await;
    let random = secret.rsplit('_').next().unwrap();
    assert!(!listed.text().contains(random) && !listed.text().contains("digest"));
}
