//! The page on which a clerk without a computer system types a paper form twice: one HTML file that loads nothing.
//!
//! Page, style, words and script stand in `web/`, as they are read and reviewed; here they become one file with the facts of
//! one centre in one contest. The same definition always makes the same bytes, so whoever holds the definition can make the
//! page again and compare it with the one on a stick.
//!
//! The page makes the text of a [`crate::returns::Return`] and never signs it: a key stays in the program that signs.

use std::fmt::Write as _;

use data_encoding::BASE64;
use thiserror::Error;

use crate::definition::{Contest, Definition, Unit};
use crate::id::{CentreId, ContestId, UnitId};
use crate::lines::hex;

const PAGE: &str = include_str!("../web/double-entry.html");
const STYLE: &str = include_str!("../web/double-entry.css");
const SCRIPT: &str = include_str!("../web/double-entry.js");

/// The language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Dutch.
    Dutch,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::English, Self::Dutch];

    /// The code by which pages and browsers name it.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
        }
    }

    /// Reads the code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The table of all words.
    fn words(self) -> &'static str {
        match self {
            Self::English => include_str!("../web/double-entry-words-en.js"),
            Self::Dutch => include_str!("../web/double-entry-words-nl.js"),
        }
    }
}

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EntryPageError {
    /// The definition has no such contest.
    #[error("the definition has no contest `{0}`")]
    NoContest(ContestId),
    /// The definition has no such centre.
    #[error("the definition has no centre `{0}`")]
    NoCentre(CentreId),
    /// The centre reports nothing in the contest.
    #[error("centre `{centre}` reports no unit in contest `{contest}`")]
    NoUnits {
        /// The centre.
        centre: CentreId,
        /// The contest.
        contest: ContestId,
    },
}

/// The page for one centre in one contest, as one HTML file: about 60 KiB, and the facts.
///
/// # Errors
/// Where the definition does not know the contest or the centre, or where the centre has nothing to report in the contest.
pub fn double_entry_page(
    definition: &Definition,
    contest: &ContestId,
    centre: &CentreId,
    language: Language,
) -> Result<String, EntryPageError> {
    let facts = facts(definition, contest, centre)?;
    let script = format!("{}{SCRIPT}", language.words());
    let policy = policy(&script);
    let mut page = String::with_capacity(PAGE.len() + STYLE.len() + script.len() + facts.len());
    // One pass from left to right: what is put in is not looked through again, whatever names it holds.
    let mut rest = PAGE;
    for (slot, text) in [
        ("{{POLICY}}", policy.as_str()),
        ("{{STYLE}}", STYLE),
        ("{{FACTS}}", facts.as_str()),
        ("{{SCRIPT}}", script.as_str()),
    ] {
        let (before, after) =
            rest.split_once(slot).expect("internal error: the page's slots stand in this order");
        page.push_str(before);
        page.push_str(text);
        rest = after;
    }
    page.push_str(rest);
    Ok(page)
}

/// Nothing may be fetched, and nothing may run or be shown but the one script and the one style, which are named by their
/// hashes. Texts cannot become markup, even by a mistake in the script.
fn policy(script: &str) -> String {
    let source = |text: &str| format!("'sha256-{}'", BASE64.encode(&tlog::hash::sha256(text.as_bytes()).0));
    format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'none'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        source(script),
        source(STYLE)
    )
}

/// What the script knows, as JSON.
fn facts(definition: &Definition, contest: &ContestId, centre: &CentreId) -> Result<String, EntryPageError> {
    let held = definition.contests.get(contest).ok_or_else(|| EntryPageError::NoContest(contest.clone()))?;
    let sits = definition.centres.get(centre).ok_or_else(|| EntryPageError::NoCentre(centre.clone()))?;
    let units: Vec<(&UnitId, &Unit)> = definition
        .reporting_units()
        .into_iter()
        .filter(|id| definition.may_report(centre, id) && definition.is_held_in(contest, id))
        .filter_map(|id| Some((id, definition.units.get(id)?)))
        .collect();
    if units.is_empty() {
        return Err(EntryPageError::NoUnits { centre: centre.clone(), contest: contest.clone() });
    }
    let facts = [
        ("election", text(definition.election.as_str())),
        ("title", text(&definition.title)),
        ("definition", text(&hex(&definition.fingerprint()))),
        ("leastCast", definition.least_cast.to_string()),
        (
            "contest",
            object([
                ("id", text(contest.as_str())),
                ("title", text(&held.title)),
                ("votesPerBallot", held.votes_per_ballot.to_string()),
            ]),
        ),
        ("centre", object([("id", text(centre.as_str())), ("name", text(&sits.name))])),
        ("lists", lists(held)),
        ("units", array(units.into_iter().map(|(id, known)| unit(id, known)))),
    ];
    Ok(object(facts))
}

fn unit(id: &UnitId, unit: &Unit) -> String {
    object([
        ("id", text(id.as_str())),
        ("kind", text(unit.kind.name())),
        ("eligible", unit.eligible.map_or_else(|| "null".to_owned(), |eligible| eligible.to_string())),
        ("name", text(&unit.name)),
    ])
}

/// Lists and candidates in the order in which a return states them.
fn lists(contest: &Contest) -> String {
    array(contest.lists.iter().map(|(id, list)| {
        let candidates = list.candidates.iter().map(|(number, name)| format!("[{number},{}]", text(name)));
        object([("id", text(id.as_str())), ("name", text(&list.name)), ("candidates", array(candidates))])
    }))
}

fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(",\n"))
}

fn object<const N: usize>(members: [(&str, String); N]) -> String {
    let members = members.map(|(key, value)| format!("\"{key}\":{value}"));
    format!("{{{}}}", members.join(","))
}

/// A JSON string that may stand inside a `script` element: no name can end the element or begin a comment in it, for there is
/// no `<`; and none can end a line.
fn text(value: &str) -> String {
    let mut json = String::with_capacity(value.len() + 2);
    json.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{0}'..='\u{1f}' | '\u{7f}' => {
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            _ => json.push(c),
        }
    }
    json.push('"');
    json
}
