//! Tables: rows and columns as a [`Mapping`] says.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;
use domain::Timestamp;

use super::mapping::{BUILT_IN, Column, Encoding, Lists, Template};
use super::sink::{Sink, clipped, slug};
use super::{Format, Mapping, Read, ReadError};
use crate::definition::UnitKind;
use crate::id::{ContestId, ElectionId, UnitId};
use crate::tally::Tally;

mod row;

/// The cells of a table.
pub(super) struct Cells {
    /// The heading, or the numbers of the columns from 1.
    pub(super) heading: Vec<String>,
    /// The line of the heading.
    pub(super) heading_line: u64,
    /// The rows below it, each with its line.
    pub(super) rows: Vec<(u64, StringRecord)>,
}

impl Cells {
    /// Splits a text.
    pub(super) fn read(
        text: &str,
        name: &str,
        delimiter: u8,
        skip_lines: usize,
        heading: bool,
    ) -> Result<Self, ReadError> {
        let mut rest = text;
        for _ in 0..skip_lines {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(rest.as_bytes());
        let mut rows = Vec::new();
        let mut lines = Lines { bytes: rest.as_bytes(), at: 0, line: 1 + skip_lines as u64 };
        for record in reader.records() {
            let record = record.map_err(|error| ReadError::Row {
                name: name.to_owned(),
                line: error.position().map_or(0, |place| lines.of(place)),
                what: error.to_string(),
            })?;
            let line = record.position().map_or(0, |place| lines.of(place));
            rows.push((line, record));
        }
        if rows.is_empty() {
            return Err(ReadError::Empty { name: name.to_owned() });
        }
        let (heading_line, first) = (rows[0].0, &rows[0].1);
        let heading = if heading {
            let heading = first.iter().map(|cell| cell.trim().to_owned()).collect();
            rows.remove(0);
            heading
        } else {
            (1..=first.len()).map(|number| number.to_string()).collect()
        };
        Ok(Self { heading, heading_line, rows })
    }
}

/// Counts lines up to where records begin. The library says where it stood before a record, which is before the `\n` of a
/// line that ends in `\r\n` and before empty lines.
struct Lines<'t> {
    bytes: &'t [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, place: &csv::Position) -> u64 {
        let start = usize::try_from(place.byte()).unwrap_or(usize::MAX).clamp(self.at, self.bytes.len());
        let blank = self.bytes[start..].iter().take_while(|&&b| b == b'\r' || b == b'\n').count();
        let passed = &self.bytes[self.at..start + blank];
        self.line += passed.iter().filter(|&&b| b == b'\n').count() as u64;
        self.at = start + blank;
        self.line
    }
}

/// The text of a file in UTF-8, or else in windows-1252, which has a sign for every byte.
pub(super) fn decode_either(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

fn decode<'b>(bytes: &'b [u8], name: &str, encoding: Encoding) -> Result<Cow<'b, str>, ReadError> {
    if encoding == Encoding::Windows1252 {
        return Ok(encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|&&b| b == b'\n').count() as u64 + 1;
        ReadError::Encoding { name: name.to_owned(), line, encoding: "UTF-8" }
    })
}

/// The only built-in mapping whose columns the table has.
pub(super) fn recognise(bytes: &[u8], name: &str) -> Result<Mapping, ReadError> {
    let text = decode_either(bytes);
    let first = text.lines().next().unwrap_or_default();
    let mut fits = Vec::new();
    for (built_in, _) in BUILT_IN {
        let mapping = Mapping::built_in(built_in).expect("internal error: a name from the table");
        let heading = Cells::read(first, name, delimiter(&mapping), 0, true)?.heading;
        if missing(&mapping, &heading).is_none() {
            fits.push(mapping);
        }
    }
    if fits.len() == 1 {
        return Ok(fits.remove(0));
    }
    let commas = first.matches(',').count() >= first.matches(';').count();
    let columns = first.split(if commas { ',' } else { ';' }).take(40).map(clipped).collect();
    let names = BUILT_IN.iter().map(|(name, _)| *name);
    let fits = names.filter(|name| fits.iter().any(|mapping| mapping.name == *name)).collect();
    Err(ReadError::NoMapping { name: name.to_owned(), fits, columns })
}

fn delimiter(mapping: &Mapping) -> u8 {
    u8::try_from(mapping.delimiter).unwrap_or(b',')
}

/// A column of the mapping that a heading does not have.
fn missing(mapping: &Mapping, heading: &[String]) -> Option<String> {
    let absent = |column: &&Column| !column.names.iter().any(|name| heading.contains(name));
    if let Some(column) = mapping.columns().into_iter().find(absent) {
        return Some(column.names.join("|"));
    }
    mapping
        .contest
        .iter()
        .find(|contest| row::choices(contest, heading).is_empty() && contest.votes.is_none())
        .map(|contest| match (&contest.lists, &contest.candidates) {
            (Some(Lists::Pattern(pattern)), _) | (None, Some(pattern)) => pattern.to_string(),
            (Some(Lists::Each(each)), _) => {
                each.values().map(|column| column.names.join("|")).collect::<Vec<_>>().join("`, `")
            }
            (None, None) => String::new(),
        })
}

/// Reads a table.
pub(super) fn read(bytes: &[u8], name: &str, mapping: &Mapping) -> Result<Read, ReadError> {
    let text = decode(bytes, name, mapping.encoding)?;
    let cells = Cells::read(&text, name, delimiter(mapping), mapping.skip_lines, mapping.heading)?;
    if let Some(column) = missing(mapping, &cells.heading) {
        let (name, mapping) = (name.to_owned(), mapping.name.clone());
        return Err(ReadError::Column { name, line: cells.heading_line, column, mapping });
    }
    let mut table = Table::new(mapping, &cells.heading);
    for (line, row) in &cells.rows {
        table.row(*line, row);
    }
    Ok(table.finish())
}

/// A table that is being read.
struct Table<'m> {
    mapping: &'m Mapping,
    heading: Vec<String>,
    columns: BTreeMap<&'m str, usize>,
    choices: Vec<Vec<row::Choice>>,
    sink: Sink,
    tallies: Tallies,
    stated: Tallies,
    /// Tops of units that a contest's unit is not, each told once.
    outside: BTreeSet<(ContestId, UnitId)>,
}

/// Tallies by unit and contest, in order of appearance.
#[derive(Default)]
struct Tallies {
    all: Vec<Tally>,
    places: BTreeMap<(UnitId, ContestId), usize>,
}

/// The unit of a row.
struct Target {
    unit: UnitId,
    stated: bool,
}

impl<'m> Table<'m> {
    fn new(mapping: &'m Mapping, heading: &[String]) -> Self {
        let mut sink = Sink::new(Format::Table(mapping.name.as_str().into()));
        let mut columns = BTreeMap::new();
        for name in mapping.columns().into_iter().flat_map(|column| &column.names) {
            let mut places = heading.iter().enumerate().filter(|(_, own)| *own == name).map(|(at, _)| at);
            if let Some(place) = places.next() {
                columns.insert(name.as_str(), place);
            }
            if places.next().is_some() && !sink.read.problems.iter().any(|problem| problem.field == *name) {
                sink.problem("two-columns", None, name, "two columns have this heading; the first is read");
            }
        }
        let choices = mapping.contest.iter().map(|contest| row::choices(contest, heading)).collect();
        let (tallies, stated) = (Tallies::default(), Tallies::default());
        let outside = BTreeSet::new();
        Self { mapping, heading: heading.to_vec(), columns, choices, sink, tallies, stated, outside }
    }

    fn finish(self) -> Read {
        let mut read = self.sink.read;
        read.tallies = self.tallies.all;
        read.stated = self.stated.all;
        read
    }

    fn cell<'r>(&self, row: &'r StringRecord, column: &Column) -> &'r str {
        cell(&self.columns, row, column)
    }

    fn text(&self, row: &StringRecord, template: Option<&Template>) -> Option<String> {
        template?.fill(|column| self.cell(row, column), str::to_owned)
    }

    /// The id that a template makes, or a problem.
    fn id(
        &mut self,
        sort: &'static str,
        line: u64,
        row: &StringRecord,
        template: &Template,
    ) -> Option<Box<str>> {
        let id = template.fill(|column| self.cell(row, column), slug);
        let origin = template.fill(|column| self.cell(row, column), str::to_owned);
        self.sink.id(sort, &id.unwrap_or_default(), &origin.unwrap_or_default(), Some(line))
    }

    fn row(&mut self, line: u64, row: &StringRecord) {
        self.sink.read.rows.all += 1;
        if row.len() != self.heading.len() {
            let message = format!("the row has {} cells and the heading {}", row.len(), self.heading.len());
            self.sink.problem("row-length", Some(line), "row", message);
            self.sink.read.rows.refused += 1;
            return;
        }
        let mapping = self.mapping;
        if mapping.ignore.iter().any(|rule| rule.meets(self.cell(row, &rule.column))) {
            self.sink.read.rows.ignored += 1;
            return;
        }
        let taken = self.target(line, row).is_some_and(|target| {
            if !target.stated {
                self.election(line, row);
            }
            let taken =
                (0..mapping.contest.len()).filter(|&at| self.contest(at, line, row, &target)).count() > 0;
            let rows = &mut self.sink.read.rows;
            *(if target.stated { &mut rows.stated } else { &mut rows.used }) += u64::from(taken);
            taken
        });
        self.sink.read.rows.refused += u64::from(!taken);
    }

    /// The unit of the row, with it and those above in the draft.
    fn target(&mut self, line: u64, row: &StringRecord) -> Option<Target> {
        let mapping = self.mapping;
        if let Some(rule) =
            mapping.stated.iter().find(|rule| rule.when.meets(self.cell(row, &rule.when.column)))
        {
            let unit = UnitId::new(&self.id("unit", line, row, &rule.id)?)?;
            let name = self.text(row, rule.name.as_ref()).unwrap_or_default();
            self.sink.unit(&unit, rule.kind.0, None, &name);
            return Some(Target { unit, stated: true });
        }
        let unit = UnitId::new(&self.id("unit", line, row, &mapping.unit.id)?)?;
        if self
            .sink
            .read
            .draft
            .units
            .get(&unit)
            .is_some_and(|known| known.parent.is_some() || mapping.above.is_empty())
        {
            return Some(Target { unit, stated: false });
        }
        let mut parent = None;
        for rule in mapping.above.iter().rev() {
            let Some(id) = self.id("unit", line, row, &rule.id).and_then(|id| UnitId::new(&id)) else {
                continue;
            };
            let name = self.text(row, rule.name.as_ref()).unwrap_or_default();
            self.under(&id, rule.kind.0, parent.as_ref(), &name);
            parent = Some(id);
        }
        let name = self.text(row, mapping.unit.name.as_ref()).unwrap_or_default();
        self.under(&unit, self.kind(row), parent.as_ref(), &name);
        Some(Target { unit, stated: false })
    }

    /// A unit of the draft below another; one that a row of totals has put there has no parent yet.
    fn under(&mut self, id: &UnitId, kind: UnitKind, parent: Option<&UnitId>, name: &str) {
        let unit = self.sink.unit(id, kind, parent, name);
        if unit.parent.is_none() && parent != Some(id) {
            unit.parent = parent.cloned();
        }
    }

    fn kind(&self, row: &StringRecord) -> UnitKind {
        let unit = &self.mapping.unit;
        let rule = unit.kinds.iter().find(|rule| rule.when.meets(self.cell(row, &rule.when.column)));
        rule.map_or(unit.kind.0, |rule| rule.kind.0)
    }

    fn election(&mut self, line: u64, row: &StringRecord) {
        let rule = &self.mapping.election;
        if self.sink.read.draft.election.is_none()
            && let Some(id) = &rule.id
        {
            let id = self.id("election", line, row, id).and_then(|id| ElectionId::new(&id));
            self.sink.read.draft.election = id;
        }
        if self.sink.read.draft.title.is_none() {
            self.sink.read.draft.title = self.text(row, rule.title.as_ref());
        }
        if self.sink.read.draft.date.is_none()
            && let Some(text) = self.text(row, rule.date.as_ref())
        {
            let date = text.parse().ok().or_else(|| jiff::civil::Date::strptime("%d.%m.%Y", &text).ok());
            if date.is_none() {
                self.sink.problem(
                    "not-a-date",
                    Some(line),
                    "date",
                    format!("`{}` is no day", clipped(&text)),
                );
            }
            self.sink.read.draft.date = date;
        }
    }

    fn time(&mut self, line: u64, row: &StringRecord, column: &Column) -> Option<Timestamp> {
        let text = self.cell(row, column);
        let time = Timestamp::parse(text);
        if time.is_none() {
            let message = format!("`{}` is no time of RFC 3339", clipped(text));
            self.sink.problem("not-a-time", Some(line), &column.names[0], message);
        }
        time
    }
}

/// The first cell of a column's headings that is not empty.
fn cell<'r>(columns: &BTreeMap<&str, usize>, row: &'r StringRecord, column: &Column) -> &'r str {
    let cells = column.names.iter().filter_map(|name| row.get(*columns.get(name.as_str())?));
    cells.map(str::trim).find(|cell| !cell.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_an_editor() {
        let lines = |text: &str| {
            let cells = Cells::read(text, "x.csv", b',', 0, true).expect("cells");
            (cells.heading_line, cells.rows.iter().map(|(line, _)| *line).collect::<Vec<_>>())
        };
        assert_eq!(lines("a\nb\nc\n"), (1, vec![2, 3]));
        assert_eq!(lines("a\r\nb\r\nc"), (1, vec![2, 3]));
        assert_eq!(lines("\n\r\na\n\n\nb\n\"c\nd\"\ne"), (3, vec![6, 7, 9]));
    }
}
