//! Real traffic as it is: nobody attacked these sites.

use std::path::Path;
use std::process::Command;

use detect::Settings;
use domain::Verdict;
use ingest::Ledger;
use traffic::rate::{self, Rate};
use traffic::{Batch, Kind, Texts};

use super::super::EvaluateError;
use super::super::page::{grouped, table};
use super::run;
use super::sites::{self, ELASTIC, NASA, SEED};

/// Requests a second of the NASA server in July and August 1995.
const SERIES: &str = "network/webrate/nasa_workload.tbz2";
/// 1 July 1995, 00:00 in Florida.
const SERIES_START_MS: i64 = 804_571_200_000;

/// Both logs and the series.
pub(super) fn tables(data: &Path) -> Result<String, EvaluateError> {
    let mut rows = Vec::new();
    for (name, file) in [("NASA, 1 August 1995", NASA), ("Elastic's example log", ELASTIC)] {
        let mut reading = sites::open(data, file)?;
        let parts = reading.take_parts();
        let mut reading = Some(reading);
        let mut names = || {
            let ledger = reading.take().expect("internal error: names are asked for once").finish();
            let Ledger { accounts, objects, texts, sources, rows_read, rows_refused, .. } = ledger;
            detect::Names { accounts, objects, texts, sources, rows_read, rows_refused }
        };
        let settings = Settings { seed: SEED, ..Settings::default() };
        let judged = run::judged(parts, &mut names, &settings, &run::engine()?, false)?;
        rows.push(row(name, judged.rows, "requests", &judged));
    }
    let minutes = series(data)?;
    let n: i64 = minutes.iter().map(|row| row.count).sum();
    let mut texts = Some(Texts::default());
    let mut names =
        || run::names(texts.take().expect("internal error: names are asked for once"), minutes.len());
    let part = run::part(vec![Batch::new(Kind::Rate, rate::batch(&minutes))]);
    let settings = Settings { seed: SEED, ..Settings::default() };
    let judged = run::judged(vec![part], &mut names, &settings, &run::engine()?, false)?;
    rows.push(row("NASA, July and August 1995, counts alone", n as u64, "requests, by minute", &judged));
    let busiest = minutes.iter().max_by_key(|row| row.count).map_or(0, |row| row.time);
    let covers =
        |finding: &&domain::Finding| finding.first_seen.0 <= busiest && busiest <= finding.last_seen.0;
    let launch = match judged.findings.iter().find(covers) {
        Some(finding) => format!("is in one of them: {}", finding.title),
        None => "is in none of them".to_owned(),
    };
    let header = ["recording", "rows", "findings", "attack", "mixed", "flash crowd", "unsure", "no verdict"];
    Ok(format!(
        "{}\nThe busiest minute of the series, on the morning of the launch of STS-70, {launch}.",
        table(&header, rows)
    ))
}

fn row(name: &str, rows: u64, of: &str, judged: &run::Judged) -> Vec<String> {
    let count = |verdict: Option<Verdict>| {
        judged.findings.iter().filter(|finding| finding.verdict == verdict).count().to_string()
    };
    vec![
        name.to_owned(),
        format!("{} {of}", grouped(rows as usize)),
        judged.findings.len().to_string(),
        count(Some(Verdict::Attack)),
        count(Some(Verdict::Mixed)),
        count(Some(Verdict::FlashCrowd)),
        count(Some(Verdict::Unsure)),
        count(None),
    ]
}

/// Requests per minute, from the archive with requests per second.
fn series(data: &Path) -> Result<Vec<Rate>, EvaluateError> {
    let output = Command::new("tar").arg("-xjOf").arg(data.join(SERIES)).output()?;
    if !output.status.success() {
        return Err(format!("tar could not read `{SERIES}`").into());
    }
    let seconds: Vec<i64> =
        String::from_utf8(output.stdout)?.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let series = SEED.text(b"nasa");
    let minute = |(at, seconds): (usize, &[i64])| Rate {
        series,
        time: SERIES_START_MS + at as i64 * 60_000,
        step: 60_000,
        count: seconds.iter().sum(),
    };
    Ok(seconds.chunks(60).enumerate().map(minute).collect())
}
