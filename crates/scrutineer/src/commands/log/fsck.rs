//! `scrutineer log fsck`.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::thread;

use clap::{Args, ValueHint};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tlog::fsck::{self, Report};
use tlog::history::{self, Verdict};
use tlog::policy::Cosigned;
use tlog::storage::Source;
use tlog::{Checkpoint, Note, Policy, reader};

use super::super::{CommandError, Done, put, say};
use super::keys::Believe;
use super::{LogError, now, open_source};

/// Arguments of `scrutineer log fsck`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer log fsck results-log
  scrutineer log fsck https://results.example.org/2026 --policy witnesses.policy
  scrutineer log fsck mirror/ --key log.vkey --since checkpoint.yesterday --max-age 600

Reads every file that the checkpoint needs, and the partial ones that are still there. Exit code 0 where the log is
what its checkpoint says, 3 where something is wrong: the first bad byte is named.
--since also says whether the log is the same one as before: grown, rolled back, forked, or a split view.")]
pub(super) struct Fsck {
    /// Folder or address of the log
    #[arg(value_name = "LOG")]
    log: String,
    #[command(flatten)]
    believe: Believe,
    /// A checkpoint of this log that was saved earlier
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    since: Option<PathBuf>,
    /// The newest cosignature may be this old
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,
    /// Threads; as many as the machine has unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Write JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Fsck {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let believed = self.believe.about(&self.log)?;
        let source = open_source(&self.log);
        let bar = progress_bar();
        let size = reader::checkpoint(source.as_ref(), &believed.log).map_err(LogError::from)?.0.size;
        bar.set_length(size);
        let threads = self
            .threads
            .map_or_else(|| thread::available_parallelism().map_or(1, std::num::NonZero::get), usize::from);
        let options = fsck::Options { threads, progress: &|done| bar.set_position(done) };
        let report = fsck::check(source.as_ref(), &believed.log, &options);
        bar.finish_and_clear();
        let report = report.map_err(LogError::from)?;
        let quorum = believed.policy.verify(&report.note);
        let cosigned = believed.policy.cosigned(&report.note).map_or(Vec::new(), |(_, cosigned)| cosigned);
        let verdict = self.history(source.as_ref(), &believed.policy, &report, &cosigned)?;
        let quorum = quorum.err().map(|refusal| refusal.to_string());
        let is_good = report.is_good() && quorum.is_none() && verdict.as_ref().is_none_or(Verdict::is_good);
        if self.json {
            put(&json(&report, &cosigned, quorum.as_deref(), verdict.as_ref(), believed.is_from_log))?;
        } else {
            put(&text(&report, &cosigned, quorum.as_deref(), verdict.as_ref(), believed.is_from_log))?;
        }
        if believed.is_from_log {
            say(
                "note: the key was found beside the log, so this says that the log fits itself, and not whose it is; give --key or --policy",
            );
        }
        Ok(if is_good { Done::Quiet } else { Done::Found })
    }

    /// What the log says of an earlier checkpoint, and whether it is fresh. `None` where neither was asked.
    fn history(
        &self,
        source: &dyn Source,
        policy: &Policy,
        report: &Report,
        cosigned: &[Cosigned],
    ) -> Result<Option<Verdict>, LogError> {
        let mut verdict = None;
        if let Some(file) = &self.since {
            let note = Note::parse(&super::read(file)?)
                .map_err(|reason| LogError::SavedNote { file: file.clone(), reason })?;
            let (before, _) =
                policy.cosigned(&note).map_err(|reason| LogError::Saved { file: file.clone(), reason })?;
            verdict = Some(judge(source, &before, &report.checkpoint));
        }
        Ok(match self.max_age {
            Some(max_age) => {
                let newest = cosigned.iter().map(|cosigned| cosigned.time).max();
                Some(history::freshness(verdict.unwrap_or(Verdict::Same), newest, now(), max_age))
            }
            None => verdict,
        })
    }
}

fn judge(source: &dyn Source, before: &Checkpoint, checkpoint: &Checkpoint) -> Verdict {
    let grows = before.size > 0 && before.size < checkpoint.size;
    // Tiles that cannot be read give no proof, and no proof is no consistency.
    let proof =
        if grows { reader::prove_consistency(source, checkpoint, before.size) } else { Ok(Vec::new()) };
    history::judge(before, checkpoint, &proof.unwrap_or_default())
}

/// The verdict's name for machines, and the sentence for people.
fn words(verdict: &Verdict) -> (&'static str, String) {
    match verdict {
        Verdict::Same => ("same", "It is the same tree as before.".to_owned()),
        Verdict::Grown => ("grown", "It begins with the tree of before, and has grown.".to_owned()),
        Verdict::Stale { age: Some(age) } => {
            ("stale", format!("It is stale: the newest cosignature is {age} seconds old."))
        }
        Verdict::Stale { age: None } => {
            ("stale", "It is stale: no witness of the policy says when it saw it.".to_owned())
        }
        Verdict::Rollback { from, to } => {
            ("rollback", format!("It was rolled back: it had {from} entries, and now shows {to}."))
        }
        Verdict::Fork { size, before, now } => (
            "fork",
            format!(
                "It is forked: the log's key signed two roots at size {size}, `{before}` and `{now}`. Keep both \
                 checkpoints; together they are the proof."
            ),
        ),
        Verdict::SplitView { from, to, .. } => (
            "split-view",
            format!(
                "It is a split view: the tree of size {from} seen before is not the beginning of this one of size {to}. \
                 Keep both checkpoints; together they are the proof."
            ),
        ),
        Verdict::OtherLog { before, now } => {
            ("other-log", format!("The saved checkpoint is of `{before}`, this log is `{now}`."))
        }
    }
}

fn text(
    report: &Report,
    cosigned: &[Cosigned],
    quorum: Option<&str>,
    verdict: Option<&Verdict>,
    is_from_log: bool,
) -> String {
    let Checkpoint { origin, size, root, .. } = &report.checkpoint;
    let mut text = format!("`{origin}`, {size} entries, root {root}\n");
    let holds = if is_from_log { "fits itself" } else { "is what its checkpoint says" };
    if report.is_good() {
        text.push_str(&format!("The log {holds}: {} files, {} bytes.\n", report.files, report.bytes));
    } else {
        let n = report.problems.len() as u64 + report.more_problems;
        text.push_str(&format!(
            "The log is NOT what its checkpoint says: {n} {}.\n",
            if n == 1 { "problem" } else { "problems" }
        ));
        for problem in report.problems.iter().take(20) {
            text.push_str(&format!("  {problem}\n"));
        }
        if n > 20 {
            text.push_str(&format!("  and {} more; --json lists up to {}\n", n - 20, fsck::MAX_PROBLEMS));
        }
    }
    if let Some(refusal) = quorum {
        text.push_str(&format!("The policy does not accept the checkpoint: {refusal}.\n"));
    } else if !cosigned.is_empty() {
        let names: Vec<String> = cosigned.iter().map(|cosigned| format!("`{}`", cosigned.witness)).collect();
        text.push_str(&format!("Cosigned by {}.\n", names.join(", ")));
    }
    if let Some(verdict) = verdict {
        text.push_str(&format!("{}\n", words(verdict).1));
    }
    text
}

fn json(
    report: &Report,
    cosigned: &[Cosigned],
    quorum: Option<&str>,
    verdict: Option<&Verdict>,
    is_from_log: bool,
) -> String {
    let Checkpoint { origin, size, root, .. } = &report.checkpoint;
    let problems: Vec<serde_json::Value> = report
        .problems
        .iter()
        .map(|problem| serde_json::json!({ "path": problem.path(), "message": problem.to_string() }))
        .collect();
    let cosigned: Vec<serde_json::Value> = cosigned
        .iter()
        .map(|cosigned| serde_json::json!({ "witness": cosigned.witness, "time": cosigned.time }))
        .collect();
    let value = serde_json::json!({
        "origin": origin,
        "size": size,
        "root": root.to_string(),
        "good": report.is_good(),
        "key_from_log": is_from_log,
        "files": report.files,
        "bytes": report.bytes,
        "problems": problems,
        "more_problems": report.more_problems,
        "cosigned": cosigned,
        "policy_refusal": quorum,
        "verdict": verdict.map(|verdict| words(verdict).0),
        "verdict_message": verdict.map(|verdict| words(verdict).1),
    });
    format!("{value}\n")
}

/// A bar on standard error where that is a terminal; one that is never seen elsewhere.
fn progress_bar() -> ProgressBar {
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(8)
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) =
        ProgressStyle::with_template("checking {bar:30} {human_pos} of {human_len} entries, {eta} left")
    {
        bar.set_style(style);
    }
    bar
}
