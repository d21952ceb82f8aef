//! A server under both loads: verifying while others issue as fast as they can, and the documents with
//! public keys.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::path::Path;
use std::time::Duration;

use crate::measure::{Rates, Report};
use crate::server::{Load, Server, ask_once, request};

/// Clients that verify, and clients that issue.
const VERIFYING: usize = 4;
const ISSUING: usize = 16;

pub(super) async fn run(binary: &Path, rounds: usize, quick: bool) -> anyhow::Result<()> {
    let length = Duration::from_millis(if quick { 500 } else { 5_000 });
    let folder = tempfile::tempdir()?;
    let limit = "[signed]\nowner_limit = { requests = 1000000, per = \"1s\" }\n";
    let server = Server::start(binary, folder.path(), limit).await?;
    let root = &server.root;
    let keyspace = request("POST", "/v1/keyspaces", root, r#"{"id":"signed","format":"signed"}"#);
    ask_once(server.address, &keyspace).await?;
    let body = r#"{"keyspace":"signed","owner":"user-1","expires_in":"1d"}"#;
    let issue = request("POST", "/v1/keys", root, body);
    let answer = ask_once(server.address, &issue).await?;
    let text = |place| answer.split('"').nth(place).unwrap_or_default().to_owned();
    let (secret, id) = (text(3), text(9));
    let verify = request("POST", "/v1/verify", root, &format!(r#"{{"secret":"{secret}"}}"#));
    let document = request("GET", &format!("/jwks/{id}/.well-known/jwks.json"), root, "");
    let healthz = request("GET", "/healthz", root, "");
    routes(&server, [&healthz, &document, &verify], rounds, length).await?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        // By the clock on the wall: it is about how long verifiers wait.
        let verifying = Load::start(server.address, &verify, VERIFYING);
        alone.push(verifying.count_for(length).await?);
        let issuing = Load::start(server.address, &issue, ISSUING);
        beside.push(verifying.count_for(length).await?);
        issuing.stop().await?;
        verifying.stop().await?;
    }
    tell(&mut alone, &mut beside, length);
    Ok(())
}

async fn routes(
    server: &Server,
    requests: [&Vec<u8>; 3],
    rounds: usize,
    length: Duration,
) -> anyhow::Result<()> {
    let mut rates = [Rates::default(), Rates::default(), Rates::default()];
    for _ in 0..rounds {
        for (request, rates) in requests.into_iter().zip(&mut rates) {
            let (requests, cpu) = server.load(request, length).await?;
            rates.add(requests, cpu);
        }
    }
    let base = rates.first().map_or(f64::NAN, Rates::median);
    let mut report = Report::new("the bare route");
    let what =
        ["GET /healthz, the bare route", "GET of a public key", "POST /v1/verify, a signed key"];
    for (what, rates) in what.iter().zip(&rates) {
        report.add(what, rates, base);
    }
    report.print("Over HTTP, 32 connections, requests per CPU-second of the server");
    Ok(())
}

fn tell(alone: &mut [u64], beside: &mut [u64], length: Duration) {
    let median = |counts: &mut [u64]| {
        counts.sort_unstable();
        #[expect(clippy::cast_precision_loss, reason = "the counts are far below 2^52")]
        let count = counts.get(counts.len() / 2).copied().unwrap_or_default() as f64;
        count / length.as_secs_f64()
    };
    let (alone, beside) = (median(alone), median(beside));
    println!("\n{VERIFYING} clients verify signed keys, median of the rounds, by the wall clock\n");
    println!("| beside them | verifications per second | of undisturbed |\n| --- | --- | --- |");
    println!("| nobody | {alone:.0} | 1.00 |");
    let ratio = beside / alone;
    println!(
        "| {ISSUING} clients that issue RS256 keys without a pause | {beside:.0} | {ratio:.2} |"
    );
}
