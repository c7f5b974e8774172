//! Pages of sums: the nation, a district, a municipality; the first page; the page of corrections.

use maud::{Markup, html};
use results::board::Link;
use results::definition::Contest;
use results::id::{ContestId, ListId, UnitId};
use results::tally::{Count, ListVotes, Tally};
use results::totals::Sum;

use crate::page::{Page, bar, check, fitting, name, unit_name, way};
use crate::words::{LANGUAGES, Words, fill, shown};
use crate::{File, Site, notices, path, seats};

/// Units in the table of one page.
const UNITS: usize = 80;
/// Units that are named as missing; their own pages say so too.
const MISSING: usize = 60;
/// Lists in the table of a page.
const LISTS: usize = 60;
/// Amendments on the page of corrections.
const AMENDMENTS: usize = 100;
/// Contests on the first page.
const CONTESTS: usize = 40;

/// The pages of a unit that is summed: one for each eighty units below it.
pub(crate) fn pages<'s>(
    site: &'s Site<'_>,
    words: &'static Words,
    contest: &'s ContestId,
    unit: &'s UnitId,
) -> Vec<File<'s>> {
    let n_pages = below(site, contest, unit).len().div_ceil(UNITS).max(1);
    (0..n_pages)
        .map(|at| {
            let path = path::unit(words, contest, unit, at);
            let make = move |part| level(site, words, contest, unit, (at, n_pages), part);
            File::page(path, move || fitting(&make).into_bytes())
        })
        .collect()
}

/// Units directly below, in which the contest is held.
fn below<'s>(site: &'s Site<'_>, contest: &ContestId, unit: &UnitId) -> Vec<&'s UnitId> {
    let all = site.children.get(unit).map_or(&[][..], Vec::as_slice).iter();
    all.filter(|unit| site.totals.contains_key(&(contest.clone(), (**unit).clone()))).copied().collect()
}

fn level(
    site: &Site<'_>,
    words: &Words,
    contest: &ContestId,
    unit: &UnitId,
    (at, of): (usize, usize),
    part: usize,
) -> String {
    let here = path::unit(words, contest, unit, at);
    let others = LANGUAGES.iter().map(|words| path::unit(words, contest, unit, at)).collect();
    let (title, body) = if site.is_open() {
        let sum = &site.totals[&(contest.clone(), unit.clone())];
        let title = heading(words, &unit_name(site, unit), sum);
        let head = html! {
            (way(site, words, &here, contest, unit))
            h1 { (title) }
        };
        let body = html! {
            (head)
            @if at == 0 { (result(site, words, contest, unit, sum, part)) }
            (units(site, words, &here, contest, unit, (at, of)))
            @if at == 0 { (how(site, words, contest, unit)) }
        };
        (title, body)
    } else {
        sealed(site, words, &unit_name(site, unit))
    };
    Page { words, path: here, title, others, body }.render(site)
}

fn heading(words: &Words, name: &str, sum: &Sum) -> String {
    let (counted, due) = (words.n(sum.counted), words.n(sum.due));
    match sum.counted {
        0 => fill(words.t.none_counted, &[name]),
        n if n == sum.due => fill(words.t.all_counted, &[name, &due]),
        _ => fill(words.t.counted_of, &[name, &counted, &due]),
    }
}

/// Who leads, how much is counted, the lists, the seats, the ballots, what is missing.
fn result(
    site: &Site<'_>,
    words: &Words,
    contest: &ContestId,
    unit: &UnitId,
    sum: &Sum,
    part: usize,
) -> Markup {
    let t = &words.t;
    let known = &site.election().definition.contests[contest];
    let seats = (known.unit == *unit).then(|| seats::of(site, contest, sum)).flatten();
    let label = fill(t.progress_label, &[&words.n(sum.counted), &words.n(sum.due)]);
    let share = sum.counted * 1000 / sum.due.max(1);
    html! {
        p.lead { (lead(words, known, &sum.tally)) }
        svg.done viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" aria-label=(label) {
            rect.off width="1000" height="8" {}
            rect.on width=(share) height="8" {}
        }
        p.soft { (label) ". " @if sum.counted < sum.due { a href="#missing" { (t.missing) } } @else { (t.not_final) } }
        (lists(words, known, &sum.tally, seats.as_ref().map(|seats| &seats.outcome.seats), part))
        @if let Some(seats) = &seats { h2 { (t.seats) } (seats.notes(words)) }
        (ballots(site, words, unit, sum))
        @if sum.in_question > 0 {
            h2 { (t.in_question) }
            p { (fill(t.in_question_note, &[&words.n(sum.in_question)])) }
        }
        (missing(site, words, contest, unit, MISSING / part))
    }
}

/// Who has the most votes, as one says it aloud.
pub(crate) fn lead(words: &Words, contest: &Contest, tally: &Tally) -> String {
    let ranked = ranked(tally);
    let all = tally.votes().0;
    let (first, second) = (ranked.first(), ranked.get(1));
    match (first, second) {
        (Some((votes, id)), None) if *votes > 0 => {
            fill(words.t.alone, &[&list_name(contest, id), &words.n(*votes)])
        }
        (Some((votes, id)), Some((next, other))) if *votes > 0 && votes == next => {
            fill(words.t.tied_lead, &[&list_name(contest, id), &list_name(contest, other), &words.n(*votes)])
        }
        (Some((votes, id)), Some(_)) if *votes > 0 => {
            let share = words.percent(*votes, all);
            fill(words.t.leads, &[&list_name(contest, id), &words.n(*votes), &words.n(all), &share])
        }
        _ => words.t.no_votes.to_owned(),
    }
}

fn ranked(tally: &Tally) -> Vec<(u64, &ListId)> {
    let mut lists: Vec<_> = tally.lists.iter().map(|(id, list)| (ListVotes::votes(list).0, id)).collect();
    lists.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    lists
}

/// The name of a list, or its id where it has none.
pub(crate) fn list_name(contest: &Contest, id: &ListId) -> String {
    let name = contest.lists.get(id).map_or("", |list| list.name.as_str());
    shown(if name.trim().is_empty() { id.as_str() } else { name }, crate::page::NAME)
}

/// The lists by votes, each with a bar from zero to the most votes of any.
pub(crate) fn lists(
    words: &Words,
    contest: &Contest,
    tally: &Tally,
    seats: Option<&std::collections::BTreeMap<ListId, u32>>,
    part: usize,
) -> Markup {
    let t = &words.t;
    let shown_lists = LISTS / part;
    let ranked = ranked(tally);
    let all = tally.votes().0;
    let most = ranked.first().map_or(0, |(votes, _)| *votes);
    html! {
        div.part {
            table {
                thead { tr {
                    th scope="col" { (t.list) }
                    th.b scope="col" aria-hidden="true" {}
                    th.n scope="col" { (t.votes) }
                    th.n scope="col" { (t.share) }
                    @if seats.is_some() { th.n scope="col" { (t.seats) } }
                } }
                tbody {
                    @for (votes, id) in ranked.iter().take(shown_lists) {
                        tr {
                            th scope="row" { bdi { (list_name(contest, id)) } }
                            td.b aria-hidden="true" { (bar(*votes, most)) }
                            td.n { (words.n(*votes)) }
                            td.n { (words.percent(*votes, all)) }
                            @if let Some(seats) = seats { td.n { (seats.get(*id).copied().unwrap_or(0)) } }
                        }
                    }
                }
            }
            @if ranked.len() > shown_lists { p.soft { (fill(t.lists_more, &[&words.n((ranked.len() - shown_lists) as u64)])) } }
        }
    }
}

/// What was counted beside votes, and the turnout where it means something.
fn ballots(site: &Site<'_>, words: &Words, unit: &UnitId, sum: &Sum) -> Markup {
    let t = &words.t;
    let known = &site.election().definition.units[unit];
    let turnout = turnout(words, known.eligible, known.kind.bounds_turnout(), &sum.tally);
    html! {
        h2 { (t.numbers) }
        (counts(words, &sum.tally))
        @if sum.counted < sum.due { p.soft { (t.turnout_wait) } }
        @else if let Some((share, note)) = turnout { p { strong { (t.turnout) " " (share) "." } " " (note) } }
    }
}

/// A table of what was counted beside votes.
pub(crate) fn counts(words: &Words, tally: &Tally) -> Markup {
    let known = tally.counts.iter().filter(|(count, _)| !matches!(count, Count::Other(_)));
    html! {
        table {
            tbody {
                @for (count, n) in known {
                    tr { th scope="row" { (words.count(count)) } td.n { (words.n(n.0)) } }
                }
            }
        }
    }
}

/// The turnout with the figures that it is made of.
pub(crate) fn turnout(
    words: &Words,
    eligible: Option<u64>,
    is_bound: bool,
    tally: &Tally,
) -> Option<(String, String)> {
    let cast = tally.count(&Count::Cast)?.0;
    let eligible = tally.count(&Count::Eligible).map(|n| n.0).or(eligible).filter(|n| *n > 0 && is_bound)?;
    let share = words.percent(cast, eligible);
    let note = fill(words.t.turnout_note, &[&words.n(cast), &words.n(eligible)]);
    Some((share, note))
}

fn missing(site: &Site<'_>, words: &Words, contest: &ContestId, unit: &UnitId, most: usize) -> Markup {
    let t = &words.t;
    let definition = &site.election().definition;
    let is_counted = |unit: &UnitId| site.chain(contest, unit).is_some_and(|chain| chain.content().is_some());
    let missing: Vec<&UnitId> = site.due[contest]
        .iter()
        .filter(|each| definition.is_under(each, unit) && !is_counted(each))
        .copied()
        .collect();
    let here = path::unit(words, contest, unit, 0);
    html! {
        h2 id="missing" { (t.missing) }
        @if missing.is_empty() { p { (t.missing_none) } }
        @else {
            p {
                @for (n, unit) in missing.iter().take(most).enumerate() {
                    @if n > 0 { ", " }
                    a href=(path::relative(&here, &path::unit(words, contest, unit, 0))) { bdi { (unit_name(site, unit)) } }
                    " (" (unit) ")"
                }
                @if missing.len() > most { " " (fill(t.missing_more, &[&words.n((missing.len() - most) as u64)])) }
                "."
            }
        }
    }
}

fn units(
    site: &Site<'_>,
    words: &Words,
    here: &str,
    contest: &ContestId,
    unit: &UnitId,
    (at, of): (usize, usize),
) -> Markup {
    let t = &words.t;
    let known = &site.election().definition.contests[contest];
    let below = below(site, contest, unit);
    if below.is_empty() {
        return html! {};
    }
    let rows = below.iter().skip(at * UNITS).take(UNITS);
    html! {
        h2 { (t.below) }
        @if of > 1 { (page_links(words, here, contest, unit, (at, of))) }
        table {
            thead { tr {
                th scope="col" { (t.unit) } th.n scope="col" { (t.reported) } th.n scope="col" { (t.votes) } th.most scope="col" { (t.most_votes) }
            } }
            tbody {
                @for id in rows {
                    @let sum = &site.totals[&(contest.clone(), (*id).clone())];
                    @let ranked = ranked(&sum.tally);
                    tr {
                        th scope="row" {
                            a href=(path::relative(here, &path::unit(words, contest, id, 0))) { bdi { (unit_name(site, id)) } }
                        }
                        td.n { (fill(t.of, &[&words.n(sum.counted), &words.n(sum.due)])) }
                        td.n { (words.n(sum.tally.votes().0)) }
                        td.most { @if let Some((1.., id)) = ranked.first() { bdi { (shown(&list_name(known, id), 30)) } } @else { "–" } }
                    }
                }
            }
        }
    }
}

fn page_links(
    words: &Words,
    here: &str,
    contest: &ContestId,
    unit: &UnitId,
    (at, of): (usize, usize),
) -> Markup {
    let label = |n: usize| fill(words.t.page_of, &[&words.n(n as u64 + 1), &words.n(of as u64)]);
    let to = |n: usize| path::relative(here, &path::unit(words, contest, unit, n));
    html! {
        p {
            @if at > 0 { a rel="prev" href=(to(at - 1)) { "‹ " (label(at - 1)) } " · " }
            (label(at))
            @if at + 1 < of { " · " a rel="next" href=(to(at + 1)) { (label(at + 1)) " ›" } }
        }
    }
}

fn how(site: &Site<'_>, words: &Words, contest: &ContestId, unit: &UnitId) -> Markup {
    let several = site.election().definition.contests.len() > 1;
    let contest = if several { format!(" --contest {contest}") } else { String::new() };
    let arguments = format!(" --unit {unit}{contest} --number 'count valid'");
    html! {
        (check(site, words, &html! {}, &arguments))
        p { (words.t.check_sum) }
    }
}

/// The first page: each contest with its result, how much is counted, and who has seen the log.
pub(crate) fn home(site: &Site<'_>, words: &Words) -> String {
    fitting(&|part| home_of(site, words, part))
}

fn home_of(site: &Site<'_>, words: &Words, part: usize) -> String {
    let t = &words.t;
    let here = path::home(words);
    let definition = &site.election().definition;
    let title = shown(&definition.title, crate::page::NAME);
    let others = LANGUAGES.iter().map(|words| path::home(words)).collect();
    let (title, body) = if site.is_open() {
        let tops = definition.contests.iter().take(CONTESTS);
        let sums = definition.contests.iter().map(|(id, it)| &site.totals[&(id.clone(), it.unit.clone())]);
        let (due, counted) = sums.fold((0, 0), |(due, counted), sum| (due + sum.due, counted + sum.counted));
        let heading = match counted {
            0 => fill(t.none_counted, &[&title]),
            n if n == due => fill(t.all_counted, &[&title, &words.n(due)]),
            n => fill(t.counted_of, &[&title, &words.n(n), &words.n(due)]),
        };
        let body = html! {
            h1 { (heading) }
            @for (id, contest) in tops {
                @let sum = &site.totals[&(id.clone(), contest.unit.clone())];
                @let page = path::relative(&here, &path::unit(words, id, &contest.unit, 0));
                @if definition.contests.len() > 1 { h2 { a href=(page) { (name(&contest.title)) } } }
                p { (lead(words, contest, &sum.tally)) }
                p.soft {
                    (fill(t.progress_label, &[&words.n(sum.counted), &words.n(sum.due)])) ". "
                    a href=(page) { (t.details) }
                }
                @let seats = seats::of(site, id, sum);
                @if definition.contests.len() <= 3 {
                    (lists(words, contest, &sum.tally, seats.as_ref().map(|seats| &seats.outcome.seats), part))
                }
            }
            @let n_amended = amendments(site).len() as u64;
            @if n_amended > 0 {
                p { a href=(path::relative(&here, &path::corrections(words))) { (fill(t.amended_units, &[&words.n(n_amended)])) } }
            }
            (witnesses(site, words))
        };
        (title, body)
    } else {
        sealed(site, words, &title)
    };
    Page { words, path: here, title, others, body }.render(site)
}

/// The state of the log, which changes with every entry: on the first page alone.
fn witnesses(site: &Site<'_>, words: &Words) -> Markup {
    let t = &words.t;
    let names: Vec<String> = site.publication.cosigned.iter().map(|by| shown(&by.witness, 60)).collect();
    let rows = html! {
        dt { "SHA-256" } dd { a href="definition.txt" { "definition.txt" } }
        dt { "Checkpoint" } dd { a href="checkpoint" { "checkpoint" } }
    };
    // The first page of a further language stands one folder lower.
    let rows = if words.folder.is_empty() {
        rows
    } else {
        html! {}
    };
    html! {
        (check(site, words, &rows, ""))
        p {
            (fill(t.check_log, &[&words.n(site.publication.checkpoint.size)])) " "
            @if names.is_empty() { (t.check_no_witness) } @else { (fill(t.check_witness, &[&names.join(", ")])) }
        }
    }
}

/// What can be said while numbers are sealed: the same for every number.
fn sealed(site: &Site<'_>, words: &Words, name: &str) -> (String, Markup) {
    let t = &words.t;
    let election = site.election();
    let from = election.definition.embargo.as_ref().map(|it| (it.publish_from, u64::from(it.slots)));
    let (from, slots) = from.unwrap_or((election.definition.closes, 0));
    let title = fill(t.embargo_title, &[name, &words.time(from, &site.options.zone)]);
    let all = slots * election.definition.centres.len() as u64;
    let done = words.n(election.commitments.len() as u64);
    let body = html! {
        h1 { (title) }
        p.lead { (t.embargo_lead) }
        p { (fill(t.embargo_commitments, &[&done, &words.n(all)])) " " (t.embargo_none) }
        (check(site, words, &html! {}, ""))
    };
    (title, body)
}

/// The pages of corrections, one in each language.
pub(crate) fn corrections<'s>(site: &'s Site<'_>) -> Vec<File<'s>> {
    let page = |words: &'static Words| {
        File::debounced(&path::corrections(words), move || {
            fitting(&|part| corrections_page(site, words, part)).into_bytes()
        })
    };
    LANGUAGES.iter().map(|words| page(words)).collect()
}

/// All revisions after the first, the newest first.
pub(crate) fn amendments<'s>(site: &'s Site<'_>) -> Vec<(&'s ContestId, &'s UnitId, &'s Link)> {
    let chains = site.election().chains.iter();
    let links = chains
        .flat_map(|((contest, unit), chain)| chain.links().iter().map(move |link| (contest, unit, link)));
    let mut amendments: Vec<_> = links.filter(|(_, _, link)| link.revision > 1).collect();
    amendments.sort_by_key(|(_, _, link)| std::cmp::Reverse(link.index));
    amendments
}

fn corrections_page(site: &Site<'_>, words: &Words, part: usize) -> String {
    let most = AMENDMENTS / part;
    let t = &words.t;
    let here = path::corrections(words);
    let amendments = amendments(site);
    let said_by_officer = &site.options.notices.corrections;
    let zone = &site.options.zone;
    let body = html! {
        h1 { (t.corrections_title) }
        p.lead { (t.corrections_lead) }
        @if amendments.is_empty() && said_by_officer.is_empty() { p { (t.corrections_none) } }
        @if !said_by_officer.is_empty() {
            h2 { (t.corrections_officer) }
            @for (time, said) in said_by_officer.iter().rev().take(notices::MAX_NOTICES / part) { p { strong { (words.time(*time, zone)) } " " (shown(said, 600)) } }
        }
        @if !amendments.is_empty() {
            h2 { (t.corrections_units) }
            table {
                thead { tr {
                    th scope="col" { (t.unit) } th scope="col" { (t.reason) } th scope="col" { (t.said_at) }
                } }
                tbody {
                    @for (contest, unit, link) in amendments.iter().take(most) {
                        tr {
                            th scope="row" {
                                a href=(path::relative(&here, &path::unit(words, contest, unit, 0))) { bdi { (unit_name(site, unit)) } }
                                " (" (unit) ")"
                            }
                            td { (words.reason(link.reason)) }
                            td { (words.time(link.time, zone)) }
                        }
                    }
                }
            }
            @if amendments.len() > most {
                p.soft { (fill(t.corrections_more, &[&words.n((amendments.len() - most) as u64)])) }
            }
        }
    };
    let others = LANGUAGES.iter().map(|words| path::corrections(words)).collect();
    Page { words, path: here, title: t.corrections_title.to_owned(), others, body }.render(site)
}
