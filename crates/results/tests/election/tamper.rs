//! The tamper game: ten thousand changes of what is published or brought, each of which is caught and rightly named, or stands in
//! the published list of bytes without effect (docs/specs/bytes-without-effect.md); and ten thousand honest states without an alarm.

use std::collections::BTreeMap;
use std::ops::Range;

use oorandom::Rand64;
use results::bundle::{self, Published};
use results::entry::{Document, Entry};
use results::returns::Return;
use results::verify::{Report, Trust, Verdict, verify};
use tlog::Note;
use tlog::note::Signature;

use crate::common::Night;
use crate::play::play;

/// The list of what can be changed without effect. What a change that nobody notices is called here stands in it.
const WITHOUT_EFFECT: &str = include_str!("../../../../docs/specs/bytes-without-effect.md");

/// An honest night that is over, and what readers have of it.
pub(crate) struct Target {
    pub(crate) night: Night,
    pub(crate) published: Published,
    /// What the same log published a few entries earlier.
    pub(crate) older: Published,
    pub(crate) trust: Trust,
    bytes: Vec<u8>,
    regions: Vec<(Region, Range<usize>)>,
    /// Entries that are returns.
    pub(crate) returns: Vec<usize>,
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
    pub(crate) fn all() -> Vec<Self> {
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

pub(crate) fn a_return(bytes: &[u8]) -> Option<(Return, String)> {
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
pub(crate) enum Expected {
    /// At least one code of each of these sets, and no verdict better than this.
    Named(Verdict, Vec<&'static [&'static str]>),
    /// Nothing; the list of bytes without effect has these words.
    Silent(&'static str),
}

/// Counts what became of changes, by sort of change and first code.
#[derive(Default)]
pub(crate) struct Game {
    pub(crate) seen: BTreeMap<String, BTreeMap<String, u32>>,
}

impl Game {
    pub(crate) fn judge(
        &mut self,
        sort: &str,
        report: &Report,
        expected: &Expected,
        from: usize,
        context: &str,
    ) {
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

    pub(crate) fn show(&self) -> String {
        self.seen.iter().map(|(sort, codes)| format!("{sort}: {codes:?}\n")).collect()
    }
}

const CHECKPOINT: &[&str] = &["checkpoint", "checkpoint-signature"];
const ROOT: &[&str] = &["root"];
const NO_DEFINITION: &[&str] = &["no-definition"];

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
