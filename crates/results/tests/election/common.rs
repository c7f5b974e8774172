//! One night of a small made-up election: eight places where people vote, two centres, one log, three witnesses.

use std::collections::BTreeMap;

use domain::Timestamp;
use results::board::{Board, Refusal};
use results::bundle::Published;
use results::definition::Definition;
use results::entry::Part;
use results::replay::{NotAdmitted, admit};
use results::returns::{Reason, Retraction, Return, Status};
use results::statement::{Adoption, Change, Commitment, Opening, Release, SALT_BYTES, sealed};
use results::tally::{Count, ListVotes};
use results::verify::Trust;
use results::{ContestId, ListId, Tally, UnitId, Votes};
use tlog::cosignature::cosign;
use tlog::key::KeyKind;
use tlog::memory::Memory;
use tlog::writer::Writer;
use tlog::{Checkpoint, Hash, Note, SignerKey};

/// Everything that is needed to play a night, the secret keys of everybody included.
pub(crate) struct Night {
    pub(crate) definition: Definition,
    pub(crate) keys: Keys,
    pub(crate) board: Board,
    pub(crate) writer: Writer<Memory>,
    /// What centres write as their time; a minute later with each document.
    pub(crate) clock: Timestamp,
}

/// When the polls close: 2026-03-22T19:00:00Z.
pub(crate) const CLOSES: Timestamp = Timestamp(1_774_206_000_000);

/// When an embargo ends: 2026-03-22T22:00:00Z.
pub(crate) const RELEASES: Timestamp = Timestamp(CLOSES.0 + 3 * 3_600_000);

/// Units of which a return is due in contest `council`, in order. `mayor` is held in those of district 1.
pub(crate) const DUE: [&str; 6] = ["d1/1", "d1/2", "d1/early", "d1/small", "d2/1", "d2/2"];

/// The secret keys of everybody, made from their names and one number: another number, other keys of the same names.
pub(crate) struct Keys(u64);

impl Keys {
    pub(crate) fn of(election: u64) -> Self {
        Self(election)
    }

    /// The key of that name. Witnesses are called `w…`, validators `v…`, and cosign; all others sign documents.
    pub(crate) fn signer(&self, name: &str) -> SignerKey {
        let kind = if name.starts_with(['w', 'v']) { KeyKind::CosignatureV1 } else { KeyKind::Ed25519 };
        let seed = tlog::hash::sha256(format!("{name} of election {}", self.0).as_bytes());
        SignerKey::from_seed(&format!("{name}.example"), kind, &seed.0).expect("a name")
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.signer(name).verifier().to_string()
    }
}

/// The text of the definition; what is between the lines of keys can be changed before it is adopted.
pub(crate) fn definition_text(keys: &Keys, has_embargo: bool) -> String {
    let key = |word: &str, name: &str| format!("{word} {}\n", keys.text(name));
    let embargo = if has_embargo { format!("{RELEASES} {CLOSES} 1800 3") } else { "none".to_owned() };
    let mut text = format!(
        "scrutineer-definition v1
election made-up-2026
title Election of the council and of the mayor
day 2026-03-22
zone Europe/Ljubljana
closes {CLOSES}
embargo {embargo}
least-cast 10
fresh-for 900
threshold 2
"
    );
    for name in ["a1", "a2", "a3"] {
        text += &key("authority", name);
    }
    for name in ["r1", "r2"] {
        text += &key("release", name);
    }
    text += &key("policy log", "log");
    for name in ["w1", "w2", "w3"] {
        text += &key(&format!("policy witness {name}"), name);
    }
    text += "policy group two 2 w1 w2 w3
policy quorum two
channel main official authority one https://results.example
channel second mirror newspaper two https://mirror.example
unit d1 district nation 1790 District 1
unit d1/1 polling-station d1 900 Town hall
unit d1/2 polling-station d1 850 School
unit d1/early early-voting d1 - Early voting
unit d1/small municipality d1 40 Two hamlets
unit d1/small/a polling-station d1/small 25 Upper hamlet
unit d1/small/b polling-station d1/small 15 Lower hamlet
unit d2 district nation 1400 District 2
unit d2/1 polling-station d2 700 Fire station
unit d2/2 polling-station d2 700 Library
unit nation nation - 3190 The whole country
merged d1/small
contest council nation dhondt 5 0 1 Council
list green Green List
candidate 1 Ana Novak
candidate 2 Bo Kralj
list red Red List
list white White List
contest mayor nation plurality 1 0 1 Mayor of district 1
scope d1
list cilka Cilka Zajc
list dan Dan Kos
";
    for n in [1, 2] {
        text += &format!("centre c{n} Centre of district {n}\nmay d{n}\n{}", key("key", &format!("c{n}")));
    }
    text
}

impl Night {
    /// An election without embargo, whose definition is adopted.
    pub(crate) fn new() -> Self {
        Self::adopted(Keys::of(0), false)
    }

    /// One whose numbers are sealed until somebody releases them.
    pub(crate) fn under_embargo() -> Self {
        Self::adopted(Keys::of(0), true)
    }

    pub(crate) fn adopted(keys: Keys, has_embargo: bool) -> Self {
        Self::before(keys, has_embargo).adopt()
    }

    /// Logs the definition and its adoption.
    pub(crate) fn adopt(self) -> Self {
        let mut night = self;
        night.log_parts(&night.definition.to_string());
        let adoption = night.adoption();
        night.admit(&night.signed(&adoption, &["a1", "a3"]));
        night
    }

    /// Before the first entry.
    pub(crate) fn before(keys: Keys, has_embargo: bool) -> Self {
        let text = definition_text(&keys, has_embargo);
        Self::of(keys, &text)
    }

    /// One with another definition, before the first entry.
    pub(crate) fn of(keys: Keys, text: &str) -> Self {
        let definition = Definition::parse(text.as_bytes()).expect("a definition");
        let writer = Writer::create(Memory::default(), keys.signer("log")).expect("memory");
        Self { definition, keys, board: Board::new(), writer, clock: CLOSES }
    }

    /// Logs a definition that nobody has adopted yet.
    pub(crate) fn log_parts(&mut self, text: &str) {
        for part in Part::cut(text.as_bytes()) {
            self.admit(&part);
        }
    }

    /// A document, signed by these keys in this order.
    pub(crate) fn signed(&self, document: &dyn std::fmt::Display, signers: &[&str]) -> Vec<u8> {
        let text = document.to_string();
        let mut note = Note::sign(&text, &self.keys.signer(signers[0]));
        for name in &signers[1..] {
            note.add(Note::sign(&text, &self.keys.signer(name)).signatures()[0].clone());
        }
        note.to_string().into_bytes()
    }

    /// Takes an entry into the log as an honest operator does. Says why not, if not.
    pub(crate) fn try_admit(&mut self, bytes: &[u8]) -> Result<Hash, NotAdmitted> {
        let (entry, leaf) = admit(&self.board, bytes)?;
        self.board.apply(entry, leaf);
        self.writer.append(&[bytes]).expect("memory");
        Ok(leaf)
    }

    pub(crate) fn admit(&mut self, bytes: &[u8]) -> Hash {
        let text = || String::from_utf8_lossy(bytes).into_owned();
        self.try_admit(bytes).unwrap_or_else(|refusal| panic!("{refusal}: {}", text()))
    }

    /// Sees an entry refused with a code, and nothing of it kept.
    pub(crate) fn refused(&mut self, bytes: &[u8], code: &str) -> NotAdmitted {
        let before = format!("{:?}", self.board);
        let refusal = self.try_admit(bytes).expect_err("to be refused");
        assert_eq!(refusal.code(), code, "{refusal}");
        assert_eq!(format!("{:?}", self.board), before, "a refusal changes nothing");
        refusal
    }

    /// Where a document stands already.
    pub(crate) fn known(&mut self, bytes: &[u8]) -> u64 {
        match self.refused(bytes, "known") {
            NotAdmitted::Refused(Refusal::Known(index)) => index,
            other => panic!("{other}"),
        }
    }

    /// Puts bytes into the log that nobody has judged, as a lying operator may.
    pub(crate) fn force(&mut self, bytes: &[u8]) {
        self.board.skip();
        self.writer.append(&[bytes]).expect("memory");
    }

    fn tick(&mut self) -> Timestamp {
        self.clock = Timestamp(self.clock.0 + 60_000);
        self.clock
    }

    pub(crate) fn adoption(&self) -> Adoption {
        let definition = self.definition.fingerprint();
        Adoption { election: self.definition.election.clone(), definition, time: CLOSES }
    }

    /// The next return of a unit: its first, or a correction of the last one. Votes are those of the lists in order; one ballot
    /// more is blank. `green` has its votes by candidate.
    pub(crate) fn next(&mut self, contest: &str, unit: &str, votes: &[u64]) -> Return {
        let (contest, unit) = (contest_id(contest), unit_id(unit));
        let chain = self.board.election().and_then(|it| it.chains.get(&(contest.clone(), unit.clone())));
        let last = chain.and_then(|chain| chain.links().last());
        let (revision, supersedes) = last.map_or((1, None), |last| (last.revision + 1, Some(last.leaf)));
        let reason = if supersedes.is_none() { Reason::First } else { Reason::TypingError };
        let mut tally = Tally::new(contest, unit);
        let valid: u64 = votes.iter().sum();
        let is_any = u64::from(valid > 0);
        for (count, n) in [(Count::Valid, valid), (Count::Blank, is_any), (Count::Cast, valid + is_any)] {
            tally.counts.insert(count, Votes(n));
        }
        let known = self.definition.contests.get(&tally.contest).map(|contest| &contest.lists);
        for ((id, list), n) in known.into_iter().flatten().zip(votes) {
            let half = Votes(n / 2);
            let numbers = list.candidates.keys().copied();
            let candidates: BTreeMap<_, _> = numbers.zip([half, Votes(n - half.0)]).collect();
            let total = Some(Votes(*n));
            tally.lists.insert(id.clone(), ListVotes { total, list_only: None, candidates });
        }
        Return {
            election: self.definition.election.clone(),
            definition: self.definition.fingerprint(),
            revision,
            supersedes,
            reason,
            status: Status::Provisional,
            time: self.tick(),
            source: None,
            flags: std::collections::BTreeSet::new(),
            tally,
        }
    }

    /// Takes back the last word on a unit.
    pub(crate) fn retraction(&mut self, contest: &str, unit: &str) -> Retraction {
        let next = self.next(contest, unit, &[]);
        Retraction {
            election: next.election,
            definition: next.definition,
            contest: next.tally.contest,
            unit: next.tally.unit,
            revision: next.revision,
            supersedes: next.supersedes.unwrap_or(Hash::EMPTY_ROOT),
            reason: Reason::MixUp,
            time: next.time,
        }
    }

    /// Signs the next return of a unit with its centre's first key and logs it.
    pub(crate) fn report(&mut self, contest: &str, unit: &str, votes: &[u64]) -> Hash {
        let next = self.next(contest, unit, votes);
        let bytes = self.signed(&next, &[centre_of(unit)]);
        self.admit(&bytes)
    }

    /// The next change, which changes nothing yet.
    pub(crate) fn change(&mut self) -> Change {
        let (number, supersedes) = self.board.election().expect("adopted").changes;
        Change {
            election: self.definition.election.clone(),
            definition: self.definition.fingerprint(),
            number: number + 1,
            supersedes,
            time: self.tick(),
            reason: "made up".to_owned(),
            revoked: BTreeMap::new(),
            authority: BTreeMap::new(),
            centre_keys: BTreeMap::new(),
            eligible: BTreeMap::new(),
        }
    }

    pub(crate) fn commitment(&self, slot: u32, salt: &[u8; SALT_BYTES], returns: &[Hash]) -> Commitment {
        let Adoption { election, definition, .. } = self.adoption();
        Commitment { election, definition, slot, sealed: sealed(salt, returns) }
    }

    pub(crate) fn release(&self) -> Release {
        let Adoption { election, definition, .. } = self.adoption();
        Release { election, definition, time: RELEASES }
    }

    pub(crate) fn opening(&self, commitment: Hash, salt: [u8; SALT_BYTES], returns: Vec<Hash>) -> Opening {
        let Adoption { election, definition, .. } = self.adoption();
        Opening { election, definition, commitment, salt, returns }
    }

    /// The checkpoint of what is logged, cosigned by these witnesses a second apart from this time on.
    pub(crate) fn checkpoint(&self, witnesses: &[&str], time: u64) -> Vec<u8> {
        let mut note = self.writer.signed_note();
        let signed: &Checkpoint = self.writer.signed();
        for (time, name) in (time..).zip(witnesses) {
            note.add(cosign(signed, &self.keys.signer(name), time));
        }
        note.to_string().into_bytes()
    }

    /// What readers see, cosigned by two of three witnesses a minute ago.
    pub(crate) fn published(&mut self) -> Published {
        let checkpoint = self.checkpoint(&["w1", "w2"], self.now() - 60);
        let note = Note::parse(&checkpoint).expect("a note");
        self.writer.publish(&note.signatures()[1..]).expect("memory");
        Published::of(self.writer.storage())
    }

    /// The present, in seconds.
    pub(crate) fn now(&self) -> u64 {
        self.clock.0 as u64 / 1000
    }

    /// What a careful reader brings.
    pub(crate) fn trust(&self) -> Trust {
        let fingerprint = Some(self.definition.fingerprint());
        Trust { fingerprint, now: Some(self.now()), ..Trust::default() }
    }
}

/// The key of the centre that reports a unit.
pub(crate) fn centre_of(unit: &str) -> &'static str {
    if unit.starts_with("d1") { "c1" } else { "c2" }
}

pub(crate) fn contest_id(text: &str) -> ContestId {
    ContestId::new(text).expect("an id")
}

pub(crate) fn unit_id(text: &str) -> UnitId {
    UnitId::new(text).expect("an id")
}

pub(crate) fn list_id(text: &str) -> ListId {
    ListId::new(text).expect("an id")
}
