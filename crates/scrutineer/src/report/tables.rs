//! The tables behind the pictures.

use std::collections::BTreeMap;

use domain::{Member, Sample, Sensitivity, SharedObject};
use maud::{Markup, html};

use super::page::said;
use crate::words::{NAME_LIMIT, counted, figure, percent, q_figure, seconds, shown, thousands, time};

/// Tables up to this length stand open.
const OPEN_ROWS: usize = 12;

/// What was shared, in order of time.
pub(super) fn objects(objects: &[SharedObject], members: &[Member]) -> Markup {
    let numbers: BTreeMap<&str, usize> =
        members.iter().enumerate().map(|(n, member)| (member.account.as_str(), n + 1)).collect();
    let table = html! {
        (scroll("What was shared", "Expected is the share of members that the object's own popularity would bring in step. Times are in UTC.", &html! {
                thead {
                    tr {
                        th.n scope="col" { "No." }
                        th.long scope="col" { "Object" }
                        th.n scope="col" { "Members" }
                        th.n scope="col" { "In step" }
                        th.n scope="col" { "Expected" }
                        th.n scope="col" { "Others" }
                        th.n scope="col" { "Span" }
                        th scope="col" { "First share" }
                        th scope="col" { "Led by" }
                    }
                }
                tbody {
                    @for (n, object) in objects.iter().enumerate() {
                        tr {
                            td.n { (n + 1) }
                            th.long scope="row" {
                                (said(&object.object, NAME_LIMIT)) " "
                                span.soft { (shown(&object.trace, 24)) }
                            }
                            td.n { (thousands(object.members.into())) }
                            td.n { (thousands(object.in_step.into())) }
                            td.n { @if object.expected_rate.is_finite() { (percent(object.expected_rate)) } @else { "unknown" } }
                            td.n { (thousands(object.others.into())) }
                            td.n { (seconds(object.span_s)) }
                            td.nowrap { time datetime=(object.first) { (time(object.first)) } }
                            td.nowrap {
                                @if let Some(number) = numbers.get(object.leader.as_str()) {
                                    "No. " (number)
                                } @else {
                                    span.id { (said(&object.leader, 16)) }
                                }
                            }
                        }
                    }
                }
        }))
    };
    block("What was shared", &counted(objects.len() as u64, "object", "objects"), objects.len(), &table)
}

/// How often the group was in step for each window, beside what was to be expected.
pub(super) fn sensitivity(rows: &[Sensitivity], window_s: Option<u64>) -> Markup {
    let most =
        rows.iter().flat_map(|r| [r.observed, r.expected]).filter(|x| x.is_finite()).fold(1.0, f64::max);
    html! {
        div.block {
            h3 { "Observed and expected, for each window" }
            (scroll("Observed and expected, for each window", "Times that members were in step, and times that chance, audience and habit would explain. Both bars begin at zero and share one scale.", &html! {
                    thead {
                        tr {
                            th scope="col" { "Window" }
                            th scope="col" { "Times in step" }
                            th.n scope="col" { "Times as often" }
                            th.n scope="col" { "Likelier in step than not" }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                th.nowrap scope="row" {
                                    (seconds(row.window_s as f64))
                                    @if Some(row.window_s) == window_s { br; span.soft { "clearest" } }
                                }
                                td.bars {
                                    div { (bar("seen", row.observed / most)) span { (figure(row.observed)) " observed" } }
                                    div { (bar("due", row.expected / most)) span { (figure(row.expected)) " expected" } }
                                }
                                td.n { (times(row.observed / row.expected)) }
                                td.n { (odds(row.log_evidence)) }
                            }
                        }
                    }
            }))
        }
    }
}

/// The accounts of the group, the surest first, with the numbers that the picture uses.
pub(super) fn members(members: &[Member]) -> Markup {
    let table = scroll(
        "Members",
        "Lag is the median time behind the group's first share. q is the share of accounts named at least this surely that would be named by chance.",
        &html! {
                thead {
                    tr {
                        th.n scope="col" { "No." }
                        th scope="col" { "Account" }
                        th scope="col" { "Platform" }
                        th.n scope="col" { "Objects" }
                        th.n scope="col" { "In step" }
                        th.n scope="col" { "Expected" }
                        th.n scope="col" { "Lag" }
                        th.n scope="col" { "Led" }
                        th.n scope="col" { "q" }
                    }
                }
                tbody {
                    @for (n, member) in members.iter().enumerate() {
                        tr {
                            td.n { (n + 1) }
                            th.id scope="row" { (said(&member.account, 48)) }
                            td { (member.platform.as_deref().map_or_else(|| "–".to_owned(), |p| shown(p, 24))) }
                            td.n { (thousands(member.objects.into())) }
                            td.n { (thousands(member.in_step.into())) }
                            td.n { (figure(member.expected)) }
                            td.n { (seconds(member.median_lag_s)) }
                            td.n { (thousands(member.led.into())) }
                            td.n { (q_figure(member.q_value)) }
                        }
                    }
                }
        },
    );
    block("Members", &counted(members.len() as u64, "account", "accounts"), members.len(), &table)
}

/// Rows to look at, closed until somebody wants them.
/// `of_hosts` says that they are rows of hosts and not of accounts.
pub(super) fn samples(samples: &[Sample], of_hosts: bool) -> Markup {
    let (who, note) = if of_hosts {
        ("Address", "Times are in UTC. Lag is the time since the start.")
    } else {
        (
            "Account",
            "Times are in UTC. Lag is the time behind the first member that acted on the same object.",
        )
    };
    html! {
        details.rows {
            summary { "Rows to look at " span { "(" (counted(samples.len() as u64, "row", "rows")) ")" } }
            (scroll("Rows to look at", note, &html! {
                    thead {
                        tr {
                            th scope="col" { "Time" }
                            th scope="col" { (who) }
                            th scope="col" { "Did" }
                            th.long scope="col" { "Object" }
                            th.n scope="col" { "Lag" }
                        }
                    }
                    tbody {
                        @for sample in samples {
                            tr {
                                td.nowrap { (time(sample.time)) }
                                th.id scope="row" { (said(&sample.account, 48)) }
                                td { (shown(&sample.action, 24)) }
                                td.long { (said(&sample.object, NAME_LIMIT)) }
                                td.n { (seconds(sample.lag_s)) }
                            }
                        }
                    }
            }))
        }
    }
}

/// A short table stands open under its heading; a long one waits behind its summary.
fn block(heading: &str, size: &str, rows: usize, table: &Markup) -> Markup {
    if rows <= OPEN_ROWS {
        html! { div.block { h3 { (heading) } (table) } }
    } else {
        html! { details { summary { (heading) " " span { "(" (size) ")" } } (table) } }
    }
}

/// A table under a note. It may be wider than the screen; the keyboard can reach and move it.
pub(super) fn scroll(label: &str, note: &str, rows: &Markup) -> Markup {
    html! {
        @if !note.is_empty() { p.soft { (note) } }
        div.scroll role="region" aria-label=(label) tabindex="0" {
            table { caption.unseen { (label) } (rows) }
        }
    }
}

fn bar(class: &str, share: f64) -> Markup {
    let width = if share.is_finite() { (share * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    html! { svg aria-hidden="true" { rect class=(class) height="10" rx="1" width=(format!("{width:.1}%")) {} } }
}

fn times(ratio: f64) -> String {
    if ratio.is_finite() { format!("{} ×", figure(ratio)) } else { "–".to_owned() }
}

/// Natural logarithm of odds as times: small ones written out, great ones as a power of ten.
fn odds(log: f64) -> Markup {
    let tens = log / std::f64::consts::LN_10;
    if !tens.is_finite() {
        return html! { "–" };
    }
    if tens.abs() < 5.0 {
        return html! { (figure(log.exp())) " ×" };
    }
    html! { "10" sup { (format!("{tens:.0}").replace('-', "−")) } " ×" }
}
