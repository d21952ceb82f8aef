//! Measures verifications by keys that this program serves itself, for each kind of pair: the bare check
//! of a signature, a verification by a known key, and one of a known token.
//!
//! `cargo run --release -p keyward-client --example measure`
#![expect(clippy::print_stdout, reason = "it is what the program is for")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyward_client::Verifier;
use keyward_core::jose::{BaseIssuer, KeySet, PairKind};
use tokio::net::TcpListener;

const KID: &str = "01a200f5-34df-703a-b461-85a5d3a08f33";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("{:>10}{:>12}{:>16}{:>14}", "", "bare, µs", "known key, µs", "known, ns");
    for kind in PairKind::ALL {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let issuer: BaseIssuer = format!("http://{}", listener.local_addr()?).parse()?;
        let pair = keyward_signatures::generate(kind)?;
        let ready = keyward_signatures::verifying_key(pair.public_key())?;
        let document = KeySet::of(pair.public_key(), KID);
        let algorithm = kind.algorithm().as_str();
        let header = format!(r#"{{"alg":"{algorithm}","kid":"{KID}"}}"#);
        let issued_by = issuer.of_key(KID);
        let payload = format!(
            r#"{{"scopes":["read","write"],"sub":"user-1","iss":"{issued_by}","aud":"api-key","exp":4102444800,"ver":"japikey-v1","iat":1795312399}}"#
        );
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = pair.sign(message.as_bytes())?;
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(&signature));
        let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "max-age=300")];
        let answer = (headers, document);
        let path = format!("/{KID}/.well-known/jwks.json");
        let router = Router::new().route(&path, get(move || std::future::ready(answer.clone())));
        let server = tokio::spawn(axum::serve(listener, router).into_future());

        let builder = || Verifier::builder().issuer(issuer.clone());
        let (forgetful, remembering) = (builder().known_tokens(0).build()?, builder().build()?);
        forgetful.verify(&token).await?;
        remembering.verify(&token).await?;
        let bare = measure(async || ready.verifies(message.as_bytes(), &signature)).await;
        let known_key = measure(async || forgetful.verify(&token).await.is_ok()).await;
        let known = measure(async || remembering.verify(&token).await.is_ok()).await;
        assert_eq!((forgetful.known_tokens(), remembering.known_tokens()), (0, 1));
        let name = format!("{kind:?}");
        println!("{name:>10}{:>12.2}{:>16.2}{:>14.0}", bare / 1e3, known_key / 1e3, known);
        server.abort();
    }
    Ok(())
}

/// Nanoseconds that it takes: the quickest of several rounds.
async fn measure(work: impl AsyncFn() -> bool) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..300 {
        let (mut rounds, begin) = (0_u32, Instant::now());
        while begin.elapsed() < Duration::from_millis(2) {
            for _ in 0..10 {
                assert!(black_box(work().await));
            }
            rounds += 10;
        }
        best = best.min(begin.elapsed().as_secs_f64() * 1e9 / f64::from(rounds));
    }
    best
}
