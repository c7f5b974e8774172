//! Tables for programs and spreadsheets: all statements, what counts now, the units.

use std::collections::BTreeSet;

use results::board::{Chain, Link};
use results::id::{ContestId, ListId, UnitId};
use results::lines::hex;
use results::tally::Count;

use crate::{File, Site, path};

/// The tables. While numbers are sealed there is none but that of the units.
pub(crate) fn files<'s>(site: &'s Site<'_>) -> Vec<File<'s>> {
    let mut files = vec![File::debounced("units.csv", || units(site).into_bytes())];
    if !site.is_open() {
        return files;
    }
    for contest in site.election().definition.contests.keys() {
        let slug = path::slug(contest.as_str());
        files.push(File::debounced(&format!("returns-{slug}.csv"), move || {
            returns(site, contest, true).into_bytes()
        }));
        files.push(File::debounced(&format!("state-{slug}.csv"), move || {
            returns(site, contest, false).into_bytes()
        }));
    }
    files
}

fn units(site: &Site<'_>) -> String {
    let mut csv = String::from("unit,parent,kind,eligible,name\n");
    for (id, unit) in &site.election().definition.units {
        let parent = unit.parent.as_ref().map_or("", UnitId::as_str);
        let eligible = unit.eligible.map(|n| n.to_string()).unwrap_or_default();
        csv.push_str(&format!("{id},{parent},{},{eligible},{}\n", unit.kind.name(), quoted(&unit.name)));
    }
    csv
}

/// Columns of a contest's figures.
struct Columns {
    counts: BTreeSet<Count>,
    lists: BTreeSet<ListId>,
    candidates: BTreeSet<(ListId, u32)>,
}

impl Columns {
    fn of(site: &Site<'_>, contest: &ContestId) -> Self {
        let known = &site.election().definition.contests[contest].lists;
        let lists = known.keys().cloned().collect();
        let candidates = known
            .iter()
            .flat_map(|(id, list)| list.candidates.keys().map(move |n| (id.clone(), *n)))
            .collect();
        let links = chains(site, contest).flat_map(|(_, chain)| chain.links());
        let counts = links.filter_map(|link| link.content.as_ref()).flat_map(|it| it.tally.counts.keys());
        Self { counts: counts.cloned().collect(), lists, candidates }
    }

    fn head(&self) -> String {
        let counts = self.counts.iter().map(|count| format!(",count {count}"));
        let lists = self.lists.iter().map(|id| format!(",list {id}"));
        let candidates = self.candidates.iter().map(|(id, number)| format!(",candidate {id}/{number}"));
        counts.chain(lists).chain(candidates).collect()
    }

    fn row(&self, link: &Link) -> String {
        let tally = link.content.as_ref().map(|it| &it.tally);
        let figure = |n: Option<u64>| n.map_or_else(|| ",".to_owned(), |n| format!(",{n}"));
        let counts =
            self.counts.iter().map(|count| figure(tally.and_then(|it| it.count(count)).map(|n| n.0)));
        let lists = self
            .lists
            .iter()
            .map(|id| figure(tally.and_then(|it| it.lists.get(id)).map(|list| list.votes().0)));
        let candidates = self.candidates.iter().map(|(id, number)| {
            let list = tally.and_then(|it| it.lists.get(id));
            figure(list.and_then(|list| list.candidates.get(number)).map(|n| n.0))
        });
        counts.chain(lists).chain(candidates).collect()
    }
}

fn chains<'s>(site: &'s Site<'_>, contest: &'s ContestId) -> impl Iterator<Item = (&'s UnitId, &'s Chain)> {
    let chains = site.election().chains.iter().filter(move |((of, _), _)| of == contest);
    chains.map(|((_, unit), chain)| (unit, chain))
}

/// All statements, or those that count.
fn returns(site: &Site<'_>, contest: &ContestId, all: bool) -> String {
    let columns = Columns::of(site, contest);
    let mut csv =
        format!("unit,revision,entry,leaf,time,reason,status,signer,in_question,flags{}\n", columns.head());
    for (unit, chain) in chains(site, contest) {
        let links: Vec<&Link> =
            if all { chain.links().iter().collect() } else { chain.current().into_iter().collect() };
        for link in links {
            let it = link.content.as_deref();
            let status = it.map_or("retracted", |it| it.status.name());
            let flags: Vec<&str> =
                it.map(|it| it.flags.iter().map(AsRef::as_ref).collect()).unwrap_or_default();
            csv.push_str(&format!(
                "{unit},{},{},{},{},{},{status},{},{},{}{}\n",
                link.revision,
                link.index,
                hex(&link.leaf),
                link.time,
                link.reason.name(),
                quoted(&link.signer),
                if link.is_in_question { "yes" } else { "no" },
                flags.join(" "),
                columns.row(link)
            ));
        }
    }
    csv
}

/// A field of a CSV. One that a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains(['"', ',', '\n', '\r']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}
