//! The words and figures of a finding.

use std::collections::BTreeMap;

use domain::{Evidence, Finding, FindingId, Severity, Subject, Verdict};

use crate::case::Case;
use crate::stats::figures::rounded;

use super::verdict::Event;

pub(super) fn finding(case: &Case<'_>, event: &Event) -> Finding {
    let subjects = vec![Subject::Domain("site".into())];
    let seen = event.strongest();
    let counts =
        BTreeMap::from([("phi".to_owned(), rounded(seen.phi)), ("hard".to_owned(), rounded(seen.hard))]);
    Finding {
        id: FindingId::of(super::DETECTOR.name, &subjects, event.from),
        revision: 1,
        ended: Some(event.until),
        detector: super::DETECTOR.name.to_owned(),
        title: String::new(),
        severity: match event.verdict {
            Verdict::Attack | Verdict::Mixed => Severity::High,
            Verdict::Unsure => Severity::Low,
            Verdict::FlashCrowd => Severity::Info,
        },
        confidence: 0.5,
        first_seen: event.from,
        last_seen: event.until,
        asset: None,
        subjects,
        verdict: Some(event.verdict),
        evidence: Evidence { counts, ..Evidence::default() },
        benign_causes: Vec::new(),
        next_step: String::new(),
        techniques: Vec::new(),
        provenance: case.names.provenance(),
    }
}
