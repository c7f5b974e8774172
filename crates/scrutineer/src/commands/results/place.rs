//! Where an election is published: a folder, an address, or a bundle.

use std::path::Path;

use results::board::{Board, Election};
use results::bundle::{self, Published};
use results::definition::Definition;
use results::id::{ContestId, UnitId};
use results::lines::parse_hex;
use results::verify::{self, Trust};
use tlog::Hash;

use super::super::log::open_source;
use super::super::{CommandError, say};
use super::{ResultsError, read};

/// Reads what is published at a place.
pub(super) fn published(place: &str) -> Result<Published, ResultsError> {
    let file = Path::new(place);
    if file.is_file() {
        let wrong = |reason| ResultsError::Bundle { file: file.to_owned(), reason };
        return bundle::read(&read(file)?).map_err(wrong);
    }
    Ok(Published::of(open_source(place).as_ref()))
}

/// The election at a place, for commands that compute with it. What does not hold is told first: a sum of a forged log is no
/// sum.
pub(super) fn board(place: &str) -> Result<Board, CommandError> {
    let report = verify::verify(&published(place)?, &Trust::default());
    let bad = |reason: &&verify::Reason| reason.verdict > verify::Verdict::SelfConsistentOnly;
    for reason in report.reasons.iter().filter(bad) {
        say(&format!("warning: {}", reason.message));
    }
    if report.verdict == verify::Verdict::Unavailable {
        let reason = report.reasons.first().map(|reason| reason.message.clone()).unwrap_or_default();
        return Err(ResultsError::Unavailable { place: place.to_owned(), reason }.into());
    }
    Ok(report.board)
}

/// The election of a board.
pub(super) fn election<'b>(board: &'b Board, place: &str) -> Result<&'b Election, ResultsError> {
    board.election().ok_or_else(|| ResultsError::NoElection(place.to_owned()))
}

/// A fingerprint as people pass it on: spaces and capitals do not matter.
pub(super) fn fingerprint(text: &str) -> Result<Hash, ResultsError> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let wrong = || ResultsError::Argument { text: text.to_owned(), what: "fingerprint: 64 hex digits" };
    parse_hex(&plain.to_lowercase()).ok_or_else(wrong)
}

/// The contest that is named, or the only one.
pub(super) fn contest<'d>(
    definition: &'d Definition,
    name: Option<&str>,
) -> Result<&'d ContestId, ResultsError> {
    let contests = &definition.contests;
    let Some(name) = name else {
        let mut ids = contests.keys();
        return match (ids.next(), ids.next()) {
            (Some(only), None) => Ok(only),
            _ => {
                let all: Vec<&str> = contests.keys().map(ContestId::as_str).collect();
                Err(ResultsError::WhichContest(all.join(", ")))
            }
        };
    };
    let found = contests.get_key_value(name).map(|(id, _)| id);
    found.ok_or_else(|| ResultsError::Unknown { what: "contest", name: name.to_owned() })
}

/// The unit that is named.
pub(super) fn unit<'e>(election: &'e Election, name: &str) -> Result<&'e UnitId, ResultsError> {
    let found = election.definition.units.get_key_value(name).map(|(id, _)| id);
    found.ok_or_else(|| ResultsError::Unknown { what: "unit", name: name.to_owned() })
}
