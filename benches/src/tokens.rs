//! Making and checking tokens of the prefixed-api-key family, beside the Rust crate of that name.

use std::hint::black_box;

use anyhow::anyhow;
use keyward::{Dialect, Expected, Profile, SystemEntropy};
use prefixed_api_key::{PrefixedApiKey, PrefixedApiKeyController};

use crate::measure::{Rates, Report, cpu_time};

/// A piece of work that may fail.
type Work<'a> = (String, Box<dyn Fn() -> anyhow::Result<bool> + 'a>);

/// All of it, in one run.
pub(crate) fn run(rounds: usize, quick: bool) -> anyhow::Result<()> {
    let operations = if quick { 10_000 } else { 1_000_000 };
    let theirs = PrefixedApiKeyController::configure()
        .prefix("mycompany".to_owned())
        .seam_defaults()
        .finalize()?;
    let (token, hash) = theirs.try_generate_key_and_hash()?;
    let text = token.to_string();
    let generate = || Ok(theirs.try_generate_key_and_hash().is_ok());
    let check = || {
        let token = PrefixedApiKey::from_string(black_box(&text)).map_err(|e| anyhow!("{e}"))?;
        Ok(theirs.check_hash(&token, black_box(&hash)))
    };
    let mut generating: Vec<Work<'_>> = vec![("the crate".to_owned(), Box::new(generate))];
    let mut checking: Vec<Work<'_>> = vec![("the crate".to_owned(), Box::new(check))];
    for dialect in Dialect::ALL {
        let profile = Profile::new(dialect);
        let made = profile.generate("mycompany", &SystemEntropy)?;
        let drawing = profile.clone();
        let generate = move || Ok(drawing.generate("mycompany", &SystemEntropy).is_ok());
        generating.push((dialect.as_str().to_owned(), Box::new(generate)));
        let check = move || {
            let expected = Expected { prefix: Some("mycompany"), id: Some(&made.id) };
            let (token, hash) = (black_box(made.token.expose()), black_box(&made.hash));
            Ok(profile.check(token, hash, &expected).is_ok())
        };
        checking.push((dialect.as_str().to_owned(), Box::new(check)));
    }
    measure("Generating a token and its hash, one thread", &generating, rounds, operations)?;
    measure("Parsing and checking a token, one thread", &checking, rounds, operations)
}

fn measure(title: &str, works: &[Work<'_>], rounds: usize, operations: u64) -> anyhow::Result<()> {
    let mut rates = vec![Rates::default(); works.len()];
    // They take turns, so that a noisy minute touches all of them.
    for _ in 0..rounds {
        for ((what, work), rates) in works.iter().zip(&mut rates) {
            let before = cpu_time();
            for _ in 0..operations {
                if !black_box(work()?) {
                    return Err(anyhow!("{what} does not accept its own token"));
                }
            }
            rates.add(operations, cpu_time().saturating_sub(before));
        }
    }
    let base = rates.first().map_or(f64::NAN, Rates::median);
    let mut report = Report::new("the crate");
    for ((what, _), rates) in works.iter().zip(&rates) {
        report.add(what, rates, base);
    }
    report.print(title);
    Ok(())
}
