//! Making documents: signatures of several people under one statement, and the next return of a unit.

use std::collections::BTreeSet;

use domain::Timestamp;
use tlog::{Hash, Note, SignerKey};

use crate::id::ElectionId;
use crate::returns::{Reason, Return, SourceFile, Status, numbers};
use crate::tally::Tally;

/// What is the same for all returns that are made in one go.
#[derive(Clone, Debug)]
pub struct Occasion {
    /// The election.
    pub election: ElectionId,
    /// Fingerprint of the definition.
    pub definition: Hash,
    /// When.
    pub time: Timestamp,
    /// How final the numbers are.
    pub status: Status,
    /// Why a unit that has a return gets another one.
    pub reason: Reason,
    /// The file that the numbers are from.
    pub source: Option<SourceFile>,
}

/// The last thing that a centre said of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Its revision.
    pub revision: u32,
    /// Its leaf hash.
    pub leaf: Hash,
    /// What it said; nothing after a retraction.
    pub content: Option<Return>,
}

/// The next return of a unit, or none where its last one says the same already.
pub fn next_return(
    occasion: &Occasion,
    previous: Option<&Previous>,
    tally: Tally,
    flags: BTreeSet<Box<str>>,
) -> Option<Return> {
    let said = previous.and_then(|previous| previous.content.as_ref());
    let is_same = |said: &Return| numbers(&said.tally) == numbers(&tally) && said.status == occasion.status;
    if said.is_some_and(is_same) {
        return None;
    }
    Some(Return {
        election: occasion.election.clone(),
        definition: occasion.definition,
        revision: previous.map_or(1, |previous| previous.revision + 1),
        supersedes: previous.map(|previous| previous.leaf),
        reason: if previous.is_some() { occasion.reason } else { Reason::First },
        status: occasion.status,
        time: occasion.time,
        source: occasion.source.clone(),
        flags,
        tally,
    })
}

/// Adds a signature to a note, keeping the signatures ascending by name: the one order in which a log takes them. A key that has
/// signed already changes nothing.
pub fn cosign(note: Option<&Note>, text: &str, key: &SignerKey) -> Note {
    let mut lines: Vec<(String, String)> = Vec::new();
    let signed = Note::sign(text, key);
    let earlier = note.map_or(&[][..], Note::signatures);
    for signature in earlier.iter().chain(signed.signatures()) {
        let line = (signature.name.clone(), signature.to_line());
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.sort();
    let lines: String = lines.into_iter().map(|(_, line)| line).collect();
    Note::parse(format!("{text}\n{lines}").as_bytes()).expect("internal error: lines of notes make a note")
}

#[cfg(test)]
mod tests {
    use tlog::key::KeyKind;

    use super::*;

    #[test]
    fn signatures_stand_in_one_order_whoever_signs_first() {
        let key = |name: &str| {
            SignerKey::from_seed(name, KeyKind::Ed25519, &[name.len() as u8; 32]).expect("a name")
        };
        let (a, b) = (key("a.example"), key("bb.example"));
        let ab = cosign(Some(&cosign(None, "text\n", &a)), "text\n", &b);
        let ba = cosign(Some(&cosign(None, "text\n", &b)), "text\n", &a);
        assert_eq!(ab, ba);
        assert_eq!(cosign(Some(&ab), "text\n", &a), ab);
        assert_eq!(ab.signatures().len(), 2);
    }
}
