//! What following the feed costs a node that only verifies.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use keyward::Asked;
use keyward::store::{MemoryStore, Store};

use super::{OnPostgres, OnRedis, Scale};
use crate::keys::{self, Access};
use crate::measure::{Rates, Report, cpu_time, monotonic};

/// How many changes another process makes in a second.
const CHANGES: u32 = 100;

pub(super) async fn run(scale: Scale) -> anyhow::Result<()> {
    let (postgres, redis) = (OnPostgres::start().await?, OnRedis::start());
    let mut report = Report::new("a single node");
    let single = measure(Arc::new(MemoryStore::new()), scale).await?;
    let base = single.median();
    report.add("a single node, in memory", &single, base);
    for (what, store, url) in [
        ("PostgreSQL", postgres.store().await?, postgres.url.clone()),
        ("Redis", redis.store().await?, redis.server.url()),
    ] {
        let rates = measure(Arc::clone(&store), scale).await?;
        report.add(&format!("{what}, nothing changes"), &rates, base);
        let other = Other::start(&url)?;
        let rates = measure(store, scale).await?;
        report.add(&format!("{what}, another node makes {CHANGES} changes/s"), &rates, base);
        drop(other);
    }
    report.print("Hits while the change feed is followed, 1,000 keys, one thread");
    Ok(())
}

async fn measure(store: Arc<dyn Store>, scale: Scale) -> anyhow::Result<Rates> {
    let least = Duration::from_secs(if scale.is_quick { 1 } else { 5 });
    let keyward = keys::instance(store, 100_000).await?;
    let secrets = keys::issue(&keyward, 1_000).await?;
    let order = keys::order(Access::Uniform, secrets.len(), 100_000)?;
    let asked = Asked::default();
    let mut rates = Rates::default();
    for _ in 0..scale.rounds {
        let (mut operations, began, before) = (0, monotonic(), cpu_time());
        while monotonic().saturating_sub(began) < least {
            for secret in order.iter().filter_map(|place| secrets.get(*place)) {
                anyhow::ensure!(keyward.verify(secret, &asked).await?.code() == "allowed");
            }
            operations += u64::try_from(order.len())?;
            // The follower runs on the same thread.
            tokio::task::yield_now().await;
        }
        rates.add(operations, cpu_time().saturating_sub(before));
    }
    keyward.close().await?;
    Ok(rates)
}

/// Another process that makes changes in the same database; killed when dropped.
struct Other(Child);

impl Other {
    fn start(url: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["write", url, "--per-second", &CHANGES.to_string()]).stdout(Stdio::null());
        Ok(Self(command.spawn()?))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended, which the measurement would not notice: its rows only cost less then.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
