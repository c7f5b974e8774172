//! The description of a table, so that a new country needs no code: which columns are units, contests, lists and numbers.
//!
//! A mapping is a TOML file; `docs/specs/mapping.md` is its page. Here it is parsed and checked; [`super::table`] follows it.

mod template;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::definition::{Method, UnitKind};
use crate::tally::Count;
pub use template::{Column, Pattern, Template};

/// The mappings that the program brings, by name.
pub const BUILT_IN: [(&str, &str); 8] = [
    ("germany-okvote-european", include_str!("../../mappings/germany-okvote-european.toml")),
    ("germany-okvote-landtag", include_str!("../../mappings/germany-okvote-landtag.toml")),
    ("germany-votemanager", include_str!("../../mappings/germany-votemanager.toml")),
    ("onegov-proporz", include_str!("../../mappings/onegov-proporz.toml")),
    ("onegov-vote", include_str!("../../mappings/onegov-vote.toml")),
    ("slovenia-ep2024-events", include_str!("../../mappings/slovenia-ep2024-events.toml")),
    ("slovenia-ep2024-stations", include_str!("../../mappings/slovenia-ep2024-stations.toml")),
    ("us-openelections", include_str!("../../mappings/us-openelections.toml")),
];

/// How a table is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mapping {
    #[serde(skip)]
    pub(super) name: String,
    /// What the table is, for people.
    pub(super) about: String,
    #[serde(default)]
    pub(super) encoding: Encoding,
    #[serde(default = "comma")]
    pub(super) delimiter: char,
    #[serde(default = "yes")]
    pub(super) heading: bool,
    #[serde(default)]
    pub(super) skip_lines: usize,
    pub(super) layout: Layout,
    pub(super) thousands: Option<char>,
    pub(super) time: Option<Column>,
    #[serde(default)]
    pub(super) election: ElectionRule,
    pub(super) unit: UnitRule,
    #[serde(default)]
    pub(super) above: Vec<AboveRule>,
    pub(super) contest: Vec<ContestRule>,
    #[serde(default)]
    pub(super) ignore: Vec<Condition>,
    #[serde(default)]
    pub(super) stated: Vec<StatedRule>,
}

/// The signs of the file.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Encoding {
    #[default]
    Utf8,
    /// Covers ISO 8859-1 too: they differ in signs that no result has.
    #[serde(alias = "latin-1")]
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// What a row is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Layout {
    /// One row for each unit; lists and candidates have columns.
    Wide,
    /// One row for each choice in a unit.
    Long,
}

/// What the table says of the election.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ElectionRule {
    pub(super) id: Option<Template>,
    pub(super) title: Option<Template>,
    pub(super) date: Option<Template>,
}

/// The unit of a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct UnitRule {
    pub(super) id: Template,
    pub(super) name: Option<Template>,
    pub(super) kind: Kind,
    #[serde(default)]
    pub(super) kinds: Vec<KindRule>,
}

/// A unit above it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AboveRule {
    pub(super) id: Template,
    pub(super) name: Option<Template>,
    pub(super) kind: Kind,
}

/// Rows of another sort of unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct KindRule {
    pub(super) when: Condition,
    pub(super) kind: Kind,
}

/// Rows that state the total of a unit above.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StatedRule {
    pub(super) when: Condition,
    pub(super) id: Template,
    pub(super) name: Option<Template>,
    pub(super) kind: Kind,
}

/// Which rows: those whose cell is one of the texts, or begins with one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Condition {
    pub(super) column: Column,
    pub(super) is: Option<Texts>,
    pub(super) starts_with: Option<Texts>,
}

/// One text or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Texts {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// A contest, with where its numbers are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ContestRule {
    pub(super) id: Template,
    pub(super) title: Option<Template>,
    pub(super) unit: Option<Template>,
    pub(super) seats: Option<Template>,
    pub(super) votes_per_ballot: Option<Template>,
    #[serde(default)]
    pub(super) method: ByMethod,
    #[serde(default)]
    pub(super) threshold: u32,
    #[serde(default)]
    pub(super) counts: BTreeMap<CountName, Column>,
    // Wide.
    pub(super) lists: Option<Lists>,
    #[serde(default)]
    pub(super) list_names: BTreeMap<String, String>,
    pub(super) candidates: Option<Pattern>,
    // Long.
    pub(super) list: Option<Template>,
    pub(super) list_name: Option<Template>,
    pub(super) list_total: Option<Column>,
    pub(super) connection: Option<Template>,
    pub(super) sub_connection: Option<Template>,
    pub(super) candidate: Option<Template>,
    pub(super) candidate_name: Option<Template>,
    pub(super) votes: Option<Column>,
    #[serde(default)]
    pub(super) modes: BTreeMap<CountName, Column>,
}

/// Columns of lists: by a pattern, or each by its name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Lists {
    /// By a pattern.
    Pattern(Pattern),
    /// Each list's id and its column.
    Each(BTreeMap<String, Column>),
}

/// A sort of unit by its word.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Kind(pub(super) UnitKind);

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let words = || UnitKind::ALL.map(UnitKind::name).join(", ");
        UnitKind::parse(&text)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no kind of unit; there are {}", words()))
    }
}

/// A method by its word.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct ByMethod(pub(super) Method);

impl Default for ByMethod {
    fn default() -> Self {
        Self(Method::None)
    }
}

impl TryFrom<String> for ByMethod {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let words = || Method::ALL.map(Method::name).join(", ");
        Method::parse(&text).map(Self).ok_or_else(|| format!("`{text}` is no method; there are {}", words()))
    }
}

/// The name of a count or a mode.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub(super) struct CountName(pub(super) Count);

impl TryFrom<String> for CountName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Count::parse(&text).map(Self).ok_or_else(|| format!("`{text}` is no id in lower case"))
    }
}

/// Why a mapping cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// No TOML, or not of this form; the message of the parser has the line.
    #[error("mapping `{name}` cannot be read:\n{what}")]
    Form { name: String, what: String },
    /// Parts that do not go together.
    #[error("mapping `{name}` {what}")]
    Rule { name: String, what: &'static str },
}

impl Mapping {
    /// Reads a mapping from its TOML text; the name is for messages.
    ///
    /// # Errors
    /// See [`MappingError`].
    pub fn parse(text: &str, name: &str) -> Result<Self, MappingError> {
        let mut mapping: Self = toml::from_str(text)
            .map_err(|error| MappingError::Form { name: name.to_owned(), what: error.to_string() })?;
        name.clone_into(&mut mapping.name);
        match mapping.conflict() {
            Some(what) => Err(MappingError::Rule { name: mapping.name, what }),
            None => Ok(mapping),
        }
    }

    /// A mapping that the program brings.
    pub fn built_in(name: &str) -> Option<Self> {
        let (name, text) = BUILT_IN.iter().find(|(own, _)| *own == name)?;
        Some(Self::parse(text, name).expect("internal error: a test reads every built-in mapping"))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it says of itself.
    pub fn about(&self) -> &str {
        &self.about
    }

    fn conflict(&self) -> Option<&'static str> {
        if self.contest.is_empty() {
            return Some("has no `[[contest]]`");
        }
        if !self.delimiter.is_ascii() {
            return Some("has a `delimiter` that is no ASCII sign");
        }
        if self.time.is_some() && self.layout == Layout::Long {
            return Some("has `time`, which only rows of the layout `wide` can have");
        }
        for contest in &self.contest {
            let wide =
                contest.lists.is_some() || contest.candidates.is_some() || !contest.list_names.is_empty();
            let long = contest.list.is_some() || contest.votes.is_some() || !contest.modes.is_empty();
            let long = long || contest.candidate.is_some() || contest.list_total.is_some();
            match self.layout {
                Layout::Wide if long => {
                    return Some(
                        "has `list`, `list-total`, `candidate`, `votes` or `modes` in the layout `wide`",
                    );
                }
                Layout::Long if wide => {
                    return Some("has `lists`, `list-names` or `candidates` in the layout `long`");
                }
                Layout::Wide if !wide => return Some("has a contest without `lists` and `candidates`"),
                Layout::Long if contest.list.is_none() || contest.votes.is_none() => {
                    return Some("has a contest without `list` or `votes`");
                }
                Layout::Wide | Layout::Long => {}
            }
        }
        None
    }

    /// Every column that a table must have for this mapping.
    pub(super) fn columns(&self) -> Vec<&Column> {
        let mut columns = Vec::new();
        columns.extend(&self.time);
        let heads = [&self.election.id, &self.election.title, &self.election.date];
        columns.extend(heads.into_iter().flatten().flat_map(Template::columns));
        columns.extend(self.unit.id.columns().chain(self.unit.name.iter().flat_map(Template::columns)));
        columns.extend(self.unit.kinds.iter().map(|rule| &rule.when.column));
        for above in &self.above {
            columns.extend(above.id.columns().chain(above.name.iter().flat_map(Template::columns)));
        }
        columns.extend(self.ignore.iter().map(|rule| &rule.column));
        for stated in &self.stated {
            columns.push(&stated.when.column);
            columns.extend(stated.id.columns().chain(stated.name.iter().flat_map(Template::columns)));
        }
        self.contest.iter().for_each(|contest| contest.columns(&mut columns));
        columns
    }
}

impl ContestRule {
    fn columns<'m>(&'m self, columns: &mut Vec<&'m Column>) {
        let templates = [
            &self.title,
            &self.unit,
            &self.seats,
            &self.votes_per_ballot,
            &self.list,
            &self.list_name,
            &self.connection,
            &self.sub_connection,
            &self.candidate,
            &self.candidate_name,
        ];
        columns.extend(self.id.columns().chain(templates.into_iter().flatten().flat_map(Template::columns)));
        columns.extend(self.counts.values().chain(self.modes.values()));
        columns.extend(self.list_total.iter().chain(&self.votes));
        if let Some(Lists::Each(lists)) = &self.lists {
            columns.extend(lists.values());
        }
    }
}

impl Condition {
    /// Whether a cell meets it.
    pub(super) fn meets(&self, cell: &str) -> bool {
        let is = self.is.as_ref().is_none_or(|texts| texts.all().iter().any(|text| text == cell));
        let starts = self.starts_with.as_ref();
        is && starts.is_none_or(|texts| texts.all().iter().any(|text| cell.starts_with(text.as_str())))
    }
}

impl Texts {
    fn all(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

fn comma() -> char {
    ','
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_mapping_reads_and_they_are_sorted() {
        for (name, text) in BUILT_IN {
            let mapping = Mapping::parse(text, name).unwrap_or_else(|error| panic!("{error}"));
            assert!(!mapping.about().is_empty());
        }
        assert!(BUILT_IN.is_sorted());
    }

    fn check(text: &str) -> String {
        match Mapping::parse(text, "m.toml") {
            Ok(mapping) => format!("{:?}", mapping.columns()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_wrong_mapping_is_told_where_and_what() {
        let unit = "about = ''\nlayout = 'wide'\nunit = { id = '{a}', kind = 'postal' }\n";
        let cases = [
            format!("{unit}contest = []"),
            format!("{unit}contest = [{{ id = 'x' }}]"),
            format!("{unit}contest = [{{ id = 'x', lists = 'l{{list}}', votes = 'v' }}]"),
            format!("{unit}contest = [{{ id = '{{x', lists = 'l{{list}}' }}]"),
            format!("{unit}contest = [{{ id = 'x', candidates = 'l{{list}}' }}]"),
            unit.replace("postal", "letter"),
        ];
        let out: Vec<String> = cases.iter().map(|case| check(case)).collect();
        insta::assert_snapshot!(out.join("\n"), @r#"
        mapping `m.toml` has no `[[contest]]`
        mapping `m.toml` has a contest without `lists` and `candidates`
        mapping `m.toml` has `list`, `list-total`, `candidate`, `votes` or `modes` in the layout `wide`
        mapping `m.toml` cannot be read:
        TOML parse error at line 4, column 19
          |
        4 | contest = [{ id = '{x', lists = 'l{list}' }]
          |                   ^^^^
        `{x` has a `{` without `}`

        [Column { names: ["a"] }]
        mapping `m.toml` cannot be read:
        TOML parse error at line 3, column 29
          |
        3 | unit = { id = '{a}', kind = 'letter' }
          |                             ^^^^^^^^
        `letter` is no kind of unit; there are nation, district, municipality, polling-station, early-voting, postal, mobile, special, abroad
        "#);
    }
}
