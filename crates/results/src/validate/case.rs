//! What a validator heard of one unit in one contest, and how that stands to the log.

use super::coverage::Status;
use super::heard::{Heard, Road};
use super::{Place, last};
use crate::board::{Chain, Link};
use crate::returns::numbers;

/// How a place stands. The diagram is in `docs/specs/validation.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing was heard that counts.
    NotHeard,
    /// A revision was heard that the log does not have.
    HeardNotLogged,
    /// The last revision was heard, and is that of the log.
    Matched(Road),
    /// One contact says something else than the log. It may be a typing error: ask again.
    Differs,
    /// The centre is being asked again.
    Asked,
    /// The second contact said what the log says: the first was mistyped, misheard or altered on its road.
    Resolved(Road),
    /// Two contacts said the same, and not what the log says. Who is wrong this does not tell. It stays so for this revision,
    /// whatever is said later.
    DiffersConfirmed,
    /// An earlier revision was heard, or the last is in question: ask again.
    Superseded,
}

impl State {
    /// What the coverage list says of it. One contact alone accuses nobody: that is public as *asking*.
    pub fn status(self) -> Status {
        match self {
            Self::NotHeard => Status::NotHeard,
            Self::HeardNotLogged => Status::HeardNotLogged,
            Self::Matched(road) | Self::Resolved(road) => Status::Matched(road),
            Self::Differs | Self::Asked | Self::Superseded => Status::Asking,
            Self::DiffersConfirmed => Status::Differs,
        }
    }
}

/// A confirmed difference: both documents.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The unit and the contest.
    pub place: Place,
    /// The first contact.
    pub first: Heard,
    /// The second, which says the same.
    pub second: Heard,
    /// What the log has as that revision.
    pub logged: Link,
}

impl Finding {
    /// The numbers side by side: what is counted, what was heard, what is logged; `-` where one does not say it. Only lines that
    /// differ.
    pub fn side_by_side(&self) -> Vec<[String; 3]> {
        let heard = self.first.numbers.as_ref().or(self.second.numbers.as_ref()).map(numbers);
        let logged = self.logged.content.as_deref().map(|it| numbers(&it.tally));
        let (heard, logged) = (named(&heard.unwrap_or_default()), named(&logged.unwrap_or_default()));
        let names = heard.iter().chain(&logged).map(|(name, _)| name);
        let mut rows: Vec<[String; 3]> = Vec::new();
        let value = |all: &[(String, String)], name: &String| {
            let found = all.iter().find(|(each, _)| each == name);
            found.map_or_else(|| "-".to_owned(), |(_, n)| n.clone())
        };
        for name in names {
            let row = [name.clone(), value(&heard, name), value(&logged, name)];
            if row[1] != row[2] && !rows.contains(&row) {
                rows.push(row);
            }
        }
        rows
    }
}

/// Lines of numbers as names and values; a candidate's name has its list's before it.
fn named(text: &str) -> Vec<(String, String)> {
    let mut list = String::new();
    let mut all = Vec::new();
    for line in text.lines() {
        let (name, n) = line.rsplit_once(['=', ' ']).unwrap_or((line, ""));
        if name.starts_with("list ") {
            name.clone_into(&mut list);
        }
        let is_below = name.starts_with("candidate ") || name == "list-only";
        let name = if is_below { format!("{list} {name}") } else { name.to_owned() };
        all.push((name, n.to_owned()));
    }
    all
}

/// All contacts about one place, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Case {
    heard: Vec<Heard>,
    /// How many contacts there were when the centre was last asked again.
    asked_after: Option<usize>,
}

impl Case {
    pub(super) fn hear(&mut self, heard: Heard) {
        // The same document twice is one contact.
        if !self.heard.contains(&heard) {
            self.heard.push(heard);
        }
    }

    pub(super) fn ask(&mut self) {
        self.asked_after = Some(self.heard.len());
    }

    /// All contacts, in the order in which they came.
    pub fn heard(&self) -> &[Heard] {
        &self.heard
    }

    fn authentic(&self) -> impl Iterator<Item = &Heard> {
        self.heard.iter().filter(|heard| heard.road.is_authentic())
    }

    /// How the place stands to the log.
    pub fn state(&self, chain: Option<&Chain>) -> State {
        let again = |state: State| {
            if self.asked_after == Some(self.heard.len()) { State::Asked } else { state }
        };
        let Some(link) = last(chain) else {
            return match self.authentic().any(|heard| heard.is_independent) {
                false => State::NotHeard,
                true if chain.is_some_and(Chain::is_in_question) => again(State::Superseded),
                true => State::HeardNotLogged,
            };
        };
        if self.confirmed(link).is_some() {
            return State::DiffersConfirmed;
        }
        if self.authentic().any(|heard| heard.is_independent && heard.revision > link.revision) {
            return State::HeardNotLogged;
        }
        let mut state = None;
        for heard in self.authentic().filter(|heard| heard.revision == link.revision) {
            state = match (says(heard, link), state) {
                (false, _) => Some(State::Differs),
                // What the signing machine says twice confirms nothing, and takes nothing back.
                (true, before) if !heard.is_independent => before,
                (true, Some(State::Differs | State::Resolved(_))) => Some(State::Resolved(heard.road)),
                (true, _) => Some(State::Matched(heard.road)),
            };
        }
        match state {
            Some(State::Differs) => again(State::Differs),
            Some(state) => state,
            None if self.authentic().any(|heard| heard.is_independent && heard.revision < link.revision) => {
                again(State::Superseded)
            }
            None => State::NotHeard,
        }
    }

    /// Two contacts at different times that say the same and not what the log says, one of them not made by the machine that
    /// signs.
    fn confirmed(&self, link: &Link) -> Option<(&Heard, &Heard)> {
        let other: Vec<&Heard> =
            self.authentic().filter(|heard| heard.revision == link.revision && !says(heard, link)).collect();
        let pairs = other.iter().enumerate().flat_map(|(n, a)| other[n + 1..].iter().map(move |b| (*a, *b)));
        pairs
            .into_iter()
            .find(|(a, b)| a.time != b.time && (a.is_independent || b.is_independent) && a.says_the_same(b))
    }

    /// Every revision is looked at, so that a correction does not make a finding disappear; the last that was confirmed is told.
    pub(super) fn finding(&self, place: &Place, chain: &Chain) -> Option<Finding> {
        chain.links().iter().rev().find_map(|link| {
            let (first, second) = self.confirmed(link)?;
            let (first, second) = (first.clone(), second.clone());
            Some(Finding { place: place.clone(), first, second, logged: link.clone() })
        })
    }

    /// Whether a message that anybody could have sent does not fit the log, and nothing better was heard since: reason to call.
    /// A later message does not take it back, which anybody could send too.
    pub fn is_hinted(&self, chain: Option<&Chain>) -> bool {
        let mut hints = self.heard.iter().rev().take_while(|heard| !heard.road.is_authentic());
        hints.any(|heard| {
            let link = chain.into_iter().flat_map(Chain::links).find(|link| link.revision == heard.revision);
            link.is_none_or(|link| !says(heard, link))
        })
    }
}

/// Whether all that was heard is what the log has.
fn says(heard: &Heard, link: &Link) -> bool {
    let text = heard.numbers.as_ref().map(numbers);
    heard.leaf.is_none_or(|leaf| leaf == link.leaf)
        && heard.code.is_none_or(|code| code.is_of(&link.leaf))
        && text.is_none_or(|text| link.content.as_deref().is_some_and(|it| numbers(&it.tally) == text))
}
