//! The facts behind a finding, in a form that a report can show and a court can follow.

use std::collections::BTreeMap;

use crate::time::Timestamp;

/// What a detector saw, and what it would have expected.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// One sentence with the figures that were observed.
    pub observed: String,
    /// One sentence with the figures that chance, audience and habit would explain.
    pub expected: String,
    /// False-discovery rate at which the finding would still stand, 0 to 1.
    pub q_value: Option<f64>,
    /// The window in which the pattern is clearest, in seconds.
    pub window_s: Option<u64>,
    /// What was shared or hit, in order of time.
    pub objects: Vec<SharedObject>,
    /// Rows to look at, in order of time.
    pub samples: Vec<Sample>,
    /// Named figures, for machines.
    pub counts: BTreeMap<String, f64>,
    /// The accounts or hosts of the group, the surest first.
    pub members: Vec<Member>,
    /// Pairs of members that tie the group together, the strongest first.
    pub ties: Vec<Tie>,
    /// The same question asked with other windows, shortest first.
    pub sensitivity: Vec<Sensitivity>,
}

/// One object that members of a group shared.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedObject {
    /// The object's name: a URL, a hashtag, a media hash, the id of a post.
    pub object: String,
    /// The trace it belongs to: `url`, `hashtag`, `repost`, …
    pub trace: String,
    /// Members that shared it.
    pub members: u32,
    /// Members of those that shared it within the window of another member.
    pub in_step: u32,
    /// Accounts outside the group that shared it.
    pub others: u32,
    /// Share of members that the object's own rate would bring in step, 0 to 1.
    pub expected_rate: f64,
    /// When the first member shared it.
    pub first: Timestamp,
    /// Time between the first and the last member in step, in seconds.
    pub span_s: f64,
    /// The member that shared it first.
    pub leader: String,
}

/// One row of traffic, as evidence. Never the text of a post.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When.
    pub time: Timestamp,
    /// Which account or host, as a pseudonym where it is a person's.
    pub account: String,
    /// What it did: `share`, `post`, `reply`, `delete`, …
    pub action: String,
    /// On what.
    pub object: String,
    /// Seconds after the first member acted on the same object.
    pub lag_s: f64,
}

/// One member of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The account's pseudonym.
    pub account: String,
    /// Platform, where known.
    pub platform: Option<String>,
    /// Distinct objects that it shared with the group at any time.
    pub objects: u32,
    /// Distinct objects on which it was in step with the group.
    pub in_step: u32,
    /// Number of those that chance, audience and its own habits would explain.
    pub expected: f64,
    /// How sure its membership is: false-discovery rate over all accounts that were tested.
    pub q_value: f64,
    /// Median seconds after the group's first share; 0 for one that leads.
    pub median_lag_s: f64,
    /// Objects on which it was the first of the group.
    pub led: u32,
}

/// Two members and what ties them.
#[derive(Clone, Debug, PartialEq)]
pub struct Tie {
    /// One account.
    pub a: String,
    /// The other; `a < b`.
    pub b: String,
    /// Distinct objects shared in step.
    pub objects: u32,
    /// How many of those chance would explain.
    pub expected: f64,
    /// Median seconds between the two.
    pub median_gap_s: f64,
}

/// The same question with one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sensitivity {
    /// Window in seconds.
    pub window_s: u64,
    /// Times that members were in step.
    pub observed: f64,
    /// Times that chance, audience and habit would explain.
    pub expected: f64,
    /// Natural logarithm of the evidence: how many times likelier the rows are if the group acts
    /// in step than if it does not.
    pub log_evidence: f64,
}
