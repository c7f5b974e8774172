//! Why a verdict was given, and what may be blocked: the part of a finding that floods and crowds have.

use domain::{Blockable, Finding};
use maud::{Markup, html};

use super::page::{SENTENCE_LIMIT, said};
use super::scale::px;
use super::tables::scroll;
use crate::availability::{WEIGHTS, are_weighed, may_block, unit_of, weight};
use crate::summary::capital;
use crate::words::{NAME_LIMIT, counted, percent, thousands};

/// Rows of the table of what may be blocked.
const RULES_SHOWN: usize = 100;

/// The reasons, the weightiest first, with a bar to the side that each speaks for.
pub(super) fn reasons(finding: &Finding) -> Markup {
    let reasons = &finding.evidence.reasons;
    let unit = unit_of(finding);
    let weighed = are_weighed(reasons);
    let most = reasons.iter().map(|r| r.weight.abs()).filter(|w| w.is_finite()).fold(0.0, f64::max);
    let shares = reasons.iter().any(|reason| reason.share.is_some());
    html! {
        div.block {
            h3 { "Why" }
            (scroll("Why", if weighed { WEIGHTS } else { "Rules that are met." }, &html! {
                thead {
                    tr {
                        th scope="col" { "What was seen" }
                        @if shares { th.n scope="col" { "Share of " (unit) } }
                        @if weighed {
                            th.n scope="col" { "Weight" }
                            th.sides scope="col" { span { "crowd" } span { "attack" } }
                        }
                    }
                }
                tbody {
                    @for reason in reasons {
                        tr {
                            th.long scope="row" { (said(reason.what.trim_end_matches('.'), SENTENCE_LIMIT)) }
                            @if shares { td.n { (reason.share.filter(|s| s.is_finite()).map_or_else(|| "–".to_owned(), percent)) } }
                            @if weighed {
                                td.n { (weight(reason.weight)) }
                                td.sides { (side(reason.weight, most)) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// A bar from the middle to the side that a weight speaks for.
fn side(weight: f64, most: f64) -> Markup {
    let share = if weight.is_finite() && most > 0.0 { weight.abs() / most } else { 0.0 };
    let (left, class) = if weight < 0.0 { (60.0 * (1.0 - share), "due") } else { (60.0, "seen") };
    html! {
        svg viewBox="0 0 120 12" aria-hidden="true" {
            line.limit x1="60" x2="60" y1="0" y2="12" {}
            rect class=(class) x=(px(left)) y="1" width=(px(60.0 * share)) height="10" rx="1" {}
        }
    }
}

/// What may be blocked and what must not, with the list behind it.
pub(super) fn blockable(finding: &Finding, block: &Blockable) -> Markup {
    let unit = unit_of(finding);
    let rules = block.sources.len() + block.signatures.len();
    html! {
        div.block {
            h3 { "What may be blocked, and what must not" }
            @match may_block(block, &unit) {
                Some(words) => p { (said(&words, 2 * SENTENCE_LIMIT)) },
                None => p { "Nothing in this traffic may be blocked without hitting others." },
            }
            @if !block.spare.is_empty() {
                p { "Must not be blocked:" }
                ul.plain {
                    @for spared in &block.spare {
                        li { strong { (said(&spared.what, NAME_LIMIT)) } ". " (said(&spared.why, SENTENCE_LIMIT)) }
                    }
                }
            }
            p.soft { "This is advice to a person. Scrutineer blocks nothing." }
            @if rules > 0 {
                details.rows {
                    summary { "The list " span { "(" (counted(rules.min(RULES_SHOWN) as u64, "line", "lines")) ")" } }
                    (scroll("What may be blocked", "", &html! {
                        thead { tr { th scope="col" { "What" } th.n scope="col" { (capital(&unit)) } } }
                        tbody {
                            @for rule in block.signatures.iter().chain(&block.sources).take(RULES_SHOWN) {
                                tr { th scope="row" { (said(&rule.what, NAME_LIMIT)) } td.n { (thousands(rule.rows)) } }
                            }
                        }
                    }))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn reasons_show_their_side() {
        insta::assert_snapshot!(reasons(&sample::crowd()).into_string().replace("><", ">\n<"));
    }

    #[test]
    fn what_may_and_what_must_not_be_blocked() {
        let flood = sample::flood();
        let block = flood.evidence.blockable.as_ref().expect("the flood has one");
        insta::assert_snapshot!(blockable(&flood, block).into_string().replace("><", ">\n<"));
    }
}
