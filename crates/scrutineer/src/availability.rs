//! What a finding about floods and crowds says in words, the same on the terminal and in the report.

use domain::{BlockRule, Blockable, ExpectedEvent, Finding, Reason, Series, Subject, Verdict};

use crate::summary::Summary;
use crate::words::{NAME_LIMIT, clock, counted, figure, hours, listed, percent, seconds, shown, thousands};

/// Sources or signatures that are named in a sentence.
const NAMED: usize = 5;

/// How the thing is introduced that a finding concerns: nobody aims a crowd.
pub(crate) fn about(finding: &Finding) -> &'static str {
    match finding.verdict {
        Some(Verdict::Attack | Verdict::Mixed) => "Aimed at",
        _ => "Concerns",
    }
}

/// What it is aimed at: the asset where one is known, else the subjects.
pub(crate) fn against(run: &Summary, finding: &Finding) -> String {
    let mut parts: Vec<String> = finding.asset.iter().map(|id| run.asset_name(id)).collect();
    let names = finding.subjects.iter().filter_map(|subject| match subject {
        // Said by the name of the asset.
        Subject::Asset(_) => None,
        Subject::Ip(name)
        | Subject::Domain(name)
        | Subject::Unit(name)
        | Subject::Network(name)
        | Subject::Account(name) => Some(shown(name, NAME_LIMIT)),
    });
    let names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(NAMED);
    let mut named: Vec<String> = names.into_iter().take(NAMED).collect();
    if more > 0 {
        named.push(format!("{} more", thousands(more as u64)));
    }
    if !named.is_empty() {
        parts.push(listed(&named));
    }
    parts.join(": ")
}

/// The highest step of a series, its place, and what was usual. None where the series is empty.
pub(crate) fn peak(series: &Series) -> Option<String> {
    let (step, value) = highest(series)?;
    let per = format!("{} {}", figure(value), shown(&series.unit, NAME_LIMIT));
    let mut words = format!("{per} in {} at {}", seconds(step_s(series)), clock(start_of(series, step)));
    let usual = series.expected.map(|usual| format!("usual {}", figure(usual)));
    let alarm = series.threshold.map(|limit| format!("alarm above {}", figure(limit)));
    let beside: Vec<String> = usual.into_iter().chain(alarm).collect();
    if !beside.is_empty() {
        words.push_str(&format!(" ({})", beside.join(", ")));
    }
    Some(words)
}

/// The step with the highest value, and the value.
pub(crate) fn highest(series: &Series) -> Option<(usize, f64)> {
    let mut best = None;
    for (step, value) in series.values.iter().enumerate() {
        let value = level(*value);
        if best.is_none_or(|(_, most)| value > most) {
            best = Some((step, value));
        }
    }
    best
}

/// A value that can be drawn: broken ones count as 0.
pub(crate) fn level(value: f64) -> f64 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}

/// Length of a step in seconds; broken ones count as 1.
pub(crate) fn step_s(series: &Series) -> f64 {
    if series.step_s.is_finite() && series.step_s > 0.0 { series.step_s } else { 1.0 }
}

/// A step as a person calls it: `second`, `minute`, `10 s`.
pub(crate) fn step_name(series: &Series) -> String {
    match step_s(series) {
        1.0 => "second".to_owned(),
        60.0 => "minute".to_owned(),
        3_600.0 => "hour".to_owned(),
        86_400.0 => "day".to_owned(),
        other => seconds(other),
    }
}

/// When a step began.
pub(crate) fn start_of(series: &Series, step: usize) -> domain::Timestamp {
    let after = (step as f64 * step_s(series) * 1000.0).round() as i64;
    domain::Timestamp(series.start.millis().saturating_add(after))
}

/// True where the reasons carry weights, and are not only rules that are met.
pub(crate) fn are_weighed(reasons: &[Reason]) -> bool {
    reasons.iter().any(|reason| reason.weight != 0.0)
}

/// How reasons are to be read, where they carry weights.
pub(crate) const WEIGHTS: &str = "Each adds to the log-odds: plus speaks for an attack, minus for a crowd.";

/// A weight with its sign: `+3.2`, `−0.4`.
pub(crate) fn weight(weight: f64) -> String {
    if !weight.is_finite() {
        return "–".to_owned();
    }
    format!("{}{:.1}", if weight < 0.0 { "−" } else { "+" }, weight.abs())
}

/// A reason with the share of traffic that it concerns. `unit` is what rows are called.
pub(crate) fn reason(reason: &Reason, unit: &str) -> String {
    let what = reason.what.trim_end_matches('.');
    match reason.share {
        Some(share) if share.is_finite() => format!("{what} ({} of the {unit})", percent(share)),
        _ => what.to_owned(),
    }
}

/// What may be blocked, as sentences. `unit` is what rows are called.
pub(crate) fn may_block(block: &Blockable, unit: &str) -> Option<String> {
    let mut sentences = Vec::new();
    let sources = block.sources_in_all.max(block.sources.len() as u64);
    if let Some(named) = named(&block.sources, sources, unit) {
        sentences.push(format!("{}: {named}.", counted(sources, "source", "sources")));
    }
    if let Some(named) = named(&block.signatures, block.signatures.len() as u64, unit) {
        sentences.push(format!("By what they have in common: {named}."));
    }
    if sentences.is_empty() {
        return None;
    }
    let mut stops = format!("Together that is {} of the hostile {unit}", percent(block.share));
    if let Some(bystanders) = block.bystanders {
        stops.push_str(&format!(", and {} of the other clients", percent(bystanders)));
    }
    if let Some(ttl) = block.ttl_s {
        stops.push_str(&format!("; let a block end after {}", seconds(ttl as f64)));
    }
    sentences.push(format!("{stops}."));
    Some(sentences.join(" "))
}

fn named(rules: &[BlockRule], in_all: u64, unit: &str) -> Option<String> {
    if rules.is_empty() {
        return None;
    }
    let mut names: Vec<String> = rules
        .iter()
        .take(NAMED)
        .map(|rule| {
            let rows =
                if rule.rows == 0 { String::new() } else { format!(" ({} {unit})", thousands(rule.rows)) };
            format!("{}{rows}", shown(&rule.what, NAME_LIMIT))
        })
        .collect();
    let rest = in_all.saturating_sub(names.len() as u64);
    if rest > 0 {
        names.push(format!("{} more", thousands(rest)));
    }
    Some(listed(&names))
}

/// What rows of a finding are called.
pub(crate) fn unit_of(finding: &Finding) -> String {
    finding.evidence.series.first().map_or_else(|| "rows".to_owned(), |series| shown(&series.unit, 24))
}

/// An expected event with its time.
pub(crate) fn event(event: &ExpectedEvent) -> String {
    format!("{}, {}", shown(&event.name, NAME_LIMIT), hours(event.from, event.until))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;
    use crate::sample;

    #[test]
    fn a_peak_has_its_place_and_what_was_usual() {
        let flood = sample::flood();
        assert_eq!(
            peak(&flood.evidence.series[0]).as_deref(),
            Some("7,189 packets in 1 s at 14:00:58 UTC (usual 12, alarm above 1,000)")
        );
        assert_eq!(peak(&Series::default()), None);
        let broken = Series { values: vec![f64::NAN, -3.0], step_s: 0.0, ..Series::default() };
        assert_eq!(peak(&broken).as_deref(), Some("0  in 1 s at 00:00:00 UTC"));
        assert_eq!(start_of(&broken, 1), Timestamp(1_000));
    }

    #[test]
    fn what_may_be_blocked_is_named_and_counted() {
        let block = sample::flood().evidence.blockable.expect("the flood can be blocked");
        insta::assert_snapshot!(may_block(&block, "packets").expect("something can be"), @"9,639 sources: 198.51.100.7 (1,204 packets), 198.51.100.9 (977 packets) and 9,637 more. By what they have in common: TCP SYN to port 443 with ECE and CWR (51,870 packets). Together that is 98 % of the hostile packets, and <1 % of the other clients; let a block end after 10 min.");
        assert_eq!(may_block(&Blockable::default(), "packets"), None);
    }

    #[test]
    fn weights_show_their_side() {
        assert_eq!([3.25, -0.25, 0.0, f64::NAN].map(weight), ["+3.2", "−0.2", "+0.0", "–"]);
    }
}
