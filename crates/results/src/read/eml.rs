//! EML_NL, the Dutch form of OASIS EML 5: counts (510a–d), definitions (110a), polling stations (110b), candidate lists (230b)
//! and results (520).
//!
//! The documents that define an election are read by `eml-nl`, the crate of the Kiesraad. The counts are read from our own
//! tree, because a count is evidence and that crate (0.7) lets three things go that evidence must not:
//! - of two `RejectedVotes` or `UncountedVotes` with one reason, or two `Cast`, it keeps the last and says nothing;
//! - a reason that it does not know, or one selection without votes, stops the whole file, whatever the mode;
//! - what it keeps of the values of a selection has no place in the file.
//!
//! A test reads every count with both and compares each number.
//!
//! | in the file | count |
//! |---|---|
//! | `Cast` | `eligible`: in EML_NL it is the number of people who may vote |
//! | `UncountedVotes` geldige stempassen | `polling-cards` (A) |
//! | geldige volmachtbewijzen | `proxies` (B) |
//! | geldige kiezerspassen | `voter-cards` (C) |
//! | toegelaten kiezers | `admitted` (D) |
//! | `TotalCounted` | `valid` (E): votes on candidates |
//! | `RejectedVotes` blanco | `blank` (F) |
//! | `RejectedVotes` ongeldig | `invalid` (G) |
//! | no element has it | `cast` (H) stays unstated; E + F + G is for the checks to compute |
//! | meer getelde stembiljetten | `excess` (I) |
//! | minder getelde stembiljetten | `shortfall` (J) |
//! | meegenomen stembiljetten | `ballots-taken` |
//! | te weinig uitgereikte stembiljetten | `too-few-issued` |
//! | te veel uitgereikte stembiljetten | `too-many-issued` |
//! | geen briefstembiljetten | `no-postal-ballots` |
//! | te veel briefstembiljetten | `too-many-postal-ballots` |
//! | kwijtgeraakte stembiljetten | `lost-ballots` |
//! | geen verklaring | `no-explanation` |
//! | andere verklaring | `other-explanation` |
//! | any other reason | an id made of it, and the problem `unknown-reason` |
//! | `Investigation` | `investigated:` and an id made of the reason; 1 for true, 0 for false |

mod count;
mod definition;

use super::xml::{Document, Element};
use super::{Read, ReadError};

/// The name space of EML.
pub(super) const NAMESPACE: &str = "urn:oasis:names:tc:evs:schema:eml";

/// Reads a document by its `Id`.
pub(super) fn read(document: &Document<'_>, name: &str) -> Result<Read, ReadError> {
    let id = document.root.attribute("Id").unwrap_or_default();
    match id {
        "510a" | "510b" | "510c" | "510d" => count::read(document, name, id),
        "110a" | "110b" | "230b" | "520" => definition::read(document, name, id),
        _ => Err(broken(document, name, &document.root, format!("the document `{id}` is none that is read"))),
    }
}

fn broken(document: &Document<'_>, name: &str, place: &Element, what: impl Into<String>) -> ReadError {
    let line = document.line(place);
    ReadError::Document { name: name.to_owned(), line, format: "EML_NL", what: what.into() }
}
