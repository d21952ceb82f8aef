//! Rounds, CPU time, and tables of results.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use rustix::time::{ClockId, clock_gettime};

/// The CPU time that this process has used, the work in the background included.
pub(crate) fn cpu_time() -> Duration {
    read(ClockId::ProcessCPUTime)
}

/// The time that passes.
pub(crate) fn monotonic() -> Duration {
    read(ClockId::Monotonic)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Operations per CPU-second, in each of several rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rates(Vec<f64>);

impl Rates {
    /// Adds a round.
    pub(crate) fn add(&mut self, operations: u64, cpu: Duration) {
        #[expect(clippy::cast_precision_loss, reason = "the counts are far below 2^52")]
        self.0.push(operations as f64 / cpu.as_secs_f64());
        self.0.sort_by(f64::total_cmp);
    }

    /// The median round.
    pub(crate) fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// A table of results.
#[derive(Debug)]
pub(crate) struct Report(Table);

impl Report {
    /// An empty table; ratios are to `base`.
    pub(crate) fn new(base: &str) -> Self {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        let ratio = format!("of {base}");
        table.set_header(["what", "min /CPU-s", "median /CPU-s", "max /CPU-s", "ns each", &ratio]);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        Self(table)
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, what: &str, rates: &Rates, base: f64) {
        let least = rates.0.first().copied().unwrap_or(f64::NAN);
        let most = rates.0.last().copied().unwrap_or(f64::NAN);
        self.0.add_row([
            what.to_owned(),
            thousands(least),
            thousands(rates.median()),
            thousands(most),
            format!("{:.0}", 1e9 / rates.median()),
            format!("{:.2}", rates.median() / base),
        ]);
    }

    /// Prints the table.
    pub(crate) fn print(&self, title: &str) {
        println!("\n{title}\n\n{}", self.0);
    }
}

/// A number with its thousands apart.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
