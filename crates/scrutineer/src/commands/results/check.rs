//! `scrutineer results check`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use results::checks::{self, Class, Facts, Finding, History};
use results::id::UnitId;
use results::read::{Draft, Read};
use results::tally::Tally;

use super::super::{CommandError, Done, put, say};
use super::{authority, source};
use crate::words::{counted, thousands};

/// Arguments of `scrutineer results check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results check Telling_GR2026.eml.xml
  scrutineer results check stations.csv --mapping slovenia-ep2024-stations --json
  scrutineer results check examples/slovenia-ep2024

Hard findings cannot be right as they are stated; a triage finding is worth a look, and its base rate says how often it comes
where all is well. A file of events is checked as it came in, event by event. No rule says that somebody cheated:
docs/why-no-fraud-scores.md. Exit code 3 where something hard was found.")]
pub(super) struct Check {
    /// A file, a folder of files, a set of files in a folder, or an example
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    path: PathBuf,
    /// A built-in mapping, or a file with one
    #[arg(long, value_name = "NAME|FILE")]
    mapping: Option<String>,
    /// The definition; without it, what the file itself says of units and lists
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    definition: Option<PathBuf>,
    /// Hard findings only
    #[arg(long)]
    hard: bool,
    /// Write JSON Lines
    #[arg(long)]
    json: bool,
}

/// Findings that say that a definition does not know something.
const NEEDS_DEFINITION: [&str; 5] =
    ["unknown-contest", "unknown-unit", "unknown-list", "unknown-candidate", "unit-not-in-contest"];

/// Findings of one code that are written out; --json writes all.
const SHOWN: usize = 10;

impl Check {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        // An example is a folder whose events tell the night.
        let events = self.path.join("events.csv");
        let path =
            if self.path.join("election.toml").is_file() && events.is_file() { &events } else { &self.path };
        let mapping = self.mapping.as_deref().map(source::mapping).transpose()?;
        let definition = self.definition.as_deref().map(authority::definition).transpose()?;
        let sources = source::sources(path, mapping.as_ref())?;
        let (units, contests) = match definition {
            Some(definition) => (definition.units, definition.contests),
            None => {
                let mut draft = Draft::default();
                for each in &sources {
                    source::join(&mut draft, each.read.draft.clone());
                }
                (draft.units, draft.contests)
            }
        };
        let facts = Facts::new(&units, &contests);
        let mut findings = Vec::new();
        let (mut tallies, mut problems) = (0, 0);
        for source in &sources {
            tallies += source.read.tallies.len().max(source.read.events.len()) as u64;
            problems += source.read.problems.len() as u64 + source.read.more_problems;
            findings.extend(of_read(&facts, &source.read));
        }
        if self.definition.is_none() {
            // The file itself said which units and lists there are; what it leaves out is no finding about it.
            findings.retain(|finding| !NEEDS_DEFINITION.contains(&finding.code));
        }
        if self.hard {
            findings.retain(|finding| finding.class == Class::Hard);
        }
        let hard = findings.iter().filter(|finding| finding.class == Class::Hard).count();
        if self.json {
            put(&findings.iter().map(|finding| format!("{}\n", json(finding))).collect::<String>())?;
            say(&format!("{tallies} tallies, {hard} hard findings, {problems} problems with the files"));
        } else {
            put(&text(&findings, tallies, problems))?;
        }
        Ok(if hard > 0 { Done::Found } else { Done::Quiet })
    }
}

/// Everything that the rules find in one file.
pub(super) fn of_read(facts: &Facts, read: &Read) -> Vec<Finding> {
    if read.events.is_empty() {
        let mut findings: Vec<Finding> = read
            .tallies
            .iter()
            .chain(&read.stated)
            .flat_map(|tally| checks::check_tally(facts, tally))
            .collect();
        findings.extend(checks::check_set(facts, &read.tallies));
        findings.extend(checks::check_sums(facts, &read.stated, &read.tallies));
        return findings;
    }
    let mut history = History::new(facts);
    let mut findings = Vec::new();
    for events in read.events.chunk_by(|a, b| a.0 == b.0) {
        let at = events[0].0.unwrap_or_default();
        let tallies: Vec<Tally> = events.iter().map(|(_, tally)| tally.clone()).collect();
        let one_by_one = tallies.iter().flat_map(|tally| checks::check_tally(facts, tally));
        findings.extend(one_by_one.map(|finding| Finding { at: Some(at), ..finding }));
        findings.extend(history.apply_all(at, &tallies));
    }
    findings
}

/// One sentence, then the findings by code, hard ones first.
fn text(findings: &[Finding], tallies: u64, problems: u64) -> String {
    let (hard, triage): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| finding.class == Class::Hard);
    let mut text = format!(
        "{} checked: {}, {} worth a look.\n",
        counted(tallies, "tally", "tallies"),
        counted(hard.len() as u64, "hard finding", "hard findings"),
        thousands(triage.len() as u64)
    );
    if problems > 0 {
        text.push_str(&format!(
            "{} with the files are told above.\n",
            counted(problems, "problem", "problems")
        ));
    }
    for (class, findings) in [("hard", hard), ("triage", triage)] {
        let mut by_code: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in findings {
            by_code.entry(finding.code).or_default().push(finding);
        }
        for (code, findings) in by_code {
            text.push_str(&format!(
                "\n{code} ({class}, {})",
                counted(findings.len() as u64, "time", "times")
            ));
            if let Some(rate) = findings[0].base_rate {
                text.push_str(&format!("\n  base rate: {rate}"));
            }
            text.push('\n');
            for finding in findings.iter().take(SHOWN) {
                let at = finding.at.map(|at| format!("{at}  ")).unwrap_or_default();
                text.push_str(&format!("  {at}{}: {}\n", finding.unit, finding.message));
            }
            if findings.len() > SHOWN {
                text.push_str(&format!("  and {} more; --json lists all\n", findings.len() - SHOWN));
            }
        }
    }
    text
}

/// A finding for machines.
pub(super) fn json(finding: &Finding) -> serde_json::Value {
    serde_json::json!({
        "code": finding.code,
        "class": finding.class.name(),
        "contest": finding.contest.as_str(),
        "unit": finding.unit.as_str(),
        "field": finding.field,
        "message": finding.message,
        "at": finding.at.map(|at| at.to_string()),
        "other": finding.other.as_ref().map(UnitId::as_str),
        "base_rate": finding.base_rate,
        "expected_by_chance": finding.expected,
    })
}
