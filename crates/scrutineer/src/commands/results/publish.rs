//! `scrutineer results publish`.

mod tree;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueHint};
use jiff::tz::TimeZone;
use results::lines::hex;
use results::verify::{self, Report, Trust, Verdict};
use site::{Cache, File, Notices, Options, Publication, Site, manifest};
use tlog::hash::sha256;
use tlog::{Hash, Note};

use super::super::{CommandError, Done, say};
use super::{ResultsError, place, read};
use crate::words::thousands;
use tree::{State, Tree};

/// Arguments of `scrutineer results publish`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results publish night/log public --fingerprint 9f2c…
  scrutineer results publish night/log public --fingerprint 9f2c… --quick
  scrutineer results publish night/log public --hold notices.txt --address https://results.example.org/2026

Writes a static tree that any web server can hand out: pages in two languages, tables, proofs, the log itself, and a manifest
of all files with their hashes. Files that would be the same are left as they are, with their time; what is new replaces the
old in one step, the checkpoint last. DIR.state, beside DIR, remembers what was written.

--quick writes only what the newest returns change: their units' pages and those above, latest.json, the log. Tables of the
whole country, the feed and the page of corrections wait for the next run without it.

A log that does not hold is not published, nor an older state than the tree shows already.")]
pub(super) struct Publish {
    /// Folder, address or bundle of the log
    #[arg(value_name = "LOG")]
    log: String,
    /// Folder of the tree
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    tree: PathBuf,
    /// Fingerprint of the definition, 64 hex digits
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
    /// What the duty officer has to say: `scrutineer-notices v1`, then lines `hold TIME TEXT`, `lift TIME`, `correction TIME TEXT`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    hold: Option<PathBuf>,
    /// Where the tree will be found; the feed and the commands for readers name it
    #[arg(long, value_name = "URL", default_value = "")]
    address: String,
    /// Write only what the newest returns change
    #[arg(long)]
    quick: bool,
}

impl Publish {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let published = place::published(&self.log)?;
        let report = verify::verify(&published, &self.trust()?);
        self.refuse(&report)?;
        let election = report.election().ok_or_else(|| ResultsError::NoElection(self.log.clone()))?;
        let Some(checkpoint) = report.checkpoint.as_ref() else {
            return Err(self.not(&report.reasons[0].message).into());
        };
        let note = Note::parse(&published.checkpoint).map_err(|reason| self.not(&reason.to_string()))?;
        let options = self.options(&election.definition.zone)?;
        let entries = published.entries.get(..checkpoint.size as usize).unwrap_or(&published.entries);
        let leaves: Vec<Hash> = entries.iter().map(|entry| Hash::leaf(entry)).collect();
        let tree = Tree::open(&self.tree, &self.log)?;
        let choice = sha256(format!("{} {options:?}", env!("CARGO_PKG_VERSION")).as_bytes());
        let before = tree.state()?;
        if let Some(before) = &before {
            self.follows(before, &election.fingerprint, &leaves)?;
        }
        let started = started();
        let publication = Publication {
            election,
            note: &note,
            checkpoint,
            cosigned: &report.cosigned,
            entries,
            leaves: &leaves,
        };
        let site = Site::of(publication, &options);
        let since =
            before.as_ref().filter(|before| self.quick && before.choice == choice).map(|before| before.size);
        let quick = since.and_then(|since| site.files_since(since));
        let is_quick = quick.is_some();
        let files = quick.unwrap_or_else(|| site.files());
        let kept = before.map(|before| before.files).unwrap_or_default();
        let mut state = State {
            definition: election.fingerprint,
            size: checkpoint.size,
            root: checkpoint.root,
            choice,
            files: kept.clone(),
        };
        let n_written = write_all(&tree, files, &mut state, is_quick)?;
        let pages = started.elapsed().as_millis() as u64;
        let hashes = state.files.iter().map(|(path, kept)| (path.as_str(), &kept.hash));
        let text = manifest::write(election.definition.election.as_str(), checkpoint, hashes);
        let manifest_hash = sha256(text.as_bytes());
        tree.put(manifest::PATH, text.as_bytes(), &mut state)?;
        tree.save(&state)?;
        say(&format!(
            "{} files, {n_written} written in {} ms, {} ms with the manifest {}",
            thousands(state.files.len() as u64),
            thousands(pages),
            thousands(started.elapsed().as_millis() as u64),
            hex(&manifest_hash)
        ));
        Ok(Done::Quiet)
    }

    fn trust(&self) -> Result<Trust, ResultsError> {
        let fingerprint = self.fingerprint.as_deref().map(place::fingerprint);
        Ok(Trust { fingerprint: fingerprint.transpose()?, now: None, seen: Vec::new(), coverage: Vec::new() })
    }

    /// Whoever publishes a log that does not hold lends it his name.
    fn refuse(&self, report: &Report) -> Result<(), ResultsError> {
        let worst = report.reasons.first();
        match (report.verdict, worst) {
            (Verdict::Ok | Verdict::Stale | Verdict::Unrevealed | Verdict::SelfConsistentOnly, _) => {
                report.reasons.iter().for_each(|reason| say(&format!("warning: {}", reason.message)));
                Ok(())
            }
            (verdict, worst) => Err(self.not(worst.map_or(verdict.name(), |reason| &reason.message))),
        }
    }

    fn not(&self, reason: &str) -> ResultsError {
        ResultsError::NotPublished { place: self.log.clone(), reason: reason.to_owned() }
    }

    /// What the tree shows must be the beginning of what it will show.
    fn follows(&self, before: &State, fingerprint: &Hash, leaves: &[Hash]) -> Result<(), ResultsError> {
        if before.definition != *fingerprint {
            return Err(self.not("the tree is of another election"));
        }
        match leaves.get(..before.size as usize) {
            None => {
                let (shown, here) = (thousands(before.size), thousands(leaves.len() as u64));
                Err(self.not(&format!("the tree shows {shown} entries already, and the log has {here}")))
            }
            Some(leaves) if tlog::merkle::root(leaves) != before.root => {
                Err(self.not("the tree shows another history than the log: keep both, they are the proof"))
            }
            Some(_) => Ok(()),
        }
    }

    fn options(&self, zone: &str) -> Result<Options, ResultsError> {
        let notices = match &self.hold {
            None => Notices::default(),
            Some(file) => {
                let wrong = |reason: String| ResultsError::Document { file: file.clone(), reason };
                let text = String::from_utf8(read(file)?).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
                Notices::parse(&text).map_err(|reason| wrong(reason.to_string()))?
            }
        };
        let zone = load_zone(zone).unwrap_or_else(|| {
            say(&format!("warning: this machine does not know the zone `{zone}`; times are shown in UTC"));
            TimeZone::UTC
        });
        Ok(Options { zone, notices, address: self.address.trim_end_matches('/').to_owned() })
    }
}

/// Where systems keep the rules of time zones.
const ZONES: &str = "/usr/share/zoneinfo";

fn load_zone(name: &str) -> Option<TimeZone> {
    let is_name = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
    };
    if !name.split('/').all(is_name) {
        return None;
    }
    TimeZone::tzif(name, &std::fs::read(Path::new(ZONES).join(name)).ok()?).ok()
}

/// Writes files that are new or other than before, the checkpoint and `latest.json` last, and removes those that are no more.
/// Says how many were written.
fn write_all(
    tree: &Tree,
    mut files: Vec<File<'_>>,
    state: &mut State,
    is_quick: bool,
) -> Result<u64, ResultsError> {
    let rank =
        |file: &File<'_>| (manifest::UNLISTED.contains(&file.path.as_str()), file.cache != Cache::Once);
    files.sort_by_key(rank);
    let mut n_written = 0;
    for file in &files {
        if tree.is_of_the_log(&file.path) || (file.cache == Cache::Once && tree.has(&file.path, state)) {
            continue;
        }
        n_written += u64::from(tree.put(&file.path, &file.bytes(), state)?);
    }
    if !is_quick {
        let named: std::collections::BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        // A reader with an older checkpoint may still ask for a partial tile of it.
        let is_over = |path: &&String| {
            !named.contains(path.as_str()) && *path != manifest::PATH && !path.starts_with("tile/")
        };
        let over: Vec<String> = state.files.keys().filter(is_over).cloned().collect();
        over.iter().try_for_each(|path| tree.remove(path, state))?;
    }
    Ok(n_written)
}

#[expect(clippy::disallowed_methods, reason = "the binary is where the clock is read")]
fn started() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_name_and_no_way_to_a_file() {
        for wrong in ["../../etc/passwd", "/etc/localtime", "Europe//Ljubljana", "", "Europe/.."] {
            assert!(load_zone(wrong).is_none(), "{wrong}");
        }
    }
}
