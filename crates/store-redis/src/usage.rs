//! How keys were used.

use keyward_store::{StoreError, UsageDelta};

use crate::calls::Calls;
use crate::place::instant;
use crate::script;

/// The largest count that Redis keeps.
const MOST: u64 = i64::MAX.cast_unsigned();

pub(crate) async fn record(calls: &Calls, batch: &[UsageDelta]) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let count = |count: u64| count.min(MOST).to_string().into_bytes();
    let arguments: Vec<_> = batch
        .iter()
        .flat_map(|UsageDelta { key, last_used_at, uses, previous_uses }| {
            let last_used = instant(*last_used_at).into_bytes();
            [key.as_str().into(), last_used, count(*uses), count(*previous_uses)]
        })
        .collect();
    calls.run_once("record usage", &script::USAGE, &arguments).await?;
    Ok(())
}
