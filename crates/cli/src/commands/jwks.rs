//! `keyward jwks`

mod destination;
mod document;
mod export;
mod follow;
mod refusal;
mod source;

use destination::Destination;
use export::{Export, Plan, Settings, Tally};
use follow::Follower;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use refusal::Refusal;
use serde_json::{Value, json};
use source::Source;

use super::stop;
use crate::api::Api;
use crate::args::{JwksCommand, JwksExportArgs};
use crate::outcome::Outcome;
use crate::printer;

pub(super) async fn run(api: &Api, as_json: bool, command: JwksCommand) -> anyhow::Result<Outcome> {
    let JwksCommand::Export(args) = command;
    match export(api, as_json, &args).await {
        Ok(()) => Ok(Outcome::Done),
        Err(error) => error.downcast::<Refusal>()?.tell(as_json),
    }
}

async fn export(api: &Api, as_json: bool, args: &JwksExportArgs) -> anyhow::Result<()> {
    let tell = Teller { as_json, is_log: args.follow };
    let export = Export {
        destination: Destination::open(&args.to, args.max_age.0, args.dry_run)?,
        progress: progress(args)?,
        settings: Settings {
            allows_empty: args.allow_empty,
            verifies_content: args.verify_content,
        },
        source: Source::new(api, &args.keyspaces),
    };
    if args.dry_run {
        return tell.plan(&export.plan().await?);
    }
    if !args.follow {
        let plan = export.plan().await?;
        let tally = export.carry_out(plan).await?;
        export.progress.finish_and_clear();
        return tell.tally(&tally);
    }
    let stop = stop::signal()?;
    let interval = args.interval.duration();
    let follower = Follower { api, export: &export, interval, teller: &tell };
    tokio::select! {
        // What is under way is left as it is: each file is written and removed in one piece.
        () = stop => Ok(()),
        ended = follower.run() => ended,
    }
}

/// Says what became of the files.
struct Teller {
    as_json: bool,
    /// Whether there is a line for each of many doings.
    is_log: bool,
}

impl Teller {
    fn tally(&self, tally: &Tally) -> anyhow::Result<()> {
        let Tally { removed, unchanged, written } = tally;
        self.tell(&json!({"written": written, "removed": removed, "unchanged": unchanged}))
    }

    fn plan(&self, plan: &Plan) -> anyhow::Result<()> {
        let (written, removed) = (plan.writes.len(), plan.removals.len());
        let unchanged = plan.unchanged;
        self.tell(&json!({"to_write": written, "to_remove": removed, "unchanged": unchanged}))
    }

    fn tell(&self, counts: &Value) -> anyhow::Result<()> {
        match (self.as_json, self.is_log) {
            (true, true) => printer::say(counts)?,
            (true, false) => printer::json(counts)?,
            (false, true) => {
                let counts = counts.as_object().into_iter().flatten();
                let counts: Vec<_> =
                    counts.map(|(name, count)| format!("{name} {count}")).collect();
                printer::say(counts.join(", "))?;
            }
            (false, false) => printer::object(counts)?,
        }
        Ok(())
    }
}

/// The bar that moves as files are written and removed.
fn progress(args: &JwksExportArgs) -> anyhow::Result<ProgressBar> {
    if args.quiet || args.follow {
        return Ok(ProgressBar::hidden());
    }
    let progress = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = "{wide_bar} {pos}/{len} {elapsed} (still {eta})";
    progress.set_style(ProgressStyle::with_template(style)?);
    Ok(progress)
}
