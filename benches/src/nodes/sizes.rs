//! Misses among very many keys in PostgreSQL: how long one takes.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use keyward::{Asked, Keyward};

use super::{OnPostgres, Scale, missing};
use crate::keys::{self, Access};
use crate::measure::monotonic;

/// Keys that are verified; the others are only there.
const KEYS: usize = 10_000;

/// Rows like an issued one, with ids, owners and instants of their own.
const FILL: &str = "\
    INSERT INTO keyward.keys (id, version, format, keyspace, owner, hint, digest_scheme, digest, \
        enabled, scopes, resources, tags, metadata, created_at, updated_at, search_text, \
        notes_search_text) \
    SELECT substr(md5(n::text), 1, 16), version, format, keyspace, 'customer-' || n % 50000, hint, \
        digest_scheme, sha256(n::text::bytea), enabled, scopes, resources, tags, metadata, \
        created_at + n, updated_at + n, search_text, notes_search_text \
    FROM generate_series(1, $COUNT) AS n, (SELECT * FROM keyward.keys LIMIT 1) AS one \
    ON CONFLICT DO NOTHING";

pub(super) async fn run(scale: Scale, many: usize) -> anyhow::Result<()> {
    let server = OnPostgres::start().await?;
    let store = server.store().await?;
    let secrets = keys::issue(&keys::instance(store, 1_000).await?, KEYS).await?;
    let keyward = missing(server.store().await?).await?;
    server.execute("VACUUM ANALYZE")?;
    let few = times(&keyward, &secrets, scale).await?;
    server.execute(&FILL.replace("$COUNT", &(many - KEYS).to_string()))?;
    server.execute("VACUUM ANALYZE")?;
    server.execute("CHECKPOINT")?;
    let lots = times(&keyward, &secrets, scale).await?;
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["keys", "p50 µs", "p99 µs", "p50, of 10,000 keys"]);
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for (count, times) in [(KEYS, &few), (many, &lots)] {
        table.add_row([
            count.to_string(),
            format!("{:.0}", at(times, 0.5)),
            format!("{:.0}", at(times, 0.99)),
            format!("{:.2}", at(times, 0.5) / at(&few, 0.5)),
        ]);
    }
    println!("\nHow long a miss on PostgreSQL takes, one at a time\n\n{table}");
    Ok(())
}

/// How long each verification takes, in order of length.
async fn times(
    keyward: &Keyward,
    secrets: &[String],
    scale: Scale,
) -> anyhow::Result<Vec<Duration>> {
    let order =
        keys::order(Access::Uniform, secrets.len(), if scale.is_quick { 5_000 } else { 100_000 })?;
    let asked = Asked::default();
    // Whatever was written before is read once, so that it is where a busy server would have it.
    for secret in secrets {
        anyhow::ensure!(keyward.verify(secret, &asked).await?.code() == "allowed");
    }
    let mut times = Vec::with_capacity(order.len());
    for secret in order.iter().filter_map(|place| secrets.get(*place)) {
        let began = monotonic();
        anyhow::ensure!(keyward.verify(secret, &asked).await?.code() == "allowed");
        times.push(monotonic().saturating_sub(began));
    }
    times.sort();
    Ok(times)
}

/// The time that this part of them stays below, in microseconds.
fn at(times: &[Duration], part: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a place in a list"
    )]
    let place = (times.len() as f64 * part) as usize;
    times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}
