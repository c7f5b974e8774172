//! The order in which findings are read.

use std::cmp::Reverse;

use domain::Finding;

/// The worst first; of equal ones the surest, then the earliest, then by name.
pub(crate) fn ordered(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| {
        (Reverse(a.severity), a.first_seen, &a.id)
            .cmp(&(Reverse(b.severity), b.first_seen, &b.id))
            .then(std::cmp::Ordering::Equal)
    });
    findings.sort_by(|a, b| {
        Reverse(a.severity).cmp(&Reverse(b.severity)).then(b.confidence.total_cmp(&a.confidence))
    });
    findings
}
