//! Checking signed keys: the bare signature, the strict reader and the signature, the whole path.

use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use keyward::jose::{BaseIssuer, Issuers, PairKind, SignedToken, VerifyingKey};
use keyward::store::MemoryStore;
use keyward::{Asked, Keyward};
use keyward_client::Verifier;
use keyward_http::japikey::jwks_router;
use tokio::net::TcpListener;

use super::{KINDS, instance, issuer, keyspace, me, node};
use crate::measure::{Rates, Report, cpu_time};

pub(super) async fn run(rounds: usize, quick: bool) -> anyhow::Result<()> {
    let operations = if quick { 2_000 } else { 50_000 };
    let node = node::run(rounds, quick)?;
    for (name, pair) in KINDS {
        let (bare, report) = check(pair, rounds, operations).await?;
        let mut report = report;
        for (item, rates) in
            node.iter().filter(|(item, _)| pair == PairKind::Rsa2048 && item != "createApiKey")
        {
            report.add(&format!("Node: {item}"), rates, bare);
        }
        report.print(&format!("Checking a signed key, {name}, one thread"));
    }
    if node.is_empty() {
        tell_that_node_is_missing();
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a benchmark says what it does not measure")]
fn tell_that_node_is_missing() {
    eprintln!("not measured: Node, or its packages (npm ci --prefix interop), are not installed");
}

/// What checking costs with such pairs; returns the rate of bare signatures, too.
async fn check(pair: PairKind, rounds: usize, operations: u64) -> anyhow::Result<(f64, Report)> {
    let keyward = instance(Arc::new(MemoryStore::new()), 1).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let own = BaseIssuer::parse(&format!("http://{}", listener.local_addr()?))?;
    let router = jwks_router(keyward.clone(), Duration::from_mins(5));
    let server = tokio::spawn(axum::serve(listener, router).into_future());
    let new = keyspace(&keyward, pair, &own).await?;
    let issued = keyward.issue(new, &me()?).await?;
    let text = issued.secret.expose();
    let public_key = &issued.key.secret.signature().context("it is signed")?.public_key;
    let key = keyward_signatures::verifying_key(public_key)?;
    let issuers = Issuers::new([own.clone()]);
    let token = SignedToken::read(text, &issuers)?;
    let builder = || Verifier::builder().issuer(own.clone());
    let (forgetful, remembering) = (builder().known_tokens(0).build()?, builder().build()?);
    let mut rates = vec![Rates::default(); 5];
    for _ in 0..rounds {
        let works = works(&*key, &token, &issuers, [&forgetful, &remembering], &keyward);
        for (rates, (work, times)) in rates.iter_mut().zip(works) {
            let operations = operations * times;
            // What is kept from the first time is not what is measured.
            anyhow::ensure!(work().await, "the key is right");
            let before = cpu_time();
            for _ in 0..operations {
                anyhow::ensure!(work().await, "the key is right");
            }
            rates.add(operations, cpu_time().saturating_sub(before));
        }
    }
    server.abort();
    let bare = rates.first().map_or(f64::NAN, Rates::median);
    let mut report = Report::new("the bare signature");
    for (what, rates) in WHAT.iter().zip(&rates) {
        report.add(what, rates, bare);
    }
    report.add("Keyward::verify, first use of each key", &first_use(pair, rounds).await?, bare);
    Ok((bare, report))
}

const WHAT: [&str; 5] = [
    "the bare signature, key made ready",
    "read strictly, and the signature",
    "keyward-client, known key, token not remembered",
    "keyward-client, known token",
    "Keyward::verify, proved before",
];

/// A piece of work, and how many times as often it is done.
type Work<'a> = (Box<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + 'a>> + 'a>, u64);

fn works<'a>(
    key: &'a dyn VerifyingKey,
    token: &'a SignedToken<'a>,
    issuers: &'a Issuers,
    [forgetful, remembering]: [&'a Verifier; 2],
    keyward: &'a Keyward,
) -> [Work<'a>; 5] {
    let text = token.text();
    [
        (
            Box::new(move || {
                let is_right = key.verifies(black_box(token.message()), token.signature());
                Box::pin(std::future::ready(is_right))
            }),
            1,
        ),
        (
            Box::new(move || {
                let read = SignedToken::read(black_box(text), issuers);
                let is_right = read.is_ok_and(|t| key.verifies(t.message(), t.signature()));
                Box::pin(std::future::ready(is_right))
            }),
            1,
        ),
        (
            Box::new(move || {
                Box::pin(async move { forgetful.verify(black_box(text)).await.is_ok() })
            }),
            1,
        ),
        (
            Box::new(move || {
                Box::pin(async move { remembering.verify(black_box(text)).await.is_ok() })
            }),
            20,
        ),
        (
            Box::new(move || {
                Box::pin(async move {
                    let asked = Asked::default();
                    let decision = keyward.verify(black_box(text), &asked).await;
                    decision.is_ok_and(|decision| decision.permit().is_some())
                })
            }),
            20,
        ),
    ]
}

/// Keys that nobody has used before: the record is read, the public key made ready, the token proved.
async fn first_use(pair: PairKind, rounds: usize) -> anyhow::Result<Rates> {
    const KEYS: usize = 64;
    let store = Arc::new(MemoryStore::new());
    let keyward = instance(Arc::<MemoryStore>::clone(&store), KEYS).await?;
    let new = keyspace(&keyward, pair, &issuer()?).await?;
    let context = me()?;
    let issued = keyward.issue_many(vec![new; KEYS], &context).await;
    let issued = issued.into_iter().collect::<Result<Vec<_>, _>>()?;
    keyward.close().await?;
    drop(keyward);
    let mut rates = Rates::default();
    for _ in 0..rounds {
        // No pairs are made meanwhile: their cost would be counted, too.
        let keyward = instance(Arc::<MemoryStore>::clone(&store), 1).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let before = cpu_time();
        for issued in &issued {
            let decision = keyward.verify(issued.secret.expose(), &Asked::default()).await?;
            anyhow::ensure!(decision.permit().is_some(), "it is allowed");
        }
        rates.add(u64::try_from(KEYS)?, cpu_time().saturating_sub(before));
    }
    Ok(rates)
}
