//! Recordings as they are. Nobody has labelled them: what is listed is what a person would be shown.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use detect::Names;
use domain::{Finding, Subject};
use ingest::Ledger;

use super::EvaluateError;
use super::methods::Methods;
use super::page::{grouped, table};
use super::sets::{self, CONTROL, GERMAN};

/// What is read, and what it is called.
pub(super) const SETS: [(&str, &str); 7] = [
    ("German election 2021, links", GERMAN),
    ("German election 2021, domains", "coordination/german_domain.csv"),
    ("German election 2021, hashtags", "coordination/german_hashtag.csv"),
    ("German election 2021, images", "coordination/german_phash.csv"),
    ("German election 2021, all four together", "coordination/german_elections.csv"),
    ("Russian protests 2021, retweets", "coordination/russian_coord_tweets.csv"),
    ("control: natural cascades", CONTROL),
];

/// The largest findings that are listed of each set.
const LISTED: usize = 10;

/// What was found in one set.
pub(super) struct Found {
    name: &'static str,
    rows: u64,
    findings: Vec<Finding>,
}

/// Reads a set and looks for coordination in it.
pub(super) fn find(
    methods: &Methods,
    data: &Path,
    (name, file): (&'static str, &str),
) -> Result<Found, EvaluateError> {
    let mut reading = sets::open(data, file)?;
    let parts = reading.take_parts();
    let mut reading = Some(reading);
    let mut rows = 0;
    let mut names = || {
        let ledger = reading.take().expect("internal error: names are asked for once").finish();
        let Ledger { accounts, objects, rows_read, rows_refused, .. } = ledger;
        rows = rows_read;
        Names {
            accounts,
            objects,
            texts: traffic::Texts::default(),
            sources: vec![file.to_owned()],
            rows_read,
            rows_refused,
        }
    };
    let mut findings = methods.findings_of(parts, &mut names)?;
    findings.sort_by(|a, b| {
        b.subjects.len().cmp(&a.subjects.len()).then(b.evidence.objects.len().cmp(&a.evidence.objects.len()))
    });
    Ok(Found { name, rows, findings })
}

/// One row a set, then the largest findings of each.
pub(super) fn tables(found: &[Found]) -> String {
    let summary = found.iter().map(|set| {
        let accounts: BTreeSet<&Subject> = set.findings.iter().flat_map(|f| &f.subjects).collect();
        let severities = domain::Severity::ALL.iter().rev().filter_map(|severity| {
            let n = set.findings.iter().filter(|finding| finding.severity == *severity).count();
            (n > 0).then(|| format!("{n} {severity}"))
        });
        let severities: Vec<String> = severities.collect();
        vec![
            set.name.to_owned(),
            grouped(set.rows as usize),
            grouped(set.findings.len()),
            grouped(accounts.len()),
            if severities.is_empty() { "–".to_owned() } else { severities.join(", ") },
            set.findings.first().map_or("–".to_owned(), |finding| finding.subjects.len().to_string()),
        ]
    });
    let header = ["set", "rows", "findings", "accounts in them", "severities", "members of the largest"];
    let mut text = table(&header, summary);
    for set in found.iter().filter(|set| !set.findings.is_empty()) {
        let _ = write!(text, "\n**{}**{}\n\n{}", set.name, cut(set.findings.len()), list(&set.findings));
    }
    text
}

fn cut(n: usize) -> String {
    if n > LISTED { format!(", the {LISTED} largest of {n}:") } else { ":".to_owned() }
}

fn list(findings: &[Finding]) -> String {
    let rows = findings.iter().take(LISTED).map(|finding| {
        let count = |name: &str| finding.evidence.counts.get(name).copied().unwrap_or(f64::NAN);
        vec![
            format!("`{}`", finding.id.0),
            finding.subjects.len().to_string(),
            platforms(finding),
            count("objects").to_string(),
            count("occasions").to_string(),
            format!("{} s", finding.evidence.window_s.unwrap_or(0)),
            format!("{:.0} s", count("median_gap_s")),
            format!("{:.0} %", count("participation") * 100.0),
            format!("{:.0} %", count("own_objects") * 100.0),
            finding.benign_causes.first().map_or("–".to_owned(), |cause| cause.name.clone()),
            finding.severity.to_string(),
        ]
    });
    table(
        &[
            "finding",
            "members",
            "platforms",
            "objects",
            "occasions",
            "window",
            "median gap",
            "participation",
            "own objects",
            "first benign cause",
            "severity",
        ],
        rows,
    )
}

/// Where the members are, from the prefixes of the German set's account ids.
fn platforms(finding: &Finding) -> String {
    let has = |prefix: &str| {
        finding.subjects.iter().any(|s| matches!(s, Subject::Account(name) if name.starts_with(prefix)))
    };
    match (has("fb_"), has("tw_")) {
        (true, true) => "both",
        (true, false) => "Facebook",
        (false, true) => "Twitter",
        (false, false) => "–",
    }
    .to_owned()
}
