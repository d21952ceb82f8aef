//! Verification over HTTP, against the same server's bare route.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::measure::{Rates, Report};
use crate::server::{Server, ask_once, request};

pub(crate) fn run(binary: &Path, rounds: usize, quick: bool) -> anyhow::Result<()> {
    let length = Duration::from_millis(if quick { 500 } else { 3_000 });
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let server = Server::start(binary, folder.path(), "").await?;
        let root = &server.root;
        let issue = request("POST", "/v1/keys", root, r#"{"owner":"a","scopes":["read"]}"#);
        let answer = ask_once(server.address, &issue).await?;
        let secret = answer.split('"').nth(3).context("the answer holds a secret")?.to_owned();
        let body = format!(r#"{{"secret":"{secret}","scopes":["read"]}}"#);
        let routes = [
            ("GET /healthz, the bare route", request("GET", "/healthz", root, "")),
            ("POST /v1/verify, a hit", request("POST", "/v1/verify", root, &body)),
        ];
        let mut rates = [Rates::default(), Rates::default()];
        // The routes take turns, so that a noisy minute touches both.
        for _ in 0..rounds {
            for ((_, request), rates) in routes.iter().zip(&mut rates) {
                let (requests, cpu) = server.load(request, length).await?;
                rates.add(requests, cpu);
            }
        }
        let base = rates.first().map_or(f64::NAN, Rates::median);
        let mut report = Report::new("the bare route");
        for ((route, _), rates) in routes.iter().zip(&rates) {
            report.add(route, rates, base);
        }
        report.print("Over HTTP, 32 connections, requests per CPU-second of the server");
        Ok(())
    })
}
