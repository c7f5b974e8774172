//! *Reports* more requests than is usual at a site, and whether that is an attack, a flash crowd, both, or not to be
//! told from what was seen.

mod block;
mod clients;
mod explain;
mod gather;
mod history;
mod records;
mod rises;
mod score;
mod signs;
mod verdict;
mod visits;
mod weights;

use domain::Finding;

use crate::case::Case;
use crate::catalogue::Detector;

pub use block::{Blocking, By, Rule, RulePath, TTL_S};
pub use gather::Referer;
pub use verdict::{Event, Seen, judge_with};
pub use weights::{Group, Sign, Weights};

/// See the module.
pub const DETECTOR: Detector = Detector {
    name: "application-flood",
    summary: "more requests than usual at a website: attack, flash crowd, both, or not to be told",
    gather: gather::gather,
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Finding> {
    let events = judge_with(case, &Weights::default());
    events.iter().map(|event| explain::finding(case, event)).collect()
}
