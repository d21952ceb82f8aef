//! Searching files for keys, against ripgrep searching them for the prefix alone.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use comfy_table::{CellAlignment, Table, presets};
use keyward::{Dialect, Profile, SystemEntropy};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::measure::{Rates, monotonic};

/// Bytes in a file: as in larger files of source code.
const FILE: usize = 40_000;

/// Files with a key in them.
const KEYS: usize = 7;

pub(crate) fn run(binary: &Path, rounds: usize, quick: bool) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let bytes = write_corpus(folder.path(), if quick { 2_000 } else { 25_000 })?;
    let keyward = [binary.canonicalize()?.display().to_string()];
    let keyward =
        [&keyward[..], &["scan", "--prefix", "kw", "--no-ignore"].map(String::from)].concat();
    let ripgrep = ["rg", "--no-config", "-uuu", "--count", "kw_"].map(String::from).to_vec();
    let has_ripgrep = Command::new("rg").arg("--version").stdout(Stdio::null()).status().is_ok();
    let searches = if has_ripgrep { vec![keyward, ripgrep] } else { vec![keyward] };
    // Read once, so that it is in memory.
    for search in &searches {
        time(search, folder.path())?;
    }
    let mut rates = vec![[Rates::default(), Rates::default()]; searches.len()];
    // They take turns, so that a noisy minute touches both.
    for _ in 0..rounds {
        for (search, [by_wall, by_cpu]) in searches.iter().zip(&mut rates) {
            let (wall, cpu) = time(search, folder.path())?;
            by_wall.add(bytes, wall);
            by_cpu.add(bytes, cpu);
        }
    }
    print(&rates, bytes);
    Ok(())
}

/// Writes files that look like source code, the same ones every time but for the keys.
fn write_corpus(folder: &Path, files: usize) -> anyhow::Result<u64> {
    let mut chance = SmallRng::seed_from_u64(1);
    let words: Vec<String> = (0..2_000).map(|_| word(&mut chance)).collect();
    let mut bytes = 0;
    for file in 0..files {
        let folder = folder.join(format!("{:03}", file % 250));
        fs::create_dir_all(&folder)?;
        let mut text = String::with_capacity(FILE + 200);
        while text.len() < FILE {
            text.push_str(&"    ".repeat(chance.random_range(0..4)));
            for _ in 0..chance.random_range(1..9) {
                let word = words.get(chance.random_range(0..words.len()));
                text.extend(word.map(String::as_str));
                let separators = ["_", " ", "(", " = ", ", "];
                let separator = separators.get(chance.random_range(0..separators.len()));
                text.extend(separator.copied());
            }
            text.push_str(";\n");
        }
        if file % (files / KEYS) == 0 && file / (files / KEYS) < KEYS {
            let key = Profile::new(Dialect::Keyward).generate("kw", &SystemEntropy)?;
            text.push_str(key.token.expose());
        }
        bytes += u64::try_from(text.len())?;
        fs::write(folder.join(format!("{file}.rs")), text)?;
    }
    Ok(bytes)
}

/// A word, or now and then the prefix of keys.
fn word(chance: &mut SmallRng) -> String {
    if chance.random_range(0..2_000) == 0 {
        return "kw".to_owned();
    }
    let length = chance.random_range(2..11);
    (0..length).map(|_| char::from(chance.random_range(b'a'..=b'z'))).collect()
}

/// Runs a search, and says how long it took on the wall and in processors.
fn time(search: &[String], folder: &Path) -> anyhow::Result<(Duration, Duration)> {
    let (program, arguments) = search.split_first().context("a search is a command")?;
    let (wall, cpu) = (monotonic(), cpu_of_children()?);
    let output = Command::new(program).args(arguments).arg(folder).stdin(Stdio::null()).output()?;
    let found = output.stdout.split(|&byte| byte == b'\n').count() - 1;
    anyhow::ensure!(found >= KEYS, "{program} found {found} of {KEYS} keys");
    Ok((monotonic().saturating_sub(wall), cpu_of_children()?.saturating_sub(cpu)))
}

/// User and system time of the processes that have ended, in hundredths of a second.
fn cpu_of_children() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("a name in parentheses")?;
    let ticks = fields.split_whitespace().skip(13).take(2).map(str::parse::<u64>);
    Ok(Duration::from_millis(ticks.sum::<Result<u64, _>>()? * 10))
}

fn print(rates: &[[Rates; 2]], bytes: u64) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["what", "GB/s", "GB/CPU-s", "of ripgrep"]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let ripgrep = rates.get(1).map(|[by_wall, _]| by_wall.median());
    for (what, [by_wall, by_cpu]) in ["keyward scan", "ripgrep, the prefix alone"].iter().zip(rates)
    {
        let ratio =
            ripgrep.map_or("not installed".to_owned(), |r| format!("{:.2}", by_wall.median() / r));
        let gigabytes = |rates: &Rates| format!("{:.2}", rates.median() / 1e9);
        table.add_row([(*what).to_owned(), gigabytes(by_wall), gigabytes(by_cpu), ratio]);
    }
    println!("\nSearching {} MB of cached files, medians\n\n{table}", bytes / 1_000_000);
}
