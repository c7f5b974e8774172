//! One row in one contest.

use std::borrow::Cow;

use csv::StringRecord;

use super::super::mapping::{Column, ContestRule, Layout, Lists};
use super::super::sink::clipped;
use super::{Table, Target};
use crate::id::{CandidateNumber, ContestId, ListId, UnitId};
use crate::tally::{Count, ListVotes, Tally};
use crate::votes::Votes;

/// A column of the layout `wide` that has votes.
pub(super) struct Choice {
    place: usize,
    list: ListId,
    candidate: Option<CandidateNumber>,
}

/// The columns of a contest that have votes.
pub(super) fn choices(contest: &ContestRule, heading: &[String]) -> Vec<Choice> {
    let mut choices = Vec::new();
    if let Some(Lists::Each(lists)) = &contest.lists {
        for (id, column) in lists {
            let place = heading.iter().position(|own| column.names.contains(own));
            if let (Some(place), Some(list)) = (place, ListId::new(id)) {
                choices.push(Choice { place, list, candidate: None });
            }
        }
    }
    let lists = match &contest.lists {
        Some(Lists::Pattern(pattern)) => Some(pattern),
        _ => None,
    };
    for pattern in lists.into_iter().chain(&contest.candidates) {
        for (place, heading) in heading.iter().enumerate() {
            let Some((list, candidate)) = pattern.fit(heading) else { continue };
            let candidate = candidate.and_then(|number| number.parse().ok());
            if let Some(list) = ListId::new(list)
                && candidate.is_some() == pattern.has_candidate()
            {
                choices.push(Choice { place, list, candidate });
            }
        }
    }
    choices
}

impl Table<'_> {
    /// Takes a row's numbers for one contest of the mapping; whether there was a place for them.
    pub(super) fn contest(&mut self, at: usize, line: u64, row: &StringRecord, target: &Target) -> bool {
        let rule = &self.mapping.contest[at];
        let Some(contest) = self.id("contest", line, row, &rule.id).and_then(|id| ContestId::new(&id)) else {
            return false;
        };
        if !target.stated {
            self.describe(rule, line, row, &contest, &target.unit);
        }
        match self.mapping.layout {
            Layout::Wide => self.wide(at, line, row, target, contest),
            Layout::Long => self.long(rule, line, row, target, contest),
        }
    }

    /// The contest in the draft.
    fn describe(
        &mut self,
        rule: &ContestRule,
        line: u64,
        row: &StringRecord,
        contest: &ContestId,
        unit: &UnitId,
    ) {
        if let Some(known) = self.sink.read.draft.contests.get(contest) {
            let (top, own) = (self.top(&known.unit), self.top(unit));
            if top != own && self.outside.insert((contest.clone(), own.clone())) {
                let message = format!("unit `{own}` is not below `{top}`, where contest `{contest}` is held");
                self.sink.problem("outside-contest", Some(line), "row", message);
            }
            return;
        }
        let title = self.text(row, rule.title.as_ref()).unwrap_or_else(|| contest.to_string());
        let above = match &rule.unit {
            Some(template) => self.id("unit", line, row, template).and_then(|id| UnitId::new(&id)),
            None => None,
        };
        let unit = above.unwrap_or_else(|| self.top(unit));
        let seats = self.text(row, rule.seats.as_ref()).unwrap_or_default();
        let seats =
            self.sink.number(&seats, Some(line), "seats").and_then(|votes| u32::try_from(votes.0).ok());
        let ballot = self.text(row, rule.votes_per_ballot.as_ref()).unwrap_or_default();
        let ballot = self.sink.number(&ballot, Some(line), "votes-per-ballot");
        let entry = self.sink.contest(contest, &unit, &title);
        entry.seats = seats.unwrap_or(0);
        entry.votes_per_ballot = ballot.and_then(|votes| u32::try_from(votes.0).ok()).unwrap_or(1).max(1);
        entry.method = rule.method.0;
        entry.threshold = rule.threshold;
    }

    /// The highest unit above one.
    fn top(&self, unit: &UnitId) -> UnitId {
        let units = &self.sink.read.draft.units;
        let mut top = unit;
        // A table can name a unit above itself only once: parents are set when a unit is made, and made before it.
        for _ in 0..self.mapping.above.len() {
            match units.get(top).and_then(|unit| unit.parent.as_ref()) {
                Some(parent) => top = parent,
                None => break,
            }
        }
        top.clone()
    }

    fn number(&mut self, text: &str, line: u64, field: &str) -> Option<Votes> {
        let text = match self.mapping.thousands {
            Some(sign) if text.contains(sign) => Cow::Owned(text.replace(sign, "")),
            _ => Cow::Borrowed(text),
        };
        self.sink.number(&text, Some(line), field)
    }

    fn column(&mut self, line: u64, row: &StringRecord, column: &Column) -> Option<Votes> {
        self.number(self.cell(row, column), line, &column.names[0])
    }

    fn counts(&mut self, rule: &ContestRule, line: u64, row: &StringRecord) -> Vec<(Count, Votes, String)> {
        let mut counts = Vec::new();
        for (count, column) in &rule.counts {
            if let Some(votes) = self.column(line, row, column) {
                counts.push((count.0.clone(), votes, column.names[0].clone()));
            }
        }
        counts
    }

    fn eligible(&mut self, unit: &UnitId, eligible: Option<Votes>, stated: bool) {
        if let (Some(eligible), false) = (eligible, stated)
            && let Some(unit) = self.sink.read.draft.units.get_mut(unit)
        {
            unit.eligible = unit.eligible.or(Some(eligible.0));
        }
    }

    fn wide(
        &mut self,
        at: usize,
        line: u64,
        row: &StringRecord,
        target: &Target,
        contest: ContestId,
    ) -> bool {
        let rule = &self.mapping.contest[at];
        let mut tally = Tally::new(contest, target.unit.clone());
        for (count, votes, field) in self.counts(rule, line, row) {
            self.sink.count(&mut tally, count, votes, Some(line), &field);
        }
        for number in 0..self.choices[at].len() {
            let Choice { place, ref list, candidate } = self.choices[at][number];
            let list = list.clone();
            let field = self.heading[place].clone();
            let votes = self.number(row.get(place).unwrap_or_default(), line, &field);
            if !target.stated {
                let name = rule.list_names.get(list.as_str()).map_or(field.as_str(), String::as_str);
                if let Some(number) = candidate {
                    self.sink.candidate(&tally.contest, &list, number, "");
                } else {
                    self.sink.list(&tally.contest, &list, name);
                }
            }
            let Some(votes) = votes else { continue };
            let entry = tally.lists.entry(list).or_default();
            if let Some(number) = candidate {
                entry.candidates.insert(number, votes);
            } else {
                entry.total = Some(votes);
            }
        }
        if tally.counts.is_empty() && tally.lists.is_empty() {
            let message = format!("unit `{}` states no number in contest `{}`", tally.unit, tally.contest);
            self.sink.problem("nothing-counted", Some(line), "row", message);
        }
        let eligible = tally.count(&Count::Eligible);
        self.eligible(&target.unit, eligible, target.stated);
        self.put(line, row, target, tally)
    }

    /// Puts a whole tally in its place: as an event, or where there is none of its unit and contest.
    fn put(&mut self, line: u64, row: &StringRecord, target: &Target, tally: Tally) -> bool {
        let event = match &self.mapping.time {
            Some(column) => Some(self.time(line, row, column)),
            None => None,
        };
        let tallies = if target.stated { &mut self.stated } else { &mut self.tallies };
        let key = (tally.unit.clone(), tally.contest.clone());
        let known = tallies.places.get(&key).copied();
        match (event, known) {
            (None, Some(_)) => {
                let message =
                    format!("unit `{}` is stated before in contest `{}`", tally.unit, tally.contest);
                self.sink.problem("duplicate-unit", Some(line), "row", message);
                return false;
            }
            (_, None) => {
                tallies.places.insert(key, tallies.all.len());
                tallies.all.push(tally.clone());
            }
            (Some(_), Some(place)) => tallies.all[place] = tally.clone(),
        }
        if let (Some(time), false) = (event, target.stated) {
            self.sink.read.events.push((time, tally));
        }
        true
    }

    fn long(
        &mut self,
        rule: &ContestRule,
        line: u64,
        row: &StringRecord,
        target: &Target,
        contest: ContestId,
    ) -> bool {
        let counts = self.counts(rule, line, row);
        let Some(list) = rule.list.as_ref().and_then(|template| self.id("list", line, row, template)) else {
            return false;
        };
        let Some(list) = ListId::new(&list) else { return false };
        let candidate = match self.text(row, rule.candidate.as_ref()) {
            Some(text) => match text.parse::<CandidateNumber>() {
                Ok(number) => Some(number),
                Err(_) => {
                    let message = format!("`{}` is no number of a candidate", clipped(&text));
                    self.sink.problem("no-id", Some(line), "candidate", message);
                    return false;
                }
            },
            None => None,
        };
        let total = rule.list_total.as_ref().and_then(|column| self.column(line, row, column));
        let votes = rule.votes.as_ref().and_then(|column| self.column(line, row, column));
        let mut modes = Vec::new();
        for (mode, column) in &rule.modes {
            if let Some(votes) = self.column(line, row, column) {
                modes.push((mode.0.name().into(), votes));
            }
        }
        if !target.stated {
            self.describe_list(rule, row, &contest, &list, candidate);
        }
        let found = Found { list, candidate, total, votes, modes };
        self.merge(line, target, contest, counts, found)
    }

    fn describe_list(
        &mut self,
        rule: &ContestRule,
        row: &StringRecord,
        contest: &ContestId,
        list: &ListId,
        candidate: Option<CandidateNumber>,
    ) {
        let name = self.text(row, rule.list_name.as_ref()).unwrap_or_else(|| list.to_string());
        let connection = self.text(row, rule.connection.as_ref());
        let sub_connection = self.text(row, rule.sub_connection.as_ref());
        if let Some(entry) = self.sink.list(contest, list, &name) {
            entry.connection = entry.connection.take().or(connection);
            entry.sub_connection = entry.sub_connection.take().or(sub_connection);
        }
        if let Some(number) = candidate {
            let name = self.text(row, rule.candidate_name.as_ref()).unwrap_or_default();
            self.sink.candidate(contest, list, number, &name);
        }
    }

    /// Adds a row's numbers to what rows before it said of its unit and contest; whether its choice is a new one.
    fn merge(
        &mut self,
        line: u64,
        target: &Target,
        contest: ContestId,
        counts: Vec<(Count, Votes, String)>,
        found: Found,
    ) -> bool {
        let tallies = if target.stated { &mut self.stated } else { &mut self.tallies };
        let next = tallies.all.len();
        let place = *tallies.places.entry((target.unit.clone(), contest.clone())).or_insert(next);
        if place == next {
            tallies.all.push(Tally::new(contest, target.unit.clone()));
        }
        let tally = &mut tallies.all[place];
        for (count, votes, field) in counts {
            self.sink.count(tally, count, votes, Some(line), &field);
        }
        let Found { list, candidate, total, votes, modes } = found;
        let entry = tally.lists.entry(list.clone()).or_insert_with(ListVotes::default);
        if let Some(total) = total {
            let known = *entry.total.get_or_insert(total);
            if known != total {
                let message =
                    format!("the total of list {list} is stated as {known} before and as {total} here");
                self.sink.problem("stated-twice", Some(line), "list-total", message);
            }
        }
        let duplicate = match (candidate, votes) {
            (Some(number), Some(votes)) => {
                let known = entry.candidates.contains_key(&number);
                entry.candidates.entry(number).or_insert(votes);
                known
            }
            (None, Some(votes)) if total.is_none() => {
                let known = entry.total.is_some();
                entry.total.get_or_insert(votes);
                known
            }
            (_, None) | (None, Some(_)) => false,
        };
        if duplicate {
            let unit = &target.unit;
            let candidate = candidate.map(|number| format!(", candidate {number},")).unwrap_or_default();
            let message = format!("list {list}{candidate} is stated before for unit `{unit}`");
            self.sink.problem("duplicate-choice", Some(line), "row", message);
            return false;
        }
        for (mode, votes) in modes {
            tally.modes.insert((mode, list.clone(), candidate), votes);
        }
        let eligible = tally.count(&Count::Eligible);
        self.eligible(&target.unit, eligible, target.stated);
        true
    }
}

/// What a row of the layout `long` says.
struct Found {
    list: ListId,
    candidate: Option<CandidateNumber>,
    total: Option<Votes>,
    votes: Option<Votes>,
    modes: Vec<(Box<str>, Votes)>,
}
