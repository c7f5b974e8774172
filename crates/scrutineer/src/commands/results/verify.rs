//! `scrutineer results verify`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use results::answer::{self, Answer, Moment, Number};
use results::board::Election;
use results::id::{ContestId, UnitId};
use results::lines::hex;
use results::verify::{self, Report, Trust, Verdict};
use results::votes::Votes;

use super::super::{CommandError, Done, put};
use super::{ResultsError, place, read, write};
use crate::words::thousands;

/// Arguments of `scrutineer results verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results verify night.bundle --fingerprint 9f2c…
  scrutineer results verify https://results.example.org/2026 --fingerprint 9f2c… --seen yesterday.checkpoint
  scrutineer results verify night --fingerprint 9f2c… --unit 6001/002 --number 'list 107700' --shown 219

The fingerprint of the definition comes from the official gazette or another place that a forger of the site cannot reach.
Without it the best verdict is self-consistent-only: a forged election fits itself as well.

Exit codes: 0 ok, 10 self-consistent-only, 11 wrong, 12 stale, 13 split-view, 14 incomplete, 15 unavailable, 16 unrevealed,
17 disputed; with --shown, 3 where the number is not what is so now. 1 failed, 2 wrong usage.")]
pub(super) struct Verify {
    /// Folder, address or bundle of the log
    #[arg(value_name = "LOG")]
    log: String,
    /// Fingerprint of the definition, 64 hex digits
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
    /// A checkpoint that was seen before, or by somebody else
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    seen: Vec<PathBuf>,
    /// A validator's signed coverage list; each part of it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    coverage: Vec<PathBuf>,
    /// Save the checkpoint, to give it with --seen next time
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    save_checkpoint: Option<PathBuf>,
    /// Do not ask whether it is fresh: for archives
    #[arg(long)]
    any_age: bool,
    /// The contest that --number is about, where there are several
    #[arg(long, value_name = "ID", requires = "number")]
    contest: Option<String>,
    /// The unit that --number is about; the top of the contest unless said
    #[arg(long, value_name = "ID", requires = "number")]
    unit: Option<String>,
    /// Tell the history of a number: `list ID`, `candidate LIST/NUMBER` or `count NAME`
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// A value that somebody showed for it
    #[arg(long, value_name = "N", requires = "number")]
    shown: Option<u64>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let trust = self.trust()?;
        let published = place::published(&self.log)?;
        let report = verify::verify(&published, &trust);
        if let Some(file) = &self.save_checkpoint {
            write(file, &published.checkpoint)?;
        }
        let told = self.told(&report)?;
        put(&if self.json { json(&report, told.as_ref()) } else { text(&self.log, &report, told.as_ref()) })?;
        let code = report.verdict.exit_code();
        let is_other = told.is_some_and(|told| !matches!(told.answer, None | Some(Answer::True { .. })));
        Ok(if code == 0 && is_other { Done::Found } else { Done::Verdict(code) })
    }

    fn trust(&self) -> Result<Trust, ResultsError> {
        let fingerprint = self.fingerprint.as_deref().map(place::fingerprint);
        let seen = self.seen.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
        let coverage = self.coverage.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
        let now = (!self.any_age).then(super::super::log::now);
        Ok(Trust { fingerprint: fingerprint.transpose()?, now, seen, coverage })
    }

    fn told(&self, report: &Report) -> Result<Option<Told>, ResultsError> {
        let Some(text) = &self.number else { return Ok(None) };
        let Some(election) = report.election() else { return Ok(None) };
        let wrong = || ResultsError::Argument {
            text: text.clone(),
            what: "number: `list ID`, `candidate LIST/NUMBER` or `count NAME`",
        };
        let number = Number::parse(text).ok_or_else(wrong)?;
        let contest = place::contest(&election.definition, self.contest.as_deref())?.clone();
        let unit = match &self.unit {
            Some(name) => place::unit(election, name)?.clone(),
            None => election.definition.contests[&contest].unit.clone(),
        };
        let history = answer::history(election, &contest, &unit, &number);
        let answer = self.shown.map(|shown| answer::answer(&history, Votes(shown)));
        let is_leaf = election.is_due(&contest, &unit);
        Ok(Some(Told { contest, unit, number: text.clone(), shown: self.shown, history, answer, is_leaf }))
    }
}

/// What was asked about one number.
struct Told {
    contest: ContestId,
    unit: UnitId,
    number: String,
    shown: Option<u64>,
    history: Vec<Moment>,
    answer: Option<Answer>,
    /// Whether the unit itself reports, so that a revision number says something.
    is_leaf: bool,
}

/// Values that are listed; --json lists all.
const MOMENTS_SHOWN: usize = 12;

/// Reasons that are listed; --json lists all.
const REASONS_SHOWN: usize = 20;

fn text(place: &str, report: &Report, told: Option<&Told>) -> String {
    let mut text = format!("{}: {}\n", report.verdict.name(), sentence(report));
    if let Some(checkpoint) = &report.checkpoint {
        let names: Vec<&str> = report.cosigned.iter().map(|cosigned| cosigned.witness.as_str()).collect();
        let asks_none = report.election().is_some_and(|it| it.definition.policy.is_quorum(&[]));
        let by = match (names.is_empty(), asks_none) {
            (true, true) => "no witness; the definition asks for none".to_owned(),
            (true, false) => "no witness".to_owned(),
            (false, _) => names.join(", "),
        };
        text.push_str(&format!(
            "\n  log        {} ({place}), {} entries\n  cosigned   by {by}\n",
            checkpoint.origin,
            thousands(checkpoint.size)
        ));
    }
    if let Some(election) = report.election() {
        let definition = &election.definition;
        text.push_str(&format!("  election   {}, {}\n", definition.election, definition.title));
        text.push_str(&format!("  definition {}\n", hex(&election.fingerprint)));
        for (contest, (due, counted)) in report.progress() {
            text.push_str(&format!(
                "  returns    {} of {} units in contest {contest}\n",
                thousands(counted),
                thousands(due)
            ));
        }
    }
    if has_validators(report) {
        text.push_str(&format!("  validators {}\n", report.confirmed.sentence()));
    }
    if !report.reasons.is_empty() {
        text.push('\n');
    }
    for reason in report.reasons.iter().take(REASONS_SHOWN) {
        text.push_str(&format!("  {} ({}): {}\n", reason.verdict.name(), reason.code, reason.message));
    }
    if report.reasons.len() > REASONS_SHOWN {
        text.push_str(&format!("  and {} more\n", report.reasons.len() - REASONS_SHOWN));
    }
    if let (Some(told), Some(election)) = (told, report.election()) {
        text.push('\n');
        text.push_str(&told_text(told, election));
    }
    text
}

/// Whether the definition names somebody who compares the log with the centres.
fn has_validators(report: &Report) -> bool {
    report.election().is_some_and(|election| !election.definition.validators.is_empty())
}

/// What validators say, by place; places of which none says anything are left out.
fn confirmed(report: &Report) -> serde_json::Value {
    let places: Vec<serde_json::Value> = report
        .confirmed
        .places
        .iter()
        .filter(|(_, told)| **told != verify::Told::default())
        .map(|((contest, unit), told)| {
            serde_json::json!({
                "contest": contest.as_str(), "unit": unit.as_str(), "matched": told.matched, "differs": told.differs,
                "asking": told.asking, "not-logged": told.not_logged,
            })
        })
        .collect();
    serde_json::json!({
        "due": report.confirmed.due, "confirmed": report.confirmed.confirmed(),
        "validators": report.confirmed.validators, "places": places,
    })
}

/// The verdict as one would say it aloud.
fn sentence(report: &Report) -> String {
    let (due, counted) =
        report.progress().values().fold((0, 0), |(due, counted), (d, c)| (due + d, counted + c));
    match report.verdict {
        Verdict::Ok => format!(
            "everything holds; {} of {} returns are here, each signed by its count centre.",
            thousands(counted),
            thousands(due)
        ),
        Verdict::SelfConsistentOnly => {
            "everything fits together, but nothing from outside says that it is the real election.".to_owned()
        }
        Verdict::Stale => "it holds, but it is not the newest state.".to_owned(),
        Verdict::Unrevealed => "it holds, but a centre has not opened what it had committed to.".to_owned(),
        Verdict::Disputed => {
            "it holds, but a validator heard something else from a centre; all other units stand.".to_owned()
        }
        Verdict::Incomplete => "some of it is missing; what is missing may change the result.".to_owned(),
        Verdict::Unavailable => "nothing could be read. That says nothing about the result.".to_owned(),
        Verdict::SplitView => {
            "different people were shown different results. Keep both checkpoints: together they are the proof."
                .to_owned()
        }
        Verdict::Wrong => "it does not hold. Do not rely on these numbers.".to_owned(),
    }
}

fn told_text(told: &Told, election: &Election) -> String {
    let name = &election.definition.units[&told.unit].name;
    let revision = |moment: &Moment| {
        if told.is_leaf { format!("revision {}", moment.revision) } else { format!("entry {}", moment.index) }
    };
    let mut text = String::new();
    if let (Some(shown), Some(answer)) = (told.shown, &told.answer) {
        let said = match answer {
            Answer::True { since } => format!("true since {} ({})", since.time, revision(since)),
            Answer::Was { from, until, now } => format!(
                "true from {} until {} ({}), since {} it is {}",
                from.time,
                until.time,
                revision(from),
                now.time,
                thousands(now.value.0)
            ),
            Answer::Never { now: Some(now) } => {
                format!("never said by the count; since {} it is {}", now.time, thousands(now.value.0))
            }
            Answer::Never { now: None } => "never said by the count; there is no return yet".to_owned(),
        };
        text.push_str(&format!("{name}, {} = {}: {said}.\n", told.number, thousands(shown)));
    }
    let skipped = told.history.len().saturating_sub(MOMENTS_SHOWN);
    if skipped > 0 {
        text.push_str(&format!("  {skipped} earlier values; --json lists all\n"));
    }
    for moment in told.history.iter().skip(skipped) {
        let (time, value) = (moment.time, thousands(moment.value.0));
        text.push_str(&format!(
            "  {time}  {value:>12}  entry {}, {} r{}\n",
            moment.index, moment.unit, moment.revision
        ));
    }
    text
}

fn json(report: &Report, told: Option<&Told>) -> String {
    let reasons: Vec<serde_json::Value> = report
        .reasons
        .iter()
        .map(|reason| {
            serde_json::json!({
                "verdict": reason.verdict.name(), "code": reason.code, "index": reason.index, "message": reason.message,
            })
        })
        .collect();
    let checkpoint = report.checkpoint.as_ref().map(|checkpoint| {
        serde_json::json!({ "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.to_base64() })
    });
    let cosigned: Vec<serde_json::Value> = report
        .cosigned
        .iter()
        .map(|cosigned| serde_json::json!({ "witness": cosigned.witness, "time": cosigned.time }))
        .collect();
    let progress: serde_json::Map<String, serde_json::Value> = report
        .progress()
        .into_iter()
        .map(|(contest, (due, counted))| {
            (contest.to_string(), serde_json::json!({ "due": due, "counted": counted }))
        })
        .collect();
    let told = told.map(|told| {
        let moment = |moment: &Moment| {
            serde_json::json!({
                "time": moment.time.to_string(), "value": moment.value.0, "entry": moment.index,
                "unit": moment.unit.as_str(), "revision": moment.revision,
            })
        };
        let answer = told.answer.as_ref().map(|answer| match answer {
            Answer::True { since } => serde_json::json!({ "is": "true", "since": moment(since) }),
            Answer::Was { from, until, now } => serde_json::json!({
                "is": "was", "from": moment(from), "until": moment(until), "now": moment(now),
            }),
            Answer::Never { now } => serde_json::json!({ "is": "never", "now": now.as_ref().map(moment) }),
        });
        serde_json::json!({
            "contest": told.contest.as_str(), "unit": told.unit.as_str(), "number": told.number, "shown": told.shown,
            "answer": answer, "history": told.history.iter().map(moment).collect::<Vec<_>>(),
        })
    });
    let value = serde_json::json!({
        "verdict": report.verdict.name(),
        "exit_code": report.verdict.exit_code(),
        "election": report.election().map(|election| election.definition.election.as_str().to_owned()),
        "fingerprint": report.election().map(|election| hex(&election.fingerprint)),
        "checkpoint": checkpoint,
        "cosigned": cosigned,
        "progress": progress,
        "reasons": reasons,
        "number": told,
        "validation": has_validators(report).then(|| confirmed(report)),
    });
    format!("{value}\n")
}
