//! What an election's log says, entry by entry: the one place that decides whether an entry may stand there.
//!
//! The operator of a log asks [`Board::judge`] before an entry is appended; a reader replays a published log through the same
//! function. So what a log admits and what a reader accepts cannot differ.
//!
//! What counts is where an entry stands, never a time that somebody wrote into it: a thief of a key can write any time, but
//! not a place before entries that witnesses have cosigned.

use std::collections::{BTreeMap, BTreeSet};

use tlog::{Hash, Note, VerifierKey};

use crate::definition::{Definition, MAX_DEFINITION_BYTES};
use crate::entry::{Document, Entry, Part};
use crate::id::{CentreId, ContestId, UnitId};
use crate::returns::{Retraction, Return};
use crate::statement::{Adoption, Change, Commitment, Opening, Release, sealed};

mod chain;
mod keys;
mod refusal;

pub use chain::{Chain, Link};
pub use keys::{KeyState, Keys, Role};
pub use refusal::Refusal;

/// The state of an election after some entries of its log.
#[derive(Debug, Default)]
pub struct Board {
    /// Entries seen.
    size: u64,
    /// Parts of definitions that nobody has adopted yet.
    parts: BTreeMap<Hash, Parts>,
    /// The adopted definition and what follows from it.
    election: Option<Election>,
    /// Entries of kinds that this program does not know.
    unknown: u64,
}

#[derive(Debug, Default)]
struct Parts {
    of: u32,
    pieces: BTreeMap<u32, Vec<u8>>,
    /// What they make together, once all are there; the pieces are empty then.
    whole: Option<Result<Definition, Refusal>>,
}

impl Parts {
    fn add(&mut self, part: Part) {
        self.of = part.of;
        self.pieces.insert(part.number, part.bytes);
        if self.pieces.len() == self.of as usize {
            let text: Vec<u8> = self.pieces.values_mut().flat_map(std::mem::take).collect();
            let is_whole = tlog::hash::sha256(&text) == part.definition;
            let read = || Definition::parse(&text).map_err(|reason| Refusal::Definition(Box::new(reason)));
            self.whole = Some(if is_whole { read() } else { Err(Refusal::Parts) });
        }
    }
}

/// An adopted election and all that was said in it.
#[derive(Debug)]
pub struct Election {
    /// The definition, with the changes that were made to numbers of eligible people.
    pub definition: Definition,
    /// Its fingerprint as adopted.
    pub fingerprint: Hash,
    /// Which keys are believed.
    pub keys: Keys,
    /// The revisions of each unit in each contest.
    pub chains: BTreeMap<(ContestId, UnitId), Chain>,
    /// Sealed slots by leaf hash.
    pub commitments: BTreeMap<Hash, Sealed>,
    /// The commitment of each centre in each slot.
    pub slots: BTreeMap<(CentreId, u32), Hash>,
    /// Where the release stands, if it does.
    pub released: Option<u64>,
    /// Returns that an opening names, by leaf hash, and where it stands.
    pub opened: BTreeMap<Hash, u64>,
    /// How many changes, and the leaf hash of the last one or of the adoption.
    pub changes: (u32, Hash),
    /// Units of which a return is due.
    reporting: BTreeSet<UnitId>,
}

/// A centre's commitment for one slot.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Where it stands.
    pub index: u64,
    /// Whose.
    pub centre: CentreId,
    /// For which slot.
    pub slot: u32,
    /// What it sealed.
    pub sealed: Hash,
    /// The returns, once it is opened.
    pub opened: Option<Vec<Hash>>,
}

/// An entry that may stand in the log at the place asked for, if its signatures are what they claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The keys that must have signed it, each of which has a signature line in it. None for parts.
    pub keys: Vec<VerifierKey>,
}

impl Board {
    /// Before the first entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries were applied.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The election, once a definition is adopted.
    pub fn election(&self) -> Option<&Election> {
        self.election.as_ref()
    }

    /// Entries of kinds that this program does not know.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Whether an entry may stand at the next place, and which keys must have signed it. Signatures are not verified here, so
    /// that a reader can verify those of a whole log in one batch; whoever admits an entry verifies them first.
    ///
    /// # Errors
    /// Why it may not stand there.
    pub fn judge(&self, entry: &Entry, leaf: Hash) -> Result<Admission, Refusal> {
        let (note, document) = match entry {
            Entry::Unknown => return Ok(Admission { keys: Vec::new() }),
            Entry::Part(part) => {
                self.judge_part(part)?;
                return Ok(Admission { keys: Vec::new() });
            }
            Entry::Signed(note, document) => (note, document),
        };
        if let Document::Adoption(adoption) = document {
            return self.judge_adoption(note, adoption);
        }
        let election = self.election.as_ref().ok_or(Refusal::NoDefinition)?;
        election.judge(note, document, leaf)
    }

    /// Whether every signature under an entry is of a key of this election, believed or revoked, and holds.
    pub fn is_signed(&self, entry: &Entry) -> bool {
        let (Some(election), Entry::Signed(note, _)) = (&self.election, entry) else { return false };
        election.keys.are_of(note)
    }

    fn judge_part(&self, part: &Part) -> Result<(), Refusal> {
        if self.election.is_some() {
            return Err(Refusal::AlreadyAdopted);
        }
        if part.of as usize > MAX_DEFINITION_BYTES.div_ceil(crate::entry::PART_BYTES) {
            return Err(Refusal::Parts);
        }
        match self.parts.get(&part.definition) {
            Some(known) if known.of != part.of || known.pieces.contains_key(&part.number) => {
                Err(Refusal::Parts)
            }
            _ => Ok(()),
        }
    }

    fn judge_adoption(&self, note: &Note, adoption: &Adoption) -> Result<Admission, Refusal> {
        if self.election.is_some() {
            return Err(Refusal::AlreadyAdopted);
        }
        let parts = self.parts.get(&adoption.definition).and_then(|parts| parts.whole.as_ref());
        let definition = parts.ok_or(Refusal::Parts)?.as_ref().map_err(Refusal::clone)?;
        if definition.election != adoption.election {
            return Err(Refusal::OtherElection(adoption.election.to_string()));
        }
        let keys = Keys::of(definition);
        let signers = keys.signers(note, |role| *role == Role::Authority)?;
        keys::enough(signers, definition.authority_threshold)
    }

    /// Counts an entry that may not stand where it stands, and learns nothing from it.
    pub fn skip(&mut self) {
        self.size += 1;
    }

    /// Takes an entry that was judged and whose signatures hold. Says what it changed.
    ///
    /// # Panics
    /// Where the entry was not judged at this place: the caller has broken the one rule of this type.
    pub fn apply(&mut self, entry: Entry, leaf: Hash) {
        let index = self.size;
        self.size += 1;
        match entry {
            Entry::Unknown => self.unknown += 1,
            Entry::Part(part) => {
                self.parts.entry(part.definition).or_default().add(part);
            }
            Entry::Signed(_, Document::Adoption(adoption)) => {
                let parts = std::mem::take(&mut self.parts).remove(&adoption.definition);
                let whole = parts.and_then(|parts| parts.whole?.ok());
                let definition = whole.expect("internal error: the adoption was judged");
                self.election = Some(Election::of(definition, adoption.definition, leaf));
            }
            Entry::Signed(note, document) => {
                let election = self.election.as_mut().expect("internal error: the document was judged");
                election.apply(&note, document, index, leaf);
            }
        }
    }
}

impl Election {
    fn of(definition: Definition, fingerprint: Hash, leaf: Hash) -> Self {
        let reporting = definition.reporting_units().into_iter().cloned().collect();
        Self {
            keys: Keys::of(&definition),
            definition,
            fingerprint,
            chains: BTreeMap::new(),
            commitments: BTreeMap::new(),
            slots: BTreeMap::new(),
            released: None,
            opened: BTreeMap::new(),
            changes: (0, leaf),
            reporting,
        }
    }

    /// Units of which a return is due in a contest, in order.
    pub fn due<'a>(&'a self, contest: &'a ContestId) -> impl Iterator<Item = &'a UnitId> {
        self.reporting.iter().filter(move |unit| self.definition.is_held_in(contest, unit))
    }

    /// Whether a return of a unit is due in a contest.
    pub fn is_due(&self, contest: &ContestId, unit: &UnitId) -> bool {
        self.reporting.contains(unit) && self.definition.is_held_in(contest, unit)
    }

    /// The revisions of a unit in a contest, if there are any.
    pub fn chain(&self, contest: &ContestId, unit: &UnitId) -> Option<&Chain> {
        self.chains.get(&(contest.clone(), unit.clone()))
    }

    /// The same, the oldest first; none where nothing was said yet.
    pub fn links(&self, contest: &ContestId, unit: &UnitId) -> &[Link] {
        self.chain(contest, unit).map_or(&[], Chain::links)
    }

    /// What counts of a unit in a contest, if anything does.
    pub fn content(&self, contest: &ContestId, unit: &UnitId) -> Option<&Return> {
        self.chain(contest, unit)?.content()
    }

    /// Whether numbers may be public.
    pub fn is_open(&self) -> bool {
        self.definition.embargo.is_none() || self.released.is_some()
    }

    fn judge(&self, note: &Note, document: &Document, leaf: Hash) -> Result<Admission, Refusal> {
        let (election, definition) = match document {
            Document::Adoption(_) => return Err(Refusal::AlreadyAdopted),
            Document::Change(it) => (&it.election, &it.definition),
            Document::Return(it) => (&it.election, &it.definition),
            Document::Retraction(it) => (&it.election, &it.definition),
            Document::Commitment(it) => (&it.election, &it.definition),
            Document::Release(it) => (&it.election, &it.definition),
            Document::Opening(it) => (&it.election, &it.definition),
        };
        if *election != self.definition.election {
            return Err(Refusal::OtherElection(election.to_string()));
        }
        if *definition != self.fingerprint {
            return Err(Refusal::OtherDefinition);
        }
        match document {
            Document::Adoption(_) => Err(Refusal::AlreadyAdopted),
            Document::Change(change) => self.judge_change(note, change),
            Document::Return(it) => self.judge_return(note, it, leaf),
            Document::Retraction(it) => self.judge_retraction(note, it, leaf),
            Document::Commitment(it) => self.judge_commitment(note, it, leaf),
            Document::Release(it) => self.judge_release(note, it),
            Document::Opening(it) => self.judge_opening(note, it),
        }
    }

    fn judge_change(&self, note: &Note, change: &Change) -> Result<Admission, Refusal> {
        let signers = self.keys.signers(note, |role| *role == Role::Authority)?;
        if change.number != self.changes.0 + 1 || change.supersedes != self.changes.1 {
            return Err(Refusal::Sequence);
        }
        if let Some(name) = change.revoked.keys().find(|name| !self.keys.is_known(name)) {
            return Err(Refusal::UnknownKey(name.clone()));
        }
        let (mut names, mut bytes) = (BTreeSet::new(), BTreeSet::new());
        for key in change.authority.values().chain(change.centre_keys.values().map(|(_, key)| key)) {
            let is_first = names.insert(key.name()) && bytes.insert(key.public_bytes());
            if !is_first || !self.keys.is_new(key) {
                return Err(Refusal::KeyInUse(key.name().to_owned()));
            }
        }
        if let Some((centre, _)) =
            change.centre_keys.values().find(|(centre, _)| !self.definition.centres.contains_key(centre))
        {
            return Err(Refusal::UnknownCentre(centre.to_string()));
        }
        if let Some(unit) = change.eligible.keys().find(|unit| !self.definition.units.contains_key(*unit)) {
            return Err(Refusal::UnknownUnit(unit.to_string()));
        }
        keys::enough(signers, self.definition.authority_threshold)
    }

    /// The one centre whose key has signed, if it is believed.
    fn centre(&self, note: &Note) -> Result<(CentreId, VerifierKey), Refusal> {
        let [signature] = note.signatures() else { return Err(Refusal::Signatures(note.signatures().len())) };
        let key = self.keys.find(signature)?;
        let Role::Centre(centre) = &key.role else {
            return Err(Refusal::WrongRole { key: signature.name.clone(), role: key.role.name() });
        };
        Ok((centre.clone(), key.key.clone()))
    }

    fn authorised(&self, note: &Note, contest: &ContestId, unit: &UnitId) -> Result<VerifierKey, Refusal> {
        let (centre, key) = self.centre(note)?;
        if !self.definition.units.contains_key(unit) {
            return Err(Refusal::UnknownUnit(unit.to_string()));
        }
        if !self.definition.may_report(&centre, unit) {
            return Err(Refusal::Unauthorised { centre: centre.to_string(), unit: unit.to_string() });
        }
        if !self.definition.is_held_in(contest, unit) {
            return Err(Refusal::NotHeld { contest: contest.to_string(), unit: unit.to_string() });
        }
        if !self.reporting.contains(unit) {
            return Err(match self.definition.merged_above(unit) {
                Some(merged) => Refusal::Merged { unit: unit.to_string(), into: merged.to_string() },
                None => Refusal::NotReporting(unit.to_string()),
            });
        }
        if !self.is_open() {
            return Err(Refusal::Embargo);
        }
        Ok(key)
    }

    /// What stands in the log keeps its place, whatever became of its key since.
    fn unknown_yet(&self, contest: &ContestId, unit: &UnitId, leaf: Hash) -> Result<(), Refusal> {
        match self.links(contest, unit).iter().find(|link| link.leaf == leaf) {
            Some(known) => Err(Refusal::Known(known.index)),
            None => Ok(()),
        }
    }

    fn judge_return(&self, note: &Note, it: &Return, leaf: Hash) -> Result<Admission, Refusal> {
        let (contest, unit) = (&it.tally.contest, &it.tally.unit);
        self.unknown_yet(contest, unit, leaf)?;
        let key = self.authorised(note, contest, unit)?;
        let known = &self.definition.contests[contest].lists;
        for (id, list) in &it.tally.lists {
            let Some(known) = known.get(id) else { return Err(Refusal::UnknownList(id.to_string())) };
            if let Some(number) = list.candidates.keys().find(|number| !known.candidates.contains_key(number))
            {
                return Err(Refusal::UnknownList(format!("{id}, candidate {number}")));
            }
        }
        for (_, id, candidate) in it.tally.modes.keys() {
            let Some(known) = known.get(id) else { return Err(Refusal::UnknownList(id.to_string())) };
            if let Some(number) = candidate.filter(|number| !known.candidates.contains_key(number)) {
                return Err(Refusal::UnknownList(format!("{id}, candidate {number}")));
            }
        }
        let links = self.links(contest, unit);
        chain::judge(links, it.revision, it.supersedes.as_ref(), key.name())?;
        let earlier = links.iter().filter_map(|link| link.content.as_deref());
        crate::privacy::judge(&self.definition, it, earlier)?;
        Ok(Admission { keys: vec![key] })
    }

    fn judge_retraction(&self, note: &Note, it: &Retraction, leaf: Hash) -> Result<Admission, Refusal> {
        self.unknown_yet(&it.contest, &it.unit, leaf)?;
        let key = self.authorised(note, &it.contest, &it.unit)?;
        let links = self.links(&it.contest, &it.unit);
        chain::judge(links, it.revision, Some(&it.supersedes), key.name())?;
        Ok(Admission { keys: vec![key] })
    }

    fn judge_commitment(&self, note: &Note, it: &Commitment, leaf: Hash) -> Result<Admission, Refusal> {
        let (centre, key) = self.centre(note)?;
        let slots = self.definition.embargo.as_ref().map_or(0, |embargo| embargo.slots);
        if it.slot >= slots || self.released.is_some() {
            return Err(Refusal::NoSlot(it.slot));
        }
        match self.slots.get(&(centre, it.slot)) {
            None => Ok(Admission { keys: vec![key] }),
            Some(same) if *same == leaf => Err(Refusal::Known(self.commitments[same].index)),
            Some(other) => {
                let other = self.commitments[other].index;
                Err(Refusal::Equivocation { key: key.name().to_owned(), other })
            }
        }
    }

    fn judge_release(&self, note: &Note, it: &Release) -> Result<Admission, Refusal> {
        let Some(embargo) = &self.definition.embargo else { return Err(Refusal::NoEmbargo) };
        if let Some(index) = self.released {
            return Err(Refusal::Known(index));
        }
        if it.time < embargo.publish_from {
            return Err(Refusal::TooEarly(embargo.publish_from));
        }
        let signers = self.keys.signers(note, |role| *role == Role::Release)?;
        keys::enough(signers, RELEASERS)
    }

    fn judge_opening(&self, note: &Note, it: &Opening) -> Result<Admission, Refusal> {
        let (centre, key) = self.centre(note)?;
        if self.released.is_none() {
            return Err(Refusal::Embargo);
        }
        let found = self.commitments.get(&it.commitment).filter(|found| found.centre == centre);
        let Some(found) = found else { return Err(Refusal::NoCommitment) };
        if found.opened.is_some() {
            return Err(Refusal::Opened);
        }
        if sealed(&it.salt, &it.returns) != found.sealed {
            return Err(Refusal::NotSealed);
        }
        Ok(Admission { keys: vec![key] })
    }

    fn apply(&mut self, note: &Note, document: Document, index: u64, leaf: Hash) {
        let signer = || note.signatures()[0].name.clone();
        match document {
            Document::Adoption(_) => {}
            Document::Change(change) => self.change(&change, index, leaf),
            Document::Return(it) => {
                let place = (it.tally.contest.clone(), it.tally.unit.clone());
                let link = Link::of_return(*it, index, leaf, signer());
                self.chains.entry(place).or_default().push(link);
            }
            Document::Retraction(it) => {
                let place = (it.contest.clone(), it.unit.clone());
                let link = Link::of_retraction(&it, index, leaf, signer());
                self.chains.entry(place).or_default().push(link);
            }
            Document::Commitment(it) => {
                let centre = self.centre(note).expect("internal error: the commitment was judged").0;
                self.slots.insert((centre.clone(), it.slot), leaf);
                let sealed = Sealed { index, centre, slot: it.slot, sealed: it.sealed, opened: None };
                self.commitments.insert(leaf, sealed);
            }
            Document::Release(_) => self.released = Some(index),
            Document::Opening(it) => {
                it.returns.iter().for_each(|leaf| {
                    self.opened.insert(*leaf, index);
                });
                let found =
                    self.commitments.get_mut(&it.commitment).expect("internal error: the opening was judged");
                found.opened = Some(it.returns);
            }
        }
    }

    fn change(&mut self, change: &Change, index: u64, leaf: Hash) {
        self.changes = (change.number, leaf);
        for key in change.authority.values() {
            self.keys.add(Role::Authority, key.clone(), index);
        }
        for (centre, key) in change.centre_keys.values() {
            self.keys.add(Role::Centre(centre.clone()), key.clone(), index);
        }
        for (unit, eligible) in &change.eligible {
            if let Some(unit) = self.definition.units.get_mut(unit) {
                unit.eligible = Some(*eligible);
            }
        }
        for (name, revocation) in &change.revoked {
            self.keys.revoke(name, index);
            for chain in self.chains.values_mut() {
                chain.distrust(name, revocation.distrust_from);
            }
        }
    }
}

/// Two people release.
const RELEASERS: usize = 2;
