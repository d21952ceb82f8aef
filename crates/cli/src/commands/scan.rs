//! `keyward scan`

mod patterns;
mod revoke;
mod view;

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use keyward_scan::{HistoryError, IgnoreFiles, Report, Repository, Scanner, Walk, rules};
use view::View;

use crate::api::Api;
use crate::args::{ScanArgs, TargetArgs};
use crate::config::{Config, DatabaseUrl};
use crate::instance::Workload;
use crate::outcome::{Outcome, Unusable};
use crate::printer;

pub(super) async fn run(target: &TargetArgs, args: ScanArgs) -> anyhow::Result<Outcome> {
    if !args.prefixes.is_empty() && !args.revoke {
        return scan(None, target.json, args).await;
    }
    let api = open(target).await?;
    let outcome = scan(Some(&api), target.json, args).await;
    api.close().await?;
    outcome
}

/// Opens what keyspaces are asked of. A database that is not there is not made: it would have none.
async fn open(target: &TargetArgs) -> anyhow::Result<Api> {
    if target.server.is_none()
        && let DatabaseUrl::Sqlite(path) =
            Config::load(target.config.as_deref(), &target.overrides)?.database.url
        && !path.exists()
    {
        let remedy = "--server and --database say where keyspaces are, --prefix does without";
        return Err(Unusable(format!("there is no database {}: {remedy}", path.display())).into());
    }
    Api::open(target, Workload::Usual).await
}

async fn scan(api: Option<&Api>, as_json: bool, args: ScanArgs) -> anyhow::Result<Outcome> {
    let patterns = match api {
        Some(api) if args.prefixes.is_empty() => patterns::of_keyspaces(api).await?,
        _ => patterns::of_prefixes(&args.prefixes, &args.profile)?,
    };
    if patterns.is_empty() {
        return Err(Unusable("no keyspace has keys that can be recognised".to_owned()).into());
    }
    if let Some(scanner) = args.rules {
        printer::say(rules(&patterns, scanner.into())?.trim_end())?;
        return Ok(Outcome::Done);
    }
    let scanner = Scanner::new(patterns)?;
    let view = View { scanner: scanner.clone(), as_json };
    let revoking = api.filter(|_| args.revoke).zip(Some(args.reason.clone()));
    let report = tokio::task::spawn_blocking(move || search(&scanner, &args)).await??;
    for unread in &report.unread {
        view.complain(unread);
    }
    let fates = match revoking {
        Some((api, reason)) => Some(revoke::all(api, &report.finds, &reason).await),
        None => None,
    };
    view.print(&report.finds, fates.as_deref())?;
    conclude(&report)
}

fn search(scanner: &Scanner, args: &ScanArgs) -> anyhow::Result<Report> {
    let is_stdin = |path: &&PathBuf| path.as_path() == Path::new("-");
    let paths: Vec<_> = args.paths.iter().filter(|path| !is_stdin(path)).cloned().collect();
    // All complaints about the call come before any search.
    if let Some(missing) = paths.iter().find(|path| path.symlink_metadata().is_err()) {
        return Err(Unusable(format!("there is no {}", quoted(scanner, missing))).into());
    }
    if args.history && paths.is_empty() {
        return Err(Unusable("the standard input has no history".to_owned()).into());
    }
    let repositories = if args.history { repositories(scanner, &paths)? } else { Vec::new() };
    let ignore_files =
        if args.no_ignore { IgnoreFiles::Disregarded } else { IgnoreFiles::Respected };
    let mut report = scanner.files(&paths, &Walk { threads: args.threads.into(), ignore_files });
    if args.paths.iter().any(|path| is_stdin(&path)) {
        let read = scanner.read(Path::new("-"), io::stdin().lock());
        report.append(read.context("cannot read the standard input")?);
    }
    for repository in &repositories {
        match scanner.history(repository) {
            Ok(history) => report.append(history),
            // What was found so far is told all the same.
            Err(error) => report.unread.push(format!("{:#}", anyhow::Error::from(error))),
        }
    }
    Ok(report)
}

/// The repositories of some paths, each once.
fn repositories(scanner: &Scanner, paths: &[PathBuf]) -> anyhow::Result<Vec<Repository>> {
    let mut repositories = Vec::new();
    for path in paths {
        let repository = Repository::of(path).map_err(|error| match error {
            HistoryError::NoGit(_) | HistoryError::NoRepository(_) => {
                let error = format!("{:#}", anyhow::Error::from(error));
                let error = printer::text(&scanner.redact(&error).into());
                let path = quoted(scanner, path);
                Unusable(format!("no history of {path} can be searched: {error}")).into()
            }
            error => anyhow::Error::from(error),
        })?;
        if !repositories.contains(&repository) {
            repositories.push(repository);
        }
    }
    Ok(repositories)
}

/// A path to complain of. It may be anything, even a key that was given in its place.
fn quoted(scanner: &Scanner, path: &Path) -> String {
    format!("{:?}", scanner.redact(&path.to_string_lossy()))
}

/// Says on the standard error what it comes to.
fn conclude(report: &Report) -> anyhow::Result<Outcome> {
    let (found, searched) = (report.finds.len(), report.searched);
    printer::complain(&format!("found {found}, searched {searched}"));
    if found > 0 {
        return Ok(Outcome::Refused);
    }
    if !report.unread.is_empty() {
        anyhow::bail!("nothing was found, but not everything could be read");
    }
    Ok(Outcome::Done)
}
