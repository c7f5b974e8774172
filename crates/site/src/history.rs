//! The statements of a unit side by side, with the figures marked that differ from the statement before.

use std::collections::BTreeMap;

use maud::{Markup, html};
use results::board::Link;
use results::definition::Contest;
use results::id::{ContestId, ListId};
use results::returns::Return;
use results::tally::Count;

use crate::level::list_name;
use crate::page::NAME;
use crate::words::{Words, fill, shown};
use crate::{Site, path};

/// Statements side by side.
const COLUMNS: usize = 5;
/// Rows of figures.
const ROWS: usize = 80;

/// A figure that statements have, in the order in which it is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Figure {
    List(ListId),
    Candidate(ListId, u32),
    Count(Count),
}

/// The table of a unit's statements; the last ones where there are many.
pub(crate) fn table(
    site: &Site<'_>,
    words: &Words,
    here: &str,
    contest: &ContestId,
    links: &[Link],
    part: usize,
) -> Markup {
    let most = ROWS / part;
    let t = &words.t;
    let known = &site.election().definition.contests[contest];
    let skipped = links.len().saturating_sub(COLUMNS);
    // The statement before the first one shown tells which of its figures to mark.
    let before = skipped.checked_sub(1).map(|at| &links[at]);
    let links = &links[skipped..];
    let columns: Vec<BTreeMap<Figure, u64>> =
        links.iter().map(|link| figures(link.content.as_deref())).collect();
    let rows = rows(&columns);
    let (changed, same): (Vec<_>, Vec<_>) = rows.into_iter().partition(|figure| differs(figure, &columns));
    let head = |label: &str, each: &dyn Fn(&Link) -> Markup| {
        html! { tr { th scope="row" { (label) } @for link in links { td.n.w { (each(link)) } } } }
    };
    html! {
        h2 { (t.amended) }
        p { (t.amended_note) }
        div.scroll tabindex="0" role="region" aria-label=(t.amended) {
            table {
                thead { tr {
                    td {}
                    @for link in links { th.n scope="col" { (fill(t.revision, &[&words.n(u64::from(link.revision))])) } }
                } }
                tbody {
                    (head(t.said_at, &|link| html! { (words.time(link.time, &site.options.zone)) }))
                    (head(t.reason, &|link| html! { (words.reason(link.reason)) }))
                    @if links.iter().any(|link| link.is_in_question) {
                        (head(t.in_question, &|link| html! { @if link.is_in_question { mark { (t.in_question) } } @else { "–" } }))
                    }
                    @for figure in changed.iter().take(most) {
                        tr {
                            th scope="row" { bdi { (label(words, known, figure)) } }
                            @for at in 0..columns.len() { (cell(words, figure, &columns, at, before, links)) }
                        }
                    }
                    (head(t.entry, &|link| html! {
                        a href=(path::relative(here, &path::entry(link.index))) { (words.n(link.index)) }
                    }))
                }
            }
        }
        @if changed.len() > most { p.soft { (fill(t.more_values, &[&words.n((changed.len() - most) as u64)])) } }
        @if !same.is_empty() { p.soft { (fill(t.same_rows, &[&words.n(same.len() as u64)])) } }
        @if skipped > 0 { p.soft { (fill(t.earlier_more, &[&words.n(skipped as u64)])) } }
    }
}

fn figures(it: Option<&Return>) -> BTreeMap<Figure, u64> {
    let Some(it) = it else { return BTreeMap::new() };
    let mut figures = BTreeMap::new();
    for (id, list) in &it.tally.lists {
        figures.insert(Figure::List(id.clone()), list.votes().0);
        for (number, n) in &list.candidates {
            figures.insert(Figure::Candidate(id.clone(), *number), n.0);
        }
    }
    figures.extend(it.tally.counts.iter().map(|(count, n)| (Figure::Count(count.clone()), n.0)));
    figures
}

fn rows(columns: &[BTreeMap<Figure, u64>]) -> Vec<Figure> {
    let all: std::collections::BTreeSet<&Figure> = columns.iter().flat_map(BTreeMap::keys).collect();
    let mut rows: Vec<Figure> = all.into_iter().cloned().collect();
    // Lists stand as in the table of results, by the votes of the newest statement that has any.
    let newest = columns.iter().rev().find(|column| !column.is_empty());
    let votes = |figure: &Figure| newest.and_then(|column| column.get(figure)).copied().unwrap_or(0);
    rows.sort_by_key(|figure| match figure {
        Figure::List(_) => (0, std::cmp::Reverse(votes(figure))),
        Figure::Candidate(..) => (1, std::cmp::Reverse(0)),
        Figure::Count(_) => (2, std::cmp::Reverse(0)),
    });
    rows
}

/// Whether two of the statements have other values of it. One that was taken back has no figures and differs in none.
fn differs(figure: &Figure, columns: &[BTreeMap<Figure, u64>]) -> bool {
    let mut values = columns.iter().filter(|column| !column.is_empty()).map(|column| column.get(figure));
    let first = values.next();
    values.any(|value| Some(value) != first)
}

fn cell(
    words: &Words,
    figure: &Figure,
    columns: &[BTreeMap<Figure, u64>],
    at: usize,
    before: Option<&Link>,
    links: &[Link],
) -> Markup {
    if links[at].content.is_none() {
        return html! { td.n.soft { (words.t.retracted_cell) } };
    }
    let value = columns[at].get(figure).copied();
    let earlier = columns[..at].iter().rev().find(|column| !column.is_empty());
    let earlier = match (earlier, before.and_then(|link| link.content.as_deref())) {
        (Some(column), _) => Some(column.get(figure).copied()),
        (None, Some(it)) => Some(figures(Some(it)).get(figure).copied()),
        (None, None) => None,
    };
    let text = value.map_or_else(|| "–".to_owned(), |n| words.n(n));
    let is_new = earlier.is_some_and(|earlier| earlier != value);
    html! { td.n { @if is_new { mark { (text) } } @else { (text) } } }
}

fn label(words: &Words, contest: &Contest, figure: &Figure) -> String {
    match figure {
        Figure::List(id) => list_name(contest, id),
        Figure::Count(count) => words.count(count),
        Figure::Candidate(id, number) => {
            let name = contest.lists.get(id).and_then(|list| list.candidates.get(number));
            shown(&format!("{number} {}", name.map_or("", String::as_str)), NAME)
        }
    }
}
