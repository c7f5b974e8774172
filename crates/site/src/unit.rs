//! The page of a unit that reports: what its count centre says, what it said before, and how to check it.

use maud::{Markup, html};
use results::board::{Chain, Link};
use results::id::{ContestId, UnitId};
use results::lines::hex;
use results::returns::{Return, Status};

use crate::level::{counts, lead, list_name, lists, turnout};
use crate::page::{NAME, Page, check, fitting, unit_name, way};
use crate::words::{LANGUAGES, Words, fill, shown};
use crate::{Site, history, path};

/// Candidates in the table of a page.
const CANDIDATES: usize = 150;

/// The page.
pub(crate) fn page(site: &Site<'_>, words: &Words, contest: &ContestId, unit: &UnitId) -> String {
    fitting(&|part| page_of(site, words, contest, unit, part))
}

fn page_of(site: &Site<'_>, words: &Words, contest: &ContestId, unit: &UnitId, part: usize) -> String {
    let here = path::unit(words, contest, unit, 0);
    let chain = site.chain(contest, unit);
    let name = unit_name(site, unit);
    let title = heading(words, &name, chain);
    let links = chain.map_or(&[][..], Chain::links);
    let body = html! {
        (way(site, words, &here, contest, unit))
        h1 { (title) }
        p.soft { (words.kind(site.election().definition.units[unit].kind)) " " (unit) }
        @if let Some(link) = chain.and_then(Chain::current) {
            (statement(site, words, contest, unit, link, part))
        } @else if links.is_empty() {
            p.lead { (words.t.station_none_lead) }
        }
        @if chain.is_some_and(Chain::is_in_question) {
            h2 { (words.t.in_question_unit) }
            p { (fill(words.t.in_question_note, &["1"])) }
        }
        @if links.len() > 1 { (history::table(site, words, &here, contest, links, part)) }
        (how(site, words, &here, contest, unit, chain))
    };
    let others = LANGUAGES.iter().map(|words| path::unit(words, contest, unit, 0)).collect();
    Page { words, path: here, title, others, body }.render(site)
}

fn heading(words: &Words, name: &str, chain: Option<&Chain>) -> String {
    let t = &words.t;
    let Some(chain) = chain else { return fill(t.station_none, &[name]) };
    match chain.current() {
        None => fill(t.station_question, &[name]),
        Some(link) => match &link.content {
            None => fill(t.station_retracted, &[name]),
            Some(it) => fill(t.station_lead, &[name, &words.n(it.tally.votes().0)]),
        },
    }
}

/// What counts: the numbers of the last statement that is not in question.
fn statement(
    site: &Site<'_>,
    words: &Words,
    contest: &ContestId,
    unit: &UnitId,
    link: &Link,
    part: usize,
) -> Markup {
    let t = &words.t;
    let (election, zone) = (site.election(), &site.options.zone);
    let time = words.time(link.time, zone);
    let Some(it) = &link.content else {
        return html! { p.lead { (fill(t.retracted_lead, &[&time, words.reason(link.reason)])) } };
    };
    let known = &election.definition.contests[contest];
    let (signer, revision) = (shown(&link.signer, NAME), words.n(u64::from(link.revision)));
    let status = if it.status == Status::Final { t.final_ } else { t.provisional };
    let unit = &election.definition.units[unit];
    html! {
        p.lead { (lead(words, known, &it.tally)) }
        p.soft {
            (fill(t.statement, &[&revision, &signer, &time])) " "
            @if link.revision > 1 {
                (fill(t.replaced, &[&words.n(u64::from(link.revision - 1)), words.reason(link.reason)]))
            } @else { (t.first_statement) }
            " (" (status) ")"
        }
        @if !it.flags.is_empty() { (flags(words, it)) }
        (lists(words, known, &it.tally, None, part))
        (candidates(words, known, it, CANDIDATES / part))
        h2 { (t.numbers) }
        (counts(words, &it.tally))
        @if let Some((share, note)) = turnout(words, unit.eligible, unit.kind.bounds_turnout(), &it.tally) {
            p { strong { (t.turnout) " " (share) "." } " " (note) }
        } @else if !unit.kind.bounds_turnout() { p.soft { (t.eligible_note) } }
    }
}

fn flags(words: &Words, it: &Return) -> Markup {
    html! {
        h2 { (words.t.flags) }
        p { (words.t.flags_lead) }
        ul.plain {
            @for flag in it.flags.iter().take(20) { li { (words.flag(flag)) " " span.soft { "(" (flag) ")" } } }
        }
    }
}

fn candidates(words: &Words, contest: &results::definition::Contest, it: &Return, most: usize) -> Markup {
    let rows: Vec<_> = it
        .tally
        .lists
        .iter()
        .flat_map(|(id, list)| list.candidates.iter().map(move |(number, n)| (id, *number, n.0)))
        .collect();
    if rows.is_empty() {
        return html! {};
    }
    let name = |id: &results::ListId, number: u32| {
        let name = contest.lists.get(id).and_then(|list| list.candidates.get(&number));
        name.map_or_else(|| number.to_string(), |name| shown(name, NAME))
    };
    html! {
        h2 { (words.t.candidates) }
        table {
            thead { tr {
                th scope="col" { (words.t.candidates) } th scope="col" { (words.t.list) } th.n scope="col" { (words.t.votes) }
            } }
            tbody {
                @for (id, number, n) in rows.iter().take(most) {
                    tr {
                        th scope="row" { (number) " " bdi { (name(id, *number)) } }
                        td { bdi { (shown(&list_name(contest, id), 30)) } }
                        td.n { (words.n(*n)) }
                    }
                }
            }
        }
        @if rows.len() > most {
            p.soft { (fill(words.t.candidates_more, &[&words.n((rows.len() - most) as u64)])) }
        }
    }
}

fn how(
    site: &Site<'_>,
    words: &Words,
    here: &str,
    contest: &ContestId,
    unit: &UnitId,
    chain: Option<&Chain>,
) -> Markup {
    let t = &words.t;
    let to = |file: &str| path::relative(here, file);
    let last = chain.and_then(|chain| chain.current().or(chain.links().last()));
    let rows = html! {
        @if let Some(link) = last {
            dt { (t.check_entry) } dd { (words.n(link.index)) }
            dt { (t.check_leaf) } dd { code { (hex(&link.leaf)) } }
            dt { (t.check_document) } dd { a href=(to(&path::entry(link.index))) { (path::entry(link.index)) } }
            dt { (t.check_proof) } dd { a href=(to(&path::proof(link.index))) { (path::proof(link.index)) } }
        }
    };
    let several = site.election().definition.contests.len() > 1;
    let contest = if several { format!(" --contest {contest}") } else { String::new() };
    check(site, words, &rows, &format!(" --unit {unit}{contest} --number 'count valid'"))
}
