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
    /// What was counted, step by step, for a chart: the series that decided first.
    pub series: Vec<Series>,
    /// What speaks for the verdict and against it, the weightiest first.
    pub reasons: Vec<Reason>,
    /// What may be blocked and what must not be, where the detector can tell.
    pub blockable: Option<Blockable>,
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

/// Counts in equal steps of time, with what was usual and where the alarm lies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What was counted: `TCP SYN to 192.0.2.1`.
    pub name: String,
    /// What one step's value counts, as a plural: `packets`, `requests`.
    pub unit: String,
    /// Length of a step in seconds, above 0.
    pub step_s: f64,
    /// Start of the first step.
    pub start: Timestamp,
    /// One value a step, without gaps, each finite and at least 0.
    pub values: Vec<f64>,
    /// What is usual in one step.
    pub expected: Option<f64>,
    /// Above this a step is a rise.
    pub threshold: Option<f64>,
}

/// One thing that speaks for a verdict or against it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reason {
    /// What was seen, as a sentence or the beginning of one: `2,310 clients load no page whole`.
    pub what: String,
    /// Log-odds in nats that it adds: above 0 for an attack, below 0 for a crowd. 0 where a rule is
    /// met or not and has no weight.
    pub weight: f64,
    /// Share of the traffic in question that it concerns, 0 to 1.
    pub share: Option<f64>,
}

/// What may be blocked, and what must not be. It is advice to a person: nothing here is carried out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blockable {
    /// Addresses or networks that may be blocked, the busiest first; perhaps not all of them.
    pub sources: Vec<BlockRule>,
    /// Number of such sources in all.
    pub sources_in_all: u64,
    /// What hostile rows have in common, to challenge or to slow down by: a path, a port, a query.
    pub signatures: Vec<BlockRule>,
    /// Share of the hostile rows that all this would stop, 0 to 1.
    pub share: f64,
    /// Share of the other clients that it would hit, 0 to 1, where that could be estimated.
    pub bystanders: Option<f64>,
    /// After this many seconds a block should end by itself.
    pub ttl_s: Option<u64>,
    /// What must not be blocked, and why.
    pub spare: Vec<Spared>,
}

/// One thing that may be blocked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockRule {
    /// Address, network or signature.
    pub what: String,
    /// Rows (packets, requests) in question that it matched.
    pub rows: u64,
}

/// One thing that must not be blocked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spared {
    /// Address, network or kind of client.
    pub what: String,
    /// Why not, as a sentence.
    pub why: String,
}
