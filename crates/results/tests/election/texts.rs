//! Each document has one spelling: what is written is read the same, and what is read is written the same, byte for byte. And no
//! bytes make a reader panic.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};
use std::sync::LazyLock;

use domain::Timestamp;
use oorandom::Rand64;
use proptest::prelude::*;
use results::bundle;
use results::definition::{
    Centre, Channel, ChannelKind, Contest, Definition, DefinitionError, Embargo, List, MAX_DEPTH, Method,
    Reach, Standing, Unit, UnitKind, Validator,
};
use results::entry::{Entry, Part};
use results::returns::{Reason, Retraction, Return, SourceFile, Status};
use results::statement::{Adoption, Change, Commitment, Opening, Release, Revocation};
use results::tally::{Count, ListVotes};
use results::verify::{Trust, verify};
use results::{CentreId, ContestId, ElectionId, ListId, Tally, UnitId, Votes};
use tlog::key::KeyKind;
use tlog::{Hash, Note, Policy, SignerKey, VerifierKey};

use crate::common::Night;
use crate::play::play;

/// Makes valid documents of any content from a seed.
struct Maker {
    random: Rand64,
    n_keys: u32,
}

impl Maker {
    fn new(seed: u64) -> Self {
        Self { random: Rand64::new(u128::from(seed)), n_keys: 0 }
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random.rand_range(0..n)
    }

    fn is(&mut self) -> bool {
        self.below(2) == 0
    }

    fn many<T>(&mut self, most: u64, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }

    fn letters(&mut self, alphabet: &str, most: u64) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..=self.below(most)).map(|_| self.one_of(&alphabet)).collect()
    }

    fn id_text(&mut self) -> String {
        self.letters("abcdefXYZ0129._:/+-", 9)
    }

    fn lower_id(&mut self) -> String {
        self.letters("abcxyz019._:/+-", 9)
    }

    fn id<T>(&mut self, new: impl FnOnce(&str) -> Option<T>) -> T {
        new(&self.id_text()).expect("an id")
    }

    fn name(&mut self) -> String {
        let word = |this: &mut Self| this.letters("aBcčŠđ漢é-=*,.'\"\u{a0}#0", 8);
        let mut words = vec![word(self)];
        words.extend(self.many(2, word));
        words.join(" ")
    }

    fn votes(&mut self) -> Votes {
        let most = [2, 1000, Votes::MAX_STATED + 1][self.below(3) as usize];
        Votes(self.below(most))
    }

    fn hash(&mut self) -> Hash {
        tlog::hash::sha256(&self.random.rand_u64().to_be_bytes())
    }

    fn time(&mut self) -> Timestamp {
        Timestamp((self.below(6_000_000_000) as i64 - 1_000_000_000) * 1000)
    }

    /// No two keys of one maker share a name or bytes.
    fn key(&mut self, kind: KeyKind) -> VerifierKey {
        self.n_keys += 1;
        let name = format!("{}{}", self.letters("abč./-_", 5), self.n_keys);
        SignerKey::from_seed(&name, kind, &self.hash().0).expect("a name").verifier().clone()
    }

    fn keys(&mut self, least: u64, more: u64) -> Vec<VerifierKey> {
        let mut keys: Vec<VerifierKey> = (0..least).map(|_| self.key(KeyKind::Ed25519)).collect();
        keys.extend(self.many(more, |this| this.key(KeyKind::Ed25519)));
        keys.sort_by(|a, b| a.name().cmp(b.name()));
        keys
    }

    fn tally(&mut self) -> Tally {
        let mut tally = Tally::new(self.id(ContestId::new), self.id(UnitId::new));
        let count = |this: &mut Self| {
            let other = Count::parse(&this.lower_id()).expect("an id in lower case");
            (if this.is() { other } else { this.one_of(&Count::KNOWN) }, this.votes())
        };
        tally.counts = self.many(6, count).into_iter().collect();
        let list = |this: &mut Self| {
            let candidates = this.many(3, |this| (this.votes().0 as u32, this.votes())).into_iter().collect();
            let (total, list_only) = (this.is().then(|| this.votes()), this.is().then(|| this.votes()));
            (this.id(ListId::new), ListVotes { total, list_only, candidates })
        };
        tally.lists = self.many(4, list).into_iter().collect();
        let mode = |this: &mut Self| {
            let candidate = this.is().then(|| this.votes().0 as u32);
            ((this.lower_id().into(), this.id(ListId::new), candidate), this.votes())
        };
        tally.modes = self.many(3, mode).into_iter().collect();
        tally
    }

    fn a_return(&mut self) -> Return {
        let is_first = self.is();
        Return {
            election: self.id(ElectionId::new),
            definition: self.hash(),
            revision: if is_first { 1 } else { 2 + self.below(100) as u32 },
            supersedes: (!is_first).then(|| self.hash()),
            reason: if is_first { Reason::First } else { self.one_of(&Reason::ALL[1..]) },
            status: self.one_of(&[Status::Provisional, Status::Final]),
            time: self.time(),
            source: self.is().then(|| SourceFile {
                sha256: self.hash(),
                media_type: self.one_of(&["application/xml", "text/csv", "image/svg+xml"]).to_owned(),
            }),
            flags: self.many(3, |this| this.id_text().into()).into_iter().collect(),
            tally: self.tally(),
        }
    }

    fn retraction(&mut self) -> Retraction {
        Retraction {
            election: self.id(ElectionId::new),
            definition: self.hash(),
            contest: self.id(ContestId::new),
            unit: self.id(UnitId::new),
            revision: 2 + self.below(1000) as u32,
            supersedes: self.hash(),
            reason: self.one_of(&Reason::ALL[1..]),
            time: self.time(),
        }
    }

    fn change(&mut self) -> Change {
        let named = |key: VerifierKey| (key.name().to_owned(), key);
        let revoke = |this: &mut Self| (this.id_text(), Revocation { distrust_from: this.votes().0 });
        let centre_key = |this: &mut Self| {
            let (name, key) = named(this.key(KeyKind::Ed25519));
            (name, (this.id(CentreId::new), key))
        };
        Change {
            election: self.id(ElectionId::new),
            definition: self.hash(),
            number: 1 + self.below(1000) as u32,
            supersedes: self.hash(),
            time: self.time(),
            reason: self.name(),
            revoked: self.many(3, revoke).into_iter().collect(),
            authority: self.keys(0, 2).into_iter().map(named).collect(),
            centre_keys: self.many(2, centre_key).into_iter().collect(),
            eligible: self.many(2, |this| (this.id(UnitId::new), this.votes().0)).into_iter().collect(),
        }
    }

    fn opening(&mut self) -> Opening {
        let (election, definition) = (self.id(ElectionId::new), self.hash());
        let returns = self.many(4, Self::hash);
        Opening { election, definition, commitment: self.hash(), salt: self.hash().0, returns }
    }

    /// Units below each other in any way, and all that names them.
    fn definition(&mut self) -> Definition {
        let mut units: BTreeMap<UnitId, Unit> = BTreeMap::new();
        let mut depth: BTreeMap<UnitId, usize> = BTreeMap::new();
        for _ in 0..=self.below(12) {
            let id = self.id(UnitId::new);
            let known: Vec<UnitId> = units.keys().cloned().collect();
            let parent = (!known.is_empty()).then(|| self.one_of(&known));
            let parent = parent.filter(|parent| depth[parent] < MAX_DEPTH);
            if id.as_str() == "-" || units.contains_key(&id) {
                continue;
            }
            depth.insert(id.clone(), parent.as_ref().map_or(1, |parent| depth[parent] + 1));
            let eligible = self.is().then(|| self.votes().0);
            units.insert(id, Unit { kind: self.one_of(&UnitKind::ALL), parent, eligible, name: self.name() });
        }
        let all: Vec<UnitId> = units.keys().cloned().collect();
        let parents: BTreeSet<UnitId> = units.values().filter_map(|unit| unit.parent.clone()).collect();
        let merged = parents.into_iter().filter(|_| self.below(3) == 0).collect();
        let (mut contests, mut scopes) = (BTreeMap::new(), BTreeMap::new());
        for _ in 0..self.below(3) {
            let id = self.id(ContestId::new);
            if self.is() {
                let mut scope: BTreeSet<UnitId> =
                    self.many(3, |this| this.one_of(&all)).into_iter().collect();
                scope.insert(self.one_of(&all));
                scopes.insert(id.clone(), scope);
            }
            let unit = self.one_of(&all);
            contests.insert(id, self.contest(unit));
        }
        scopes.retain(|id, _| contests.contains_key(id));
        let centre = |this: &mut Self| {
            let units = this.many(3, |this| this.one_of(&all)).into_iter().collect();
            let phones =
                this.many(2, |this| format!("+{}", 10_000 + this.below(1 << 40))).into_iter().collect();
            (this.id(CentreId::new), Centre { name: this.name(), units, phones, keys: this.keys(1, 1) })
        };
        let mut centres: BTreeMap<CentreId, Centre> = self.many(3, centre).into_iter().collect();
        let everywhere = Centre {
            name: self.name(),
            units: all.iter().cloned().collect(),
            phones: BTreeSet::new(),
            keys: self.keys(1, 1),
        };
        centres.insert(self.id(CentreId::new), everywhere);
        self.around(units, merged, contests, scopes, centres)
    }

    fn around(
        &mut self,
        units: BTreeMap<UnitId, Unit>,
        merged: BTreeSet<UnitId>,
        contests: BTreeMap<ContestId, Contest>,
        scopes: BTreeMap<ContestId, BTreeSet<UnitId>>,
        centres: BTreeMap<CentreId, Centre>,
    ) -> Definition {
        let mut policy_lines = vec![format!("log {} https://log.example/", self.key(KeyKind::Ed25519))];
        policy_lines.push(format!("witness w {}", self.key(KeyKind::CosignatureV1)));
        policy_lines.push(self.one_of(&["quorum w", "quorum none", "# nobody\u{a0}yet"]).to_owned());
        if policy_lines[2].starts_with('#') {
            policy_lines.push("quorum none".to_owned());
        }
        let text: String = policy_lines.iter().map(|line| format!("{line}\n")).collect();
        let authority = self.keys(1, 3);
        let channel = |this: &mut Self| {
            let (id, operator, supplier) = (this.id_text(), this.id_text(), this.id_text());
            let address = this.letters("abc:/.?=%é", 20);
            (
                id.clone(),
                Channel {
                    id,
                    kind: this.one_of(&ChannelKind::ALL),
                    operator,
                    supplier,
                    address,
                    reach: this.reach(),
                },
            )
        };
        let channels: BTreeMap<String, Channel> = self.many(3, channel).into_iter().collect();
        let validator = |this: &mut Self| {
            (this.id_text(), Validator { standing: this.standing(), key: this.key(KeyKind::CosignatureV1) })
        };
        let validators = self.many(3, validator);
        let embargo = self.is().then(|| Embargo {
            publish_from: self.time(),
            first_slot: self.time(),
            every: 1 + self.below(10_000) as u32,
            slots: self.votes().0 as u32,
        });
        Definition {
            election: self.id(ElectionId::new),
            title: self.name(),
            day: format!("20{:02}-{:02}-{:02}", self.below(100), 1 + self.below(12), 1 + self.below(28)),
            zone: self.one_of(&["Europe/Ljubljana", "Etc/GMT+1", "UTC"]).to_owned(),
            closes: self.time(),
            embargo,
            least_cast: self.votes().0,
            fresh_for: self.votes().0,
            authority_threshold: 1 + self.below(authority.len() as u64) as usize,
            authority,
            release: self.keys(2, 2),
            policy: Policy::parse(text.as_bytes()).expect("a policy"),
            policy_lines,
            log: self.is().then(|| self.standing()),
            channels: channels.into_values().collect(),
            validators: validators.into_iter().collect(),
            units,
            merged,
            contests,
            scopes,
            centres,
        }
    }

    fn standing(&mut self) -> Standing {
        Standing { operator: self.id_text(), supplier: self.id_text(), reach: self.reach() }
    }

    fn reach(&mut self) -> Reach {
        let mut one = || self.is().then(|| self.id_text());
        Reach { network: one(), dns: one() }
    }

    fn contest(&mut self, unit: UnitId) -> Contest {
        let list = |this: &mut Self| {
            let list = List {
                name: this.name(),
                connection: this.is().then(|| this.name()),
                sub_connection: this.is().then(|| this.name()),
                candidates: this.many(3, |this| (this.votes().0 as u32, this.name())).into_iter().collect(),
            };
            (this.id(ListId::new), list)
        };
        Contest {
            unit,
            title: self.name(),
            seats: self.votes().0 as u32,
            method: self.one_of(&Method::ALL),
            threshold: self.below(10_001) as u32,
            votes_per_ballot: 1 + self.below(50) as u32,
            lists: self.many(4, list).into_iter().collect(),
        }
    }
}

/// What is done to a text: bytes replaced, taken out, put in; lines swapped, repeated, taken out.
type Changes = Vec<(u8, u16, u8)>;

fn changed(text: &str, changes: &Changes) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (what, place, value) in changes {
        let at = usize::from(*place) % (bytes.len() + 1);
        let lines = |bytes: &[u8]| bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let mut lines: Vec<Vec<u8>> = lines(&bytes);
        let line = usize::from(*place) % lines.len().max(1);
        let other = usize::from(*value) % lines.len().max(1);
        match what % 8 {
            0 if at < bytes.len() => bytes[at] = *value,
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => bytes.insert(at, b" \n0=9zA-"[usize::from(*value) % 8]),
            // The nearest digit or letter: much of it is still a document.
            3 | 4 if at < bytes.len() => bytes[at] = bytes[at].wrapping_add(1),
            5 if !lines.is_empty() => {
                lines.swap(line, other);
                bytes = lines.concat();
            }
            6 if !lines.is_empty() => {
                lines.remove(line);
                bytes = lines.concat();
            }
            7 if !lines.is_empty() => {
                lines.insert(line, lines[other].clone());
                bytes = lines.concat();
            }
            _ => {}
        }
    }
    bytes
}

/// What is written is read the same; and a changed text is either no document, or reads and writes as it is.
fn one_spelling<T: Display + Debug + PartialEq, E: Debug>(
    it: &T,
    changes: &Changes,
    parse: impl Fn(&str) -> Result<T, E>,
) {
    let text = it.to_string();
    let read = parse(&text).unwrap_or_else(|error| panic!("{error:?}: {text}"));
    assert_eq!(read, *it);
    let Ok(changed) = String::from_utf8(changed(&text, changes)) else { return };
    if let Ok(read) = parse(&changed) {
        assert_eq!(read.to_string(), changed);
    }
}

/// Found by the property below: its parent line would say that it lies below no unit.
#[test]
fn no_unit_is_called_by_the_sign_for_none() {
    let text = Night::new().definition.to_string();
    let with_unit = |id: &str| {
        let line = format!("unit {id} special nation - Nowhere\nunit d1 district");
        Definition::parse(text.replace("unit d1 district", &line).as_bytes()).map(|_| ())
    };
    assert_eq!(with_unit("+"), Err(DefinitionError::NoCentre("+".into())), "it is read");
    assert!(matches!(with_unit("-"), Err(DefinitionError::Line(_))));
}

fn changes() -> impl Strategy<Value = Changes> {
    proptest::collection::vec(any::<(u8, u16, u8)>(), 1..4)
}

/// A whole bundle, and what a reader brings.
static BUNDLE: LazyLock<(Vec<u8>, Trust)> = LazyLock::new(|| {
    let mut night: Night = play(3, 6, &mut |_, _| {});
    let published = night.published();
    (bundle::write(&published), Trust { seen: vec![published.checkpoint.clone()], ..night.trust() })
});

proptest! {
    // A definition has twenty keys, which cost more to read than all the rest.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_definition_has_one_spelling(seed: u64, changes in changes()) {
        let definition = Maker::new(seed).definition();
        let text = definition.to_string();
        let read = Definition::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
        prop_assert_eq!(format!("{read:?}"), format!("{definition:?}"));
        let changed = changed(&text, &changes);
        if let Ok(read) = Definition::parse(&changed) {
            prop_assert_eq!(read.to_string().into_bytes(), changed);
        }
    }
}

proptest! {
    #[test]
    fn a_return_has_one_spelling(seed: u64, changes in changes()) {
        one_spelling(&Maker::new(seed).a_return(), &changes, Return::parse);
    }

    #[test]
    fn a_retraction_has_one_spelling(seed: u64, changes in changes()) {
        one_spelling(&Maker::new(seed).retraction(), &changes, Retraction::parse);
    }

    #[test]
    fn a_change_has_one_spelling(seed: u64, changes in changes()) {
        one_spelling(&Maker::new(seed).change(), &changes, Change::parse);
    }

    #[test]
    fn small_statements_have_one_spelling(seed: u64, slot: u32, changes in changes()) {
        let mut maker = Maker::new(seed);
        let (election, definition) = (maker.id(ElectionId::new), maker.hash());
        let (time, sealed) = (maker.time(), maker.hash());
        let adoption = Adoption { election: election.clone(), definition, time };
        one_spelling(&adoption, &changes, Adoption::parse);
        one_spelling(&Release { election: election.clone(), definition, time }, &changes, Release::parse);
        one_spelling(&Commitment { election, definition, slot, sealed }, &changes, Commitment::parse);
        one_spelling(&maker.opening(), &changes, Opening::parse);
    }

    #[test]
    fn a_definition_survives_being_cut_into_leaves(bytes in proptest::collection::vec(any::<u8>(), 1..200_000)) {
        let mut together = Vec::new();
        let parts = Part::cut(&bytes);
        for (number, leaf) in (1..).zip(&parts) {
            prop_assert!(leaf.len() <= tlog::bundle::MAX_ENTRY_BYTES);
            let Ok(Entry::Part(part)) = Entry::parse(leaf) else { panic!("part {number} cannot be read") };
            prop_assert_eq!((part.number, part.of as usize), (number, parts.len()));
            together.extend(part.bytes);
        }
        prop_assert_eq!(together, bytes);
    }

    #[test]
    fn any_bytes_are_an_entry_or_are_not(bytes: Vec<u8>, kind in 0..8_usize) {
        let _ = Entry::parse(&bytes);
        let kinds = ["part v1 ", "return v1\n", "retraction v1\n", "adoption v1\n", "change v1\n", "commitment v1\n",
            "release v1\n", "opening v1\n"];
        let _ = Entry::parse(&[format!("scrutineer-{}", kinds[kind]).as_bytes(), &bytes].concat());
    }

    #[test]
    fn a_signed_entry_changed_anywhere_is_an_entry_or_is_not(seed: u64, changes in changes()) {
        let mut maker = Maker::new(seed);
        let key = SignerKey::from_seed("k", KeyKind::Ed25519, &[1; 32]).expect("a name");
        let text = if maker.is() { maker.a_return().to_string() } else { maker.opening().to_string() };
        let note = Note::sign(&text, &key).to_string();
        if let Ok(Entry::Signed(note, document)) = Entry::parse(&changed(&note, &changes)) {
            // Signatures are over the text as it stands, and the text is all that the document says.
            let again = match document {
                results::entry::Document::Return(it) => it.to_string(),
                results::entry::Document::Opening(it) => it.to_string(),
                other => panic!("{other:?}"),
            };
            prop_assert_eq!(again, note.unverified_text());
        }
    }

    #[test]
    fn any_bundle_gets_a_verdict(bytes: Vec<u8>, changes in proptest::collection::vec(any::<(u8, u16, u8)>(), 0..6)) {
        let (good, trust) = &*BUNDLE;
        let _ = bundle::read(&bytes);
        let mut changed = good.clone();
        for (what, place, value) in &changes {
            let at = usize::from(*place) % changed.len();
            match what % 4 {
                0 => changed[at] ^= value,
                1 => changed.truncate(at.max(1)),
                2 => drop(changed.splice(at..at, bytes.iter().copied())),
                _ => drop(changed.drain(at..(at + usize::from(*value)).min(changed.len()))),
            }
            if changed.is_empty() {
                return Ok(());
            }
        }
        if let Ok(published) = bundle::read(&changed) {
            // What is read whole is written the same.
            if published.missing.is_none() {
                prop_assert_eq!(bundle::write(&published), &changed[..]);
            }
            let report = verify(&published, trust);
            prop_assert!(changed != *good || report.reasons.is_empty());
        }
    }
}
