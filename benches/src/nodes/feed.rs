//! How fast a node takes note of what others change.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::sync::Arc;

use comfy_table::{CellAlignment, Table, presets};
use keyward::store::Store;
use keyward::{ActContext, Asked, Keyward};
use tokio::task::JoinSet;

use super::{OnPostgres, OnRedis, Scale};
use crate::keys;
use crate::measure::{cpu_time, monotonic};

/// How many keys are changed, over and over.
const KEYS: usize = 50;

pub(super) async fn run(scale: Scale) -> anyhow::Result<()> {
    let (postgres, redis) = (OnPostgres::start().await?, OnRedis::start());
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["feed", "changes", "changes/s", "changes per CPU-second"]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let stores = [
        ("PostgreSQL", postgres.store().await?, postgres.store().await?),
        ("Redis", redis.store().await?, redis.store().await?),
    ];
    for (what, store, other) in stores {
        let count = if scale.is_quick { 2_000 } else { 20_000 };
        let (seconds, cpu) = absorb(store, other, count).await?;
        #[expect(clippy::cast_precision_loss, reason = "the counts are far below 2^52")]
        let count_of = count as f64;
        table.add_row([
            what.to_owned(),
            count.to_string(),
            format!("{:.0}", count_of / seconds),
            format!("{:.0}", count_of / cpu),
        ]);
    }
    println!("\nWhat a node takes note of when it was cut off and comes back\n\n{table}");
    Ok(())
}

/// Lets another node switch keys that this one has cached off and on, and takes the time to catch up.
async fn absorb(
    store: Arc<dyn Store>,
    other: Arc<dyn Store>,
    count: usize,
) -> anyhow::Result<(f64, f64)> {
    let writer = Keyward::builder(other).manual().build().await?;
    let secrets = keys::issue(&writer, KEYS).await?;
    let cut_off = Keyward::builder(store).manual().build().await?;
    for secret in &secrets {
        cut_off.verify(secret, &Asked::default()).await?;
    }
    let mut tasks = JoinSet::new();
    for secret in secrets {
        let writer = writer.clone();
        let id = secret.split('_').nth(1).unwrap_or_default().parse()?;
        let context = ActContext::by("bench".parse()?);
        tasks.spawn(async move {
            for _ in 0..count / KEYS / 2 {
                writer.disable(&id, &context).await?;
                writer.enable(&id, &context).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    let (began, before) = (monotonic(), cpu_time());
    cut_off.catch_up().await?;
    let seconds = monotonic().saturating_sub(began).as_secs_f64();
    Ok((seconds, cpu_time().saturating_sub(before).as_secs_f64()))
}
