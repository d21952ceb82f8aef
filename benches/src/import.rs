//! Taking over keys by their hashes: a file, the command line, and a database on SQLite.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use comfy_table::{CellAlignment, Table, presets};
use keyward::{DigestScheme, Hasher};

use crate::measure::monotonic;

/// Takes over a part of the keys and then all of them, each into a database of its own: memory that
/// does not grow with the file is told by the two.
pub(crate) fn run(binary: &Path, quick: bool) -> anyhow::Result<()> {
    let binary = binary.canonicalize()?;
    let most = if quick { 20_000 } else { 1_000_000 };
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["keys", "seconds", "keys per second", "most memory, MB"]);
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for keys in [most / 5, most] {
        let folder = tempfile::tempdir()?;
        write_keys(&folder.path().join("keys.jsonl"), keys)?;
        let (seconds, memory) = take_over(&binary, folder.path(), keys)?;
        table.add_row([
            keys.to_string(),
            format!("{seconds:.1}"),
            format!("{:.0}", f64::from(keys) / seconds),
            format!("{:.0}", memory / 1e3),
        ]);
    }
    println!("\nTaking over hashed keys, on two cores\n\n{table}");
    Ok(())
}

/// A file of keys as another system might have exported them.
fn write_keys(path: &Path, keys: u32) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let hasher = Hasher::new(Vec::new());
    for key in 0..keys {
        let digest = hasher.digest(DigestScheme::Sha256, &key.to_string());
        let value = digest.context("a SHA-256")?.to_hex();
        writeln!(
            file,
            r#"{{"id":"key-{key}","owner":"customer-{}","name":"key {key}","scopes":["read","write"],"created_at":"2024-05-01T10:00:00Z","hash":{{"scheme":"sha256-hex","value":"{value}"}}}}"#,
            key % 5_000,
        )?;
    }
    Ok(file.flush()?)
}

/// The seconds that it takes, and the most memory in KB.
fn take_over(binary: &Path, folder: &Path, keys: u32) -> anyhow::Result<(f64, f64)> {
    let keyward = |arguments: &[&str]| {
        let mut command = Command::new(binary);
        command.args(arguments).args(["--database", "sqlite:keyward.db"]);
        command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::inherit());
        command
    };
    let create = ["keyspaces", "create", "old", "--format", "opaque", "--prefix", "sk"];
    ensure!(keyward(&create).output()?.status.success(), "no keyspace");
    let start = monotonic();
    let import = ["keys", "import", "keys.jsonl", "--keyspace", "old", "--quiet"];
    let mut child = keyward(&import).spawn()?;
    let memory = most_memory(&mut child)?;
    let seconds = monotonic().saturating_sub(start).as_secs_f64();
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(said.starts_with(&format!("{keys} keys were taken over")), "{said}");
    Ok((seconds, memory))
}

/// Waits until the process ends; returns the most memory that it had, in KB.
fn most_memory(child: &mut Child) -> anyhow::Result<f64> {
    let status = format!("/proc/{}/status", child.id());
    let mut most = f64::NAN;
    while child.try_wait()?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let high = high.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
        most = high.unwrap_or(most);
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(most)
}
