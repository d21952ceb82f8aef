//! Issuing signed keys: how long one takes while pairs are ready, and how many there are in the long run.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use keyward::Keyward;
use keyward::jose::PairKind;
use keyward_store_sqlite::{SqliteOptions, SqliteStore};
use tokio::task::JoinSet;

use super::{KINDS, instance, issuer, keyspace, me, node};
use crate::measure::{Rates, Report, cpu_time, monotonic};

pub(super) async fn run(rounds: usize, quick: bool) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    println!("\nIssuing into SQLite while pairs are ready, one after the other, wall clock\n");
    println!("| what | median | 99th of 100 | worst |\n| --- | --- | --- | --- |");
    for (place, (name, pair)) in KINDS.into_iter().enumerate() {
        let path = folder.path().join(format!("{place}.db"));
        let store = Arc::new(SqliteStore::open(path, &SqliteOptions::default())?);
        let keys = if quick { 16 } else { 200 };
        let mut latencies = latencies(store, pair, keys).await?;
        latencies.sort_unstable();
        let at = |part: usize| latencies.get((latencies.len() - 1) * part / 100).copied();
        let told = [at(50), at(99), at(100)]
            .map(|l| format!("{:.3} ms", l.unwrap_or_default().as_secs_f64() * 1e3));
        println!("| {name} | {} |", told.join(" | "));
    }
    sustained(rounds, quick).await
}

async fn latencies(
    store: Arc<SqliteStore>,
    pair: PairKind,
    keys: usize,
) -> anyhow::Result<Vec<Duration>> {
    let keyward = instance(store, keys + 1).await?;
    let new = keyspace(&keyward, pair, &issuer()?).await?;
    while pair.bits().is_some() && keyward.pool_status().ready <= keys {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let context = me()?;
    let mut latencies = Vec::with_capacity(keys);
    for _ in 0..keys {
        let began = monotonic();
        keyward.issue(new.clone(), &context).await?;
        latencies.push(monotonic().saturating_sub(began));
    }
    Ok(latencies)
}

/// As many keys as there are pairs: the rate of issuing against that of making pairs alone, on as many
/// threads.
async fn sustained(rounds: usize, quick: bool) -> anyhow::Result<()> {
    let length = Duration::from_secs(if quick { 2 } else { 10 });
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sustained.db");
    let store = Arc::new(SqliteStore::open(path, &SqliteOptions::default())?);
    let keyward = instance(store, 1).await?;
    let new = keyspace(&keyward, PairKind::Rsa2048, &issuer()?).await?;
    let mut rates = [Rates::default(), Rates::default()];
    let [pairs, issued] = &mut rates;
    for _ in 0..rounds {
        let before = cpu_time();
        pairs.add(pairs_alone(length).await?, cpu_time().saturating_sub(before));
        let before = cpu_time();
        issued.add(issue_for(&keyward, &new, length).await?, cpu_time().saturating_sub(before));
    }
    let base = pairs.median();
    let mut report = Report::new("pairs alone");
    report.add("RSA-2048 pairs alone", pairs, base);
    report.add("keys issued into SQLite, 16 at a time, pool dry", issued, base);
    for (item, rates) in node::run(rounds, quick)?.iter().filter(|(item, _)| item == "createApiKey")
    {
        report.add(&format!("Node: {item}, nothing stored"), rates, base);
    }
    report.print("Issuing RS256 keys without end, all processors");
    Ok(())
}

async fn pairs_alone(length: Duration) -> anyhow::Result<u64> {
    let (is_over, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads: Vec<_> = (0..threads)
        .map(|_| {
            let (is_over, made) = (Arc::clone(&is_over), Arc::clone(&made));
            std::thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    if keyward_signatures::generate(PairKind::Rsa2048).is_ok() {
                        made.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(length).await;
    is_over.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().map_err(|_| anyhow::anyhow!("a thread failed"))?;
    }
    Ok(made.load(Ordering::Relaxed))
}

async fn issue_for(
    keyward: &Keyward,
    new: &keyward::NewKey,
    length: Duration,
) -> anyhow::Result<u64> {
    const AT_A_TIME: usize = 16;
    let mut tasks = JoinSet::new();
    let until = monotonic() + length;
    for _ in 0..AT_A_TIME {
        let (keyward, new, context) = (keyward.clone(), new.clone(), me()?);
        tasks.spawn(async move {
            let mut issued = 0_u64;
            while monotonic() < until {
                keyward.issue(new.clone(), &context).await?;
                issued += 1;
            }
            anyhow::Ok(issued)
        });
    }
    let mut issued = 0;
    while let Some(of_task) = tasks.join_next().await {
        issued += of_task??;
    }
    Ok(issued)
}
