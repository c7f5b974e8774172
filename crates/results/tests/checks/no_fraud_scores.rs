//! The figures of `docs/why-no-fraud-scores.md`, computed from the final state of a clean election.

use std::collections::BTreeMap;

use crate::support::{csv, shared};

const DOCUMENT: &str = include_str!("../../../../docs/why-no-fraud-scores.md");

/// The 5 % point of chi-square with nine degrees of freedom.
const CRITICAL: f64 = 16.919;

/// Votes of each list at all stations.
fn votes() -> Option<BTreeMap<String, Vec<u64>>> {
    let rows = csv(&shared("slovenia-ep2024/stations_final.csv")?);
    let mut votes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for row in &rows {
        for (key, text) in row {
            if let (Some(list), Ok(number)) = (key.strip_prefix("list_"), text.parse()) {
                votes.entry(list.to_owned()).or_default().push(number);
            }
        }
    }
    Some(votes)
}

/// Numbers of ten or more, and chi-square of their second digits against Benford's law.
fn second_digits(votes: &[u64]) -> (u64, f64) {
    let mut seen = [0_u64; 10];
    for &number in votes.iter().filter(|&&number| number >= 10) {
        let second = number.to_string().as_bytes()[1];
        seen[usize::from(second - b'0')] += 1;
    }
    let n: u64 = seen.iter().sum();
    let expected = |digit: usize| {
        n as f64
            * (1..10).map(|first| (1.0 + 1.0 / f64::from(10 * first + digit as u32)).log10()).sum::<f64>()
    };
    let chi = seen
        .iter()
        .enumerate()
        .map(|(digit, &seen)| (seen as f64 - expected(digit)).powi(2) / expected(digit));
    (n, chi.sum())
}

/// The document's table is what the data give, line by line.
#[test]
fn the_documents_table_is_what_the_data_give() {
    let Some(votes) = votes() else { return };
    assert_eq!(votes.len(), 11);
    let (mut above, mut few, mut most) = (0, 0, 0.0_f64);
    for (list, votes) in &votes {
        let (n, chi) = second_digits(votes);
        let hundreds = votes.iter().filter(|&&number| number >= 100).count();
        let line = format!("| {list} | {n} | {chi:.1} | {hundreds} |");
        assert!(DOCUMENT.contains(&line), "the document lacks: {line}");
        above += usize::from(chi > CRITICAL);
        few += usize::from(hundreds < 60);
        most = most.max(chi);
    }
    for figure in [
        format!("{above} of 11 lists fail"),
        format!("{few} of 11 lists have fewer than 60"),
        format!("up to {most:.1}"),
    ] {
        assert!(DOCUMENT.contains(&figure), "the document lacks: {figure}");
    }
}

/// Turnout and a list's share go together in a clean election: what "ballot stuffing" estimates read as fraud.
#[test]
fn turnout_and_shares_go_together_without_fraud() {
    let Some(path) = shared("slovenia-ep2024/stations_final.csv") else { return };
    let mut lists: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for row in csv(&path) {
        let read = |key: &str| row[key].parse::<f64>().ok();
        let (Some(eligible), Some(cast), Some(valid)) =
            (read("eligible"), read("ballots_cast"), read("valid"))
        else {
            continue;
        };
        if row["station_id"].as_str() >= "900" || valid < 30.0 {
            continue;
        }
        for key in row.keys().filter(|key| key.starts_with("list_")) {
            let point = (cast / eligible, read(key).expect("a number") / valid);
            lists.entry(key.clone()).or_default().push(point);
        }
    }
    let strongest = lists
        .iter()
        .map(|(list, points)| (correlation(points), list))
        .max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))
        .expect("eleven lists");
    let stations = lists.values().next().expect("eleven lists").len();
    let list = strongest.1.strip_prefix("list_").expect("a column of votes");
    let figure = format!("{:.2} for list {list} at {stations} stations", strongest.0);
    assert!(DOCUMENT.contains(&figure), "the document lacks: {figure}");
}

fn correlation(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let (mx, my) = points.iter().fold((0.0, 0.0), |m, p| (m.0 + p.0 / n, m.1 + p.1 / n));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in points {
        xx += (x - mx).powi(2);
        yy += (y - my).powi(2);
        xy += (x - mx) * (y - my);
    }
    xy / (xx * yy).sqrt()
}
