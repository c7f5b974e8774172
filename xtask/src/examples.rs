//! `cargo xtask examples`: writes the made part of `examples/flood-and-crowd`: the access log of a crowd.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use exercise::web::{self, Label, Mix, Plan};
use flate2::{Compression, GzBuilder};
use traffic::Seed;

/// Writes the logs of the examples that are made and not recorded.
#[derive(Debug, clap::Args)]
pub(crate) struct Examples {
    /// Writes nothing, and tells when the crowd comes
    #[arg(long)]
    tell: bool,
}

/// The log of the crowd.
const LOG: &str = "examples/flood-and-crowd/access.log.gz";

/// What all chance in the log follows from.
const SEED: u64 = 20_260_927;

/// A log could not be written.
#[derive(Debug, thiserror::Error)]
#[error("could not write `{LOG}`")]
pub(crate) struct ExamplesError(#[from] io::Error);

/// Writes the log, or tells of it.
#[expect(clippy::print_stdout, reason = "the line is the result")]
pub(crate) fn main(args: &Examples) -> Result<(), ExamplesError> {
    let mix = crowd();
    println!(
        "{LOG}: {} requests, of which {} because of the event, from {} to {}",
        mix.rows.len(),
        mix.extra.0,
        domain::Timestamp(mix.onset),
        domain::Timestamp(mix.until),
    );
    if args.tell {
        return Ok(());
    }
    let file = fs::File::create(root().join(LOG))?;
    let mut packed = GzBuilder::new().write(file, Compression::best());
    packed.write_all(mix.access_log().as_bytes())?;
    packed.finish()?.sync_all()?;
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A small site on the evening of an election. Its pages are invented, so that the log can be made where no
/// recording is; smaller and more even than the mixes that detectors are measured with.
fn crowd() -> Mix {
    let mut plan = Plan::of(Label::Crowd, SEED);
    plan.load = 25.0;
    plan.base.per_minute = 40.0;
    plan.base.minutes_before = 90;
    plan.base.earlier_days = 2;
    plan.base.day_minutes = 90;
    plan.log =
        web::LogPlan { combined: true, assets: true, host: false, milliseconds: false, proxied: false };
    web::mix(&web::invented(Seed(SEED)), &plan)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_log_of_the_example_is_what_would_be_written() {
        let mut there = String::new();
        let path = root().join(LOG);
        let mut file = ingest::plain(&path).expect("the log is there");
        file.read_to_string(&mut there).expect("a whole log");
        assert!(there == crowd().access_log(), "run `cargo xtask examples` and look at what it changes");
    }
}
