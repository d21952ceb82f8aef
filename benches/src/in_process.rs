//! Verification in the process.

use std::sync::Arc;
use std::time::Duration;

use keyward::store::MemoryStore;
use keyward::{Asked, Keyward, Scope};
use keyward_store_sqlite::{SqliteOptions, SqliteStore};

use crate::keys::{self, Access};
use crate::measure::{Rates, Report, cpu_time, monotonic};
use crate::pieces;

/// Secrets that are copied together before they are verified: a request's secret has just come from
/// the network and is near, so the way to it in a list of a million is not what is measured.
const BLOCK: usize = 512;

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// What each kind of decision costs.
    Decisions,
    /// What a hit costs by number of keys.
    Sizes,
    /// What counting uses, reading headers and asking for scopes cost.
    Pieces,
    /// What a cache costs that is smaller than the working set.
    Bounds,
}

pub(crate) fn run(only: Option<Part>, rounds: usize, quick: bool) -> anyhow::Result<()> {
    let operations = if quick { 200_000 } else { 2_000_000 };
    let bench = Bench { rounds, operations, least: Duration::ZERO };
    let many = if quick { 100_000 } else { 1_000_000 };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build()?.block_on(async {
        let is_wanted = |part| only.is_none_or(|only| only == part);
        if is_wanted(Part::Decisions) {
            bench.decisions().await?;
        }
        if is_wanted(Part::Sizes) {
            bench.sizes(many).await?;
        }
        if is_wanted(Part::Pieces) {
            pieces::tracking(rounds, operations).await?;
            pieces::rules(rounds, operations).await?;
        }
        if is_wanted(Part::Bounds) {
            bench.bounds(many).await?;
        }
        Ok(())
    })
}

struct Bench {
    rounds: usize,
    /// How many verifications make a round, if they take long enough.
    operations: usize,
    /// How long a round lasts at least.
    least: Duration,
}

impl Bench {
    /// What each kind of decision costs, with 1,000 keys.
    async fn decisions(&self) -> anyhow::Result<()> {
        let keyward = keys::instance(Arc::new(MemoryStore::new()), 100_000).await?;
        let secrets = keys::issue(&keyward, 1_000).await?;
        let hit = self.verify(&keyward, &secrets, Access::Uniform, "allowed").await?;
        let base = hit.median();
        let mut report = Report::new("a hit");
        report.add("hit", &hit, base);

        let other = keys::instance(Arc::new(MemoryStore::new()), 100_000).await?;
        let unknown = keys::issue(&other, 1_000).await?;
        let rates = self.verify(&keyward, &unknown, Access::Uniform, "unknown").await?;
        report.add("unknown id, right checksum, remembered", &rates, base);
        let typing_errors: Vec<_> = secrets.iter().map(|s| s.replacen('_', "_2", 1)).collect();
        let garbage = garbage(&secrets);
        let rates = self.verify(&keyward, &garbage, Access::Uniform, "malformed").await?;
        report.add("garbage of the right form, wrong checksum", &rates, base);
        let rates = self.verify(&keyward, &typing_errors, Access::Uniform, "malformed").await?;
        report.add("garbage of another length", &rates, base);
        keys::rotate(&keyward, &secrets).await?;
        let rates = self.verify(&keyward, &secrets, Access::Uniform, "unknown").await?;
        report.add("right id, wrong secret (rotated away)", &rates, base);
        report.print("Decisions, 1,000 keys, one thread");
        Ok(())
    }

    /// What a hit costs with more and more keys, all of them in the cache.
    async fn sizes(&self, many: usize) -> anyhow::Result<()> {
        // As long as the interval at which usage is written down, so that each round pays for it.
        let least = if many >= 1_000_000 { Duration::from_secs(10) } else { Duration::ZERO };
        let long = Self { least, ..*self };
        let mut report = Report::new("1,000 keys");
        let mut base = f64::NAN;
        let mut count = 1_000;
        while count <= many {
            let keyward = keys::instance(Arc::new(MemoryStore::new()), many * 2).await?;
            let secrets = keys::issue(&keyward, count).await?;
            for access in [Access::Zipf, Access::Uniform] {
                let rates = long.verify(&keyward, &secrets, access, "allowed").await?;
                base = if base.is_nan() { rates.median() } else { base };
                report.add(&format!("hit, {count} keys, {access:?}"), &rates, base);
            }
            count *= 10;
        }
        report.print("Hits by number of keys, one thread");
        Ok(())
    }

    /// What happens when the cache is smaller than the working set, over SQLite.
    async fn bounds(&self, many: usize) -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("bench.db");
        let store = Arc::new(SqliteStore::open(&path, &SqliteOptions::default())?);
        let writer = keys::instance(Arc::<SqliteStore>::clone(&store), 1_000).await?;
        let keys = many / 5;
        let secrets = keys::issue(&writer, keys).await?;
        // A read of the database takes some thirty times as long as a hit.
        let short = Self { operations: self.operations / 10, ..*self };
        let mut report = Report::new("all cached");
        let mut base = f64::NAN;
        for percent in [200, 110, 100, 90, 50, 10, 1] {
            let capacity = keys * percent / 100;
            let keyward = keys::instance(Arc::<SqliteStore>::clone(&store), capacity).await?;
            let rates = short.verify(&keyward, &secrets, Access::Uniform, "allowed").await?;
            base = if base.is_nan() { rates.median() } else { base };
            report.add(&format!("cache holds {percent} % of {keys} keys, Uniform"), &rates, base);
        }
        let keyward = Keyward::builder(store).max_staleness(Duration::ZERO).build().await?;
        let rates = short.verify(&keyward, &secrets, Access::Uniform, "allowed").await?;
        report.add("no cache (max_staleness = 0)", &rates, base);
        report.print("Cache smaller than the working set, SQLite, one thread");
        Ok(())
    }

    /// Verifies and checks every decision.
    async fn verify(
        &self,
        keyward: &Keyward,
        secrets: &[String],
        access: Access,
        expected: &str,
    ) -> anyhow::Result<Rates> {
        let order = keys::order(access, secrets.len(), self.operations)?;
        let scopes = [Scope::parse("read")?];
        let asked = Asked { scopes: &scopes, ..Asked::default() };
        for secret in secrets {
            keyward.verify(secret, &asked).await?;
        }
        let mut rates = Rates::default();
        let mut block = String::new();
        for _ in 0..self.rounds {
            let (mut cpu, mut operations, began) = (Duration::ZERO, 0, monotonic());
            for places in order.chunks(BLOCK).cycle() {
                if operations >= order.len() && monotonic().saturating_sub(began) >= self.least {
                    break;
                }
                operations += places.len();
                block.clear();
                let mut ends = Vec::with_capacity(BLOCK);
                for &place in places {
                    block.push_str(secrets.get(place).map_or("", String::as_str));
                    ends.push(block.len());
                }
                let (mut start, mut right) = (0, 0);
                let before = cpu_time();
                for end in ends {
                    let secret = block.get(start..end).unwrap_or_default();
                    start = end;
                    let decision = keyward.verify(secret, &asked).await?;
                    right += usize::from(decision.code() == expected);
                }
                cpu += cpu_time().saturating_sub(before);
                anyhow::ensure!(right == places.len(), "{right} of {} {expected}", places.len());
            }
            rates.add(u64::try_from(operations)?, cpu);
        }
        Ok(rates)
    }
}

/// The same texts with their last characters exchanged, so that the checksum is wrong.
fn garbage(secrets: &[String]) -> Vec<String> {
    let exchanged = secrets.iter().map(|secret| {
        let mut bytes = secret.clone().into_bytes();
        if let Some(last) = bytes.last_mut() {
            *last = if *last == b'2' { b'3' } else { b'2' };
        }
        String::from_utf8(bytes).unwrap_or_default()
    });
    exchanged.collect()
}
