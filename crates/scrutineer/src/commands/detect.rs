//! `scrutineer detect`: findings from files.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, thread};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};
use domain::{CaseKey, Severity, Timestamp, wire};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{CommandError, Done, put, say, size};
use crate::config::{self, Config};
use crate::run::{self, Progress, Request};
use crate::summary::Summary;
use crate::terminal::{self, Style};
use crate::{allow, case_key, report};

/// Arguments of `scrutineer detect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer detect posts.csv
  scrutineer detect exports/ --out report        writes report/report.html and report/findings.jsonl
  scrutineer detect posts.csv --json | jq .title
  scrutineer detect posts.csv --fail-on high     exit code 3 where something is high or critical
  scrutineer detect posts.csv --allow ours.txt   with lines such as `our newsroom: @desk, @sport`

Account ids become pseudonyms by a key that never leaves the case folder. The same case gives the
same pseudonyms again.")]
pub(crate) struct Detect {
    /// Files, or folders of files
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Run these detectors only
    #[arg(long, value_name = "DETECTOR", value_delimiter = ',', value_parser = detector_names())]
    only: Vec<String>,
    /// Memory for the work; what does not fit goes to a scratch file
    #[arg(long, value_name = "SIZE", default_value = "512MB", value_parser = size::parse)]
    memory: u64,
    /// Threads; as many as the machine has unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// End with exit code 3 where something is this bad or worse
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(Severity::ALL.map(Severity::name)))]
    fail_on: Option<String>,
    /// Write findings as JSON Lines instead of text
    #[arg(long)]
    json: bool,
    /// Write report.html and findings.jsonl into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Folder of the case, which holds the key for pseudonyms; made on first use
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    case: Option<PathBuf>,
    /// Keep account ids as they are: the data was anonymised before
    #[arg(long, conflicts_with = "case")]
    accounts_are_pseudonyms: bool,
    /// List of networks that may act in step, one a line: `name: account, account, ...`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    allow: Option<PathBuf>,
    /// Configuration: what is defended, known to be good, and expected; scrutineer.toml in the current
    /// folder or beside the input unless said
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Use no configuration
    #[arg(long, conflicts_with = "config")]
    no_config: bool,
}

impl Detect {
    /// Reads, detects, writes, and tells.
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let key = self.key()?;
        let allowed = match &self.allow {
            Some(file) => allow::read(file, key.as_ref())?,
            None => Vec::new(),
        };
        let config = self.config()?;
        #[expect(clippy::disallowed_methods, reason = "the binary is where the clock is read")]
        let now = Timestamp(jiff::Timestamp::now().as_millisecond());
        let threads = self
            .threads
            .map_or_else(|| thread::available_parallelism().map_or(1, std::num::NonZero::get), usize::from);
        let bar = progress_bar();
        let request = Request {
            inputs: self.paths.clone(),
            only: self.only.clone(),
            memory: self.memory,
            threads,
            key,
            allowed,
            config,
            now,
        };
        let done = run::run(request, &mut |progress| show(&bar, progress));
        bar.finish_and_clear();
        let summary = done?;
        let mut more = Vec::new();
        if let Some(folder) = &self.out {
            write_out(folder, &summary, now)?;
            more.push(format!(
                "{} has the pictures, the tables and the rows.",
                folder.join(REPORT).display()
            ));
            more.push(format!("{} is for machines.", folder.join(FINDINGS).display()));
        } else if !summary.findings.is_empty() {
            more.push("--out DIR writes a report with the pictures, the tables and the rows.".to_owned());
        }
        if self.json {
            put(&json_lines(&summary))?;
            say(&summary.headline());
            for problem in summary.problems.iter().take(20) {
                say(&format!("note: {} × {}, {}", problem.count, problem.what, problem.where_in()));
            }
            for note in &summary.notes {
                say(&format!("note: {note}"));
            }
        } else {
            put(&terminal::text(&summary, &more, style()))?;
        }
        let fail_on = self.fail_on.as_deref().and_then(Severity::parse);
        Ok(if fail_on.is_some_and(|level| summary.reaches(level)) { Done::Found } else { Done::Quiet })
    }

    /// The configuration that is named, or found; which one is said.
    fn config(&self) -> Result<Option<Config>, CommandError> {
        let file = match &self.config {
            _ if self.no_config => return Ok(None),
            Some(file) => file.clone(),
            None => match config::find(&self.paths) {
                Some(file) => file,
                None => return Ok(None),
            },
        };
        let config = config::load(&file)?;
        say(&format!(
            "note: configuration `{}` is used; it declares {}",
            file.display(),
            config::contents(&config.site)
        ));
        Ok(Some(config))
    }

    /// The key for pseudonyms; none where ids are kept.
    fn key(&self) -> Result<Option<CaseKey>, CommandError> {
        if self.accounts_are_pseudonyms {
            return Ok(None);
        }
        if let Some(folder) = &self.case {
            return Ok(Some(case_key::load_or_create(folder)?));
        }
        if let Some((key, file)) = case_key::example(&self.paths)? {
            say(&format!(
                "note: accounts are named with the public example key `{}`, so anybody can tell who they are; \
                 give --case DIR for a key of your own",
                file.display()
            ));
            return Ok(Some(key));
        }
        let home = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = case_key::default_folder(home("XDG_STATE_HOME"), home("HOME"))?;
        Ok(Some(case_key::load_or_create(&folder)?))
    }
}

const REPORT: &str = "report.html";
const FINDINGS: &str = "findings.jsonl";

fn detector_names() -> PossibleValuesParser {
    PossibleValuesParser::new(run::detectors().into_iter().map(|(name, _)| name))
}

fn json_lines(summary: &Summary) -> String {
    let mut lines = String::new();
    for finding in &summary.findings {
        lines.push_str(&wire::to_json_line(finding));
        lines.push('\n');
    }
    lines
}

fn write_out(folder: &Path, summary: &Summary, now: Timestamp) -> Result<(), CommandError> {
    fs::create_dir_all(folder).map_err(|source| CommandError::Write { file: folder.to_owned(), source })?;
    write_whole(&folder.join(FINDINGS), &json_lines(summary))?;
    write_whole(&folder.join(REPORT), &report::page(summary, now))
}

/// Writes a file under another name first, so that a reader sees the old one or the new one, whole.
fn write_whole(file: &Path, text: &str) -> Result<(), CommandError> {
    let draft = file.with_added_extension("partial");
    let write = || {
        let mut out = fs::File::create(&draft)?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        fs::rename(&draft, file)
    };
    write().map_err(|source| CommandError::Write { file: file.to_owned(), source })
}

/// A bar on standard error where that is a terminal; one that is never seen elsewhere.
fn progress_bar() -> ProgressBar {
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(8)
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(None, target);
    bar.set_style(ProgressStyle::default_spinner());
    bar.set_message("reading");
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

fn show(bar: &ProgressBar, progress: Progress) {
    if bar.length() != Some(progress.bytes_in_all) && progress.bytes_in_all > 0 {
        bar.set_length(progress.bytes_in_all);
        if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {bytes} of {total_bytes}, {eta} left")
        {
            bar.set_style(style);
        }
    }
    bar.set_position(progress.bytes);
}

/// Colour only on a terminal that can show it and whose user has not declined it (no-color.org).
fn style() -> Style {
    let term = console::Term::stdout();
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let colour = term.is_term() && !set("NO_COLOR") && env::var_os("TERM").is_none_or(|t| t != "dumb");
    let width = term.size_checked().map_or(100, |(_, columns)| usize::from(columns).clamp(60, 120));
    Style { width, colour }
}
