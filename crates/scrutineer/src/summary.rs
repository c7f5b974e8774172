//! What a run found, in the order and in the words in which both the terminal and the report tell it.

use domain::{Finding, Severity};

use crate::words::{counted, q_figure, thousands};

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
    /// The detectors that ran: name, and what it looks for.
    pub(crate) checked: Vec<(String, String)>,
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
        let others = self.findings.len() as u64 - groups;
        if groups + others == 0 {
            return match self.rows_read {
                0 => "No row could be read, so nothing was checked.".to_owned(),
                rows if self.is_complete() => format!("Nothing found in {}.", counted(rows, "row", "rows")),
                rows => format!(
                    "Nothing found in {}, but the search is not complete.",
                    counted(rows, "row", "rows")
                ),
            };
        }
        let step = "acted in step more than chance, audience and habit explain";
        match (groups, others) {
            (0, n) => {
                format!(
                    "{} in {}.",
                    counted(n, "finding", "findings"),
                    counted(self.rows_read, "row", "rows")
                )
            }
            (n, 0) => format!("{} of accounts {step}.", counted(n, "group", "groups")),
            (n, m) => format!(
                "{} of accounts {step}; there {} {}.",
                counted(n, "group", "groups"),
                if m == 1 { "is" } else { "are" },
                counted(m, "other finding", "other findings")
            ),
        }
    }

    /// What was read, as a sentence.
    pub(crate) fn scope(&self) -> String {
        let read = format!(
            "{} from {} {} read and checked",
            counted(self.rows_read, "row", "rows"),
            counted(self.sources.len() as u64, "source", "sources"),
            if self.rows_read == 1 { "was" } else { "were" },
        );
        match self.rows_refused {
            0 => format!("{read}; none had to be left out."),
            1 => format!("{read}; 1 more could not be read and was left out."),
            n => format!("{read}; {} more could not be read and were left out.", thousands(n)),
        }
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
    finding.detector.starts_with("coordinated") || !finding.evidence.members.is_empty()
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
