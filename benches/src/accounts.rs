//! Keys that are validated together with the credentials of their service account, of accounts with more
//! and more keys: what it costs must not depend on how many there are.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keyward::{ActContext, Keyward, NewKey, NewServiceAccount, OwnerId};
use keyward_http::nestjs;
use keyward_store_sqlite::{SqliteOptions, SqliteStore};

use crate::keys::{Access, issue_like, order};
use crate::measure::{Rates, Report};
use crate::server::{Server, request};

/// What the NestJS library validates in a second, on two cores that it shared with its database and its
/// clients: the median with one active key. It may have used one core's time for that, or more.
const NESTJS: f64 = 1_237.0;

/// Requests that are written before they are sent.
const WRITTEN: usize = 100_000;

/// A service account whose keys are asked for.
struct Account {
    client_id: String,
    client_secret: String,
    owner: String,
    secrets: Vec<String>,
}

/// What is measured: its name, and requests that are sent in turn.
struct Row {
    name: String,
    requests: Arc<Vec<Vec<u8>>>,
    rates: Rates,
}

pub(crate) fn run(binary: &Path, rounds: usize, quick: bool) -> anyhow::Result<()> {
    let length = Duration::from_millis(if quick { 500 } else { 3_000 });
    let most = if quick { 2_000 } else { 100_000 };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let mut accounts = Vec::new();
        for keys in [1, 1_000, most] {
            accounts.push(account(folder.path(), keys).await?);
        }
        let config = "[cache]\ncapacity = 200000\n[compat]\nnestjs = true\n";
        let server = Server::start(binary, folder.path(), config).await?;
        let mut rows = rows(&server.root, &accounts)?;
        // Each key is read once before it counts.
        for row in &rows {
            let mut asked = 0;
            while asked < row.requests.len() as u64 {
                asked += server.load_each(&row.requests, length).await?.0;
            }
        }
        // They take turns, so that a noisy minute touches all of them.
        for _ in 0..rounds {
            for row in &mut rows {
                let (requests, cpu) = server.load_each(&row.requests, length).await?;
                row.rates.add(requests, cpu);
            }
        }
        tell(&rows);
        anyhow::Ok(())
    })
}

/// Makes an account with that many keys, in the database that the server is going to open.
async fn account(folder: &Path, keys: usize) -> anyhow::Result<Account> {
    let store = SqliteStore::open(folder.join("keyward.db"), &SqliteOptions::default())?;
    let keyward = Keyward::builder(Arc::new(store)).build().await?;
    nestjs::prepare(&keyward).await?;
    let owner = OwnerId::parse(&format!("customer-{keys}"))?;
    let new = NewServiceAccount::new(owner.clone());
    let issued = keyward.create_account(new, &ActContext::by("bench".parse()?)).await?;
    let id = issued.account.id;
    let keyspace = nestjs::keyspace();
    let new = NewKey { keyspace, service_account: Some(id), ..NewKey::new(owner.clone()) };
    let secrets = issue_like(&keyward, &new, keys).await?;
    keyward.close().await?;
    let client_secret = issued.client_secret.expose().to_owned();
    Ok(Account { client_id: id.to_string(), client_secret, owner: owner.to_string(), secrets })
}

/// The server's bare route first, then an account with one key, which the others are held against.
fn rows(root: &str, accounts: &[Account]) -> anyhow::Result<Vec<Row>> {
    let mut rows =
        vec![Row::new("GET /healthz, the bare route", vec![request("GET", "/healthz", root, "")])];
    for route in [Route::Verify, Route::Nestjs] {
        for account in accounts {
            let count = account.secrets.len();
            let places = order(Access::Uniform, count, WRITTEN.min(count * 100))?;
            let secrets = places.iter().filter_map(|place| account.secrets.get(*place));
            let requests = secrets.map(|secret| account.validation(route, root, secret)).collect();
            rows.push(Row::new(
                format!("{}, an account with {count} keys", route.name()),
                requests,
            ));
        }
    }
    if let Some(account) = accounts.last() {
        let validation = |secret: &String| account.validation(Route::Verify, root, secret);
        let requests = account.secrets.iter().map(validation).collect();
        let name = "POST /v1/verify, never the same key again before all others";
        rows.push(Row::new(name, requests));
        let body = |secret: &String| format!(r#"{{"secret":"{secret}"}}"#);
        let alone = |secret| request("POST", "/v1/verify", root, &body(secret));
        rows.push(Row::new("the same keys alone", account.secrets.iter().map(alone).collect()));
        let Account { client_id, owner, .. } = account;
        let body = format!(
            r#"{{"keyspace":"nestjs","owner":"{owner}","service_account_id":"{client_id}"}}"#
        );
        let issue = request("POST", "/v1/keys", root, &body);
        rows.push(Row::new("POST /v1/keys, for that account", vec![issue]));
    }
    Ok(rows)
}

/// Where keys are validated.
#[derive(Clone, Copy)]
enum Route {
    /// The route of the NestJS library.
    Nestjs,
    Verify,
}

impl Route {
    const fn name(self) -> &'static str {
        match self {
            Self::Nestjs => "POST /api/keys/validate",
            Self::Verify => "POST /v1/verify",
        }
    }
}

impl Account {
    fn validation(&self, route: Route, root: &str, secret: &str) -> Vec<u8> {
        let (path, name) = match route {
            Route::Nestjs => ("/api/keys/validate", "api_key"),
            Route::Verify => ("/v1/verify", "secret"),
        };
        let Self { client_id, client_secret, .. } = self;
        let body = format!(
            r#"{{"client_id":"{client_id}","client_secret":"{client_secret}","{name}":"{secret}"}}"#
        );
        request("POST", path, root, &body)
    }
}

impl Row {
    fn new(name: impl Into<String>, requests: Vec<Vec<u8>>) -> Self {
        Self { name: name.into(), requests: Arc::new(requests), rates: Rates::default() }
    }
}

fn tell(rows: &[Row]) {
    let base = rows.get(1).map_or(f64::NAN, |row| row.rates.median());
    let mut report = Report::new("one key");
    for row in rows {
        report.add(&row.name, &row.rates, base);
    }
    report.print("Service accounts, 32 connections, requests per CPU-second of the server");
    let times = base / NESTJS;
    println!(
        "\nWith one key it is {times:.0} times the {NESTJS} validations in a second of the NestJS \
         library, if those took one CPU-second; what they took of its database and of two cores is \
         left out, to its advantage."
    );
}
