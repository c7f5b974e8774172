//! The detector, and beside it the plain thresholds that are in use elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;

use detect::coordination::co_share;
use detect::engine::{column_i32, column_i64};
use detect::{Detector, Engine, Names, Settings};
use domain::{Finding, Subject};
use exercise::coordination::Share;
use store::TempScratch;
use traffic::{AccountNames, Action, Batch, Kind, ObjectNames, Part, Platform, Post, Trace, post};

use super::EvaluateError;
use super::count::Flagged;

/// Least numbers of distinct objects that the thresholds are tried with.
pub(super) const KS: std::ops::RangeInclusive<u32> = 2..=8;

/// Windows of the thresholds, in seconds.
pub(super) const WINDOWS_S: [i64; 2] = [60, 600];

/// Rows to a batch.
const BATCH: usize = 65_536;

/// Memory that one run may take before it spills.
const MEMORY: usize = 8 << 30;

/// Runs the detector and the thresholds.
pub(super) struct Methods {
    engine: Engine,
}

impl Methods {
    /// With as many threads as the machine has.
    pub(super) fn new() -> Result<Self, EvaluateError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { engine: Engine::new(threads, MEMORY, Arc::new(TempScratch::create(None)?)) })
    }

    /// Findings of numbered shares; an account's number is its name.
    pub(super) fn findings(&self, shares: &[Share]) -> Result<Vec<Finding>, EvaluateError> {
        let mut names = || Names {
            accounts: AccountNames::numbers(),
            objects: ObjectNames::numbers(),
            texts: traffic::Texts::default(),
            sources: Vec::new(),
            rows_read: shares.len() as u64,
            rows_refused: 0,
        };
        self.findings_of(vec![part(shares)], &mut names)
    }

    /// Findings of any traffic.
    pub(super) fn findings_of(
        &self,
        parts: Vec<Part>,
        names: &mut dyn FnMut() -> Names,
    ) -> Result<Vec<Finding>, EvaluateError> {
        Ok(detect::run(&[detector()?], parts, names, &Settings::default(), &self.engine)?.findings)
    }

    /// Pairs of accounts that meet on at least two objects, for each window.
    pub(super) fn meetings(&self, shares: &[Share]) -> Result<Meetings, EvaluateError> {
        let mut meetings = Meetings::default();
        for (window_s, pairs) in WINDOWS_S.into_iter().zip(&mut meetings.0) {
            let gather = co_share::gather(window_s * 1000, i64::from(*KS.start()));
            let (tables, _) = self.engine.run(&[gather], vec![part(shares)])?;
            for batch in &tables["co-share.pairs"] {
                let (a, b) = (column_i32(batch, "a"), column_i32(batch, "b"));
                let objects = column_i64(batch, "objects");
                pairs.extend((0..a.len()).map(|at| (a[at], b[at], objects[at] as u32)));
            }
        }
        Ok(meetings)
    }
}

fn detector() -> Result<&'static Detector, EvaluateError> {
    detect::catalogue::find("coordinated-sharing").ok_or_else(|| "no detector of that name".into())
}

fn part(shares: &[Share]) -> Part {
    let batches: Vec<_> = shares
        .chunks(BATCH)
        .map(|shares| {
            let posts: Vec<Post> = shares.iter().map(as_post).collect();
            Ok(Batch::new(Kind::Post, post::batch(&posts)))
        })
        .collect();
    Box::new(batches.into_iter())
}

fn as_post(share: &Share) -> Post {
    Post {
        account: share.account,
        object: share.object,
        trace: Trace::Object,
        action: Action::Share,
        time: share.time,
        post: -1,
        platform: Platform::Unknown,
        author: -1,
    }
}

/// What the findings flag, where accounts are numbers.
pub(super) fn flagged(findings: &[Finding]) -> Flagged {
    let groups: Vec<Vec<i32>> = findings.iter().map(members).collect();
    Flagged::of_groups(groups.iter().map(Vec::as_slice))
}

/// The accounts of a finding, where accounts are numbers.
pub(super) fn members(finding: &Finding) -> Vec<i32> {
    let number = |subject: &Subject| match subject {
        Subject::Account(name) => name.parse().ok(),
        _ => None,
    };
    finding.subjects.iter().filter_map(number).collect()
}

/// Pairs `a < b` with the number of distinct objects on which they meet, for each window.
#[derive(Clone, Debug, Default)]
pub(super) struct Meetings([Vec<(i32, i32, u32)>; WINDOWS_S.len()]);

impl Meetings {
    /// The pairs of both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (pairs, more) in both.0.iter_mut().zip(&other.0) {
            pairs.extend_from_slice(more);
        }
        both
    }

    /// The pairs that concern at least one of these accounts.
    pub(super) fn with_any_of(mut self, accounts: &BTreeSet<i32>) -> Self {
        for pairs in &mut self.0 {
            pairs.retain(|(a, b, _)| accounts.contains(a) || accounts.contains(b));
        }
        self
    }

    /// What "at least `k` objects within the window" flags.
    pub(super) fn at_least(&self, window: usize, k: u32) -> Flagged {
        Flagged::of_pairs(self.pairs(window, k))
    }

    /// What the two thresholds that are silent on the control flag together: four objects within a
    /// minute, or five within ten.
    pub(super) fn quiet(&self) -> Flagged {
        Flagged::of_pairs(self.pairs(0, 4).chain(self.pairs(1, 5)))
    }

    fn pairs(&self, window: usize, k: u32) -> impl Iterator<Item = (i32, i32)> + '_ {
        self.0[window].iter().filter(move |pair| pair.2 >= k).map(|&(a, b, _)| (a, b))
    }
}

/// One way of flagging, as a row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// The detector.
    Scrutineer,
    /// At least `k` objects within the window of that number.
    Threshold { window: usize, k: u32 },
    /// See [`Meetings::quiet`].
    Quiet,
}

impl Method {
    /// All of them; the detector first.
    pub(super) fn all() -> Vec<Self> {
        let thresholds =
            (0..WINDOWS_S.len()).flat_map(|window| KS.map(move |k| Self::Threshold { window, k }));
        [Self::Scrutineer, Self::Quiet].into_iter().chain(thresholds).collect()
    }

    /// The name in tables.
    pub(super) fn name(self) -> String {
        match self {
            Self::Scrutineer => "`coordinated-sharing`".to_owned(),
            Self::Threshold { window, k } => format!("{k} objects within {} s", WINDOWS_S[window]),
            Self::Quiet => "4 within 60 s or 5 within 600 s".to_owned(),
        }
    }

    /// What it flags.
    pub(super) fn flagged(self, findings: &[Finding], meetings: &Meetings) -> Flagged {
        match self {
            Self::Scrutineer => flagged(findings),
            Self::Threshold { window, k } => meetings.at_least(window, k),
            Self::Quiet => meetings.quiet(),
        }
    }
}
