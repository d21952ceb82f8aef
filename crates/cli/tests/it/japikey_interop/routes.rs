//! japikey's routes beside the published routers: the same requests, answer by answer.

use serde_json::{Map, Value, json};

use super::World;
use crate::harness::{Client, Peer};

/// The published routers and ours, asked alike.
struct Both {
    world: World,
    theirs: Client,
}

/// What a request got: the status, and the body with its values replaced by what they are.
type Seen = (u16, Value);

impl Both {
    fn new() -> Self {
        let mut world = World::new();
        let routers = world.peer.done(&json!({"do": "routers", "max_age": 60}));
        let address = routers["url"].as_str().unwrap().strip_prefix("http://").unwrap();
        Self { theirs: Client::new(address.parse().unwrap(), ""), world }
    }

    /// Makes a request about the keys of `user` to both; the ids in `kids` stand for `KID`.
    fn ask(&mut self, request: &Request<'_>, kids: &[String; 2]) -> [Value; 2] {
        let Request { method, path, user, body } = request;
        let sides = [
            (&mut self.theirs, "/api-keys", "x-user-id", &kids[0]),
            (&mut self.world.client, "/compat/japikey", "keyward-user", &kids[1]),
        ];
        let root = self.world.folder.root_key();
        sides.map(|(client, mount, header, kid)| {
            let user = user.map(|user| format!("{header}: {user}\r\n")).unwrap_or_default();
            let headers =
                format!("{user}authorization: Bearer {root}\r\ncontent-type: application/json\r\n");
            let path = if path.starts_with("/jwks/") {
                (*path).to_owned()
            } else {
                format!("{mount}{path}")
            };
            let path = path.replace("UPPER", &kid.to_uppercase()).replace("KID", kid);
            let answer = client.send(method, &path, &headers, body.as_bytes()).unwrap();
            json!([answer.status, answer.body])
        })
    }

    /// Has both create a key for `user`; returns their ids.
    fn create(&mut self, user: &str) -> [String; 2] {
        let body = r#"{"expires_at":"2099-01-01T00:00:00Z","metadata":{"name":"laptop"}}"#;
        let request = Request { method: "POST", path: "", user: Some(user), body };
        self.ask(&request, &[const { String::new() }; 2]).map(|answer| {
            assert_eq!(answer[0], 200, "{answer}");
            answer[1]["kid"].as_str().unwrap().to_owned()
        })
    }
}

struct Request<'a> {
    method: &'a str,
    path: &'a str,
    user: Option<&'a str>,
    body: &'a str,
}

/// Status and body, without what is another one each time. The words of errors stay.
fn seen(answer: &Value) -> Seen {
    let is_error = answer[1].get("error").is_some();
    let body = if is_error { answer[1].clone() } else { shape(&answer[1]) };
    (u16::try_from(answer[0].as_u64().unwrap()).unwrap(), body)
}

fn shape(value: &Value) -> Value {
    match value {
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), shape(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

const ANN: Option<&str> = Some("ann");
const GOOD: &str = r#"{"expires_at":"2099-01-01T00:00:00Z"}"#;
const DOCUMENT: &str = "/jwks/KID/.well-known/jwks.json";

#[test]
fn what_is_asked_as_it_should_be_is_answered_alike() {
    let mut both = Both::new();
    let kids = both.create("ann");
    let revoked = both.create("ann");
    let of_bob = both.create("bob");
    let unknown =
        [const { String::new() }; 2].map(|_| "0197f3a0-0000-7000-8000-000000000000".into());
    let claims =
        r#"{"expires_at":"2099-01-01T00:00:00Z","claims":{"sub":"x","iss":"x","nbf":1,"jti":"j"}}"#;
    let requests = [
        ("create", "POST", "", ANN, GOOD, &kids),
        ("create with a slash", "POST", "/", ANN, GOOD, &kids),
        ("create with a query", "POST", "?x=1", ANN, GOOD, &kids),
        ("create with claims", "POST", "", ANN, claims, &kids),
        ("show", "GET", "/KID", ANN, "", &kids),
        ("list", "GET", "/my", Some("bob"), "", &kids),
        ("list of nobody", "GET", "/my", Some("eve"), "", &kids),
        ("document", "GET", DOCUMENT, None, "", &kids),
        ("revoke", "DELETE", "/KID", ANN, "", &revoked),
        ("revoke again", "DELETE", "/KID", ANN, "", &revoked),
        ("show the revoked one", "GET", "/KID", ANN, "", &revoked),
        ("list with the revoked one", "GET", "/my", ANN, "", &kids),
        ("show that of another", "GET", "/KID", ANN, "", &of_bob),
        ("revoke that of another", "DELETE", "/KID", ANN, "", &of_bob),
        ("show an unknown one", "GET", "/KID", ANN, "", &unknown),
        ("revoke an unknown one", "DELETE", "/KID", ANN, "", &unknown),
        ("show in upper case", "GET", "/UPPER", ANN, "", &kids),
        ("show that of another still", "GET", "/KID", Some("bob"), "", &of_bob),
    ];
    for (name, method, path, user, body, kids) in requests {
        let request = Request { method, path, user, body };
        let [theirs, ours] = both.ask(&request, kids);
        assert_eq!(seen(&theirs), seen(&ours), "{name}");
    }
}

/// What an error says, in one line; other bodies are left out.
fn told(answer: &Value) -> String {
    let error = &answer[1]["error"];
    let words = ["type", "message"].map(|name| error[name].as_str().unwrap_or_default());
    format!("{} {}", answer[0], words.join(": ").trim_matches([':', ' '])).trim_end().to_owned()
}

const NOT_SIGNED: &str = "500 signing_error: Failed to sign JWT";
const NO_ROUTE: &str = "404 not_found: Route not found";
const NOT_AN_ID: &str = "404 not_found: Invalid API key ID";
const NO_METHOD: &str = "405 invalid_input: this route does not take that method";
const NOT_FOUND: &str = "404 not_found: API key not found";
const NO_BODY: &str = "400 invalid_input: the body must be a JSON object of expires_at or expires_in, \
    claims and metadata";
const NO_DOCUMENT: &str = "404 not_found: Invalid JWKS request";
const BEFORE_1970: &str = "500 incorrect_usage: expiresAt must be in the future";
const NO_INSTANT: &str =
    "400 invalid_input: expires_at must be an RFC 3339 instant such as 2027-01-31T12:00:00Z";
const NO_END: &str =
    "400 invalid_input: expires_at must be given: a signed key cannot live for ever";
const NO_LIMIT: &str = "400 invalid_input: limit must be a number from 1 to 1000";
const IN_FUTURE: &str = "400 invalid_input: expires_at must be in the future";

/// Method, path and body; then what the published routers say, and what we do.
type Difference = (&'static str, &'static str, &'static str, [&'static str; 2]);

const DIFFERENCES: &[Difference] = &[
    // Mistakes of whoever asks are not ours.
    ("POST", "", r#"{"expires_at":"soon"}"#, [NOT_SIGNED, NO_INSTANT]),
    ("POST", "", "{}", [NOT_SIGNED, NO_END]),
    ("POST", "", r#"{"expires_at":"1969-01-01T00:00:00Z"}"#, [BEFORE_1970, IN_FUTURE]),
    ("POST", "", "{", ["500", NO_BODY]),
    ("POST", "", "", ["500", NO_BODY]),
    ("GET", "/my?limit=0", "", ["200", NO_LIMIT]),
    // No dead keys, and nothing that is another thing than was meant.
    ("POST", "", r#"{"expires_at":"2020-01-01T00:00:00Z"}"#, ["200", IN_FUTURE]),
    ("POST", "", r#"{"expires_at":"2099-01-01T00:00:00Z","claims":"ab"}"#, ["200", NO_BODY]),
    ("POST", "", r#"{"expires_at":"2099-01-01T00:00:00Z","claims":["x"]}"#, ["200", NO_BODY]),
    ("POST", "", r#"{"expires_at":"2099-01-01T00:00:00Z","metadata":"ab"}"#, ["200", NO_BODY]),
    // What is no id is answered as what is no key.
    ("GET", "/nope", "", [NOT_AN_ID, NOT_FOUND]),
    ("DELETE", "/nope", "", [NOT_AN_ID, NOT_FOUND]),
    ("GET", "/%ff", "", [NOT_AN_ID, NOT_FOUND]),
    // Methods are said.
    ("GET", "", "", [NO_ROUTE, NO_METHOD]),
    ("PUT", "/KID", "", [NO_ROUTE, NO_METHOD]),
    ("OPTIONS", "/KID", "", [NO_ROUTE, NO_METHOD]),
    ("DELETE", "/my", "", [NOT_AN_ID, NO_METHOD]),
    ("POST", DOCUMENT, "", ["200", "405"]),
    ("DELETE", DOCUMENT, "", ["200", "405"]),
    // On a server of ours, problems outside of these routes are problem documents.
    ("GET", "/jwks/nope/.well-known/jwks.json", "", [NO_DOCUMENT, "404"]),
    ("GET", "/jwks/KID/.well-known/jwks.json?a=1", "", [NO_DOCUMENT, "200"]),
    ("GET", "/a/b/c", "", [NO_ROUTE, "404"]),
];

#[test]
fn what_we_answer_differently_is_meant_so() {
    let mut both = Both::new();
    let kids = both.create("ann");
    let mut wrong = Vec::new();
    for (method, path, body, expected) in DIFFERENCES {
        let answers = both.ask(&Request { method, path, user: ANN, body }, &kids);
        let told = answers.each_ref().map(told);
        if told != *expected {
            wrong.push(format!("{method} {path} {body}: {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    // Without a user, keys are those of the management key's owner.
    let create = Request { method: "POST", path: "", user: None, body: GOOD };
    let no_user = "500 incorrect_usage: sub must be a non-empty string";
    assert_eq!(both.ask(&create, &kids).each_ref().map(told), [no_user, "200"]);
    both.ask(&Request { method: "DELETE", path: "/KID", user: ANN, body: "" }, &kids);
    let gone = both.ask(&Request { method: "GET", path: DOCUMENT, user: None, body: "" }, &kids);
    assert_eq!(gone.each_ref().map(told), [NOT_FOUND, "404"]);
}

#[test]
fn a_key_created_by_our_routes_is_good_by_the_published_client() {
    let mut world = World::new();
    let root = world.folder.root_key();
    let headers = format!(
        "keyward-user: ann\r\nauthorization: Bearer {root}\r\ncontent-type: application/json\r\n"
    );
    let body = br#"{"expires_in":"1h","claims":{"plan":"gold"}}"#;
    let answer = world.client.send("POST", "/compat/japikey", &headers, body).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.body["api_key"].as_str().unwrap().to_owned();
    let issuer = world.issuer.clone();
    let peer: &mut Peer = &mut world.peer;
    let there = peer.verify(&token, &issuer);
    assert_eq!([&there["claims"]["sub"], &there["claims"]["plan"]], ["ann", "gold"], "{there}");
    assert_eq!(there["claims"]["aud"], "api-key");
    let path = format!("/compat/japikey/{}", answer.body["kid"].as_str().unwrap());
    assert_eq!(world.client.send("DELETE", &path, &headers, b"").unwrap().status, 200);
    assert_eq!(world.verdicts(&token), ["403 ERR_JOSE_GENERIC", "revoked"]);
}
