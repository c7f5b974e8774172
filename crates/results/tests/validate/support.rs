//! The made-up night with two validators and telephones.

use domain::Timestamp;
use results::board::Election;
use results::returns::{Return, numbers};
use results::validate::spoken::Code;
use results::validate::{Coverage, Heard, Ledger, Place, Road};
use results::{Tally, Votes};
use tlog::Hash;

use crate::common::{Keys, Night, contest_id, definition_text, unit_id};

pub(crate) const PHONES: [&str; 2] = ["+38615550101", "+38615550102"];

/// The definition of the made-up night, with what validators need.
pub(crate) fn text(keys: &Keys, has_embargo: bool) -> String {
    let validators = format!(
        "validator v1 parties three {}\nvalidator v2 university four {}\n",
        keys.text("v1"),
        keys.text("v2")
    );
    definition_text(keys, has_embargo)
        .replace("channel main", "log authority one\nchannel main")
        .replace("unit d1 district", &format!("{validators}unit d1 district"))
        .replace("may d1\n", &format!("may d1\nphone {}\n", PHONES[0]))
        .replace("may d2\n", &format!("may d2\nphone {}\n", PHONES[1]))
}

pub(crate) fn night(election: u64, has_embargo: bool) -> Night {
    let keys = Keys::of(election);
    let text = text(&keys, has_embargo);
    Night::of(keys, &text).adopt()
}

pub(crate) fn election(night: &Night) -> &Election {
    night.board.election().expect("adopted")
}

pub(crate) fn place(contest: &str, unit: &str) -> Place {
    (contest_id(contest), unit_id(unit))
}

/// What people at a centre hold in their hands: the paper, and the code that was printed with the return.
#[derive(Clone)]
pub(crate) struct Paper {
    pub(crate) revision: u32,
    pub(crate) tally: Tally,
    pub(crate) leaf: Hash,
}

impl Paper {
    pub(crate) fn of(it: &Return, bytes: &[u8]) -> Self {
        Self { revision: it.revision, tally: it.tally.clone(), leaf: Hash::leaf(bytes) }
    }

    /// As a validator hears it. Each contact comes a second after the one before.
    pub(crate) fn heard(&self, night: &Night, road: Road, second: i64) -> Heard {
        let by_phone = road == Road::Phone;
        let phone = PHONES[usize::from(self.tally.unit.as_str().starts_with("d2"))];
        Heard {
            election: night.definition.election.clone(),
            definition: night.definition.fingerprint(),
            contest: self.tally.contest.clone(),
            unit: self.tally.unit.clone(),
            revision: self.revision,
            road,
            called: by_phone.then(|| phone.to_owned()),
            is_independent: true,
            time: Timestamp(night.clock.0 + second * 1000),
            leaf: (!by_phone).then_some(self.leaf),
            code: by_phone.then(|| Code::of(&self.leaf)),
            // A retraction has no numbers to read out.
            numbers: (by_phone && !numbers(&self.tally).is_empty()).then(|| self.tally.clone()),
        }
    }
}

/// Other numbers of the same unit.
pub(crate) fn other(tally: &Tally, more: u64) -> Tally {
    let mut other = tally.clone();
    for list in other.lists.values_mut().take(1) {
        list.total = list.total.map(|Votes(n)| Votes(n + more));
    }
    other
}

/// The signed list of a validator for what is logged now.
pub(crate) fn lists(night: &Night, ledger: &Ledger, validator: &str) -> Vec<Vec<u8>> {
    let parts = ledger.coverage(election(night), night.writer.signed(), validator, night.clock);
    let parts: Vec<Coverage> = parts.expect("no embargo");
    parts.iter().map(|part| part.sign(&night.keys.signer(validator))).collect()
}
