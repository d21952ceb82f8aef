//! What the same costs in Node, by the published packages: `interop/bench.mjs`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::measure::Rates;

/// What was measured there, by name. Nothing, where Node or the packages are not installed.
pub(super) fn run(rounds: usize, quick: bool) -> anyhow::Result<Vec<(String, Rates)>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/bench.mjs");
    let seconds = if quick { "0.5" } else { "5" };
    let mut items: Vec<(String, Rates)> = Vec::new();
    for _ in 0..rounds.div_ceil(2) {
        let mut node = Command::new("node");
        let ran = node_output(node.arg(&script).args(["--seconds", seconds]))?;
        let Some(output) = ran else { return Ok(Vec::new()) };
        for line in output.lines() {
            let line: Value = serde_json::from_str(line)?;
            let item = line.get("item").and_then(Value::as_str).context("a line has a name")?;
            let number = |name| line.get(name).and_then(Value::as_f64).context("a number");
            let (operations, cpu) = (number("operations")?, number("cpu_seconds")?);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let operations = operations as u64;
            let cpu = Duration::from_secs_f64(cpu);
            if !items.iter().any(|(name, _)| name == item) {
                items.push((item.to_owned(), Rates::default()));
            }
            let known = items.iter_mut().find(|(name, _)| name == item);
            known.context("it was added")?.1.add(operations, cpu);
        }
    }
    Ok(items)
}

fn node_output(node: &mut Command) -> anyhow::Result<Option<String>> {
    match node.stderr(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(Some(String::from_utf8(output.stdout)?)),
        _ => Ok(None),
    }
}
