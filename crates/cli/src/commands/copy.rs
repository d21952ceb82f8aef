//! `keyward copy`

mod report;
mod stores;
mod watcher;

use std::sync::Arc;

use anyhow::anyhow;
use keyward::{SystemClock, SystemEntropy};
use keyward_copy::{Copier, CopyError, Report, Switched};
use serde_json::json;
use watcher::Watcher;

use super::stop;
use crate::args::CopyArgs;
use crate::config::Config;
use crate::outcome::Outcome;
use crate::printer;

/// Copies, and does what else was asked for.
pub(super) async fn run(config: &Config, as_json: bool, args: CopyArgs) -> anyhow::Result<Outcome> {
    let Some(to) = &args.to else {
        stores::open_source(config, &args.from).await?.seal(false).await?;
        printer::say("the seal is lifted: changes are taken again")?;
        return Ok(Outcome::Done);
    };
    let (source, destination) = stores::open(config, &args.from, to).await?;
    let watcher = Arc::new(Watcher::new(as_json, args.quiet || args.follow)?);
    let copier = Copier::new(source, destination, Arc::new(SystemClock), Arc::new(SystemEntropy))
        .observed_by(Arc::<Watcher>::clone(&watcher))
        .patience(args.patience.duration());
    let command = Copying { as_json, copier, watcher };
    let ended = if args.switch {
        command.switch(args.follow).await
    } else if args.follow {
        command.follow().await
    } else {
        command.once(args.check).await
    };
    command.watcher.finish();
    match ended.map_err(anyhow::Error::downcast) {
        Err(Ok(error)) if CopyError::is_refusal(&error) => {
            printer::complain(&error.to_string());
            Ok(Outcome::Refused)
        }
        Err(Ok(error)) => Err(error.into()),
        Err(Err(error)) => Err(error),
        Ok(outcome) => Ok(outcome),
    }
}

/// A copy, and who hears of it.
struct Copying {
    as_json: bool,
    copier: Copier,
    watcher: Arc<Watcher>,
}

impl Copying {
    async fn once(&self, is_check: bool) -> anyhow::Result<Outcome> {
        let stop = stop::signal()?;
        let report =
            async { if is_check { self.copier.check().await } else { self.copier.copy().await } };
        let report = tokio::select! {
            () = stop => return Err(anyhow!("interrupted; what was copied stays, so run it again")),
            report = report => report?,
        };
        self.tell(&report, "both hold the same", "both differ")
    }

    async fn follow(&self) -> anyhow::Result<Outcome> {
        let signal = stop::signal()?;
        self.copier.follow(self.watcher.until(signal)).await?;
        self.watcher.failure().map_or(Ok(Outcome::Done), Err)
    }

    async fn switch(&self, stays: bool) -> anyhow::Result<Outcome> {
        match self.copier.switch(stop::signal()?).await? {
            Switched::Stopped => Err(anyhow!(
                "interrupted before the switch: the database copied from takes changes"
            )),
            Switched::Differs(report) => self.tell(
                &report,
                "both hold the same",
                "both differ: the seal was lifted, and nothing is to be switched",
            ),
            Switched::Done(report, remainder) => {
                let done = "switched: point the nodes at the new database now. \
                            The old one is sealed, and takes nothing but usage";
                let outcome = self.tell(&report, done, "")?;
                if stays {
                    printer::complain("carrying usage over until this command is stopped");
                    self.copier.carry_usage(remainder, stop::signal()?).await?;
                }
                Ok(outcome)
            }
        }
    }

    fn tell(&self, report: &Report, equal: &str, differs: &str) -> anyhow::Result<Outcome> {
        self.watcher.finish();
        let is_equal = report.is_equal();
        if self.as_json {
            printer::json(&json!({"equal": is_equal, "kinds": report::kinds(report)}))?;
        } else {
            report::print(report)?;
            printer::say(if is_equal { equal } else { differs })?;
        }
        Ok(if is_equal { Outcome::Done } else { Outcome::Refused })
    }
}
