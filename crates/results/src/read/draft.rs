//! Drafts of one election from several files, joined.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Draft, Problem};
use crate::definition::{Contest, List, Method, Unit, UnitKind};
use crate::id::{CandidateNumber, ContestId, ListId};

impl Draft {
    /// Takes in what another file says of the same election: a definition, a list of polling stations, lists of candidates.
    /// What this draft leaves out is filled; where both say something and it differs, this one's stays and a problem tells.
    pub fn join(&mut self, other: Self) -> Vec<Problem> {
        let mut differences = Differences(Vec::new());
        differences.option("election", &mut self.election, other.election);
        differences.option("title", &mut self.title, other.title);
        differences.option("date", &mut self.date, other.date);
        for (id, unit) in other.units {
            match self.units.entry(id) {
                Entry::Vacant(place) => {
                    place.insert(unit);
                }
                Entry::Occupied(mut place) => {
                    let field = format!("unit {}", place.key());
                    differences.unit(&field, place.get_mut(), unit);
                }
            }
        }
        for (id, contest) in other.contests {
            match self.contests.entry(id) {
                Entry::Vacant(place) => {
                    place.insert(contest);
                }
                Entry::Occupied(mut place) => {
                    let id = place.key().clone();
                    differences.contest(&id, place.get_mut(), contest);
                }
            }
        }
        for ((contest, list), seats) in other.seats {
            let field = format!("seats of list {list} in contest {contest}");
            let known = *self.seats.entry((contest, list)).or_insert(seats);
            differences.same(&field, &known, &seats);
        }
        differences.0
    }
}

struct Differences(Vec<Problem>);

impl Differences {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, field: &str, known: &T, new: &T) {
        if known != new {
            let message = format!("{known:?} in one file and {new:?} in another");
            self.0.push(Problem { code: "files-differ", line: None, field: field.to_owned(), message });
        }
    }

    fn option<T: PartialEq + std::fmt::Debug>(&mut self, field: &str, known: &mut Option<T>, new: Option<T>) {
        let Some(new) = new else { return };
        match known {
            Some(known) => self.same(field, known, &new),
            None => *known = Some(new),
        }
    }

    /// A text, of which an empty one says nothing.
    fn text(&mut self, field: &str, known: &mut String, new: String) {
        if known.is_empty() {
            *known = new;
        } else if !new.is_empty() {
            self.same(field, known, &new);
        }
    }

    /// A number, of which the least one that drafts have says nothing.
    fn number(&mut self, field: &str, known: &mut u32, new: u32, nothing: u32) {
        if *known == nothing {
            *known = new;
        } else if new != nothing {
            self.same(field, known, &new);
        }
    }

    fn unit(&mut self, field: &str, known: &mut Unit, new: Unit) {
        // A file that knows only a unit's totals takes it for the whole.
        if known.kind == UnitKind::Nation {
            known.kind = new.kind;
        } else if new.kind != UnitKind::Nation {
            self.same(field, &known.kind, &new.kind);
        }
        self.option(field, &mut known.parent, new.parent);
        self.option(field, &mut known.eligible, new.eligible);
        self.text(field, &mut known.name, new.name);
    }

    fn contest(&mut self, id: &ContestId, known: &mut Contest, new: Contest) {
        let field = format!("contest {id}");
        self.same(&field, &known.unit, &new.unit);
        self.text(&field, &mut known.title, new.title);
        self.number(&field, &mut known.seats, new.seats, 0);
        self.number(&field, &mut known.threshold, new.threshold, 0);
        self.number(&field, &mut known.votes_per_ballot, new.votes_per_ballot, 1);
        if known.method == Method::None {
            known.method = new.method;
        } else if new.method != Method::None {
            self.same(&field, &known.method, &new.method);
        }
        for (list, new) in new.lists {
            self.list(&field, &mut known.lists, list, new);
        }
    }

    fn list(&mut self, contest: &str, lists: &mut BTreeMap<ListId, List>, id: ListId, new: List) {
        let field = format!("{contest}, list {id}");
        let known = lists.entry(id).or_default();
        self.text(&field, &mut known.name, new.name);
        self.option(&field, &mut known.connection, new.connection);
        self.option(&field, &mut known.sub_connection, new.sub_connection);
        for (number, name) in new.candidates {
            let known: &mut BTreeMap<CandidateNumber, String> = &mut known.candidates;
            let place = known.entry(number).or_default();
            self.text(&format!("{field}, candidate {number}"), place, name);
        }
    }
}
