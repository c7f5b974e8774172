//! The WabstiC export of a Swiss election by proportional representation: a folder of CSV files by municipality.
//!
//! | file | what of it |
//! |---|---|
//! | `WP_Wahl` | title, day, canton |
//! | `WPStatic_Gemeinden` | names of the municipalities (may be missing) |
//! | `WP_Gemeinden` | eligible people and ballots of each municipality |
//! | `WP_ListenGde` | `StimmenTotal` is a list's total, `StimmenZusatz` its votes on no candidate |
//! | `WP_KandidatenGde` | votes of candidates; `KNR` is `0103`, or `02a.03` where lists have letters |
//! | `WP_Listen`, `WP_Kandidaten` | the canton's totals, which become `stated`; seats and connections of lists |
//! | `WPStatic_Kandidaten` | names of candidates (may be missing) |
//!
//! The list 99, ballots without a list, is none that stands: its votes are the count `blank-votes`. A seat is a vote on the
//! ballot, so the draft's `votes_per_ballot` is the number of seats that the file has given away.

use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;

use super::sink::{Sink, clipped, slug};
use super::table::{self, Cells};
use super::{Format, Read, ReadError};
use crate::definition::{Method, UnitKind};
use crate::id::{CandidateNumber, ContestId, ElectionId, ListId, UnitId};
use crate::tally::{Count, Tally};
use crate::votes::Votes;

/// The number of the list that is none.
const WITHOUT_LIST: &str = "99";

/// Columns of `WP_Gemeinden` that are counts.
const COUNTS: [(&str, &str); 11] = [
    ("Stimmberechtigte", "eligible"),
    ("StmAbgegeben", "cast"),
    ("StmGueltig", "valid"),
    ("StmLeer", "blank"),
    ("StmUngueltig", "invalid"),
    ("StimmberechtigteAusl", "eligible-abroad"),
    ("StmUngestempelt", "unstamped"),
    ("AnzWZListe", "ballots-with-list"),
    ("AnzWZAmtlLeer", "ballots-without-list"),
    ("AnzWZUnveraendert", "ballots-unchanged"),
    ("AnzWZVeraendert", "ballots-changed"),
];

/// Reads the set.
pub(super) fn read(files: &[(&str, &[u8])]) -> Result<Read, ReadError> {
    let mut set = Set { sink: Sink::new(Format::WabsticProporz), ids: None };
    set.election(&File::find(files, "WP_Wahl")?)?;
    if let Ok(file) = File::find(files, "WPStatic_Gemeinden") {
        set.municipalities(&file);
    }
    set.counts(&File::find(files, "WP_Gemeinden")?);
    set.lists(&File::find(files, "WP_Listen")?);
    if let Ok(file) = File::find(files, "WPStatic_Kandidaten") {
        set.names(&file);
    }
    set.list_votes(&File::find(files, "WP_ListenGde")?);
    set.candidate_votes(&File::find(files, "WP_KandidatenGde")?);
    set.candidates(&File::find(files, "WP_Kandidaten")?);
    Ok(set.sink.read)
}

struct Set {
    sink: Sink,
    /// The contest and the canton, once `WP_Wahl` is read.
    ids: Option<(ContestId, UnitId)>,
}

impl Set {
    fn ids(&self) -> (ContestId, UnitId) {
        self.ids.clone().expect("internal error: `WP_Wahl` is read first")
    }

    fn election(&mut self, file: &File) -> Result<(), ReadError> {
        let Some((line, row)) = file.rows().next() else {
            return Err(ReadError::Incomplete { missing: "row of WP_Wahl" });
        };
        if file.rows().count() > 1 {
            let message = "the set has several elections; rows of municipalities do not say of which, so only one is read";
            self.sink.problem("several-elections", Some(line), file.stem, message);
        }
        let number = slug(file.cell(row, "SortGeschaeft").unwrap_or("1"));
        let contest =
            ContestId::new(&number).ok_or(ReadError::Incomplete { missing: "SortGeschaeft of WP_Wahl" })?;
        let canton = slug(file.cell(row, "Kanton").unwrap_or_default());
        let canton = UnitId::new(&canton).ok_or(ReadError::Incomplete { missing: "Kanton of WP_Wahl" })?;
        let title =
            file.cell(row, "GeBezOffiziell").or(file.cell(row, "GeBezKurz")).unwrap_or_default().to_owned();
        let day = file.cell(row, "Sonntag").unwrap_or_default();
        let date = jiff::civil::Date::strptime("%d.%m.%Y", day).ok();
        if date.is_none() {
            let message = format!("`{}` is no day", clipped(day));
            self.sink.problem("not-a-date", Some(line), format!("{}/Sonntag", file.stem), message);
        }
        self.sink.unit(&canton, UnitKind::Nation, None, &format!("Canton {canton}"));
        self.sink.contest(&contest, &canton, &title).method = Method::HagenbachBischoff;
        let draft = &mut self.sink.read.draft;
        draft.election = date.and_then(|date| ElectionId::new(&format!("{canton}-{date}")));
        draft.title = Some(title);
        draft.date = date;
        self.sink.read.stated.push(Tally::new(contest.clone(), canton.clone()));
        self.ids = Some((contest, canton));
        Ok(())
    }

    /// The municipality of a row.
    fn unit(&mut self, file: &File, line: u64, row: &StringRecord) -> Option<UnitId> {
        let text = file.cell(row, "BfsNrGemeinde").or(file.cell(row, "SortGemeindeSub")).unwrap_or_default();
        UnitId::new(&self.sink.id("unit", &slug(text), text, Some(line))?)
    }

    fn number(&mut self, file: &File, line: u64, row: &StringRecord, column: &str) -> Option<Votes> {
        let text = file.cell(row, column)?;
        self.sink.number(text, Some(line), &format!("{}/{column}", file.stem))
    }

    fn municipalities(&mut self, file: &File) {
        let (_, canton) = self.ids();
        for (line, row) in file.rows() {
            let Some(unit) = self.unit(file, line, row) else { continue };
            let name = file.cell(row, "Gemeinde").unwrap_or_default().to_owned();
            self.sink.unit(&unit, UnitKind::Municipality, Some(&canton), &name);
        }
    }

    fn counts(&mut self, file: &File) {
        let (contest, canton) = self.ids();
        for (line, row) in file.rows() {
            let Some(unit) = self.unit(file, line, row) else { continue };
            let eligible = self.number(file, line, row, "Stimmberechtigte").map(|votes| votes.0);
            self.sink.unit(&unit, UnitKind::Municipality, Some(&canton), "").eligible = eligible;
            let mut tally = Tally::new(contest.clone(), unit);
            for (column, count) in COUNTS {
                if let Some(votes) = self.number(file, line, row, column) {
                    let count =
                        Count::parse(count).expect("internal error: the table has names of counts only");
                    tally.counts.insert(count, votes);
                }
            }
            self.sink.add(tally, Some(line), file.stem);
        }
    }

    fn list_id(&mut self, file: &File, line: u64, text: &str) -> Option<ListId> {
        let id = ListId::new(&slug(text));
        if id.is_none() {
            self.sink.problem(
                "no-id",
                Some(line),
                file.stem,
                format!("`{}` cannot be a list", clipped(text)),
            );
        }
        id
    }

    fn lists(&mut self, file: &File) {
        let (contest, canton) = self.ids();
        let mut seats = 0;
        for (line, row) in file.rows() {
            let text = file.cell(row, "ListNr").unwrap_or_default();
            let Some(list) = self.list_id(file, line, text) else { continue };
            if text == WITHOUT_LIST {
                self.list_row(file, line, row, 0, &list);
                continue;
            }
            let name = file.cell(row, "ListBez").or(file.cell(row, "ListCode")).unwrap_or_default();
            if let Some(entry) = self.sink.list(&contest, &list, name) {
                entry.connection = file.cell(row, "ListVerb").map(str::to_owned);
                // Closer connections are numbered anew inside each connection.
                entry.sub_connection = entry
                    .connection
                    .as_ref()
                    .zip(file.cell(row, "ListUntVerb"))
                    .map(|(connection, sub)| format!("{connection}.{sub}"));
            }
            if let Some(won) =
                self.number(file, line, row, "Sitze").and_then(|votes| u32::try_from(votes.0).ok())
            {
                self.sink.read.draft.seats.insert((contest.clone(), list.clone()), won);
                seats += won;
            }
            self.list_row(file, line, row, 0, &list);
        }
        if seats == 0 {
            self.sink.problem(
                "no-seats",
                None,
                file.stem,
                "no list has a seat, so the number of seats is not known",
            );
        }
        let entry = self.sink.contest(&contest, &canton, "");
        entry.seats = seats;
        entry.votes_per_ballot = seats.max(1);
    }

    /// Takes the votes of a list from a row into a tally: of a municipality, or where there is none the stated one.
    fn list_row(&mut self, file: &File, line: u64, row: &StringRecord, place: usize, list: &ListId) {
        let total = self.number(file, line, row, "StimmenTotal");
        let extra = self.number(file, line, row, "StimmenZusatz");
        let stated = file.stem == "WP_Listen";
        let read = &mut self.sink.read;
        let tally = if stated { &mut read.stated[0] } else { &mut read.tallies[place] };
        if list.as_str() == WITHOUT_LIST {
            let Some(total) = total else { return };
            let known = *tally.counts.entry(Count::Other("blank-votes".into())).or_insert(total);
            if known != total {
                let message = format!("votes without a list are stated before as {known}");
                self.sink.problem("stated-twice", Some(line), file.stem, message);
            }
            return;
        }
        let votes = tally.lists.entry(list.clone()).or_default();
        if votes.total.is_some() {
            let message = format!("list {list} is stated before");
            self.sink.problem("duplicate-list", Some(line), file.stem, message);
            return;
        }
        votes.total = total;
        votes.list_only = extra;
    }

    /// The place of the tally of a row's municipality.
    fn place(&mut self, file: &File, line: u64, row: &StringRecord) -> Option<usize> {
        let (contest, canton) = self.ids();
        let unit = self.unit(file, line, row)?;
        let (place, new) = self.sink.place(&unit, &contest);
        if new {
            let message = format!("municipality `{unit}` is not in WP_Gemeinden");
            self.sink.problem("unknown-unit", Some(line), file.stem, message);
            self.sink.unit(&unit, UnitKind::Municipality, Some(&canton), "");
        }
        Some(place)
    }

    fn list_votes(&mut self, file: &File) {
        for (line, row) in file.rows() {
            let text = file.cell(row, "ListNr").unwrap_or_default();
            let Some(list) = self.list_id(file, line, text) else { continue };
            if let Some(place) = self.place(file, line, row) {
                self.known_list(file, line, &list);
                self.list_row(file, line, row, place, &list);
            }
        }
    }

    /// A list that `WP_Listen` does not have is a problem, and joins the draft without a name.
    fn known_list(&mut self, file: &File, line: u64, list: &ListId) {
        let (contest, _) = self.ids();
        let known = &self.sink.read.draft.contests[&contest].lists;
        if list.as_str() != WITHOUT_LIST && !known.contains_key(list) {
            self.sink.problem(
                "unknown-list",
                Some(line),
                file.stem,
                format!("list {list} is not in WP_Listen"),
            );
            self.sink.list(&contest, list, "");
        }
    }

    /// The list and the number of a candidate.
    fn candidate(&mut self, file: &File, line: u64, row: &StringRecord) -> Option<(ListId, CandidateNumber)> {
        let text = file.cell(row, "KNR").unwrap_or_default();
        let split = match text.rsplit_once('.') {
            Some(parts) => Some(parts),
            None if text.len() > 2 && text.is_ascii() => Some(text.split_at(text.len() - 2)),
            None => None,
        };
        let parsed = split.and_then(|(list, number)| Some((ListId::new(&slug(list))?, number.parse().ok()?)));
        if parsed.is_none() {
            let message = format!("`{}` is no number of a list and a candidate", clipped(text));
            self.sink.problem("no-id", Some(line), format!("{}/KNR", file.stem), message);
        }
        parsed
    }

    fn names(&mut self, file: &File) {
        let (contest, _) = self.ids();
        for (line, row) in file.rows() {
            let Some((list, number)) = self.candidate(file, line, row) else { continue };
            let family = file.cell(row, "Nachname").unwrap_or_default();
            let first = file.cell(row, "Vorname").unwrap_or_default();
            self.sink.candidate(&contest, &list, number, &format!("{family} {first}"));
        }
    }

    fn candidate_votes(&mut self, file: &File) {
        let (contest, _) = self.ids();
        let mut seen = BTreeSet::new();
        for (line, row) in file.rows() {
            let Some((list, number)) = self.candidate(file, line, row) else { continue };
            let Some(place) = self.place(file, line, row) else { continue };
            let Some(votes) = self.number(file, line, row, "Stimmen") else { continue };
            self.known_list(file, line, &list);
            self.sink.candidate(&contest, &list, number, "");
            let candidates =
                &mut self.sink.read.tallies[place].lists.entry(list.clone()).or_default().candidates;
            candidates.entry(number).or_insert(votes);
            if !seen.insert((place, list.clone(), number)) {
                let message = format!("candidate {number} of list {list} is stated before");
                self.sink.problem("duplicate-candidate", Some(line), file.stem, message);
            }
        }
    }

    fn candidates(&mut self, file: &File) {
        let mut seen = BTreeSet::new();
        for (line, row) in file.rows() {
            let Some((list, number)) = self.candidate(file, line, row) else { continue };
            let Some(votes) = self.number(file, line, row, "Stimmen") else { continue };
            if !seen.insert((list.clone(), number)) {
                let message = format!("candidate {number} of list {list} is stated before");
                self.sink.problem("duplicate-candidate", Some(line), file.stem, message);
                continue;
            }
            self.sink.read.stated[0].lists.entry(list).or_default().candidates.insert(number, votes);
        }
    }
}

/// One file of the set.
struct File {
    stem: &'static str,
    rows: Vec<(u64, StringRecord)>,
    /// Places of columns by their headings in lower case.
    columns: BTreeMap<String, usize>,
}

impl File {
    /// Finds a file of the set by its name.
    fn find(files: &[(&str, &[u8])], stem: &'static str) -> Result<Self, ReadError> {
        let found = files.iter().find(|(name, _)| {
            let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
            let (base, ending) = base.rsplit_once('.').unwrap_or((base, "csv"));
            base.eq_ignore_ascii_case(stem) && ending.eq_ignore_ascii_case("csv")
        });
        let (name, bytes) = found.ok_or(ReadError::Incomplete { missing: stem })?;
        let text = table::decode_either(bytes);
        let cells = Cells::read(&text, name, b';', 0, true)?;
        let mut columns = BTreeMap::new();
        for (at, heading) in cells.heading.iter().enumerate() {
            columns.entry(heading.to_ascii_lowercase()).or_insert(at);
        }
        Ok(Self { stem, rows: cells.rows, columns })
    }

    fn rows(&self) -> impl Iterator<Item = (u64, &StringRecord)> {
        self.rows.iter().map(|(line, row)| (*line, row))
    }

    /// A cell by its column, whatever the case of the heading; nothing where it is empty.
    fn cell<'r>(&self, row: &'r StringRecord, column: &str) -> Option<&'r str> {
        let at = self.columns.get(&column.to_ascii_lowercase())?;
        row.get(*at).map(str::trim).filter(|cell| !cell.is_empty())
    }
}
