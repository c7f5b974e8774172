//! The tamper game: ten thousand changes of what is published or brought, each of which is caught and rightly named, or stands in
//! the published list of bytes without effect (docs/specs/bytes-without-effect.md); and ten thousand honest states without an alarm.

use std::collections::BTreeMap;
use std::ops::Range;

use oorandom::Rand64;
use results::bundle::{self, Published};
use results::entry::{Document, Entry, Part};
use results::returns::Return;
use results::verify::{Report, Trust, Verdict, verify};
use results::{Votes, lines};
use tlog::note::Signature;
use tlog::{Checkpoint, Hash, Note, SignerKey, merkle};

use crate::common::{Keys, Night};
use crate::play::play;

/// The list of what can be changed without effect. What a change that nobody notices is called here stands in it.
const WITHOUT_EFFECT: &str = include_str!("../../../../docs/specs/bytes-without-effect.md");

/// An honest night that is over, and what readers have of it.
struct Target {
    night: Night,
    published: Published,
    /// What the same log published a few entries earlier.
    older: Published,
    trust: Trust,
    bytes: Vec<u8>,
    regions: Vec<(Region, Range<usize>)>,
    /// Entries that are returns.
    returns: Vec<usize>,
}

/// What a byte of a bundle belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Region {
    Header,
    CheckpointText,
    LogLine,
    WitnessLine,
    UnknownLine,
    Length,
    Part,
    Adoption,
    /// The first line of another document, which says what it is.
    Kind(usize),
    Document(usize),
}

fn unknown_line() -> Signature {
    Signature { name: "unknown.example".into(), id: 7, bytes: vec![7; 72] }
}

impl Target {
    /// Six targets: with and without embargo, with two and with three cosignatures.
    fn all() -> Vec<Self> {
        (0..6).map(Self::of).collect()
    }

    fn of(seed: u128) -> Self {
        let mut older = Published::default();
        let mut n_states = 0;
        let mut night = play(seed, 9, &mut |night, is_sealed| {
            n_states += 1;
            if n_states == 6 && !is_sealed {
                older = night.published();
            }
        });
        let mut published = night.published();
        let witnesses = if seed.is_multiple_of(2) { &["w1", "w3"][..] } else { &["w1", "w2", "w3"] };
        let mut note =
            Note::parse(&night.checkpoint(witnesses, night.now() - 60)).expect("a signed checkpoint");
        note.add(unknown_line());
        published.checkpoint = note.to_string().into_bytes();
        let trust = Trust { seen: vec![older.checkpoint.clone()], ..night.trust() };
        let bytes = bundle::write(&published);
        let returns = (0..published.entries.len()).filter(|at| a_return(&published.entries[*at]).is_some());
        let (returns, regions) = (returns.collect(), regions(&published));
        assert!(older.entries.len() < published.entries.len());
        Self { night, published, older, trust, bytes, regions, returns }
    }

    fn n_cosigned(&self) -> usize {
        Note::parse(&self.published.checkpoint).expect("a note").signatures().len() - 2
    }
}

fn a_return(bytes: &[u8]) -> Option<(Return, String)> {
    match Entry::parse(bytes) {
        Ok(Entry::Signed(note, Document::Return(it))) => {
            Some((*it, note.signatures()[0].name.trim_end_matches(".example").to_owned()))
        }
        _ => None,
    }
}

/// Every byte of the bundle, by what it belongs to.
fn regions(published: &Published) -> Vec<(Region, Range<usize>)> {
    let mut regions = Vec::new();
    let mut at = 0;
    let mut next = |region, length: usize| {
        regions.push((region, at..at + length));
        at += length;
    };
    next(Region::Header, format!("{}\ncheckpoint {}\n", bundle::BUNDLE, published.checkpoint.len()).len());
    for line in std::str::from_utf8(&published.checkpoint).expect("text").split_inclusive('\n') {
        let region = match line {
            _ if line.starts_with("— log.") => Region::LogLine,
            _ if line.starts_with("— w") => Region::WitnessLine,
            _ if line.starts_with("— unknown") => Region::UnknownLine,
            _ => Region::CheckpointText,
        };
        next(region, line.len());
    }
    for (index, entry) in published.entries.iter().enumerate() {
        next(Region::Length, 2);
        let first_line = entry.iter().position(|byte| *byte == b'\n').expect("lines") + 1;
        match Entry::parse(entry).expect("an honest entry") {
            Entry::Part(_) => next(Region::Part, entry.len()),
            Entry::Signed(_, Document::Adoption(_)) => next(Region::Adoption, entry.len()),
            _ => {
                next(Region::Kind(index), first_line);
                next(Region::Document(index), entry.len() - first_line);
            }
        }
    }
    regions
}

/// What a change must lead to.
enum Expected {
    /// At least one code of each of these sets, and no verdict better than this.
    Named(Verdict, Vec<&'static [&'static str]>),
    /// Nothing; the list of bytes without effect has these words.
    Silent(&'static str),
}

/// Counts what became of changes, by sort of change and first code.
#[derive(Default)]
struct Game {
    seen: BTreeMap<String, BTreeMap<String, u32>>,
}

impl Game {
    fn judge(&mut self, sort: &str, report: &Report, expected: &Expected, from: usize, context: &str) {
        let codes: Vec<&str> = report.reasons.iter().map(|reason| reason.code).collect();
        let result = match expected {
            Expected::Silent(row) => {
                assert!(WITHOUT_EFFECT.contains(row), "{context}: `{row}` is not in the list");
                assert_eq!((report.verdict, &codes[..]), (Verdict::Ok, &[][..]), "{context}");
                "without effect"
            }
            Expected::Named(worst, sets) => {
                assert!(report.verdict >= *worst, "{context}: {:?} {codes:?}", report.verdict);
                for set in sets {
                    let is_named = set.iter().any(|code| codes.contains(code));
                    assert!(is_named, "{context}: none of {set:?} in {codes:?}");
                }
                // Entries before the changed one are not blamed.
                for reason in report.reasons.iter().filter(|reason| reason.verdict == Verdict::Wrong) {
                    assert!(reason.index.is_none_or(|at| at >= from as u64), "{context}: {reason:?}");
                }
                codes[0]
            }
        };
        *self.seen.entry(sort.to_owned()).or_default().entry(result.to_owned()).or_default() += 1;
    }

    fn show(&self) -> String {
        self.seen.iter().map(|(sort, codes)| format!("{sort}: {codes:?}\n")).collect()
    }
}

const CHECKPOINT: &[&str] = &["checkpoint", "checkpoint-signature"];
const ROOT: &[&str] = &["root"];
const NO_DEFINITION: &[&str] = &["no-definition"];
const TOO_FEW: &[&str] = &["too-few-witnesses"];

#[test]
fn every_changed_byte_of_a_bundle_is_caught_and_rightly_named() {
    let targets = Target::all();
    let mut random = Rand64::new(11);
    let mut game = Game::default();
    for round in 0..5000 {
        let target = &targets[random.rand_range(0..targets.len() as u64) as usize];
        // Each sort of region is struck equally often: the checkpoint is small and matters most.
        let sort = random.rand_range(0..9);
        let is_of = |region: &Region| match region {
            Region::Header => sort == 0,
            Region::CheckpointText => sort == 1,
            Region::LogLine => sort == 2,
            Region::WitnessLine => sort == 3,
            Region::UnknownLine => sort == 4,
            Region::Length => sort == 5,
            Region::Part => sort == 6,
            Region::Adoption => sort == 7,
            Region::Kind(_) | Region::Document(_) => sort == 8,
        };
        let all: Vec<&(Region, Range<usize>)> = target.regions.iter().filter(|(it, _)| is_of(it)).collect();
        let n_bytes: usize = all.iter().map(|(_, range)| range.len()).sum();
        let mut at = random.rand_range(0..n_bytes as u64) as usize;
        let mut found = None;
        for (region, range) in all {
            if at < range.len() {
                found = Some((*region, range.start + at));
                break;
            }
            at -= range.len();
        }
        let (region, at) = found.expect("within the regions");
        let change = random.rand_range(1..256) as u8;
        strike(&mut game, target, region, at, change, round);
    }
    println!("{}", game.show());
    assert_eq!(game.seen.len(), 10, "{}", game.show());
    assert_eq!(game.seen.values().flat_map(BTreeMap::values).sum::<u32>(), 5000);
}

fn strike(game: &mut Game, target: &Target, region: Region, at: usize, change: u8, round: u32) {
    let mut bytes = target.bytes.clone();
    bytes[at] ^= change;
    let context = format!("round {round}: {region:?}, byte {at} ^ {change:#04x}");
    let sort = format!("{region:?}");
    let sort = sort.split('(').next().expect("a name");
    let published = match bundle::read(&bytes) {
        Ok(published) => published,
        Err(error) => {
            // Nothing of it is believed, and the message says where.
            assert_eq!(region, Region::Header, "{context}: {error}");
            *game.seen.entry(sort.to_owned()).or_default().entry("no bundle".to_owned()).or_default() += 1;
            return;
        }
    };
    let report = verify(&published, &target.trust);
    let is_silent = report.verdict == Verdict::Ok;
    let (expected, from) = match region {
        // Another length of the checkpoint, and all that follows is read at the wrong place.
        Region::Header => {
            let sets: Vec<&[&str]> = vec![&["checkpoint", "missing-entries", "extra-entries"]];
            (Expected::Named(Verdict::Incomplete, sets), 0)
        }
        Region::CheckpointText | Region::LogLine => {
            (Expected::Named(Verdict::Wrong, vec![CHECKPOINT]), usize::MAX)
        }
        Region::WitnessLine if is_silent && target.n_cosigned() == 3 => {
            assert_eq!(report.cosigned.len(), 2, "{context}: one witness fewer is reported");
            (Expected::Silent("name or key id of a cosignature"), 0)
        }
        Region::WitnessLine => {
            let sets: Vec<&[&str]> = vec![&["checkpoint", "checkpoint-signature", "too-few-witnesses"]];
            (Expected::Named(Verdict::SelfConsistentOnly, sets), usize::MAX)
        }
        Region::UnknownLine if is_silent => {
            (Expected::Silent("signature lines of keys that the reader does not know"), 0)
        }
        Region::UnknownLine => (Expected::Named(Verdict::Wrong, vec![CHECKPOINT]), usize::MAX),
        Region::Length => {
            let sets: Vec<&[&str]> = vec![&["missing-entries", "extra-entries"]];
            (Expected::Named(Verdict::Incomplete, sets), 0)
        }
        Region::Part | Region::Adoption => (Expected::Named(Verdict::Wrong, vec![ROOT, NO_DEFINITION]), 0),
        Region::Kind(index) => (Expected::Named(Verdict::Wrong, vec![ROOT]), index),
        Region::Document(index) => {
            let is_blamed = report.reasons.iter().any(|reason| reason.index == Some(index as u64));
            assert!(is_blamed, "{context}: {:?}", report.reasons);
            (Expected::Named(Verdict::Wrong, vec![ROOT]), index)
        }
    };
    game.judge(sort, &report, &expected, from, &context);
}

/// What somebody does to a published election who knows what he does.
type Attack = fn(&Target, &mut Rand64, &mut Published, &mut Trust) -> (Expected, usize);

#[test]
fn every_forgery_is_caught_and_rightly_named() {
    let targets = Target::all();
    let mut random = Rand64::new(12);
    let mut game = Game::default();
    for round in 0..5000 {
        let target = &targets[random.rand_range(0..targets.len() as u64) as usize];
        let (name, attack) = ATTACKS[round % ATTACKS.len()];
        let (mut published, mut trust) = (target.published.clone(), target.trust.clone());
        let (expected, from) = attack(target, &mut random, &mut published, &mut trust);
        let is_changed = published != target.published
            || trust.fingerprint != target.trust.fingerprint
            || trust.seen != target.trust.seen;
        assert!(is_changed, "round {round}: {name} changes nothing");
        let report = verify(&published, &trust);
        game.judge(name, &report, &expected, from, &format!("round {round}: {name}"));
    }
    println!("{}", game.show());
    assert_eq!(game.seen.len(), ATTACKS.len(), "{}", game.show());
}

const ATTACKS: &[(&str, Attack)] = &[
    ("two entries swapped", |_, random, published, _| {
        let n = published.entries.len();
        let (a, b) = two(random, n);
        published.entries.swap(a, b);
        (Expected::Named(Verdict::Wrong, vec![ROOT]), a)
    }),
    ("one entry dropped", |_, random, published, _| {
        let at = below(random, published.entries.len());
        published.entries.remove(at);
        (Expected::Named(Verdict::Incomplete, vec![&["missing-entries"]]), at)
    }),
    ("one entry twice", |_, random, published, _| {
        let n = published.entries.len();
        let (from, to) = two(random, n);
        let entry = published.entries[from].clone();
        published.entries.insert(to, entry);
        (Expected::Named(Verdict::Wrong, vec![&["extra-entries"]]), from)
    }),
    ("cut at the end", |_, random, published, _| {
        let n = published.entries.len();
        published.entries.truncate(below(random, n));
        (Expected::Named(Verdict::Incomplete, vec![&["missing-entries"]]), usize::MAX)
    }),
    ("a return for another one of the same centre", |target, random, published, _| {
        let (at, it, signer) = some_return(target, random);
        published.entries[at] = target.night.signed(&other_numbers(it, random), &[&signer]);
        (Expected::Named(Verdict::Wrong, vec![ROOT]), at)
    }),
    ("a return signed by a key of somebody else", |target, random, published, _| {
        let (at, it, signer) = some_return(target, random);
        let other = if signer.starts_with("c1") { "c2" } else { "c1" };
        let other = [other, "a1", "r1"][below(random, 3)];
        published.entries[at] = target.night.signed(&it, &[other]);
        let codes: &[&str] = &["unauthorised-unit", "wrong-role", "revoked-key"];
        (Expected::Named(Verdict::Wrong, vec![ROOT, codes]), at)
    }),
    ("a number changed, and signed by a key of the same name", |target, random, published, _| {
        let (at, it, signer) = some_return(target, random);
        let key = Keys::of(999).signer(&signer);
        let forged = other_numbers(it, random).sign(&key);
        published.entries[at] = forged.to_string().into_bytes();
        (Expected::Named(Verdict::Wrong, vec![ROOT, &["unknown-key"]]), at)
    }),
    ("the same, by an operator who signs his log anew", |target, random, published, _| {
        let (at, it, signer) = some_return(target, random);
        let key = Keys::of(999).signer(&signer);
        published.entries[at] = other_numbers(it, random).sign(&key).to_string().into_bytes();
        published.checkpoint = rebuilt(&published.entries, &target.night.keys.signer("log"));
        (Expected::Named(Verdict::Wrong, vec![&["unknown-key"], TOO_FEW]), at)
    }),
    ("the same, with the cosignatures of the true checkpoint", |target, random, published, _| {
        let (at, it, signer) = some_return(target, random);
        published.entries[at] = target.night.signed(&other_numbers(it, random), &[&signer]);
        let log = rebuilt(&published.entries, &target.night.keys.signer("log"));
        let mut note = Note::parse(&log).expect("a note");
        let honest = Note::parse(&target.published.checkpoint).expect("a note");
        honest.signatures()[1..].iter().for_each(|line| note.add(line.clone()));
        published.checkpoint = note.to_string().into_bytes();
        (Expected::Named(Verdict::Wrong, vec![&["checkpoint-signature"]]), at)
    }),
    ("operator and centre agree on another past", |target, random, published, trust| {
        let (at, it, signer) = some_return(target, random);
        published.entries[at] = target.night.signed(&other_numbers(it, random), &[&signer]);
        published.checkpoint = rebuilt(&published.entries, &target.night.keys.signer("log"));
        trust.seen.push(target.published.checkpoint.clone());
        (Expected::Named(Verdict::SplitView, vec![TOO_FEW, &["split-view"]]), at)
    }),
    ("an operator leaves the last entries out", |target, random, published, trust| {
        let n = published.entries.len();
        published.entries.truncate(n - 1 - below(random, n - 4));
        published.checkpoint = rebuilt(&published.entries, &target.night.keys.signer("log"));
        trust.seen = vec![target.published.checkpoint.clone()];
        (Expected::Named(Verdict::SelfConsistentOnly, vec![TOO_FEW, &["rolled-back"]]), usize::MAX)
    }),
    ("an older checkpoint with all entries", |target, _, published, _| {
        published.checkpoint.clone_from(&target.older.checkpoint);
        (Expected::Named(Verdict::Wrong, vec![&["extra-entries"]]), target.older.entries.len())
    }),
    ("an older state, and the newer one was seen", |target, _, published, trust| {
        *published = target.older.clone();
        trust.seen = vec![target.published.checkpoint.clone()];
        (Expected::Named(Verdict::Stale, vec![&["rolled-back"]]), usize::MAX)
    }),
    ("an older state, long after", |target, random, published, trust| {
        *published = target.older.clone();
        trust.now = Some(target.night.now() + 901 + random.rand_range(0..1000));
        (Expected::Named(Verdict::Stale, vec![&["stale"]]), usize::MAX)
    }),
    ("the whole tree rebuilt with another key of the log", |target, random, published, _| {
        let (at, it, signer) = some_return(target, random);
        published.entries[at] = target.night.signed(&other_numbers(it, random), &[&signer]);
        published.checkpoint = rebuilt(&published.entries, &Keys::of(999).signer("log"));
        (Expected::Named(Verdict::Wrong, vec![&["checkpoint-signature"]]), at)
    }),
    ("another election with keys of its own", |target, random, published, trust| {
        let seed = 100 + random.rand_u64() % 3;
        let mut forged = Night::adopted(Keys::of(seed), false);
        forged.report("council", "d1/1", &[random.rand_range(10..300), 20, 30]);
        *published = forged.published();
        trust.now = Some(forged.now());
        trust.seen = vec![target.published.checkpoint.clone()];
        (Expected::Named(Verdict::Wrong, vec![&["fingerprint"], &["seen-not-signed"]]), usize::MAX)
    }),
    ("another definition, adopted with the old signatures", |target, random, published, _| {
        let text = changed_definition(target, random);
        published.entries[0] = Part::cut(text.as_bytes()).remove(0);
        published.checkpoint = rebuilt(&published.entries, &target.night.keys.signer("log"));
        (Expected::Named(Verdict::Wrong, vec![NO_DEFINITION, &["definition-parts"]]), 0)
    }),
    ("another definition, adopted by name with the old signatures", |target, random, published, _| {
        let text = changed_definition(target, random);
        published.entries[0] = Part::cut(text.as_bytes()).remove(0);
        let (old, new) = (target.night.definition.fingerprint(), tlog::hash::sha256(text.as_bytes()));
        let adoption = String::from_utf8(published.entries[1].clone()).expect("text");
        published.entries[1] = adoption.replace(&lines::hex(&old), &lines::hex(&new)).into_bytes();
        published.checkpoint = rebuilt(&published.entries, &target.night.keys.signer("log"));
        let codes: &[&str] = &["bad-signature", "bad-definition"];
        (Expected::Named(Verdict::Wrong, vec![NO_DEFINITION, codes]), 1)
    }),
    ("keys of the authority replaced, and a policy without witnesses", |target, _, published, _| {
        let keys = Keys::of(999);
        let mut text = target.night.definition.to_string();
        for name in ["a1", "a2", "a3"] {
            let of = |keys: &Keys| keys.signer(name).verifier().to_string();
            text = text.replace(&of(&target.night.keys), &of(&keys));
        }
        let text = text.replace("policy quorum two\n", "policy quorum none\n");
        published.entries[0] = Part::cut(text.as_bytes()).remove(0);
        let mut adoption = target.night.adoption();
        adoption.definition = tlog::hash::sha256(text.as_bytes());
        let mut note = Note::sign(&adoption.to_string(), &keys.signer("a1"));
        note.add(Note::sign(&adoption.to_string(), &keys.signer("a2")).signatures()[0].clone());
        published.entries[1] = note.to_string().into_bytes();
        published.checkpoint = rebuilt(&published.entries, &target.night.keys.signer("log"));
        // All returns were made for the true definition.
        (Expected::Named(Verdict::Wrong, vec![&["fingerprint"], &["other-definition"]]), 2)
    }),
    ("another fingerprint brought", |_, random, _, trust| {
        let mut hash = trust.fingerprint.expect("brought");
        hash.0[below(random, 32)] ^= 1 << below(random, 8);
        trust.fingerprint = Some(hash);
        (Expected::Named(Verdict::Wrong, vec![&["fingerprint"]]), usize::MAX)
    }),
    ("a byte of the checkpoint that was seen", |target, random, _, trust| {
        let seen = &mut trust.seen[0];
        let lines = String::from_utf8(seen.clone()).expect("text");
        let first_of_witnesses = lines.find("— w").expect("cosigned");
        let at = below(random, seen.len());
        seen[at] ^= 1 + below(random, 255) as u8;
        // Only the log's signature matters of it; that it holds is what the reader relies on.
        let is_good = Note::parse(seen).is_ok_and(|note| {
            target.night.definition.policy.cosigned(&note).is_ok() && at >= first_of_witnesses
        });
        let row = "name or key id of a cosignature";
        let codes: &[&str] = &["seen-not-signed"];
        let named = Expected::Named(Verdict::SelfConsistentOnly, vec![codes]);
        (if is_good { Expected::Silent(row) } else { named }, usize::MAX)
    }),
    ("cosignatures taken away", |target, random, published, _| {
        let mut lines: Vec<Signature> = signatures(published).split_off(1);
        lines.remove(below(random, lines.len() - 1));
        lines.retain(|line| line.name.starts_with('w'));
        lines.truncate(1);
        sign_with(published, &target.published, &lines);
        (Expected::Named(Verdict::SelfConsistentOnly, vec![TOO_FEW]), usize::MAX)
    }),
    ("a cosignature of an older state", |target, _, published, _| {
        let older = Note::parse(&target.older.checkpoint).expect("a note");
        let lines: Vec<Signature> = older.signatures()[1..].to_vec();
        sign_with(published, &target.published, &lines);
        (Expected::Named(Verdict::Wrong, vec![&["checkpoint-signature"]]), usize::MAX)
    }),
    ("cosignatures of other keys with the names of witnesses", |target, _, published, _| {
        let signed = Note::parse(&published.checkpoint).expect("a note");
        let checkpoint = Checkpoint::parse(signed.unverified_text()).expect("a checkpoint");
        let lines = ["w1", "w2", "w3"].map(|name| {
            tlog::cosignature::cosign(&checkpoint, &Keys::of(999).signer(name), target.night.now())
        });
        sign_with(published, &target.published, &lines);
        (Expected::Named(Verdict::SelfConsistentOnly, vec![TOO_FEW]), usize::MAX)
    }),
    ("an extension line in the checkpoint", |_, _, published, _| {
        let text = String::from_utf8(published.checkpoint.clone()).expect("text");
        published.checkpoint = text.replacen("\n\n", "\nmore\n\n", 1).into_bytes();
        (Expected::Named(Verdict::Wrong, vec![&["checkpoint-signature"]]), usize::MAX)
    }),
    ("one more line of somebody unknown", |_, random, published, _| {
        let bytes = (0..=below(random, 90)).map(|_| random.rand_u64() as u8).collect();
        let id = random.rand_u64() as u32;
        let line = Signature { name: format!("n{id}.example"), id, bytes };
        published.checkpoint.extend(line.to_line().into_bytes());
        (Expected::Silent("signature lines of keys that the reader does not know"), 0)
    }),
    ("a signature line repeated", |_, random, published, _| {
        let lines = signatures(published);
        published.checkpoint.extend(lines[below(random, lines.len())].to_line().into_bytes());
        (Expected::Silent("repetition and order of signature lines"), 0)
    }),
    ("signature lines in another order", |_, random, published, _| {
        let mut lines = signatures(published);
        let (a, b) = two(random, lines.len());
        lines.swap(a, b);
        let text = Note::parse(&published.checkpoint).expect("a note").unverified_text().to_owned();
        published.checkpoint =
            (text + "\n" + &lines.iter().map(Signature::to_line).collect::<String>()).into_bytes();
        (Expected::Silent("repetition and order of signature lines"), 0)
    }),
];

fn below(random: &mut Rand64, n: usize) -> usize {
    random.rand_range(0..n as u64) as usize
}

/// Two different places, ascending.
fn two(random: &mut Rand64, n: usize) -> (usize, usize) {
    let (a, b) = (below(random, n), below(random, n - 1));
    if b < a { (b, a) } else { (a, b + 1) }
}

fn some_return(target: &Target, random: &mut Rand64) -> (usize, Return, String) {
    let at = target.returns[below(random, target.returns.len())];
    let (it, signer) = a_return(&target.published.entries[at]).expect("a return");
    (at, it, signer)
}

/// The same return with votes moved or added, in a way that no rule of the log forbids.
fn other_numbers(mut it: Return, random: &mut Rand64) -> Return {
    let more = Votes(50 + random.rand_range(0..1000));
    let list = it.tally.lists.values_mut().next().expect("lists");
    let votes = list.votes();
    list.total = Some([votes, more].into_iter().sum());
    it
}

/// A checkpoint of these entries, signed by this key and cosigned by nobody.
fn rebuilt(entries: &[Vec<u8>], key: &SignerKey) -> Vec<u8> {
    let leaves: Vec<Hash> = entries.iter().map(|entry| Hash::leaf(entry)).collect();
    let checkpoint = Checkpoint::new(key.verifier().name(), leaves.len() as u64, merkle::root(&leaves));
    checkpoint.sign(key).to_string().into_bytes()
}

fn signatures(published: &Published) -> Vec<Signature> {
    Note::parse(&published.checkpoint).expect("a note").signatures().to_vec()
}

/// The log's own line, and these instead of all others.
fn sign_with(published: &mut Published, honest: &Published, lines: &[Signature]) {
    let note = Note::parse(&honest.checkpoint).expect("a note");
    let lines = std::iter::once(&note.signatures()[0]).chain(lines);
    let text = format!("{}\n{}", note.unverified_text(), lines.map(Signature::to_line).collect::<String>());
    published.checkpoint = text.into_bytes();
}

/// The definition with one byte of one line changed to a letter or digit: policy lines and keys as often as all others.
fn changed_definition(target: &Target, random: &mut Rand64) -> String {
    let text = target.night.definition.to_string();
    let is_key = |line: &str| {
        ["policy", "authority", "release", "key"].iter().any(|word| line.starts_with(&format!("{word} ")))
    };
    let wants_key = random.rand_range(0..2) == 0;
    let mut places = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if is_key(line) == wants_key {
            places.extend(at..at + line.len() - 1);
        }
        at += line.len();
    }
    let at = places[below(random, places.len())];
    let mut bytes = text.into_bytes();
    let letters = b"0123456789abcdefgxyzABCXYZ";
    loop {
        let letter = letters[below(random, letters.len())];
        if bytes[at] != letter {
            bytes[at] = letter;
            break String::from_utf8(bytes).expect("letters");
        }
    }
}

#[test]
fn five_thousand_honest_states_raise_no_alarm() {
    honest(1000);
}

#[test]
fn five_thousand_other_honest_states_raise_no_alarm() {
    honest(2000);
}

/// Nights from this seed on, each looked at after every step.
fn honest(first: u128) {
    let mut n_states = 0;
    let mut seed = first;
    while n_states < 5000 {
        let night = play(seed, 6, &mut |night, is_sealed| {
            let published = night.published();
            let report = verify(&published, &night.trust());
            let expected = if is_sealed { Verdict::Unrevealed } else { Verdict::Ok };
            assert_eq!(report.verdict, expected, "seed {seed}: {:?}", report.reasons);
            n_states += 1;
        });
        // What a reader finds is what the operator has.
        let election = night.board.election().expect("adopted");
        assert_eq!(election.fingerprint, night.definition.fingerprint());
        seed += 1;
    }
}
