//! Misses: verifications that read the store, beside the bare reads of its driver.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use keyward::Asked;
use keyward::store::Store;
use tokio::task::JoinSet;
use tokio_postgres::NoTls;
use tokio_postgres::types::Type;

use super::{OnPostgres, OnRedis, Scale, missing};
use crate::keys::{self, Access};
use crate::measure::{Rates, Report, cpu_time, monotonic};

const KEYS: usize = 10_000;
/// As many as the store has for point reads.
const CONNECTIONS: usize = 4;

pub(super) async fn run(scale: Scale) -> anyhow::Result<()> {
    postgres(scale).await?;
    redis(scale).await
}

async fn postgres(scale: Scale) -> anyhow::Result<()> {
    let server = OnPostgres::start().await?;
    let store = server.store().await?;
    let secrets = issue(&store).await?;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let (client, connection) = tokio_postgres::connect(&server.url, NoTls).await?;
        tokio::spawn(connection);
        let sql = "SELECT * FROM keyward.keys WHERE id = $1";
        let statement = client.prepare_typed(sql, &[Type::TEXT]).await?;
        connections.push((client, statement));
    }
    let connections = Arc::new(connections);
    let bare = move |turn: usize, secret: Arc<str>| {
        let connections = Arc::clone(&connections);
        async move {
            let (client, statement) = connections.get(turn % CONNECTIONS).context("none")?;
            let id = secret.split('_').nth(1).unwrap_or_default();
            let rows = client.query(statement, &[&id]).await?;
            anyhow::ensure!(rows.len() == 1);
            Ok(())
        }
    };
    compare("PostgreSQL", store, &secrets, scale, bare).await
}

async fn redis(scale: Scale) -> anyhow::Result<()> {
    let server = OnRedis::start();
    let store = server.store().await?;
    let secrets = issue(&store).await?;
    let client = redis::Client::open(server.server.url())?;
    let connection = client.get_multiplexed_async_connection().await?;
    // A record of the usual length, under a name like that of a key.
    let record = store.find(&locator(&secrets)?).await?.context("no key")?.to_stored();
    for secret in secrets.iter() {
        let mut connection = connection.clone();
        let mut set = redis::cmd("SET");
        set.arg(name(secret)).arg(&record).exec_async(&mut connection).await?;
    }
    let bare = move |_: usize, secret: Arc<str>| {
        let mut connection = connection.clone();
        async move {
            let get = redis::cmd("GET").arg(name(&secret)).query_async(&mut connection).await;
            let value: Vec<u8> = get?;
            anyhow::ensure!(!value.is_empty());
            Ok(())
        }
    };
    compare("Redis", store, &secrets, scale, bare).await
}

fn name(secret: &str) -> String {
    format!("bare:{}", secret.split('_').nth(1).unwrap_or_default())
}

fn locator(secrets: &[Arc<str>]) -> anyhow::Result<keyward::Locator> {
    let secret = secrets.first().context("no key")?;
    Ok(keyward::Locator::KeyId(secret.split('_').nth(1).unwrap_or_default().parse()?))
}

async fn issue(store: &Arc<dyn Store>) -> anyhow::Result<Arc<[Arc<str>]>> {
    let secrets = keys::issue(&keys::instance(Arc::clone(store), 1_000).await?, KEYS).await?;
    Ok(secrets.into_iter().map(Arc::from).collect())
}

async fn compare<R, F>(
    what: &str,
    store: Arc<dyn Store>,
    secrets: &Arc<[Arc<str>]>,
    scale: Scale,
    bare: R,
) -> anyhow::Result<()>
where
    R: Fn(usize, Arc<str>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let mut report = Report::new("the driver's read");
    let keyward = missing(store).await?;
    let verify = move |_: usize, secret: Arc<str>| {
        let keyward = keyward.clone();
        async move {
            let decision = keyward.verify(&secret, &Asked::default()).await?;
            anyhow::ensure!(decision.code() == "allowed", "{}", decision.code());
            Ok(())
        }
    };
    for in_flight in [1, 64] {
        let read = rates(secrets, scale, in_flight, bare.clone()).await?;
        report.add(&format!("the driver's read, {in_flight} in flight"), &read, read.median());
        let miss = rates(secrets, scale, in_flight, verify.clone()).await?;
        report.add(&format!("a miss, {in_flight} in flight"), &miss, read.median());
    }
    report.print(&format!("Misses on {what}, {KEYS} keys, one thread"));
    Ok(())
}

/// So many at a time, each of them one after the other.
async fn rates<R, F>(
    secrets: &Arc<[Arc<str>]>,
    scale: Scale,
    in_flight: usize,
    read: R,
) -> anyhow::Result<Rates>
where
    R: Fn(usize, Arc<str>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let length = Duration::from_millis(if scale.is_quick { 500 } else { 3_000 });
    let order: Arc<[usize]> = keys::order(Access::Uniform, secrets.len(), 1 << 16)?.into();
    let mut rates = Rates::default();
    for _ in 0..scale.rounds {
        let done = Arc::new(AtomicU64::new(0));
        let (began, before) = (monotonic(), cpu_time());
        let mut tasks = JoinSet::new();
        for task in 0..in_flight {
            let (read, done) = (read.clone(), Arc::clone(&done));
            let (order, secrets) = (Arc::clone(&order), Arc::clone(secrets));
            tasks.spawn(async move {
                let places = order.iter().cycle().skip(task * 1_000);
                for (turn, place) in places.enumerate() {
                    if monotonic().saturating_sub(began) >= length {
                        break;
                    }
                    let secret = secrets.get(*place).context("no secret")?;
                    read(task + turn, Arc::clone(secret)).await?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                anyhow::Ok(())
            });
        }
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        rates.add(done.load(Ordering::Relaxed), cpu_time().saturating_sub(before));
    }
    Ok(rates)
}
