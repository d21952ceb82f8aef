//! Checking signed keys: the bare signature, the strict reader and the signature, the whole path.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use keyward::jose::{BaseIssuer, Issuers, PairKind, PublicKey, SignedToken};
use keyward::store::MemoryStore;
use keyward::{Asked, Scope};

use super::{KINDS, instance, keyspace, me, node};
use crate::measure::{Rates, Report, cpu_time};

pub(super) async fn run(rounds: usize, quick: bool) -> anyhow::Result<()> {
    let operations = if quick { 2_000 } else { 50_000 };
    let node = node::run(rounds, quick)?;
    for (name, pair) in KINDS {
        let (bare, report) = check(name, pair, rounds, operations).await?;
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
async fn check(
    name: &str,
    pair: PairKind,
    rounds: usize,
    operations: u64,
) -> anyhow::Result<(f64, Report)> {
    let store = Arc::new(MemoryStore::new());
    let keyward = instance(Arc::<MemoryStore>::clone(&store), 1).await?;
    let new = keyspace(&keyward, pair).await?;
    let issued = keyward.issue(new, &me()?).await?;
    let text = issued.secret.expose();
    let public_key: PublicKey =
        issued.key.secret.signature().context("it is signed")?.public_key.clone();
    let key = keyward_signatures::verifying_key(&public_key)?;
    let issuers = Issuers::new([BaseIssuer::parse("https://keys.example.com/jwks")?]);
    let token = SignedToken::read(text, &issuers)?;
    let scopes = [Scope::parse("read")?];
    let asked = Asked { scopes: &scopes, ..Asked::default() };
    let mut rates = vec![Rates::default(); 3];
    for _ in 0..rounds {
        let before = cpu_time();
        for _ in 0..operations {
            let is_right = key.verifies(black_box(token.message()), black_box(token.signature()));
            anyhow::ensure!(is_right, "the signature is right");
        }
        add(&mut rates, 0, operations, before);
        let before = cpu_time();
        for _ in 0..operations {
            let token = SignedToken::read(black_box(text), &issuers)?;
            let is_right = key.verifies(token.message(), token.signature());
            anyhow::ensure!(is_right, "the signature is right");
        }
        add(&mut rates, 1, operations, before);
        let many = operations * 20;
        let before = cpu_time();
        for _ in 0..many {
            let decision = keyward.verify(black_box(text), &asked).await?;
            anyhow::ensure!(decision.permit().is_some(), "it is allowed");
        }
        add(&mut rates, 2, many, before);
    }
    let bare = rates.first().map_or(f64::NAN, Rates::median);
    let mut report = Report::new("the bare signature");
    let what = [
        "the bare signature, key made ready",
        "read strictly, and the signature",
        "Keyward::verify, proved before",
    ];
    for (what, rates) in what.iter().zip(&rates) {
        report.add(what, rates, bare);
    }
    report.add("Keyward::verify, first use of each key", &first_use(pair, rounds).await?, bare);
    anyhow::ensure!(bare.is_finite(), "{name} was measured");
    Ok((bare, report))
}

fn add(rates: &mut [Rates], place: usize, operations: u64, before: Duration) {
    if let Some(rates) = rates.get_mut(place) {
        rates.add(operations, cpu_time().saturating_sub(before));
    }
}

/// Keys that nobody has used before: the record is read, the public key made ready, the token proved.
async fn first_use(pair: PairKind, rounds: usize) -> anyhow::Result<Rates> {
    const KEYS: usize = 64;
    let store = Arc::new(MemoryStore::new());
    let keyward = instance(Arc::<MemoryStore>::clone(&store), KEYS).await?;
    let new = keyspace(&keyward, pair).await?;
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
