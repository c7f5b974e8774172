//! *Reports* many accounts that act (post, share, reply) or delete within the same ten seconds,
//! which neither the crowd around them nor their own rhythm explains. Bursts by largely the same
//! accounts are one finding.
//!
//! *Why it matters.* Accounts that one script drives wake together, and when an operation is
//! discovered, they are emptied together: deletions in step destroy evidence while it is wanted.
//!
//! *Needs* posts or deletions with account and time to the second. The longer the recording, the
//! better the accounts' rhythm is known; nothing from outside. Where most times are whole minutes,
//! it stays silent and a note of the run says so.
//!
//! *How.* A window of 10 s begins at every second of the recording, one series for deletions and one
//! for everything else; an account counts once in it. A window with at least ten accounts is held
//! against two expectations, both of which must be out of the question:
//!
//! 1. The crowd: the highest of the rates in the next windows, within half a minute and within two
//!    minutes, so that a wave is judged by its nearer and higher side; and the median of the counts
//!    at the same place of the clock (minute, five minutes, quarter, hour, day) before and after, so
//!    that what happens by the clock is expected by the clock. The count is a negative binomial
//!    whose dispersion is learnt from all windows away from those that stand out.
//! 2. The accounts themselves: for each that acts, its chance from its own hours of the day, shrunk
//!    to everybody's, and from its own place on the clock, which a scheduling tool gives away. Only
//!    the accounts that act are summed; those that might have are the crowd's part. Poisson, which
//!    has the heavier tail where chances differ.
//!
//! The larger of the two p-values goes to Benjamini and Hochberg at 1 %, over *all* windows: one for
//! each second of the recording and each series that occurs, the empty ones included. Windows that
//! overlap are positively dependent, which the procedure allows. Below ten accounts, or below five
//! times the larger expectation, nothing is reported however small the p-value: both models are
//! only models, and five is more than they err by (a wave that doubles within seconds and is gone
//! as quickly is not one of people).
//!
//! An account with fewer than three acts elsewhere has no rhythm of its own: it counts with
//! everybody's, and the finding says how many such accounts there are. Where they are the most and
//! half of the accounts act on one object, that is what an audience looks like: nothing is reported,
//! unless the same accounts come together again, or delete.
//!
//! Of several bursts, the accounts that took part in at least two are the finding's; who acted in
//! one only may have happened by.
//!
//! *Benign causes and blind spots.* A platform that removes posts in bulk, a scheduling tool used for
//! the first time, a broadcast, an export that gives a batch one time. Silent: groups that spread
//! their acts over half a minute or more; groups of fewer than ten; bursts inside a crowd five times
//! smaller than they; groups that burst at the same clock time most days or most hours, which look
//! like a schedule; throw-away accounts that all push one object once. Weekly schedules in a
//! recording of weeks are reported.
//!
//! *Next step for the operator.* For deletions, preserve what is left and ask the platform whether it
//! acted itself. Otherwise look for a common tool or a broadcast at that second.

mod bursts;
mod causes;
mod explain;
mod gather;
mod habits;
mod windows;

use domain::Finding;

use crate::case::Case;
use crate::catalogue::Detector;

/// See the module.
pub const DETECTOR: Detector = Detector {
    name: "synchronised-burst",
    summary: "many accounts that post or delete in the same seconds, beyond the crowd and their own rhythm",
    gather: gather::gather,
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Finding> {
    let (groups, looked) = bursts::find(case);
    groups.iter().map(|group| explain::finding(case, group, &looked)).collect()
}
