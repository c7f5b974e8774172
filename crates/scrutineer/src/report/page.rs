//! The page as a whole: the sentence, what to do, the overview, the findings, what was read.

use domain::{Finding, Timestamp};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use traffic::Kind;

use super::{article, tables};
use crate::summary::{
    Summary, capital, group_size, is_availability, is_coordination, q_cell, rows_of, spoken, verdict_name,
};
use crate::words::{NAME_LIMIT, bound, counted, day, minute, percent, shown, thousands};

const STYLE: &str = include_str!("style.css");

/// Nothing may be fetched and nothing may run, should a name ever slip through as markup.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Longest sentence from elsewhere that is shown, in characters.
pub(super) const SENTENCE_LIMIT: usize = 600;

/// Steps in the list at the top; the rest stand with their findings.
const STEPS_SHOWN: usize = 7;

/// Problems with the input that are written out.
const PROBLEMS_SHOWN: usize = 200;

/// Somebody else's words: cut, made safe, and kept from turning the words around them.
pub(super) fn said(words: &str, limit: usize) -> Markup {
    html! { bdi { (bound(&shown(words, limit))) } }
}

/// The page. `now` is the time at which it was made.
pub(crate) fn page(run: &Summary, now: Timestamp) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (run.headline()) " – Scrutineer" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                header.top {
                    b { "Scrutineer" }
                    span { "Report of " time datetime=(now) { (minute(now)) } }
                }
                main id="main" {
                    h1 { (run.headline()) }
                    p.lead { (run.scope()) }
                    @for reason in run.incomplete_because() {
                        p { strong { "The search is not complete." } " " (said(reason, SENTENCE_LIMIT)) }
                    }
                    @if run.findings.is_empty() {
                        (nothing(run))
                    } @else {
                        (to_do(run))
                        (overview(run))
                        @for (place, finding) in run.findings.iter().enumerate() {
                            (article::article(run, place + 1, finding))
                        }
                    }
                    (input(run))
                    @if run.findings.iter().any(is_coordination) { (how_to_read()) }
                }
                footer {
                    p { "A finding says what was observed. It never says who did it. Times are in UTC." }
                }
            }
        }
    };
    page.into_string()
}

fn nothing(run: &Summary) -> Markup {
    let network = run.kinds.keys().any(|kind| *kind != Kind::Post);
    let posts = !network || run.kinds.contains_key(&Kind::Post);
    html! {
        section.part aria-labelledby="meaning" {
            h2 id="meaning" { "What that means" }
            @if run.rows_read == 0 {
                p { "Look at what was wrong with the input below, then run the search again." }
            } @else {
                @if posts {
                    p { "Nothing in these rows goes beyond what chance, audience and habit explain. There is nothing to do." }
                    p.soft { "It says nothing about rows that were not collected, nor about posts that are false but not shared in step." }
                }
                @if network {
                    p { "No flood and no unusual rise shows in the network traffic. There is nothing to do." }
                    p.soft { "It says nothing about traffic that was not collected, nor about what stays below the alarms." }
                }
            }
        }
    }
}

/// What to do next, each step once, with the findings that ask for it.
fn to_do(run: &Summary) -> Markup {
    let mut steps: Vec<(&str, Vec<usize>)> = Vec::new();
    for (place, finding) in run.findings.iter().enumerate() {
        match steps.iter_mut().find(|(step, _)| *step == finding.next_step) {
            Some((_, numbers)) => numbers.push(place + 1),
            None => steps.push((&finding.next_step, vec![place + 1])),
        }
    }
    let rest = steps.len().saturating_sub(STEPS_SHOWN);
    html! {
        section.part aria-labelledby="to-do" {
            h2 id="to-do" { "What to do next" }
            ol.todo {
                @for (step, numbers) in steps.iter().take(STEPS_SHOWN) {
                    li {
                        (said(step, SENTENCE_LIMIT)) " "
                        span.soft {
                            (if numbers.len() == 1 { "Finding " } else { "Findings " })
                            @for (n, number) in numbers.iter().enumerate() {
                                @if n > 0 { ", " }
                                a href={ "#finding-" (number) } { (number) }
                            }
                        }
                    }
                }
            }
            @if rest > 0 { p.soft { "… and " (rest) " more, each with its finding." } }
        }
    }
}

fn overview(run: &Summary) -> Markup {
    // Groups have a size and a q-value, floods and crowds a kind; a table shows what its findings have.
    let kinds = run.findings.iter().any(is_availability);
    let sizes = !kinds || run.findings.iter().any(is_coordination);
    html! {
        section.part aria-labelledby="overview" {
            h2 id="overview" { "Findings, the worst first" }
            table.overview {
                caption.unseen { "Findings, the worst first" }
                thead {
                    tr {
                        th scope="col" { "Severity" }
                        th scope="col" { "What" }
                        @if kinds { th scope="col" { "Kind" } }
                        @if sizes { th.n scope="col" { "Size" } }
                        th.n scope="col" { "Sure" }
                        @if sizes { th.n scope="col" { "q-value" } }
                        th scope="col" { "Last seen" }
                    }
                }
                tbody {
                    @for (place, finding) in run.findings.iter().enumerate() {
                        tr {
                            td { (article::tag(finding.severity)) }
                            th scope="row" {
                                a href={ "#finding-" (place + 1) } { (said(&capital(&finding.title), 2 * NAME_LIMIT)) }
                            }
                            @if kinds { td.nowrap { (finding.verdict.map_or("–", verdict_name)) } }
                            @if sizes { td.n data-label="Size" { (size(finding)) } }
                            td.n data-label="Sure" { (percent(finding.confidence)) }
                            @if sizes { td.n data-label="q" { (q_cell(finding)) } }
                            td.nowrap.soft { time datetime=(finding.last_seen) { (day(finding.last_seen)) } }
                        }
                    }
                }
            }
        }
    }
}

fn size(finding: &Finding) -> String {
    if is_availability(finding) { "–".to_owned() } else { thousands(group_size(finding) as u64) }
}

fn input(run: &Summary) -> Markup {
    html! {
        section.part aria-labelledby="input" {
            h2 id="input" { "What was read and checked" }
            p { (run.scope()) }
            @for note in &run.notes { p { (said(note, SENTENCE_LIMIT)) } }
            dl.facts {
                @for (n, source) in run.sources.iter().enumerate() {
                    dt { @if n == 0 { "Read" } }
                    dd { (said(source, 2 * NAME_LIMIT)) }
                }
                @for (n, check) in run.checked.iter().enumerate() {
                    dt { @if n == 0 { "Checked for" } }
                    dd { (spoken(&check.name)) ": " (check.what) }
                }
                @for (n, check) in run.idle.iter().enumerate() {
                    @let kinds: Vec<String> = check.kinds.iter().map(|kind| rows_of(*kind).1.to_owned()).collect();
                    dt { @if n == 0 { "Not checked" } }
                    dd { (spoken(&check.name)) ": no " (kinds.join(" or ")) " were read" }
                }
            }
            @if !run.problems.is_empty() { (problems(run)) }
        }
    }
}

fn problems(run: &Summary) -> Markup {
    let all = run.problems.len();
    let note = if all > PROBLEMS_SHOWN {
        format!("The first {PROBLEMS_SHOWN} of {} problems with the input.", thousands(all as u64))
    } else {
        format!("{} with the input.", counted(all as u64, "kind of problem", "kinds of problem"))
    };
    tables::scroll(
        "Problems with the input",
        &note,
        &html! {
            thead { tr { th scope="col" { "Source" } th scope="col" { "What" } th.n scope="col" { "Times" } th scope="col" { "Where" } } }
            tbody {
                @for problem in run.problems.iter().take(PROBLEMS_SHOWN) {
                    tr {
                        th scope="row" { (said(&problem.source, 2 * NAME_LIMIT)) }
                        td { (said(&problem.what, SENTENCE_LIMIT)) }
                        td.n { (thousands(problem.count)) }
                        td { (problem.where_in()) }
                    }
                }
            }
        },
    )
}

fn how_to_read() -> Markup {
    html! {
        section.part aria-labelledby="reading" {
            h2 id="reading" { "How to read this" }
            dl.letter {
                dt { "In step" }
                dd { "Two accounts are in step on an object when both shared it within the stated window." }
                dt { "Expected" }
                dd { "How often that would happen if each account kept its own habits and hours, and each object its own popularity, and nobody looked at anybody else." }
                dt { "q-value" }
                dd { "The share of findings at least this strong that would be chance, after counting everything that was tested. Smaller is surer." }
                dt { "Severity and confidence" }
                dd { "Severity is how bad it is if it is so; confidence is how sure it is that it is so. One does not follow from the other." }
                dt { "Names" }
                dd { "Names that begin with p_ stand for accounts. Only the holder of the case's key can tell which account one stands for." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sample;

    use crate::summary::{Check, InputProblem};

    const NOW: Timestamp = Timestamp(1_632_700_000_000);

    fn summary(findings: Vec<Finding>) -> Summary {
        let mut run = Summary {
            findings,
            notes: vec!["58,317 accounts shared 32,000 objects.".to_owned()],
            problems: vec![InputProblem {
                source: "german_url.csv".to_owned(),
                what: "time is neither a number nor RFC 3339".to_owned(),
                count: 2,
                lines: vec![7, 1_204],
                excerpt: "ana@example.org".to_owned(),
            }],
            sources: vec!["german_url.csv".to_owned()],
            rows_read: 218_971,
            rows_refused: 2,
            checked: vec![Check {
                name: "coordinated-sharing".to_owned(),
                what: "groups of accounts that share the same things at nearly the same time".to_owned(),
                kinds: vec![Kind::Post],
            }],
            idle: vec![Check {
                name: "volumetric-ddos".to_owned(),
                what: "floods of packets".to_owned(),
                kinds: vec![Kind::Flow],
            }],
            ..Summary::default()
        };
        run.sort();
        run
    }

    fn floods() -> Summary {
        let start = sample::crowd().first_seen;
        Summary {
            kinds: [(Kind::Flow, 186_004), (Kind::Request, 38_400)].into(),
            problems: Vec::new(),
            events: vec![domain::ExpectedEvent {
                name: "Polls close".to_owned(),
                from: start,
                until: Timestamp(start.millis() + 7_200_000),
                asset: Some("results-site".to_owned()),
            }],
            assets: [("results-site".to_owned(), "Results site".to_owned())].into(),
            ..summary(vec![sample::flood(), sample::crowd()])
        }
    }

    /// The pages to look at. With `SCRUTINEER_PAGES=DIR cargo test` they are written there.
    fn pages() -> Vec<(&'static str, String)> {
        let mut small = sample::finding(3);
        small.severity = domain::Severity::Low;
        let many = vec![sample::finding(12), small, sample::other_finding()];
        let quiet = Summary { problems: Vec::new(), rows_refused: 0, ..summary(Vec::new()) };
        let pages = vec![
            ("quiet", page(&quiet, NOW)),
            ("unread", page(&Summary::default(), NOW)),
            ("findings", page(&summary(many), NOW)),
            ("crowd", page(&summary(vec![sample::finding(80)]), NOW)),
            ("floods", page(&floods(), NOW)),
            ("hostile-flood", page(&summary(vec![sample::hostile_flood()]), NOW)),
            ("hostile", page(&summary(vec![sample::hostile_finding(), sample::finding(3)]), NOW)),
        ];
        if let Some(folder) = std::env::var_os("SCRUTINEER_PAGES") {
            for (name, text) in &pages {
                let file = std::path::Path::new(&folder).join(name).with_extension("html");
                std::fs::write(file, text).expect("the folder can be written");
            }
        }
        pages
    }

    /// Every start tag of the page, without its angle brackets. Text has no `<`: it is escaped.
    fn tags(page: &str) -> Vec<&str> {
        page.split('<').skip(1).filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag)).collect()
    }

    fn attributes<'a>(tags: &[&'a str], name: &str) -> Vec<&'a str> {
        let before = format!(" {name}=\"");
        tags.iter().filter_map(|tag| Some(tag.split_once(&before)?.1.split_once('"')?.0)).collect()
    }

    #[test]
    fn a_page_fetches_nothing_and_runs_nothing() {
        for (name, page) in pages() {
            let tags = tags(&page);
            for tag in &tags {
                let element = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or_default();
                assert!(
                    !["script", "link", "img", "iframe", "object", "embed", "image", "use"]
                        .contains(&element),
                    "{name}: <{tag}>"
                );
            }
            for attribute in ["src", "srcset", "action", "style", "onload", "onclick", "xlink:href"] {
                assert!(attributes(&tags, attribute).is_empty(), "{name}: {attribute}");
            }
            assert!(attributes(&tags, "href").iter().all(|target| target.starts_with('#')), "{name}");
            assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
        }
    }

    #[test]
    fn ids_are_unique_and_every_link_arrives() {
        for (name, page) in pages() {
            let tags = tags(&page);
            let ids = attributes(&tags, "id");
            let unique: BTreeSet<&str> = ids.iter().copied().collect();
            assert_eq!(ids.len(), unique.len(), "{name}: {ids:?}");
            for target in attributes(&tags, "href") {
                assert!(unique.contains(&target[1..]), "{name}: {target}");
            }
            for target in attributes(&tags, "aria-labelledby") {
                assert!(unique.contains(target), "{name}: {target}");
            }
        }
    }

    #[test]
    fn every_tag_is_closed_in_order() {
        const VOID: [&str; 2] = ["meta", "br"];
        for (name, page) in pages() {
            let mut open: Vec<&str> = Vec::new();
            for tag in tags(&page) {
                if let Some(closed) = tag.strip_prefix('/') {
                    assert_eq!(open.pop(), Some(closed), "{name}");
                } else {
                    let element = tag.split(' ').next().unwrap_or_default();
                    if !VOID.contains(&element) && !tag.starts_with('!') {
                        open.push(element);
                    }
                }
            }
            assert!(open.is_empty(), "{name}: {open:?}");
        }
    }

    #[test]
    fn a_hostile_name_is_only_text() {
        let page = page(&summary(vec![sample::hostile_finding()]), NOW);
        assert!(page.contains("&lt;script&gt;"));
        assert!(!page.contains("<script") && !page.contains('\u{202E}') && !page.contains('\u{1b}'));
        assert!(!page.contains(&"Ä".repeat(SENTENCE_LIMIT)), "long names are cut");
        for broken in ["NaN", "inf\"", "=\"-"] {
            assert!(!page.contains(broken), "{broken}");
        }
    }

    #[test]
    fn the_page_of_a_quiet_night_says_what_was_read_and_asks_for_nothing() {
        let page = page(&Summary { problems: Vec::new(), ..summary(Vec::new()) }, NOW);
        for part in ["<h1>Nothing found in 218,971 rows.</h1>", "There is nothing to do.", "german_url.csv"] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("What to do next") && !page.contains("class=\"tag bad\""));
    }

    #[test]
    fn what_stood_in_a_bad_row_is_not_in_the_report() {
        let page = page(&summary(Vec::new()), NOW);
        assert!(page.contains("lines 7, 1,204") && !page.contains("ana@example.org"));
    }

    #[test]
    fn groups_carry_the_caveat_and_others_do_not() {
        let caveat = crate::summary::CAVEAT;
        let page = page(&summary(vec![sample::finding(12), sample::other_finding()]), NOW);
        assert_eq!(page.matches(caveat).count(), 1);
    }

    #[test]
    fn the_same_run_gives_the_same_page() {
        assert_eq!(pages(), pages());
    }
}
