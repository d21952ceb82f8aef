//! `keyward scan`

mod patterns;
mod revoke;
mod view;

use std::path::{Path, PathBuf};
use std::{fs, io};

use keyward_scan::{HistoryError, IgnoreFiles, Report, Repository, Scanner, Walk, rules};
use revoke::{OwnKey, Revoking};
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
    let target = &with_key(target)?;
    let api = open(target).await?;
    let own = target.key.as_deref().filter(|_| target.server.is_some());
    let outcome = scan(Some((&api, own)), target.json, args).await;
    api.close().await?;
    outcome
}

/// The same target, its management key read: a pipe gives it once only, and it is needed twice, to make
/// calls with it and to leave it alone.
fn with_key(target: &TargetArgs) -> anyhow::Result<TargetArgs> {
    let (mut key, mut key_file) = (target.key.clone(), target.key_file.clone());
    if target.server.is_some()
        && key.is_none()
        && let Some(path) = key_file.take()
    {
        let text = fs::read_to_string(&path);
        let text = text.map_err(|e| Unusable(format!("cannot read {}: {e}", path.display())))?;
        key = Some(text.trim().to_owned());
    }
    Ok(TargetArgs {
        server: target.server.clone(),
        key,
        key_file,
        json: target.json,
        audit_metadata: target.audit_metadata.clone(),
        config: target.config.clone(),
        overrides: target.overrides.clone(),
    })
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

/// Searches and, with an interface and perhaps the key of its calls, does what is asked for.
async fn scan(
    api: Option<(&Api, Option<&str>)>,
    as_json: bool,
    args: ScanArgs,
) -> anyhow::Result<Outcome> {
    let patterns = match api {
        Some((api, _)) if args.prefixes.is_empty() => patterns::of_keyspaces(api).await?,
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
    let revoking = api.filter(|_| args.revoke).map(|(api, own)| Revoking {
        api,
        own: own.map(OwnKey::new),
        reason: args.reason.clone(),
    });
    let report = tokio::task::spawn_blocking(move || search(&scanner, &args)).await??;
    for unread in &report.unread {
        view.complain(unread);
    }
    let fates = match revoking {
        Some(revoking) => Some(revoking.all(&report.finds).await),
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
        report.append(scanner.read(Path::new("-"), io::stdin().lock()));
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
    if report.not_kept > 0 {
        let not_kept = report.not_kept;
        printer::complain(&format!("{not_kept} more finds are neither told nor revoked: too many"));
    }
    printer::complain(&format!("found {found}, searched {searched}"));
    if found > 0 {
        return Ok(Outcome::Refused);
    }
    if !report.unread.is_empty() {
        anyhow::bail!("nothing was found, but not everything could be read");
    }
    Ok(Outcome::Done)
}
