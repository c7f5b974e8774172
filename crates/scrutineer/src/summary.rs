//! What a run found, in the order and in the words in which both the terminal and the report tell it.

use std::collections::BTreeMap;

use domain::{ExpectedEvent, Finding, Severity, Timestamp, Verdict};
use traffic::Kind;

use crate::words::{NAME_LIMIT, counted, listed, q_figure, shown, thousands};

/// Everything that a run has to tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    /// Worst first.
    pub(crate) findings: Vec<Finding>,
    /// What the reader should know about the run itself, one sentence each.
    pub(crate) notes: Vec<String>,
    /// What was wrong with the input.
    pub(crate) problems: Vec<InputProblem>,
    /// Files or sources, as the user named them.
    pub(crate) sources: Vec<String>,
    /// Rows read.
    pub(crate) rows_read: u64,
    /// Rows that could not be read.
    pub(crate) rows_refused: u64,
    /// Rows of traffic by kind. One input row may be several of them.
    pub(crate) kinds: BTreeMap<Kind, u64>,
    /// The detectors that had something to look at.
    pub(crate) checked: Vec<Check>,
    /// The detectors that had nothing to look at.
    pub(crate) idle: Vec<Check>,
    /// When many people were expected, as the configuration says.
    pub(crate) events: Vec<ExpectedEvent>,
    /// Names of assets by id.
    pub(crate) assets: BTreeMap<String, String>,
}

/// A detector that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    /// Its name.
    pub(crate) name: String,
    /// What it looks for.
    pub(crate) what: String,
    /// The kinds of traffic that it looks at.
    pub(crate) kinds: Vec<Kind>,
}

/// One kind of fault in one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputProblem {
    /// File or source, as the user named it.
    pub(crate) source: String,
    /// What is wrong, as a phrase.
    pub(crate) what: String,
    /// How often.
    pub(crate) count: u64,
    /// The first lines where it is, from 1; none where it concerns the whole file.
    pub(crate) lines: Vec<u64>,
    /// What stood there the first time. It may be personal: it is for the person at the terminal and
    /// is never written to a file.
    pub(crate) excerpt: String,
}

impl InputProblem {
    /// The lines as words: `line 7`, `lines 7, 9 and more`, or nothing.
    pub(crate) fn where_in(&self) -> String {
        let lines: Vec<String> = self.lines.iter().copied().map(thousands).collect();
        let more = if self.count > lines.len() as u64 { " and more" } else { "" };
        match lines.len() {
            0 => String::new(),
            1 if more.is_empty() => format!("line {}", lines[0]),
            _ => format!("lines {}{more}", lines.join(", ")),
        }
    }
}

impl Summary {
    /// Puts the findings in order: severity, confidence, size of the group, then id, so that the
    /// order depends on nothing else.
    pub(crate) fn sort(&mut self) {
        self.findings.sort_by(|a, b| {
            let key = |f: &Finding| (f.severity, group_size(f));
            let ((severe_a, size_a), (severe_b, size_b)) = (key(a), key(b));
            severe_b
                .cmp(&severe_a)
                .then(b.confidence.total_cmp(&a.confidence))
                .then(size_b.cmp(&size_a))
                .then(a.id.cmp(&b.id))
        });
    }

    /// The sentence that is true now.
    pub(crate) fn headline(&self) -> String {
        let groups = self.findings.iter().filter(|f| is_coordination(f)).count() as u64;
        let told: Vec<&Finding> = self.findings.iter().filter(|f| is_availability(f)).collect();
        let others = self.findings.len() as u64 - groups - told.len() as u64;
        let rows = counted(self.rows_read, "row", "rows");
        if self.findings.is_empty() {
            return match self.rows_read {
                0 => "No row could be read, so nothing was checked.".to_owned(),
                _ if self.checked.is_empty() && !self.idle.is_empty() => {
                    format!("Nothing was checked: {rows} were read, and none that the detectors look at.")
                }
                _ if self.is_complete() => format!("Nothing found in {rows}."),
                _ => format!("Nothing found in {rows}, but the search is not complete."),
            };
        }
        let step = "acted in step more than chance, audience and habit explain";
        let are = |n: u64| if n == 1 { "is" } else { "are" };
        let also = |n: u64, others: u64| match others {
            0 => String::new(),
            m if n == 0 => format!("{} in {rows}", counted(m, "finding", "findings")),
            m => format!("; there {} {}", are(m), counted(m, "other finding", "other findings")),
        };
        if told.is_empty() {
            return match groups {
                0 => format!("{}.", also(0, others)),
                n => format!("{} of accounts {step}{}.", counted(n, "group", "groups"), also(n, others)),
            };
        }
        let mut kinds: Vec<String> = Vec::new();
        for (verdict, one, many) in VERDICTS {
            match told.iter().filter(|finding| finding.verdict == verdict).count() as u64 {
                0 => {}
                n => kinds.push(counted(n, one, many)),
            }
        }
        let sentence = format!("{} in {rows}", listed(&kinds));
        match (groups, told.as_slice()) {
            (0, [only]) if others == 0 => format!("{sentence}: {}.", shown(&only.title, 2 * NAME_LIMIT)),
            (0, _) => format!("{sentence}{}.", also(1, others)),
            (n, _) => format!(
                "{sentence}; {} of accounts {step}{}.",
                counted(n, "group", "groups"),
                also(n, others)
            ),
        }
    }

    /// What was read, as a sentence.
    pub(crate) fn scope(&self) -> String {
        let read = format!(
            "{} from {} {} read and checked{}",
            counted(self.rows_read, "row", "rows"),
            counted(self.sources.len() as u64, "source", "sources"),
            if self.rows_read == 1 { "was" } else { "were" },
            self.by_kind().map(|kinds| format!(": {kinds}")).unwrap_or_default(),
        );
        match self.rows_refused {
            0 => format!("{read}; none had to be left out."),
            1 => format!("{read}; 1 more could not be read and was left out."),
            n => format!("{read}; {} more could not be read and were left out.", thousands(n)),
        }
    }

    /// Rows by kind: `1,234 flows and 56 lookups`. None where there are only posts, whose rows need no
    /// other name.
    fn by_kind(&self) -> Option<String> {
        let only_posts = self.kinds.keys().all(|kind| *kind == Kind::Post);
        let kinds: Vec<String> = self
            .kinds
            .iter()
            .filter(|(_, rows)| **rows > 0)
            .map(|(kind, rows)| {
                let (one, many) = rows_of(*kind);
                counted(*rows, one, many)
            })
            .collect();
        (!only_posts && !kinds.is_empty()).then(|| listed(&kinds))
    }

    /// Which detectors had nothing to look at, as a sentence.
    pub(crate) fn not_checked(&self) -> Option<String> {
        if self.idle.is_empty() || self.checked.is_empty() {
            return None;
        }
        let mut missing: BTreeMap<&[Kind], Vec<String>> = BTreeMap::new();
        for check in &self.idle {
            missing.entry(&check.kinds).or_default().push(check.name.clone());
        }
        let parts: Vec<String> = missing
            .iter()
            .map(|(kinds, names)| {
                let kinds: Vec<String> = kinds.iter().map(|kind| rows_of(*kind).1.to_owned()).collect();
                format!("{} (no {} were read)", listed(names), kinds.join(" or "))
            })
            .collect();
        Some(format!("Not checked: {}.", parts.join("; ")))
    }

    /// What an asset is called, beside its id.
    pub(crate) fn asset_name(&self, id: &str) -> String {
        match self.assets.get(id) {
            Some(name) if name != id => format!("{} ({})", shown(name, NAME_LIMIT), shown(id, NAME_LIMIT)),
            _ => shown(id, NAME_LIMIT),
        }
    }

    /// Expected events that were on while a finding lasted.
    pub(crate) fn events_of(&self, finding: &Finding) -> Vec<&ExpectedEvent> {
        let concerns = |event: &ExpectedEvent| {
            event.asset.is_none() || finding.asset.is_none() || event.asset == finding.asset
        };
        let (from, until) = span_of(finding);
        self.events.iter().filter(|e| e.from <= until && e.until >= from && concerns(e)).collect()
    }

    /// Reasons why work was shed, each once.
    pub(crate) fn incomplete_because(&self) -> Vec<&str> {
        let mut reasons: Vec<&str> = Vec::new();
        for reason in self.findings.iter().flat_map(|f| &f.provenance.incomplete_because) {
            if !reasons.contains(&reason.as_str()) {
                reasons.push(reason);
            }
        }
        reasons
    }

    /// True where something at or above the level was found.
    pub(crate) fn reaches(&self, level: Severity) -> bool {
        self.findings.iter().any(|f| f.severity >= level)
    }

    fn is_complete(&self) -> bool {
        self.findings.iter().all(|f| f.provenance.complete)
    }
}

/// True for a finding about a group that acts in step.
pub(crate) fn is_coordination(finding: &Finding) -> bool {
    finding.detector.starts_with("coordinated")
        || (finding.verdict.is_none() && !finding.evidence.members.is_empty())
}

/// True for a finding that tells a flood from a crowd.
pub(crate) fn is_availability(finding: &Finding) -> bool {
    finding.verdict.is_some() && !is_coordination(finding)
}

/// Verdicts as the headline counts them, what asks for action first.
const VERDICTS: [(Option<Verdict>, &str, &str); 4] = [
    (Some(Verdict::Attack), "flood", "floods"),
    (Some(Verdict::Mixed), "flood within a crowd", "floods within a crowd"),
    (Some(Verdict::Unsure), "rise of unknown cause", "rises of unknown cause"),
    (Some(Verdict::FlashCrowd), "crowd", "crowds"),
];

/// A verdict in words.
pub(crate) fn verdict_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Attack => "attack: the traffic is hostile by its shape",
        Verdict::Mixed => "mixed: a crowd and an attack at the same time",
        Verdict::Unsure => "unsure: what was seen does not tell a crowd from an attack",
        Verdict::FlashCrowd => "flash crowd: no machine evidence of an attack",
    }
}

/// A verdict as one or two words.
pub(crate) fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Attack => "attack",
        Verdict::Mixed => "mixed",
        Verdict::Unsure => "unsure",
        Verdict::FlashCrowd => "flash crowd",
    }
}

/// The span of time that a finding shows: its rows and its series.
pub(crate) fn span_of(finding: &Finding) -> (Timestamp, Timestamp) {
    let mut span = (finding.first_seen, finding.last_seen);
    for series in &finding.evidence.series {
        let length = (series.values.len() as f64 * series.step_s * 1000.0) as i64;
        span.0 = span.0.min(series.start);
        span.1 = span.1.max(Timestamp(series.start.millis().saturating_add(length)));
    }
    span
}

/// What rows of a kind are called: one, and many.
pub(crate) fn rows_of(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Post => ("post", "posts"),
        Kind::Flow => ("flow", "flows"),
        Kind::Request => ("request", "requests"),
        Kind::Lookup => ("lookup", "lookups"),
        Kind::Login => ("log-in", "log-ins"),
        Kind::Tls => ("TLS handshake", "TLS handshakes"),
        Kind::Rate => ("rate", "rates"),
    }
}

/// Said beside every finding about a group.
pub(crate) const CAVEAT: &str = "Coordination, not proof of inauthenticity.";

/// Members of the group, or subjects where there is no group.
pub(crate) fn group_size(finding: &Finding) -> usize {
    finding.evidence.members.len().max(finding.subjects.len())
}

/// The q-value for a table, or a dash.
pub(crate) fn q_cell(finding: &Finding) -> String {
    finding.evidence.q_value.map_or_else(|| "–".to_owned(), q_figure)
}

/// What a severity asks of the reader.
pub(crate) fn urgency(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "worth knowing",
        Severity::Low => "look when there is time",
        Severity::Medium => "look today",
        Severity::High => "look now",
        Severity::Critical => "act now",
    }
}

/// A short name in kebab case as words: `common-trigger` is "Common trigger".
pub(crate) fn spoken(name: &str) -> String {
    capital(&name.replace('-', " "))
}

/// The words with a capital at their start.
pub(crate) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_headline_says_what_is_true() {
        let mut run = Summary { rows_read: 1_275_106, ..Summary::default() };
        assert_eq!(run.headline(), "Nothing found in 1,275,106 rows.");
        run.findings = vec![sample::finding(3)];
        assert_eq!(
            run.headline(),
            "1 group of accounts acted in step more than chance, audience and habit explain."
        );
        run.findings = vec![sample::finding(3), sample::finding(4), sample::other_finding()];
        assert_eq!(
            run.headline(),
            "2 groups of accounts acted in step more than chance, audience and habit explain; \
             there is 1 other finding."
        );
        run.findings = vec![sample::other_finding()];
        assert_eq!(run.headline(), "1 finding in 1,275,106 rows.");
        assert_eq!(Summary::default().headline(), "No row could be read, so nothing was checked.");
    }

    #[test]
    fn the_worst_comes_first_whatever_the_order() {
        let mut low = sample::finding(12);
        low.severity = Severity::Low;
        let (big, small) = (sample::finding(12), sample::finding(3));
        let order = |findings: Vec<Finding>| {
            let mut run = Summary { findings, ..Summary::default() };
            run.sort();
            run.findings.into_iter().map(|f| (f.severity, group_size(&f))).collect::<Vec<_>>()
        };
        let expected = [(Severity::High, 12), (Severity::High, 3), (Severity::Low, 12)];
        assert_eq!(order(vec![low.clone(), small.clone(), big.clone()]), expected);
        assert_eq!(order(vec![big, low, small]), expected);
    }

    #[test]
    fn names_in_kebab_case_are_spoken() {
        assert_eq!(spoken("common-trigger"), "Common trigger");
        assert_eq!(spoken(""), "");
    }
}
