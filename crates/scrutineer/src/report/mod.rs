//! The report: one page of HTML that needs nothing else.

use domain::Timestamp;

use crate::summary::Summary;

/// The page.
pub(crate) fn page(run: &Summary, now: Timestamp) -> String {
    let _ = now;
    run.headline()
}
