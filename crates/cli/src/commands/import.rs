//! `keyward keys import` and `keyward accounts import`: from the lines of a file to requests, and what
//! becomes of each.

mod batch;
mod columns;
mod noun;
mod primaries;
mod report;
mod rows;
mod seen;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::anyhow;
use batch::{Batch, Batches, Mode};
use columns::Mapping;
use futures_util::{Stream, StreamExt, stream};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use noun::Noun;
use primaries::Primaries;
use report::Report;
use rows::Rows;
use tokio::sync::mpsc;

use crate::api::Api;
use crate::args::{AccountImportArgs, FileFormat, ImportArgs, Source, TableArgs};
use crate::outcome::{Outcome, Unusable};

/// Requests that wait for their answers at the same time.
const AT_ONCE: usize = 200;

/// Takes the keys of a file over.
pub(super) async fn keys(api: &Api, as_json: bool, args: ImportArgs) -> anyhow::Result<Outcome> {
    let mapping = Mapping::of_keys(&args)?;
    run(api, as_json, &args.table, mapping).await
}

/// Takes the service accounts of a file over.
pub(super) async fn accounts(
    api: &Api,
    as_json: bool,
    args: AccountImportArgs,
) -> anyhow::Result<Outcome> {
    let mut mapping = Mapping::of_accounts(&args)?;
    if Source::from(args.from) == Source::Nestjs {
        must_be_a_file(&args.table, "--from nestjs", Noun::Accounts)?;
        let rows = Rows::new(open_file(&args.table)?, format(&args.table), 1)?;
        mapping.set_primaries(Primaries::of(rows, &mapping)?);
    }
    run(api, as_json, &args.table, mapping).await
}

async fn run(
    api: &Api,
    as_json: bool,
    args: &TableArgs,
    mapping: Mapping,
) -> anyhow::Result<Outcome> {
    let (noun, mapping) = (mapping.noun(), Arc::new(mapping));
    if args.dry_run {
        let report = pass(api, args, &mapping, Report::of_each_line(noun, as_json)).await?;
        return report.finish("could be taken over");
    }
    if args.strict {
        must_be_a_file(args, "--strict", noun)?;
        let checked = pass(api, args, &mapping, Report::of_a_check(noun, as_json)).await?;
        if checked.has_failures() {
            checked.finish("could be taken over, and none was")?;
            return Ok(Outcome::Refused);
        }
    }
    let report = pass(api, args, &mapping, Report::of_failures(noun, as_json)).await?;
    report.finish("were taken over")
}

fn must_be_a_file(args: &TableArgs, option: &str, noun: Noun) -> Result<(), Unusable> {
    let rule = || format!("{option} reads the {} twice: they must be in a file", noun.plural());
    if args.file.is_some() { Ok(()) } else { Err(Unusable(rule())) }
}

/// Sends all lines, in batches, and reports what became of them.
async fn pass(
    api: &Api,
    args: &TableArgs,
    mapping: &Arc<Mapping>,
    mut report: Report,
) -> anyhow::Result<Report> {
    let (file, progress) = open(args)?;
    let (batches, reader) = read_apart(file, args, mapping, report.mode());
    let answers = batches.map(async |batch| batch?.send(api).await);
    let mut answers = std::pin::pin!(answers.buffered(AT_ONCE));
    let mut interruption = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let answered = tokio::select! {
            answered = answers.next() => answered,
            _ = &mut interruption => {
                progress.finish_and_clear();
                return Err(report.interrupted(&"by a signal"));
            }
        };
        let Some(answered) = answered else { break };
        let answered = answered.map_err(|error| {
            if error.is::<Unusable>() { error } else { report.interrupted(&error) }
        })?;
        progress.suspend(|| report.add(answered))?;
        if report.is_refused() {
            return Ok(report);
        }
    }
    let ended = reader.join().map_err(|_| anyhow!("the file was not read to its end"));
    ended.map_err(|error| report.interrupted(&error))?;
    progress.finish_and_clear();
    Ok(report)
}

/// The batches of a file, which a thread of its own reads: it may have to wait for the next line.
fn read_apart(
    file: Box<dyn Read + Send>,
    args: &TableArgs,
    mapping: &Arc<Mapping>,
    mode: Mode,
) -> (impl Stream<Item = anyhow::Result<Batch>> + use<>, JoinHandle<()>) {
    let (format, from_line, mapping) = (format(args), args.from_line, Arc::clone(mapping));
    let (sender, mut receiver) = mpsc::channel(AT_ONCE);
    let reader = thread::spawn(move || {
        let rows = Rows::new(file, format, from_line).map_err(anyhow::Error::from);
        let rows = rows.and_then(|rows| {
            rows.names().map_or(Ok(()), |names| mapping.check_columns(names))?;
            Ok(rows)
        });
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => return drop(sender.blocking_send(Err(error))),
        };
        for batch in Batches::new(rows, mapping, mode) {
            // If it fails, nobody wants it any more.
            if sender.blocking_send(batch.map_err(anyhow::Error::from)).is_err() {
                return;
            }
        }
    });
    (stream::poll_fn(move |context| receiver.poll_recv(context)), reader)
}

/// The file or the standard input, and the bar that moves as it is read.
fn open(args: &TableArgs) -> anyhow::Result<(Box<dyn Read + Send>, ProgressBar)> {
    let Some(path) = &args.file else {
        return Ok((Box::new(io::stdin()), ProgressBar::hidden()));
    };
    let unreadable = |e: io::Error| Unusable(format!("cannot read {}: {e}", path.display()));
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let progress = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    if args.quiet {
        progress.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = "{wide_bar} {bytes}/{total_bytes} {elapsed} (still {eta})";
    progress.set_style(ProgressStyle::with_template(style)?);
    Ok((Box::new(progress.wrap_read(file)), progress))
}

/// The file or the standard input, without anything that moves.
fn open_file(args: &TableArgs) -> anyhow::Result<Box<dyn Read + Send>> {
    open(args).map(|(file, progress)| {
        progress.set_draw_target(ProgressDrawTarget::hidden());
        file
    })
}

fn format(args: &TableArgs) -> FileFormat {
    let is_csv = |path: &Path| path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
    let by_name =
        if args.file.as_deref().is_some_and(is_csv) { FileFormat::Csv } else { FileFormat::Jsonl };
    args.format.unwrap_or(by_name)
}
