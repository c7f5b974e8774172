//! The verdict that anyone can reach about a published election, from what is published and a fingerprint that came by another
//! way. Nothing of the writer's state is used.

use std::collections::{BTreeMap, BTreeSet};

use tlog::policy::Cosigned;
use tlog::{Checkpoint, Hash, Note, merkle};

use crate::board::{Board, Chain, Election};
use crate::bundle::Published;
use crate::id::{CentreId, ContestId};
use crate::lines::hex;
use crate::replay::{Replay, WrongEntry, replay};
use crate::returns::Status;
use crate::totals;

mod coverage;

pub use coverage::{Confirmed, Told};

/// What the reader knows from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The fingerprint of the definition, from the official gazette or whoever else the reader believes.
    pub fingerprint: Option<Hash>,
    /// The present, to tell whether what is shown is fresh; seconds since the epoch.
    pub now: Option<u64>,
    /// Checkpoints of this log that were seen before or elsewhere.
    pub seen: Vec<Vec<u8>>,
    /// Signed coverage lists of validators, in any order.
    pub coverage: Vec<Vec<u8>>,
}

/// What can be said of a published election. Ordered from good to bad; the worst that applies is the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Everything holds, and the fingerprint is the one that the reader brought.
    Ok,
    /// It holds, but an older state than the count should show by now is shown.
    Stale,
    /// It holds, but a centre has not opened what it had committed to.
    Unrevealed,
    /// It holds, but a validator says of a unit that its centre twice said something else, or that it was shown another log. All
    /// other units stand.
    Disputed,
    /// Everything fits together, but nothing from outside vouches for it: no fingerprint was given, or too few
    /// witnesses have cosigned. A forger can make such an election too.
    SelfConsistentOnly,
    /// Some of what the checkpoint covers is not there.
    Incomplete,
    /// Nothing could be had.
    Unavailable,
    /// Two states of the log were shown of which neither contains the other: somebody shows different people different things.
    SplitView,
    /// Something does not hold.
    Wrong,
}

impl Verdict {
    /// All verdicts, from good to bad.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Stale,
        Self::Unrevealed,
        Self::Disputed,
        Self::SelfConsistentOnly,
        Self::Incomplete,
        Self::Unavailable,
        Self::SplitView,
        Self::Wrong,
    ];

    /// The word for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Stale => "stale",
            Self::Unrevealed => "unrevealed",
            Self::Disputed => "disputed",
            Self::SelfConsistentOnly => "self-consistent-only",
            Self::Incomplete => "incomplete",
            Self::Unavailable => "unavailable",
            Self::SplitView => "split-view",
            Self::Wrong => "wrong",
        }
    }

    /// The exit code of `results verify`. 1 and 2 are left to failure and wrong usage.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::SelfConsistentOnly => 10,
            Self::Wrong => 11,
            Self::Stale => 12,
            Self::SplitView => 13,
            Self::Incomplete => 14,
            Self::Unavailable => 15,
            Self::Unrevealed => 16,
            Self::Disputed => 17,
        }
    }
}

/// One reason for a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it makes of the election.
    pub verdict: Verdict,
    /// The word for machines.
    pub code: &'static str,
    /// The entry, where it is about one.
    pub index: Option<u64>,
    /// A whole sentence.
    pub message: String,
}

/// What was found.
#[derive(Debug)]
pub struct Report {
    /// The worst of the reasons, or ok.
    pub verdict: Verdict,
    /// All reasons, the worst first, then by entry. Those whose verdict is ok are only told.
    pub reasons: Vec<Reason>,
    /// The checkpoint, where one could be read.
    pub checkpoint: Option<Checkpoint>,
    /// Witnesses of the policy that have cosigned it.
    pub cosigned: Vec<Cosigned>,
    /// What validators have compared, where the definition is adopted and the log's key has signed.
    pub confirmed: Confirmed,
    /// What the log says.
    pub board: Board,
}

impl Report {
    /// The election, where a definition is adopted in the log.
    pub fn election(&self) -> Option<&Election> {
        self.board.election()
    }

    /// Units due and units counted, by contest.
    pub fn progress(&self) -> BTreeMap<&ContestId, (u64, u64)> {
        let Some(election) = self.election() else { return BTreeMap::new() };
        let contests = election.definition.contests.keys();
        contests
            .map(|contest| {
                let due = election.due(contest).count() as u64;
                (contest, (due, due - totals::missing(election, contest).len() as u64))
            })
            .collect()
    }
}

/// Reaches the verdict.
pub fn verify(published: &Published, trust: &Trust) -> Report {
    let mut reasons = Reasons::default();
    let Some(note) = reasons.note(published) else { return reasons.report(None, Vec::new(), Board::new()) };
    let checkpoint = match Checkpoint::parse(note.unverified_text()) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            reasons.add(
                Verdict::Wrong,
                "checkpoint",
                None,
                format!("the checkpoint cannot be read: {error}"),
            );
            return reasons.report(None, Vec::new(), Board::new());
        }
    };
    let Replay { board, leaves, wrong } = replay(&published.entries);
    let is_whole = reasons.tree(&checkpoint, &leaves, published.missing.as_deref());
    reasons.entries(wrong);
    let (mut cosigned, mut confirmed) = (Vec::new(), Confirmed::default());
    match board.election() {
        None if reasons.is_incomplete() => {}
        None => reasons.add(
            Verdict::Wrong,
            "no-definition",
            None,
            "no definition is adopted in this log".to_owned(),
        ),
        Some(election) => {
            reasons.fingerprint(election, trust);
            if let Some(by) = reasons.cosigned(election, &note) {
                // Leaves that are not those of the checkpoint say nothing about what the log's key has signed; nor does a
                // checkpoint that it has not signed.
                let leaves = if is_whole { &leaves[..] } else { &[] };
                reasons.seen(election, &checkpoint, leaves, trust);
                reasons.fresh(election, &by, trust);
                confirmed = reasons.coverage(election, &checkpoint, leaves, trust);
                cosigned = by;
            }
            reasons.sealed(election);
        }
    }
    Report { confirmed, ..reasons.report(Some(checkpoint), cosigned, board) }
}

#[derive(Default)]
struct Reasons(Vec<Reason>);

impl Reasons {
    fn add(&mut self, verdict: Verdict, code: &'static str, index: Option<u64>, message: String) {
        self.0.push(Reason { verdict, code, index, message });
    }

    fn is_incomplete(&self) -> bool {
        self.0.iter().any(|reason| reason.verdict == Verdict::Incomplete)
    }

    fn report(mut self, checkpoint: Option<Checkpoint>, cosigned: Vec<Cosigned>, board: Board) -> Report {
        self.0.sort_by(|a, b| b.verdict.cmp(&a.verdict).then(a.index.cmp(&b.index)));
        let verdict = self.0.first().map_or(Verdict::Ok, |reason| reason.verdict);
        Report { verdict, reasons: self.0, checkpoint, cosigned, confirmed: Confirmed::default(), board }
    }

    fn note(&mut self, published: &Published) -> Option<Note> {
        if published.checkpoint.is_empty() {
            let message = published.missing.clone().unwrap_or_else(|| "there is no checkpoint".to_owned());
            self.add(Verdict::Unavailable, "no-checkpoint", None, message);
            return None;
        }
        match Note::parse(&published.checkpoint) {
            Ok(note) => Some(note),
            Err(error) => {
                let message = format!("the checkpoint is no signed note: {error}");
                self.add(Verdict::Wrong, "checkpoint", None, message);
                None
            }
        }
    }

    /// Whether the entries are those that the checkpoint speaks of, from the first.
    fn tree(&mut self, checkpoint: &Checkpoint, leaves: &[Hash], missing: Option<&str>) -> bool {
        let (has, size) = (leaves.len() as u64, checkpoint.size);
        if has < size {
            let what = missing.map(|what| format!(": {what}")).unwrap_or_default();
            let message = format!("{has} of {size} entries are there{what}");
            self.add(Verdict::Incomplete, "missing-entries", Some(has), message);
            return false;
        }
        if has > size || missing.is_some() {
            let message = format!("there is more than the {size} entries that the checkpoint covers");
            self.add(Verdict::Wrong, "extra-entries", Some(size), message);
        }
        let is_root = merkle::root(&leaves[..size as usize]) == checkpoint.root;
        if !is_root {
            let message = "the entries are not those that the checkpoint was signed for".to_owned();
            self.add(Verdict::Wrong, "root", None, message);
        }
        is_root
    }

    fn entries(&mut self, wrong: Vec<WrongEntry>) {
        for WrongEntry { index, code, message } in wrong {
            let message = format!("entry {index} may not stand in the log: {message}");
            self.add(Verdict::Wrong, code, Some(index), message);
        }
    }

    fn fingerprint(&mut self, election: &Election, trust: &Trust) {
        let found = &election.fingerprint;
        match &trust.fingerprint {
            Some(expected) if expected == found => {}
            Some(expected) => {
                let message = format!(
                    "the definition in this log has fingerprint {}, not {}; it is another election, or a forged one",
                    hex(found),
                    hex(expected)
                );
                self.add(Verdict::Wrong, "fingerprint", None, message);
            }
            None => {
                let message = format!(
                    "nobody outside vouches for the definition; compare its fingerprint {} with the official gazette",
                    hex(found)
                );
                self.add(Verdict::SelfConsistentOnly, "no-fingerprint", None, message);
            }
        }
    }

    /// Which witnesses have cosigned, if the log's key has signed.
    fn cosigned(&mut self, election: &Election, note: &Note) -> Option<Vec<Cosigned>> {
        let policy = &election.definition.policy;
        match policy.cosigned(note) {
            Err(refusal) => {
                let message = format!("the checkpoint is not signed as the definition asks: {refusal}");
                self.add(Verdict::Wrong, "checkpoint-signature", None, message);
                None
            }
            Ok((_, cosigned)) => {
                if !policy.is_quorum(&cosigned) {
                    let n = cosigned.len();
                    let message = format!(
                        "{n} of {} witnesses have cosigned, which is fewer than the definition asks for",
                        policy.witnesses().len()
                    );
                    self.add(Verdict::SelfConsistentOnly, "too-few-witnesses", None, message);
                }
                Some(cosigned)
            }
        }
    }

    /// Compares with checkpoints that were seen before. Where the leaves are all here, no proof is needed; where not, two
    /// checkpoints of one size tell all the same.
    fn seen(&mut self, election: &Election, checkpoint: &Checkpoint, leaves: &[Hash], trust: &Trust) {
        for bytes in &trust.seen {
            let seen =
                Note::parse(bytes).ok().and_then(|note| election.definition.policy.cosigned(&note).ok());
            let Some((seen, _)) = seen else {
                let message =
                    "a checkpoint that was seen elsewhere is not signed by this log's key".to_owned();
                self.add(Verdict::SelfConsistentOnly, "seen-not-signed", None, message);
                continue;
            };
            if seen.size > checkpoint.size {
                let message = format!(
                    "this shows {} entries, but {} were seen already: somebody shows an older state",
                    checkpoint.size, seen.size
                );
                self.add(Verdict::Stale, "rolled-back", None, message);
            } else if (seen.size == checkpoint.size && seen.root != checkpoint.root)
                || leaves.get(..seen.size as usize).is_some_and(|leaves| merkle::root(leaves) != seen.root)
            {
                let message = format!(
                    "the log's key has signed another state of {} entries than the one here: \
                     different people were shown different things",
                    seen.size
                );
                self.add(Verdict::SplitView, "split-view", None, message);
            }
        }
    }

    /// Old news is fine once everything is final; during the count it may hide a correction. A quorum must have seen the log
    /// lately: one witness alone, who helps to hide something, could write any time.
    fn fresh(&mut self, election: &Election, cosigned: &[Cosigned], trust: &Trust) {
        let is_quorum_since = |time: &u64| {
            let since: Vec<Cosigned> = cosigned.iter().filter(|by| by.time >= *time).cloned().collect();
            election.definition.policy.is_quorum(&since)
        };
        let newest = cosigned.iter().map(|by| by.time).filter(is_quorum_since).max();
        let (Some(now), Some(newest)) = (trust.now, newest) else { return };
        let age = now.saturating_sub(newest);
        let is_final = |contest: &ContestId| {
            election
                .due(contest)
                .all(|unit| election.content(contest, unit).is_some_and(|it| it.status == Status::Final))
        };
        let limit = election.definition.fresh_for;
        if age > limit && !election.definition.contests.keys().all(is_final) {
            let message = format!(
                "no quorum of witnesses has seen this log for {age} s, and during the count {limit} s are allowed"
            );
            self.add(Verdict::Stale, "stale", None, message);
        }
    }

    fn sealed(&mut self, election: &Election) {
        if election.released.is_none() {
            return;
        }
        let mut open: BTreeMap<&CentreId, u64> = BTreeMap::new();
        for sealed in election.commitments.values().filter(|sealed| sealed.opened.is_none()) {
            *open.entry(&sealed.centre).or_default() += 1;
        }
        for (centre, n) in open {
            let message = format!("centre `{centre}` has not opened {n} of its commitments");
            self.add(Verdict::Unrevealed, "unopened", None, message);
        }
        let links = election.chains.values().flat_map(Chain::links);
        let logged: BTreeSet<&Hash> = links.map(|link| &link.leaf).collect();
        for (leaf, index) in election.opened.iter().filter(|(leaf, _)| !logged.contains(leaf)) {
            let message =
                format!("the opening in entry {index} names return {}, which is not in the log", hex(leaf));
            self.add(Verdict::Unrevealed, "unlogged", Some(*index), message);
        }
    }
}
