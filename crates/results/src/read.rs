//! Reading what count centres and authorities already have: their files, as [`Tally`] values and the draft of a definition.
//!
//! | format | recognised by | read by |
//! |---|---|---|
//! | EML_NL 510a–d (counts), 110a, 110b, 230b, 520 | the root element `EML` and its `Id` | [`eml`] |
//! | eCH-0252 deliveries (Switzerland) | the root element `delivery` and its name space | [`ech`] |
//! | WabstiC proporz, a set of CSV files | the names `WP_….csv`; [`read_set`] | [`wabstic`] |
//! | any other table | a [`Mapping`], given or the only built-in one whose columns the file has | [`table`] |
//!
//! Everything here is pure: bytes in, values and problems out. A row or a cell that cannot be read never stops a file: it
//! becomes a [`Problem`] with its place, and what was read beside it stays. Only what leaves nothing to read is a
//! [`ReadError`]. Nothing is computed that the file does not state: where an EML file has no "ballots cast", neither has the
//! tally.

mod draft;
mod ech;
mod eml;
pub mod mapping;
mod sink;
mod table;
mod wabstic;
mod xml;

use std::collections::BTreeMap;
use std::fmt;

use domain::Timestamp;

use crate::definition::{Contest, Unit};
use crate::id::{ContestId, ElectionId, ListId, UnitId};
use crate::tally::Tally;
pub use mapping::{Mapping, MappingError};

/// The largest file that is read, in bytes. A table of all polling stations of a large country by candidate is below it.
pub const MAX_FILE_BYTES: usize = 256 << 20;

/// The largest XML file, in bytes: its elements are held in memory at once.
pub const MAX_XML_BYTES: usize = 64 << 20;

/// The most problems that are kept of one file; further ones are only counted.
pub const MAX_PROBLEMS: usize = 10_000;

/// What a file was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// EML_NL, with the document's id: `510b`.
    EmlNl(Box<str>),
    /// eCH-0252, with the kind of delivery: `electionResultDelivery`.
    Ech0252(Box<str>),
    /// The WabstiC set of CSV files for elections by proportional representation.
    WabsticProporz,
    /// A table that a mapping of this name describes.
    Table(Box<str>),
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmlNl(id) => write!(f, "EML_NL {id}"),
            Self::Ech0252(kind) => write!(f, "eCH-0252 {kind}"),
            Self::WabsticProporz => f.write_str("WabstiC proporz"),
            Self::Table(mapping) => write!(f, "table by mapping {mapping}"),
        }
    }
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What it was.
    pub format: Format,
    /// One tally for each counted unit and contest, in the order in which the file first names them. Of a file of events,
    /// the last state.
    pub tallies: Vec<Tally>,
    /// Totals that the file itself states for units above those.
    pub stated: Vec<Tally>,
    /// Of a file of events, each row in order, with the time it gives.
    pub events: Vec<(Option<Timestamp>, Tally)>,
    /// What the file says of the election, for a definition.
    pub draft: Draft,
    /// What could not be read, in file order, the first [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
    /// Problems beyond those.
    pub more_problems: u64,
    /// Where the rows of a table went.
    pub rows: Rows,
}

/// Where the rows of a table went: `all` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Rows below the heading.
    pub all: u64,
    /// Rows that are in `tallies`.
    pub used: u64,
    /// Rows that are in `stated`.
    pub stated: u64,
    /// Rows that a rule of the mapping passes over.
    pub ignored: u64,
    /// Rows that could not be used; each has a problem.
    pub refused: u64,
}

/// What a file says of the election. Where it does not say, the draft leaves out or takes the least: no seats, no method, one
/// vote on a ballot. An authority completes it; a draft is never signed as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// The election.
    pub election: Option<ElectionId>,
    /// Its title.
    pub title: Option<String>,
    /// The day of the vote.
    pub date: Option<jiff::civil::Date>,
    /// The units.
    pub units: BTreeMap<UnitId, Unit>,
    /// The contests.
    pub contests: BTreeMap<ContestId, Contest>,
    /// Seats that the file says lists have won.
    pub seats: BTreeMap<(ContestId, ListId), u32>,
}

/// One thing in a file that could not be read, or that was read and is odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which sort of problem, for programs: `not-a-number`.
    pub code: &'static str,
    /// The line, from 1, where the place has one.
    pub line: Option<u64>,
    /// The column, or the path of elements.
    pub field: String,
    /// What is wrong with it, for people.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}: {} ({})", self.field, self.message, self.code)
    }
}

/// Why nothing could be read of a file.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// More bytes than are read.
    #[error("`{name}` is larger than {limit} bytes")]
    TooLarge { name: String, limit: usize },
    /// Nothing in it.
    #[error("`{name}` is empty")]
    Empty { name: String },
    /// Bytes that are no text of the encoding.
    #[error("line {line} of `{name}` is not {encoding}")]
    Encoding { name: String, line: u64, encoding: &'static str },
    /// Not well-formed XML, or XML with parts that are refused.
    #[error("line {line} of `{name}` is not XML that can be read: {what}")]
    Xml { name: String, line: u64, what: String },
    /// XML of another kind.
    #[error("`{name}` is XML with the root `{root}`, which no reader knows")]
    UnknownXml { name: String, root: String },
    /// A document of a known kind that breaks its rules so that nothing can be taken from it.
    #[error("line {line} of `{name}` breaks the rules of {format}: {what}")]
    Document { name: String, line: u64, format: &'static str, what: String },
    /// A table, and no mapping or several for it.
    #[error("no mapping was given for the table `{name}`, and {} of the built-in ones fit its columns", fits.len())]
    NoMapping { name: String, fits: Vec<&'static str>, columns: Vec<String> },
    /// A table without a column that its mapping names.
    #[error(
        "line {line} of `{name}`, the heading, has no column `{column}`, which mapping `{mapping}` names"
    )]
    Column { name: String, line: u64, column: String, mapping: String },
    /// A row of a table that cannot be split into cells.
    #[error("line {line} of `{name}` cannot be split into cells: {what}")]
    Row { name: String, line: u64, what: String },
    /// A set of files without one that it needs.
    #[error("the set of files has no `{missing}`")]
    Incomplete { missing: &'static str },
}

impl ReadError {
    /// What may help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Encoding { .. } => Some("state `encoding = \"windows-1252\"` in the mapping".to_owned()),
            Self::NoMapping { columns, fits, .. } if fits.is_empty() => {
                Some(format!("write a mapping for the columns {}", columns.join(", ")))
            }
            Self::NoMapping { fits, .. } => Some(format!("name one of {}", fits.join(", "))),
            Self::Column { .. } => Some(
                "correct the column's name in the mapping, or give the other spelling after `|`; delimiter and \
                 `skip-lines` decide what the heading is"
                    .to_owned(),
            ),
            Self::Row { .. } => Some("check the delimiter and the quotation marks".to_owned()),
            _ => None,
        }
    }
}

/// Reads one file, whatever it is. A mapping that is given says that it is a table; without one the content decides.
///
/// # Errors
/// See [`ReadError`]; what can be read in part is no error.
pub fn read(bytes: &[u8], name: &str, mapping: Option<&Mapping>) -> Result<Read, ReadError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge { name: name.to_owned(), limit: MAX_FILE_BYTES });
    }
    if let Some(mapping) = mapping {
        return table::read(bytes, name, mapping);
    }
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match start.first() {
        None => Err(ReadError::Empty { name: name.to_owned() }),
        Some(b'<') => read_xml(bytes, name),
        Some(_) => table::read(bytes, name, &table::recognise(bytes, name)?),
    }
}

/// Reads a set of files that belong together, each with its name: WabstiC proporz.
///
/// # Errors
/// See [`ReadError`].
pub fn read_set(files: &[(&str, &[u8])]) -> Result<Read, ReadError> {
    for (name, bytes) in files {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(ReadError::TooLarge { name: (*name).to_owned(), limit: MAX_FILE_BYTES });
        }
    }
    wabstic::read(files)
}

fn read_xml(bytes: &[u8], name: &str) -> Result<Read, ReadError> {
    let document = xml::Document::parse(bytes, name)?;
    let root = &document.root;
    if &*root.name == "EML" && &*document.namespace == eml::NAMESPACE {
        return eml::read(&document, name);
    }
    if &*root.name == "delivery" && document.namespace.starts_with(ech::NAMESPACE) {
        return ech::read(&document, name);
    }
    Err(ReadError::UnknownXml { name: name.to_owned(), root: root.name.to_string() })
}
