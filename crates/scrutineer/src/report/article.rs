//! One finding, as the middle part of a letter.

use domain::{Finding, Severity};
use maud::{Markup, html};

use super::page::{SENTENCE_LIMIT, said};
use super::{chart, network, tables, timeline, verdict};
use crate::availability;
use crate::summary::{
    CAVEAT, Summary, capital, is_availability, is_coordination, spoken, urgency, verdict_words,
};
use crate::words::{NAME_LIMIT, bound, confidence, figure, minute, percent, q_words, seconds, shown, span};

/// Charts of one finding; a fourth question would be another finding.
const SERIES_DRAWN: usize = 3;

/// The n-th finding of a run, with its pictures and tables.
pub(super) fn article(run: &Summary, n: usize, finding: &Finding) -> Markup {
    let of = run.findings.len();
    let evidence = &finding.evidence;
    let events = run.events_of(finding);
    html! {
        article id={ "finding-" (n) } aria-labelledby={ "title-" (n) } {
            header {
                p.eyebrow {
                    span { "Finding " (n) " of " (of) }
                    (tag(finding.severity))
                    span { (urgency(finding.severity)) }
                }
                h2 id={ "title-" (n) } { (said(&capital(&finding.title), 3 * NAME_LIMIT)) }
                @if is_coordination(finding) { p.caveat { (CAVEAT) } }
            }
            (letter(run, finding))
            @for series in evidence.series.iter().take(SERIES_DRAWN) { (chart::figure(series, finding, &events)) }
            @if !evidence.reasons.is_empty() { (verdict::reasons(finding)) }
            @if let Some(block) = &evidence.blockable { (verdict::blockable(finding, block)) }
            @if !evidence.members.is_empty() && !is_availability(finding) { (network::figure(&evidence.members, &evidence.ties)) }
            @if !evidence.objects.is_empty() {
                (timeline::figure(&evidence.objects, &evidence.samples, evidence.window_s))
                (tables::objects(&evidence.objects, &evidence.members))
            }
            @if !evidence.sensitivity.is_empty() {
                (tables::sensitivity(&evidence.sensitivity, evidence.window_s))
            }
            @if !evidence.members.is_empty() && !is_availability(finding) { (tables::members(&evidence.members)) }
            @if !evidence.samples.is_empty() { (tables::samples(&evidence.samples, is_availability(finding))) }
            (particulars(finding))
        }
    }
}

/// The severity as a word; its colour says the same again.
pub(super) fn tag(severity: Severity) -> Markup {
    let class = match severity {
        Severity::Critical | Severity::High => "tag bad",
        Severity::Medium => "tag warn",
        Severity::Low | Severity::Info => "tag",
    };
    html! { span class=(class) { (severity.name()) } }
}

fn letter(run: &Summary, finding: &Finding) -> Markup {
    let evidence = &finding.evidence;
    html! {
        dl.letter {
            @if let Some(verdict) = finding.verdict {
                dt { "Verdict" }
                dd { (capital(verdict_words(verdict))) "." }
            }
            @if is_availability(finding) {
                @let against = availability::against(run, finding);
                @if !against.is_empty() { dt { (availability::about(finding)) } dd { (said(&against, SENTENCE_LIMIT)) } }
                dt { "When" }
                dd {
                    (bound(&span(finding.first_seen, finding.last_seen))) "."
                    @for event in run.events_of(finding) { " Expected at that time: " (said(&availability::event(event), 2 * NAME_LIMIT)) "." }
                }
            }
            dt { "What we saw" }
            dd {
                (said(&capital(&evidence.observed), 2 * SENTENCE_LIMIT)) " "
                (said(&evidence.expected, SENTENCE_LIMIT))
            }
            dt { "How sure" }
            dd {
                (capital(confidence(finding.confidence))) ": confidence " (percent(finding.confidence)) "."
                @if let Some(q) = evidence.q_value { " " (q_words(q)) }
            }
            dt { "What it may also be" }
            dd {
                @if finding.benign_causes.is_empty() {
                    "No harmless cause is known that would look like this."
                } @else {
                    ol {
                        @for cause in &finding.benign_causes {
                            li {
                                strong { (said(&spoken(&cause.name), NAME_LIMIT)) } ". "
                                (said(&cause.why, SENTENCE_LIMIT))
                            }
                        }
                    }
                }
            }
            dt { "What to do next" }
            dd.next { (said(&finding.next_step, SENTENCE_LIMIT)) }
        }
    }
}

/// What a machine or a court asks for.
fn particulars(finding: &Finding) -> Markup {
    let provenance = &finding.provenance;
    let techniques: Vec<String> = finding.techniques.iter().map(|t| shown(&t.0, NAME_LIMIT)).collect();
    html! {
        details {
            summary { "Particulars " span { "of this finding" } }
            dl.facts {
                dt { "Number" } dd { (shown(&finding.id.0, NAME_LIMIT)) ", revision " (finding.revision) }
                dt { "Detector" } dd { (shown(&finding.detector, NAME_LIMIT)) }
                dt { "First and last row" }
                dd {
                    time datetime=(finding.first_seen) { (minute(finding.first_seen)) } " to "
                    time datetime=(finding.last_seen) { (minute(finding.last_seen)) }
                }
                @if let Some(ended) = finding.ended {
                    dt { "Over since" } dd { time datetime=(ended) { (minute(ended)) } }
                }
                @if let Some(asset) = &finding.asset { dt { "Asset" } dd { (shown(asset, NAME_LIMIT)) } }
                @if let Some(verdict) = finding.verdict { dt { "Kind" } dd { (spoken(verdict.name())) } }
                @if let Some(window) = finding.evidence.window_s { dt { "Window" } dd { (seconds(window as f64)) } }
                @if !techniques.is_empty() { dt { "Techniques" } dd { (techniques.join(", ")) } }
                @for (name, value) in &finding.evidence.counts {
                    dt { (said(&spoken(&name.replace('_', "-")), NAME_LIMIT)) } dd { (figure(*value)) }
                }
                @for (n, source) in provenance.sources.iter().enumerate() {
                    dt { @if n == 0 { "Rows from" } } dd { (said(source, 2 * NAME_LIMIT)) }
                }
            }
        }
    }
}
