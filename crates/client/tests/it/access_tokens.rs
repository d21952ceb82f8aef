//! Access tokens of an authorization server: found by its metadata, believed by its list of keys, and not
//! asked about more often than it must be.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use keyward_client::{FetchLimits, Verifier, VerifierBuilder, VerifyLayer};
use keyward_core::jose::{
    AccessClaims, Audiences, KeySet, PairKind, PublicKey, RegisteredClaims, Signer,
};
use keyward_core::{KeyId, ScopeSet, Timestamp};
use keyward_testkit::FixedClock;
use rstest::rstest;
use tower::ServiceExt as _;

use crate::server::{Reply, Server};
use crate::support::{ACCEPTED, Key, NOW, UNKNOWN, WRONG_SIGNATURE, encode, kid};

const KEYS: &str = "/auth/oauth/jwks";
const METADATA: &str = "/.well-known/oauth-authorization-server/auth";

/// An authorization server with a path, and a verifier that believes it.
struct Scene {
    clock: Arc<FixedClock>,
    issuer: String,
    server: Server,
    verifier: Verifier,
}

impl Scene {
    async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    async fn with(settings: impl FnOnce(VerifierBuilder) -> VerifierBuilder) -> Self {
        let server = Server::start().await;
        let issuer = server.url("/auth");
        let clock = Arc::new(FixedClock::new());
        let limits = FetchLimits { timeout: Duration::from_mins(1), ..FetchLimits::default() };
        let builder = Verifier::builder().authorization_server(issuer.parse().unwrap());
        let builder = settings(builder.limits(limits)).clock(Arc::<FixedClock>::clone(&clock));
        let scene = Self { clock, issuer, server, verifier: builder.build().unwrap() };
        scene.describe(&scene.issuer, &scene.server.url(KEYS));
        scene
    }

    fn describe(&self, issuer: &str, place: &str) {
        let document = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{place}","more":[1]}}"#);
        self.server.reply(METADATA, Reply::cached(&document, "max-age=60"));
    }

    fn publish(&self, pairs: &[&Pair]) {
        let keys = pairs.iter().map(|pair| (pair.id.as_str(), pair.signer.public_key()));
        self.server.reply(KEYS, Reply::cached(&KeySet::of_all(keys), "max-age=60"));
    }

    fn claims(&self) -> AccessClaims {
        let at = |second| Timestamp::from_micros((NOW + second) * 1_000_000).unwrap();
        AccessClaims {
            registered: RegisteredClaims {
                issuer: self.issuer.clone(),
                subject: "user-1".to_owned(),
                audiences: Audiences::one(&self.issuer),
                expires_at: at(600),
                not_before: None,
                issued_at: Some(at(0)),
            },
            client_id: "client-1".to_owned(),
            id: "token-1".to_owned(),
            scopes: ScopeSet::parse_words("read write").unwrap(),
        }
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// How often the list of keys was asked for.
    fn fetches(&self) -> usize {
        self.server.requests().iter().filter(|head| head.contains(KEYS)).count()
    }

    async fn outcome(&self, token: &str) -> String {
        match self.verifier.verify(token).await {
            Ok(_) => ACCEPTED.to_owned(),
            Err(error) => error.to_string(),
        }
    }
}

/// A pair of the server.
struct Pair {
    id: String,
    signer: Box<dyn Signer>,
}

impl Pair {
    fn new(n: usize) -> Self {
        Self { id: kid(n), signer: keyward_signatures::signer(PairKind::Ed25519).unwrap() }
    }

    fn sign(&self, claims: &AccessClaims) -> String {
        let token = claims.sign(&*self.signer, &KeyId::parse(&*self.id).unwrap()).unwrap();
        token.unwrap().expose().to_owned()
    }

    fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.signer.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", encode(signature))
    }
}

#[tokio::test]
async fn a_token_is_verified_and_says_what_it_says() {
    let scene = Scene::new().await;
    let pair = Pair::new(1);
    scene.publish(&[&pair]);
    let token = pair.sign(&scene.claims());
    assert!(scene.verifier.should_authenticate(&token));
    let verified = scene.verifier.verify(&token).await.unwrap();
    assert!(verified.is_access_token());
    assert_eq!((verified.subject(), verified.client_id()), ("user-1", Some("client-1")));
    assert_eq!((verified.token_id(), verified.id().as_str()), (Some("token-1"), &*kid(1)));
    assert_eq!(verified.issuer().as_str(), scene.issuer);
    assert!(verified.has_scopes(["read", "write"]) && !verified.has_scope("admin"));
    for _ in 0..10 {
        assert_eq!(scene.outcome(&token).await, ACCEPTED);
    }
    assert_eq!((scene.fetches(), scene.server.requests().len()), (1, 2));
    scene.pass(600);
    scene.publish(&[&pair]);
    assert_eq!(scene.outcome(&token).await, "the token is refused: it has expired");
}

#[tokio::test]
async fn a_key_that_comes_later_is_found_and_one_that_goes_counts_no_more() {
    let scene = Scene::new().await;
    let (old, new) = (Pair::new(1), Pair::new(2));
    scene.publish(&[&old]);
    let (of_old, of_new) = (old.sign(&scene.claims()), new.sign(&scene.claims()));
    assert_eq!(scene.outcome(&of_old).await, ACCEPTED);
    scene.publish(&[&old, &new]);
    scene.pass(5);
    assert_eq!(scene.outcome(&of_new).await, ACCEPTED, "the list is read anew for it");
    assert_eq!(scene.outcome(&of_old).await, ACCEPTED);
    assert_eq!(scene.fetches(), 2);
    scene.publish(&[&new]);
    scene.pass(60);
    assert_eq!(scene.outcome(&of_new).await, ACCEPTED);
    assert_eq!(scene.outcome(&of_old).await, UNKNOWN, "though it was proved before");
    assert_eq!(scene.fetches(), 3);
}

#[tokio::test]
async fn made_up_keys_have_the_list_read_every_few_seconds_at_most() {
    let scene = Scene::new().await;
    let pair = Pair::new(1);
    scene.publish(&[&pair]);
    let token = pair.sign(&scene.claims());
    let forged: Vec<_> = (2..22).map(|n| Pair::new(n).sign(&scene.claims())).collect();
    for token in &forged {
        assert_eq!(scene.outcome(token).await, UNKNOWN);
    }
    assert_eq!(scene.fetches(), 1);
    scene.pass(5);
    for token in &forged {
        assert_eq!(scene.outcome(token).await, UNKNOWN);
    }
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    assert_eq!(scene.fetches(), 2);
    let all = forged.iter().map(|token| scene.verifier.verify(token));
    for forged in all {
        assert!(forged.await.is_err());
    }
    assert_eq!(scene.fetches(), 2);
}

#[tokio::test]
async fn those_who_ask_at_once_share_a_fetch() {
    let scene = Scene::new().await;
    let pair = Pair::new(1);
    scene.publish(&[&pair]);
    let token = pair.sign(&scene.claims());
    let ask = || scene.verifier.verify(&token);
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(scene.fetches(), 1);
}

#[tokio::test]
async fn a_server_that_is_gone_is_no_refusal_and_old_keys_count_for_a_while() {
    let scene = Scene::new().await;
    let pair = Pair::new(1);
    let token = pair.sign(&scene.claims());
    scene.server.reply(KEYS, Reply::status("500 Internal Server Error"));
    let error = scene.verifier.verify(&token).await.unwrap_err();
    assert_eq!(error.to_string(), "the public key cannot be fetched: the server answered 500");
    assert_eq!(error.status(), 503);
    scene.publish(&[&pair]);
    assert_eq!(scene.verifier.verify(&token).await.unwrap_err(), error, "it is left in peace");
    scene.pass(1);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.server.reply(KEYS, Reply::status("404 Not Found"));
    scene.pass(60);
    assert_eq!(scene.outcome(&token).await, ACCEPTED, "stale, and better than nothing");
    let unknown = scene.outcome(&Pair::new(2).sign(&scene.claims())).await;
    assert_eq!(unknown, "the public key cannot be fetched: the server answered 404");
    scene.pass(300);
    assert_eq!(scene.outcome(&token).await, unknown);
}

#[rstest]
#[case::another_issuer("https://evil.example", "KEYS")]
#[case::a_slash_more("ISSUER/", "KEYS")]
#[case::unprotected("ISSUER", "http://evil.example/jwks")]
#[case::no_url("ISSUER", "jwks")]
#[tokio::test]
async fn metadata_that_is_not_the_servers_is_not_believed(
    #[case] issuer: &str,
    #[case] place: &str,
) {
    let scene = Scene::new().await;
    let pair = Pair::new(1);
    scene.publish(&[&pair]);
    let place = place.replace("KEYS", &scene.server.url(KEYS));
    scene.describe(&issuer.replace("ISSUER", &scene.issuer), &place);
    let outcome = scene.outcome(&pair.sign(&scene.claims())).await;
    assert_eq!(outcome, "the public key cannot be fetched: the metadata cannot be used");
    assert_eq!(scene.fetches(), 0);
}

#[rstest]
#[case::redirected(|_: &str| Reply::new("302 Found", &["location: /elsewhere"], b""), "the server answered 302")]
#[case::text(|keys: &str| Reply::new("200 OK", &["content-type: text/html"], keys.as_bytes()), "the answer is of another type than JSON")]
#[case::endless(|_: &str| Reply::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b' '; 4_096]), "the document is too long")]
#[case::no_list(|_: &str| Reply::json("[]"), "the document cannot be used: the key is not a JSON object with each member once")]
#[tokio::test]
async fn a_list_that_is_none_says_nothing(#[case] reply: fn(&str) -> Reply, #[case] because: &str) {
    let scene = Scene::new().await;
    let pair = Pair::new(1);
    let keys = KeySet::of_all([(pair.id.as_str(), pair.signer.public_key())]);
    scene.server.reply(KEYS, reply(&keys));
    let outcome = scene.outcome(&pair.sign(&scene.claims())).await;
    assert_eq!(outcome, format!("the public key cannot be fetched: {because}"));
}

const HEADER: &str =
    "the token is malformed: the header holds something else than alg, kid and typ";
const ALGORITHM: &str = "the token is malformed: the header names no algorithm that is allowed";

#[rstest]
#[case::none(r#"{"typ":"at+jwt","alg":"none","kid":"KID"}"#, ALGORITHM)]
#[case::symmetric(r#"{"typ":"at+jwt","alg":"HS256","kid":"KID"}"#, ALGORITHM)]
#[case::of_another_key(r#"{"typ":"at+jwt","alg":"ES256","kid":"KID"}"#, WRONG_SIGNATURE)]
#[case::critical(r#"{"typ":"at+jwt","alg":"EdDSA","kid":"KID","crit":["exp"]}"#, HEADER)]
#[case::no_key(r#"{"typ":"at+jwt","alg":"EdDSA"}"#, HEADER)]
#[case::another_type(
    r#"{"typ":"JWT","alg":"EdDSA","kid":"KID"}"#,
    "the token is malformed: the token is of another version"
)]
#[case::own_list(
    r#"{"typ":"at+jwt","alg":"EdDSA","kid":"KID","jku":"https://evil.example"}"#,
    HEADER
)]
#[tokio::test]
async fn other_headers_are_refused(#[case] header: &str, #[case] expected: &str) {
    let scene = Scene::new().await;
    let pair = Pair::new(1);
    scene.publish(&[&pair]);
    let issuer = &scene.issuer;
    let claims = format!(
        r#"{{"iss":"{issuer}","aud":"{issuer}","sub":"s","client_id":"c","jti":"j","iat":{NOW},"exp":{}}}"#,
        NOW + 60
    );
    let good = r#"{"typ":"at+jwt","alg":"EdDSA","kid":"KID"}"#.replace("KID", &pair.id);
    assert_eq!(scene.outcome(&pair.sign_text(&good, &claims)).await, ACCEPTED);
    let token = pair.sign_text(&header.replace("KID", &pair.id), &claims);
    assert_eq!(scene.outcome(&token).await, expected);
    let repeated = claims.replacen('{', &format!("{{\"exp\":{},", NOW + 60), 1);
    let outcome = scene.outcome(&pair.sign_text(&good, &repeated)).await;
    assert!(outcome.starts_with("the token is malformed: the claims"), "{outcome}");
}

#[tokio::test]
async fn issuer_audience_and_signature_are_looked_at() {
    let scene = Scene::with(|builder| builder.audience("api".parse().unwrap())).await;
    let pair = Pair::new(1);
    scene.publish(&[&pair]);
    let mut claims = scene.claims();
    let wrong = "the token is refused: it is for another audience";
    assert_eq!(scene.outcome(&pair.sign(&claims)).await, wrong);
    claims.registered.audiences = Audiences::one("api");
    let token = pair.sign(&claims);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    let other = Pair { id: pair.id.clone(), ..Pair::new(2) };
    assert_eq!(scene.outcome(&other.sign(&claims)).await, WRONG_SIGNATURE);
    claims.registered.issuer = "https://evil.example".to_owned();
    let outcome = scene.outcome(&pair.sign(&claims)).await;
    assert!(outcome.starts_with("the token is malformed: the issuer"), "{outcome}");
}

#[tokio::test]
async fn signed_keys_and_access_tokens_are_taken_side_by_side_and_never_for_each_other() {
    let scene = Scene::new().await;
    let pair = Pair::new(1);
    scene.publish(&[&pair]);
    let verifier = Verifier::builder()
        .issuer(scene.server.url("/jwks").parse().unwrap())
        .authorization_server(scene.issuer.parse().unwrap())
        .clock(Arc::<FixedClock>::clone(&scene.clock))
        .build()
        .unwrap();
    let key = Key::new(&scene.server.url("/jwks"), 3);
    let place = format!("/jwks/{}/.well-known/jwks.json", kid(3));
    scene.server.reply(&place, Reply::cached(&key.document(), "max-age=60"));
    let public: PublicKey = key.public();
    let listed = KeySet::of_all([(kid(3).as_str(), &public)]);
    scene.server.reply(KEYS, Reply::cached(&listed, "max-age=60"));
    let payload = key.payload(&[]);
    let header = key.header();
    let claims = scene.claims();
    let confused = Key::new(&scene.server.url("/jwks"), 3);
    // As an access token, and with the claims of one, though the key is in both places.
    let typed = header.replacen('{', "{\"typ\":\"at+jwt\",", 1);
    let typed = confused.sign(&typed, &payload);
    assert_eq!(verifier.verify(&typed).await.unwrap_err().status(), 401);
    assert!(verifier.verify(&pair.sign(&claims)).await.is_err(), "its key is not in the list");
    let signed = verifier.verify(&key.token()).await.unwrap();
    assert!(!signed.is_access_token() && signed.client_id().is_none());
}

#[tokio::test]
async fn the_layer_takes_access_tokens() {
    let scene = Scene::new().await;
    let pair = Pair::new(1);
    scene.publish(&[&pair]);
    let hello = async |key: keyward_client::VerifiedToken| {
        format!("Hello, {}!", key.client_id().unwrap_or("nobody"))
    };
    let layer = VerifyLayer::new(scene.verifier.clone()).scopes(["read".parse().unwrap()]);
    let application = axum::Router::new().route("/", get(hello)).layer(layer);
    let ask = async |token: &str| {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let response = application.clone().oneshot(request.body(Body::empty()).unwrap()).await;
        let response = response.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let mut claims = scene.claims();
    assert_eq!(ask(&pair.sign(&claims)).await, (200, "Hello, client-1!".to_owned()));
    claims.scopes = ScopeSet::default();
    let (status, body) = ask(&pair.sign(&claims)).await;
    assert!(status == 403 && body.contains("insufficient_scope"), "{body}");
    assert_eq!(ask("nothing").await.0, 401);
}

#[test]
fn a_server_that_anybody_on_the_way_could_replace_is_refused() {
    let unprotected = Verifier::builder().authorization_server("http://x.example".parse().unwrap());
    let error = unprotected.build().unwrap_err();
    assert_eq!(error.field, "authorization_server");
    assert!(Verifier::builder().build().is_err());
}
