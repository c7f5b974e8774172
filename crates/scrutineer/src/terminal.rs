//! What a person reads on standard output: one sentence, the table, the findings, the input, and
//! where to read more.

use domain::{Finding, Severity};

use crate::availability;
use crate::summary::{
    CAVEAT, Summary, capital, group_size, is_availability, is_coordination, q_cell, spoken, urgency,
    verdict_name, verdict_words,
};
use crate::words::{NAME_LIMIT, bound, confidence, counted, minute, percent, shown, span, thousands};

/// Problems with the input that are written out; the report has them all.
const PROBLEMS_SHOWN: usize = 10;

/// Findings that are told in full; the report tells them all.
const FINDINGS_TOLD: usize = 5;

/// Reasons for a verdict that are written out; the report has them all.
const REASONS_TOLD: usize = 8;

/// What must not be blocked, as far as it is written out.
const SPARED_TOLD: usize = 4;

/// Longest sentence of a finding that is written out, in characters.
const SENTENCE_LIMIT: usize = 600;

/// How the text may look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// Columns of the terminal.
    pub(crate) width: usize,
    /// True where colours may be used.
    pub(crate) colour: bool,
}

/// The whole text. `more` are lines that say where to read on.
pub(crate) fn text(run: &Summary, more: &[String], style: Style) -> String {
    let mut page = Page { text: String::new(), style };
    page.paragraph("", &strong(&run.headline(), style));
    for reason in run.incomplete_because() {
        page.paragraph("", &format!("The search is not complete: {}", shown(reason, SENTENCE_LIMIT)));
    }
    if !run.findings.is_empty() {
        page.gap();
        page.table(&run.findings);
        if run.findings.iter().any(is_coordination) {
            page.gap();
            page.paragraph("", CAVEAT);
        }
    }
    for (place, finding) in run.findings.iter().take(FINDINGS_TOLD).enumerate() {
        page.gap();
        if is_availability(finding) {
            page.availability(run, place + 1, finding);
        } else {
            page.finding(place + 1, finding);
        }
    }
    if run.findings.len() > FINDINGS_TOLD {
        page.gap();
        let rest = (run.findings.len() - FINDINGS_TOLD) as u64;
        let stand = if rest == 1 { "stands" } else { "stand" };
        let line = format!("{} {stand} in the table above.", counted(rest, "more finding", "more findings"));
        page.paragraph("", &line);
    }
    page.gap();
    page.input(run);
    if !more.is_empty() {
        page.gap();
        page.heading("Read more");
        for line in more {
            page.paragraph("  ", line);
        }
    }
    page.text
}

struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn heading(&mut self, words: &str) {
        self.text.push_str(&strong(words, self.style));
        self.text.push('\n');
    }

    /// Words wrapped to the width, the lines after the first indented below the text that follows `lead`.
    fn paragraph(&mut self, lead: &str, words: &str) {
        let indent = lead.chars().count();
        let width = self.style.width.saturating_sub(indent).max(20);
        for (n, line) in wrap(words, width).iter().enumerate() {
            if n == 0 {
                self.text.push_str(lead);
            } else {
                self.text.push_str(&" ".repeat(indent));
            }
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    fn table(&mut self, findings: &[Finding]) {
        let numbers = findings.len().to_string().len().max(2);
        // Groups have a size and a q-value, floods and crowds a kind; a table shows what its findings have.
        let sized = !findings.iter().any(is_availability) || findings.iter().any(is_coordination);
        let columns = if sized { " size  q       " } else { "kind         " };
        let header = format!("{:>numbers$}  severity  sure  {columns}what", "no");
        self.text.push_str(&faint(&header, self.style));
        self.text.push('\n');
        // The columns before the title take up 18 characters and those of the number and the kind.
        let left = 18 + numbers + columns.len();
        let room = self.style.width.saturating_sub(left).max(24);
        for (place, finding) in findings.iter().enumerate() {
            let severity = coloured(&format!("{:<8}", finding.severity), finding.severity, self.style);
            let kind = if sized {
                format!("{:>5}  {:<6}  ", thousands(group_size(finding) as u64), q_cell(finding))
            } else {
                format!("{:<11}  ", finding.verdict.map_or("–", verdict_name))
            };
            let cells =
                format!("{:>numbers$}  {severity}  {:<5} {kind}", place + 1, percent(finding.confidence));
            for (n, line) in wrap(&capital(&shown(&finding.title, 3 * NAME_LIMIT)), room).iter().enumerate() {
                if n == 0 {
                    self.text.push_str(&cells);
                } else {
                    self.text.push_str(&" ".repeat(left));
                }
                self.text.push_str(line);
                self.text.push('\n');
            }
        }
    }

    /// A flood or a crowd: what it is, whom it hits, why, and what may be done.
    fn availability(&mut self, run: &Summary, number: usize, finding: &Finding) {
        let evidence = &finding.evidence;
        let title = format!("{number}. {}", capital(&shown(&finding.title, 3 * NAME_LIMIT)));
        self.paragraph("", &strong(&title, self.style));
        if let Some(verdict) = finding.verdict {
            self.field("Verdict", &capital(verdict_words(verdict)));
        }
        self.field("How sure", &how_sure(finding));
        let against = availability::against(run, finding);
        if !against.is_empty() {
            self.field(availability::about(finding), &against);
        }
        self.field("When", &span(finding.first_seen, finding.last_seen));
        for event in run.events_of(finding) {
            self.field("Expected", &availability::event(event));
        }
        if let Some(peak) = evidence.series.first().and_then(availability::peak) {
            self.field("Peak", &peak);
        }
        self.seen(finding);
        let weighed = availability::are_weighed(&evidence.reasons);
        let unit = availability::unit_of(finding);
        if weighed {
            self.field("Why", availability::WEIGHTS);
        }
        for (n, reason) in evidence.reasons.iter().take(REASONS_TOLD).enumerate() {
            let words = shown(&availability::reason(reason, &unit), SENTENCE_LIMIT);
            if weighed {
                let weight = availability::weight(reason.weight);
                self.paragraph(&format!("   {:<12} {weight:>5}  ", ""), &words);
            } else {
                self.field(if n == 0 { "Why" } else { "" }, &words);
            }
        }
        if evidence.reasons.len() > REASONS_TOLD {
            let rest = (evidence.reasons.len() - REASONS_TOLD) as u64;
            self.field("", &format!("… and {}.", counted(rest, "more reason", "more reasons")));
        }
        if let Some(block) = &evidence.blockable {
            if let Some(words) = availability::may_block(block, &unit) {
                self.field("May block", &words);
            }
            for (n, spared) in block.spare.iter().take(SPARED_TOLD).enumerate() {
                let words =
                    format!("{}. {}", shown(&spared.what, NAME_LIMIT), shown(&spared.why, SENTENCE_LIMIT));
                self.field(if n == 0 { "Never block" } else { "nor" }, &words);
            }
            if block.spare.len() > SPARED_TOLD {
                let rest = (block.spare.len() - SPARED_TOLD) as u64;
                self.field("", &format!("… and {}.", counted(rest, "other", "others")));
            }
        }
        self.causes(finding);
        self.field("Do next", &shown(&finding.next_step, SENTENCE_LIMIT));
    }

    fn field(&mut self, name: &str, words: &str) {
        self.paragraph(&format!("   {name:<12} "), words);
    }

    fn causes(&mut self, finding: &Finding) {
        for (n, cause) in finding.benign_causes.iter().enumerate() {
            let name = shown(&spoken(&cause.name), NAME_LIMIT);
            let words = format!("{name}. {}", shown(&cause.why, SENTENCE_LIMIT));
            self.field(if n == 0 { "It may be" } else { "or" }, &words);
        }
    }

    fn seen(&mut self, finding: &Finding) {
        let facts = format!("{} {}", capital(&finding.evidence.observed), finding.evidence.expected);
        // What was observed and what was expected: a sentence or two each.
        self.field("Seen", &shown(&facts, 2 * SENTENCE_LIMIT));
    }

    fn finding(&mut self, number: usize, finding: &Finding) {
        let title = format!("{number}. {}", capital(&shown(&finding.title, 3 * NAME_LIMIT)));
        self.paragraph("", &strong(&title, self.style));
        self.causes(finding);
        self.field("Do next", &shown(&finding.next_step, SENTENCE_LIMIT));
        self.seen(finding);
        self.field("How sure", &how_sure(finding));
        self.field("When", &format!("{} to {}", minute(finding.first_seen), minute(finding.last_seen)));
    }

    fn input(&mut self, run: &Summary) {
        self.heading("Input");
        self.paragraph("  ", &run.scope());
        for note in &run.notes {
            self.paragraph("  ", &shown(note, SENTENCE_LIMIT));
        }
        if let Some(sentence) = run.not_checked() {
            self.paragraph("  ", &sentence);
        }
        for problem in run.problems.iter().take(PROBLEMS_SHOWN) {
            let mut line = format!("{}: {}", shown(&problem.source, NAME_LIMIT), problem.what);
            let lines = problem.where_in();
            if !lines.is_empty() {
                line.extend([", ", &lines]);
            }
            if !problem.excerpt.is_empty() {
                line.extend([" (`", &shown(&problem.excerpt, NAME_LIMIT), "`)"]);
            }
            if problem.count > 1 {
                line.extend([", ", &thousands(problem.count), " times"]);
            }
            self.paragraph("  ", &line);
        }
        if run.problems.len() > PROBLEMS_SHOWN {
            let rest = (run.problems.len() - PROBLEMS_SHOWN) as u64;
            self.paragraph("  ", &format!("… and {}.", counted(rest, "more problem", "more problems")));
        }
    }
}

fn how_sure(finding: &Finding) -> String {
    format!(
        "{} ({}), severity {}: {}",
        confidence(finding.confidence),
        percent(finding.confidence),
        finding.severity,
        urgency(finding.severity)
    )
}

/// Lines of at most `width` characters, broken at spaces. A longer word gets a line of its own: a URL
/// that is broken cannot be copied.
fn wrap(words: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in bound(words).split([' ', '\n', '\t']).filter(|word| !word.is_empty()) {
        // Held to its unit while lines are broken; a plain space again in what is put out.
        let word = &word.replace('\u{A0}', " ");
        let len = visible(word);
        match lines.last_mut() {
            Some(line) if used + 1 + len <= width => {
                line.push(' ');
                line.push_str(word);
                used += 1 + len;
            }
            _ => {
                lines.push(word.to_owned());
                used = len;
            }
        }
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// Characters of a word without the codes for colour.
fn visible(word: &str) -> usize {
    let mut in_code = false;
    word.chars()
        .filter(|&letter| {
            let was_in_code = in_code;
            in_code = letter == '\u{1b}' || (in_code && letter != 'm');
            !was_in_code && !in_code
        })
        .count()
}

fn strong(words: &str, style: Style) -> String {
    paint(words, "1", style)
}

fn faint(words: &str, style: Style) -> String {
    paint(words, "2", style)
}

/// Red for what asks for action now, yellow for today; the word itself always stands.
fn coloured(words: &str, severity: Severity, style: Style) -> String {
    match severity {
        Severity::Critical | Severity::High => paint(words, "1;31", style),
        Severity::Medium => paint(words, "33", style),
        Severity::Low | Severity::Info => words.to_owned(),
    }
}

fn paint(words: &str, code: &str, style: Style) -> String {
    if style.colour { format!("\u{1b}[{code}m{words}\u{1b}[0m") } else { words.to_owned() }
}

#[cfg(test)]
mod tests {
    use domain::{ExpectedEvent, Timestamp};
    use traffic::Kind;

    use super::*;
    use crate::sample;
    use crate::summary::{Check, InputProblem};

    const PLAIN: Style = Style { width: 80, colour: false };

    fn run(findings: Vec<Finding>) -> Summary {
        Summary {
            findings,
            sources: vec!["german_url.csv".to_owned()],
            rows_read: 218_971,
            rows_refused: 2,
            problems: vec![InputProblem {
                source: "german_url.csv".to_owned(),
                what: "time is neither a number nor RFC 3339".to_owned(),
                count: 2,
                lines: vec![7, 1_204],
                excerpt: "soon".to_owned(),
            }],
            ..Summary::default()
        }
    }

    #[test]
    fn two_findings_read_as_a_letter() {
        let mut small = sample::finding(3);
        small.severity = Severity::Low;
        small.confidence = 0.7;
        small.evidence.q_value = Some(0.031);
        let more = ["report/report.html has the pictures and the rows.".to_owned()];
        insta::assert_snapshot!(text(&run(vec![sample::finding(12), small]), &more, PLAIN));
    }

    /// A run over network traffic.
    fn network(findings: Vec<Finding>) -> Summary {
        let check =
            |name: &str, kind| Check { name: name.to_owned(), what: String::new(), kinds: vec![kind] };
        let mut run = Summary {
            findings,
            sources: vec!["flood.pcap".to_owned(), "access.log".to_owned()],
            rows_read: 2_345_678,
            kinds: [(Kind::Flow, 2_307_278), (Kind::Request, 38_400)].into(),
            checked: vec![check("volumetric-ddos", Kind::Flow), check("application-flood", Kind::Request)],
            idle: vec![check("coordinated-sharing", Kind::Post), check("synchronised-burst", Kind::Post)],
            events: vec![ExpectedEvent {
                name: "Polls close".to_owned(),
                from: Timestamp::from_seconds(1_629_554_400 + 3_600),
                until: Timestamp::from_seconds(1_629_554_400 + 9_000),
                asset: None,
            }],
            assets: [("results-site".to_owned(), "Results site".to_owned())].into(),
            ..Summary::default()
        };
        run.sort();
        run
    }

    #[test]
    fn a_flood_and_a_crowd_read_as_a_letter() {
        let run = network(vec![sample::crowd(), sample::flood()]);
        insta::assert_snapshot!(text(&run, &[], PLAIN));
    }

    #[test]
    fn one_flood_is_named_in_the_first_sentence() {
        let run = network(vec![sample::flood()]);
        let first = text(&run, &[], Style { width: 120, ..PLAIN });
        assert_eq!(
            first.lines().next(),
            Some("1 flood in 2,345,678 rows: Spoofed SYN flood of 192.0.2.10 on port 443.")
        );
    }

    #[test]
    fn floods_and_groups_share_one_table() {
        let run = network(vec![sample::flood(), sample::finding(3)]);
        insta::assert_snapshot!(text(&run, &[], PLAIN).lines().take(8).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn what_was_not_looked_at_is_not_said_to_be_checked() {
        let mut run = network(Vec::new());
        run.checked.remove(0);
        run.kinds.remove(&Kind::Flow);
        run.idle.push(Check {
            name: "volumetric-ddos".to_owned(),
            what: String::new(),
            kinds: vec![Kind::Flow],
        });
        insta::assert_snapshot!(text(&run, &[], PLAIN));
        run.checked.clear();
        assert!(run.headline().starts_with("Nothing was checked: 2,345,678 rows were read"));
    }

    #[test]
    fn a_night_without_findings_is_quiet() {
        let quiet = Summary { rows_refused: 0, problems: Vec::new(), ..run(Vec::new()) };
        insta::assert_snapshot!(text(&quiet, &[], PLAIN), @r"
        Nothing found in 218,971 rows.

        Input
          218,971 rows from 1 source were read and checked; none had to be left out.
        ");
    }

    #[test]
    fn colour_is_added_and_nothing_else() {
        let run = run(vec![sample::finding(3)]);
        let colourful = text(&run, &[], Style { colour: true, ..PLAIN });
        assert!(colourful.contains("\u{1b}[1;31mhigh    \u{1b}[0m"));
        let mut bare = colourful;
        for code in ["1;31", "33", "1", "2", "0"] {
            bare = bare.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(bare, text(&run, &[], PLAIN));
    }

    #[test]
    fn a_hostile_name_sends_nothing_to_the_terminal() {
        for finding in [sample::hostile_finding(), sample::hostile_flood()] {
            let written = text(&run(vec![finding]), &[], PLAIN);
            assert!(written.chars().all(|letter| letter == '\n' || !letter.is_control()));
            assert!(!written.contains('\u{202E}'));
            assert!(written.lines().count() < 200);
        }
    }

    #[test]
    fn only_the_first_findings_are_told_in_full() {
        let written = text(&run(vec![sample::finding(3); 7]), &[], PLAIN);
        assert_eq!(written.matches("Do next").count(), 5);
        assert!(written.contains("2 more findings stand in the table above."));
    }

    #[test]
    fn long_lists_of_problems_are_cut_and_counted() {
        let mut run = run(Vec::new());
        run.problems = vec![run.problems[0].clone(); 1_012];
        let written = text(&run, &[], PLAIN);
        assert!(written.contains("… and 1,002 more problems."));
    }
}
