//! japikey's routers in an application of one's own: it says who asks, and for what.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use http_body_util::BodyExt;
use keyward::jose::Claims;
use keyward::store::MemoryStore;
use keyward::{Expiry, Lifetime, Metadata};
use keyward_http::RouterSettings;
use keyward_http::japikey::{
    Act, Application, JapikeyError, NewApiKey, User, api_key_router, jwks_router,
};
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::refusals::error;
use super::{created, kids};
use crate::answer::Answer;
use crate::faulty::{FaultyStore, Mood};
use crate::support::Api;

/// An application whose users are named by a header; some may only look.
#[derive(Clone)]
struct Shop;

impl Application for Shop {
    async fn user(&self, parts: &Parts, act: Act) -> Result<User, JapikeyError> {
        let user = parts.headers.get("x-user").and_then(|user| user.to_str().ok());
        match (user, act) {
            (None, _) => Err(JapikeyError::unauthorized("Not logged in")),
            (Some("guest"), Act::Create | Act::Revoke) => {
                Err(JapikeyError::unauthorized("Guests only look"))
            }
            (Some("nobody"), _) => Err(JapikeyError::malformed_token()),
            (Some("broken"), _) => Err(JapikeyError::unknown()),
            (Some(user), _) => user.parse(),
        }
    }

    /// A plan is all that a body says.
    async fn new_key(&self, request: Request) -> Result<NewApiKey, JapikeyError> {
        let user = request.headers()["x-user"].to_str().unwrap().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let plan = std::str::from_utf8(&body).unwrap();
        if plan.is_empty() {
            return Err(JapikeyError::invalid_input("Plan is required"));
        }
        let metadata = json!({"made_by": user}).as_object().unwrap().clone();
        Ok(NewApiKey {
            expiry: Expiry::In(Lifetime::parse("30d").unwrap()),
            claims: Claims::default().with("plan", &plan).unwrap(),
            metadata: Metadata::new(metadata).unwrap(),
        })
    }
}

/// The application over an instance, with the routers under paths of its own.
struct Mounted {
    api: Api,
    router: Router,
}

impl Mounted {
    async fn new() -> Self {
        Self::over(Api::new().await).await
    }

    async fn over(api: Api) -> Self {
        api.signed_keyspace("shop", "https://shop.example/public/keys").await;
        let keys = api_key_router(api.keyward.clone(), "shop".parse().unwrap(), Shop);
        let documents = jwks_router(api.keyward.clone(), Duration::from_secs(90));
        let router = Router::new()
            .nest("/account/api-keys", keys)
            .nest("/public/keys", documents)
            .fallback(async || "the shop");
        Self { api, router }
    }

    async fn ask(&self, method: &str, path: &str, user: &str, body: &str) -> Answer {
        let request = Request::builder().method(method).uri(format!("/account/api-keys{path}"));
        let request = if user.is_empty() { request } else { request.header("x-user", user) };
        self.send(request.body(body.to_owned().into()).unwrap()).await
    }

    async fn document(&self, method: &str, kid: &str, known: &str) -> Answer {
        let path = format!("/public/keys/{kid}/.well-known/jwks.json");
        let request = Request::builder().method(method).uri(path).header("if-none-match", known);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn send(&self, request: Request) -> Answer {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

#[tokio::test]
async fn the_application_says_who_asks_and_for_what() {
    let shop = Mounted::new().await;
    let answer = shop.ask("POST", "", "ann", "gold").await;
    assert_eq!((answer.header("cache-control"), answer.header("etag")), ("no-store", ""));
    let (token, kid) = created(&answer);
    let verified = shop.api.call("POST", "/v1/verify", json!({"secret": token})).await.json();
    assert_eq!(
        verified["claims"],
        json!({"plan": "gold", "sub": "ann", "exp": 1_801_353_600, "ver": "japikey-v1",
            "iss": format!("https://shop.example/public/keys/{kid}"), "iat": 1_798_761_600})
    );
    let row = shop.ask("GET", &format!("/{kid}"), "ann", "").await;
    assert_eq!(row.json()["metadata"], json!({"made_by": "ann"}));
    assert_eq!(kids(&shop.ask("GET", "/my", "ann", "").await), [kid.as_str()]);
    assert_eq!(shop.ask("GET", "/my", "bob", "").await.text(), "[]");
    let told = shop.api.get(&format!("/v1/audit?key={kid}")).await.json();
    assert_eq!(told["data"][0]["actor"], "ann");
}

#[tokio::test]
async fn a_page_is_followed_under_any_path() {
    let shop = Mounted::new().await;
    for _ in 0..3 {
        created(&shop.ask("POST", "", "ann", "gold").await);
    }
    let page = shop.ask("GET", "/my?limit=2", "ann", "").await;
    let link = page.header("link");
    let next = link.strip_prefix('<').and_then(|link| link.split('>').next()).unwrap();
    let rest = shop.ask("GET", &format!("/my{next}"), "ann", "").await;
    assert_eq!((kids(&page).len(), kids(&rest).len(), rest.header("link")), (2, 1, ""));
}

#[rstest]
#[case::no_user("POST", "", "", "403 unauthorized: Not logged in")]
#[case::no_user_to_list("GET", "/my", "", "403 unauthorized: Not logged in")]
#[case::may_not_create("POST", "", "guest", "403 unauthorized: Guests only look")]
#[case::may_not_revoke("DELETE", "/KID", "guest", "403 unauthorized: Guests only look")]
#[case::may_not_even_revoke_nothing("DELETE", "/x", "guest", "403 unauthorized: Guests only look")]
#[case::nobody("GET", "/my", "nobody", "401 malformed_token: the API key is missing or malformed")]
#[case::broken("GET", "/my", "broken", "500 unknown: something went wrong here")]
#[case::unusable_user("GET", "/my", "a\tb", "400 invalid_input: the user id is not usable")]
#[case::body("POST", "", "ann", "400 invalid_input: Plan is required")]
#[case::of_another("GET", "/KID", "bob", "404 not_found: API key not found")]
#[case::not_utf_8("GET", "/%ff", "ann", "404 not_found: API key not found")]
#[case::revoke_not_utf_8("DELETE", "/%ff", "ann", "404 not_found: API key not found")]
#[case::method("PUT", "/KID", "ann", "405 invalid_input: this route does not take that method")]
#[case::page(
    "GET",
    "/my?limit=0",
    "ann",
    "400 invalid_input: limit must be a number from 1 to 1000"
)]
#[tokio::test]
async fn what_it_refuses_is_refused_in_japikeys_form(
    #[case] method: &str,
    #[case] path: &str,
    #[case] user: &str,
    #[case] expected: &str,
) {
    let shop = Mounted::new().await;
    let (_, kid) = created(&shop.ask("POST", "", "ann", "gold").await);
    let before = shop.api.everything().await;
    let answer = shop.ask(method, &path.replace("KID", &kid), user, "").await;
    assert_eq!(error(&answer), expected);
    assert_eq!(before, shop.api.everything().await);
}

#[tokio::test]
async fn the_rest_of_the_application_is_left_alone() {
    let shop = Mounted::new().await;
    for path in ["/a/b", "/my/x"] {
        assert_eq!(shop.ask("GET", path, "ann", "").await.text(), "the shop");
    }
}

#[tokio::test]
async fn documents_are_served_there_too() {
    let shop = Mounted::new().await;
    let (_, kid) = created(&shop.ask("POST", "", "ann", "gold").await);
    let answer = shop.document("GET", &kid, "").await;
    assert_eq!(answer.status, 200);
    let expected =
        shop.api.get(&format!("/jwks/{kid}/.well-known/jwks.json")).await.text().to_owned();
    assert_eq!(answer.text(), expected);
    let told = |answer: &Answer| {
        ["cache-control", "access-control-allow-origin", "etag"]
            .map(|name| answer.header(name).to_owned())
    };
    assert_eq!(told(&answer)[..2], ["max-age=90", "*"]);
    let again = shop.document("GET", &kid, answer.header("etag")).await;
    assert_eq!((again.status.as_u16(), again.text(), told(&again)), (304, "", told(&answer)));
    let head = shop.document("HEAD", &kid, "").await;
    assert_eq!((head.status.as_u16(), head.text(), told(&head)), (200, "", told(&answer)));

    shop.ask("DELETE", &format!("/{kid}"), "ann", "").await;
    for id in [kid.as_str(), "unknown", "%ff", &kid.to_uppercase()] {
        let answer = shop.document("GET", id, "*").await;
        assert_eq!(error(&answer), "404 not_found: API key not found");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    for method in ["POST", "DELETE", "OPTIONS"] {
        let answer = shop.document(method, &kid, "").await;
        let rule = "this route does not take that method";
        assert_eq!(error(&answer), format!("405 invalid_input: {rule}"));
        assert_eq!(answer.header("allow"), "GET,HEAD");
    }
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_not_gone() {
    let store = Arc::new(FaultyStore::new());
    let api = Api::over(Arc::<FaultyStore>::clone(&store), RouterSettings::default()).await;
    let shop = Mounted::over(api).await;
    let (_, kid) = created(&shop.ask("POST", "", "ann", "gold").await);
    store.set(Mood::Down);
    shop.api.clock.advance(Duration::from_hours(1));
    let answer = shop.document("GET", &kid, "").await;
    let rule = "the store does not answer; try again";
    assert_eq!(error(&answer), format!("503 database_error: {rule}"));
    assert_eq!(answer.header("retry-after"), "1");
}

/// Reads bodies as the server does.
#[derive(Clone)]
struct Plain;

impl Application for Plain {
    async fn user(&self, _: &Parts, _: Act) -> Result<User, JapikeyError> {
        "ann".parse()
    }

    async fn new_key(&self, request: Request) -> Result<NewApiKey, JapikeyError> {
        NewApiKey::from_json(request).await
    }
}

#[rstest]
#[case::good(json!({"expires_in": "1d"}), "200")]
#[case::too_large(json!({"metadata": {"a": "a".repeat(70_000)}}), "413 invalid_input")]
#[case::no_end(json!({}), "400 invalid_input")]
#[tokio::test]
async fn an_application_may_leave_bodies_to_us(#[case] body: Value, #[case] expected: &str) {
    let api = Api::over(Arc::new(MemoryStore::new()), RouterSettings::default()).await;
    api.signed_keyspace("shop", "https://shop.example").await;
    let keys = api_key_router(api.keyward.clone(), "shop".parse().unwrap(), Plain);
    let shop = Mounted { api, router: Router::new().nest("/account/api-keys", keys) };
    let request = Request::builder().method("POST").uri("/account/api-keys");
    let request = request.header(CONTENT_TYPE, "application/json; charset=utf-8");
    let answer = shop.send(request.body(body.to_string().into()).unwrap()).await;
    if expected == "200" {
        created(&answer);
    } else {
        assert!(error(&answer).starts_with(expected), "{}", answer.text());
    }
}
