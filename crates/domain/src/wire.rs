//! The published form of a finding: one JSON object a line (JSON Lines).
//!
//! These types are the format; the domain types are not serialised by accident.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{evidence, finding};

/// A finding as it is written and read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// 16 hexadecimal digits.
    pub id: String,
    /// Grows while the episode goes on.
    pub revision: u32,
    /// RFC 3339; absent while the episode goes on or where the end is unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<String>,
    /// Name in kebab case.
    pub detector: String,
    /// One calm sentence.
    pub title: String,
    /// `info`, `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// 0 to 1.
    pub confidence: f64,
    /// RFC 3339, UTC.
    pub first_seen: String,
    /// RFC 3339, UTC.
    pub last_seen: String,
    /// Register id, or null.
    pub asset: Option<String>,
    /// `kind:name`, sorted.
    pub subjects: Vec<String>,
    /// Absent where the detector tells no kinds apart.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verdict: Option<String>,
    /// The facts.
    pub evidence: Evidence,
    /// Likeliest first.
    pub benign_causes: Vec<BenignCause>,
    /// One thing to do.
    pub next_step: String,
    /// Technique ids.
    pub techniques: Vec<String>,
    /// Where the rows came from.
    pub provenance: Provenance,
}

/// See [`evidence::Evidence`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Sentence.
    pub observed: String,
    /// Sentence.
    pub expected: String,
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub q_value: Option<f64>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub window_s: Option<u64>,
    /// In order of time.
    pub objects: Vec<SharedObject>,
    /// In order of time.
    pub samples: Vec<Sample>,
    /// Named figures.
    pub counts: BTreeMap<String, f64>,
    /// Surest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub members: Vec<Member>,
    /// Strongest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub ties: Vec<Tie>,
    /// Shortest window first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sensitivity: Vec<Sensitivity>,
    /// For charts.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub series: Vec<Series>,
    /// Weightiest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reasons: Vec<Reason>,
    /// Advice on blocking.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub blockable: Option<Blockable>,
}

macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident { $($field:ident : $ty:ty => $to:expr),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the fields mirror the domain type field by field")]
        pub struct $name { $(pub $field: $ty),+ }
        impl From<&evidence::$name> for $name {
            fn from(from: &evidence::$name) -> Self {
                Self { $($field: { let f: fn(&evidence::$name) -> $ty = $to; f(from) }),+ }
            }
        }
    };
}

mirror!(
    /// See [`evidence::SharedObject`].
    SharedObject {
        object: String => |o| o.object.clone(),
        trace: String => |o| o.trace.clone(),
        members: u32 => |o| o.members,
        in_step: u32 => |o| o.in_step,
        others: u32 => |o| o.others,
        expected_rate: f64 => |o| o.expected_rate,
        first: String => |o| o.first.to_string(),
        span_s: f64 => |o| o.span_s,
        leader: String => |o| o.leader.clone(),
    }
);
mirror!(
    /// See [`evidence::Sample`].
    Sample {
        time: String => |s| s.time.to_string(),
        account: String => |s| s.account.clone(),
        action: String => |s| s.action.clone(),
        object: String => |s| s.object.clone(),
        lag_s: f64 => |s| s.lag_s,
    }
);
mirror!(
    /// See [`evidence::Member`].
    Member {
        account: String => |m| m.account.clone(),
        platform: Option<String> => |m| m.platform.clone(),
        objects: u32 => |m| m.objects,
        in_step: u32 => |m| m.in_step,
        expected: f64 => |m| m.expected,
        q_value: f64 => |m| m.q_value,
        median_lag_s: f64 => |m| m.median_lag_s,
        led: u32 => |m| m.led,
    }
);
mirror!(
    /// See [`evidence::Tie`].
    Tie {
        a: String => |t| t.a.clone(),
        b: String => |t| t.b.clone(),
        objects: u32 => |t| t.objects,
        expected: f64 => |t| t.expected,
        median_gap_s: f64 => |t| t.median_gap_s,
    }
);
mirror!(
    /// See [`evidence::Sensitivity`].
    Sensitivity {
        window_s: u64 => |s| s.window_s,
        observed: f64 => |s| s.observed,
        expected: f64 => |s| s.expected,
        log_evidence: f64 => |s| s.log_evidence,
    }
);
mirror!(
    /// See [`evidence::Series`].
    Series {
        name: String => |s| s.name.clone(),
        unit: String => |s| s.unit.clone(),
        step_s: f64 => |s| s.step_s,
        start: String => |s| s.start.to_string(),
        values: Vec<f64> => |s| s.values.clone(),
        expected: Option<f64> => |s| s.expected,
        threshold: Option<f64> => |s| s.threshold,
    }
);
mirror!(
    /// See [`evidence::Reason`].
    Reason {
        what: String => |r| r.what.clone(),
        weight: f64 => |r| r.weight,
        share: Option<f64> => |r| r.share,
    }
);
mirror!(
    /// See [`evidence::Blockable`].
    Blockable {
        sources: Vec<BlockRule> => |b| b.sources.iter().map(Into::into).collect(),
        sources_in_all: u64 => |b| b.sources_in_all,
        signatures: Vec<BlockRule> => |b| b.signatures.iter().map(Into::into).collect(),
        share: f64 => |b| b.share,
        bystanders: Option<f64> => |b| b.bystanders,
        ttl_s: Option<u64> => |b| b.ttl_s,
        spare: Vec<Spared> => |b| b.spare.iter().map(Into::into).collect(),
    }
);
mirror!(
    /// See [`evidence::BlockRule`].
    BlockRule {
        what: String => |r| r.what.clone(),
        rows: u64 => |r| r.rows,
    }
);
mirror!(
    /// See [`evidence::Spared`].
    Spared {
        what: String => |s| s.what.clone(),
        why: String => |s| s.why.clone(),
    }
);

/// See [`finding::BenignCause`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenignCause {
    /// Short name in kebab case.
    pub name: String,
    /// One sentence.
    pub why: String,
}

/// See [`finding::Provenance`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// As the user named them.
    pub sources: Vec<String>,
    /// Rows read.
    pub rows_read: u64,
    /// Rows refused.
    pub rows_refused: u64,
    /// False where work was shed.
    pub complete: bool,
    /// Why.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub incomplete_because: Vec<String>,
}

impl From<&finding::Finding> for Finding {
    fn from(f: &finding::Finding) -> Self {
        let e = &f.evidence;
        Self {
            id: f.id.0.clone(),
            revision: f.revision,
            ended: f.ended.map(|t| t.to_string()),
            detector: f.detector.clone(),
            title: f.title.clone(),
            severity: f.severity.name().to_owned(),
            confidence: f.confidence,
            first_seen: f.first_seen.to_string(),
            last_seen: f.last_seen.to_string(),
            asset: f.asset.clone(),
            subjects: f.subjects.iter().map(ToString::to_string).collect(),
            verdict: f.verdict.map(|v| v.name().to_owned()),
            evidence: Evidence {
                observed: e.observed.clone(),
                expected: e.expected.clone(),
                q_value: e.q_value,
                window_s: e.window_s,
                objects: e.objects.iter().map(Into::into).collect(),
                samples: e.samples.iter().map(Into::into).collect(),
                counts: e.counts.clone(),
                members: e.members.iter().map(Into::into).collect(),
                ties: e.ties.iter().map(Into::into).collect(),
                sensitivity: e.sensitivity.iter().map(Into::into).collect(),
                series: e.series.iter().map(Into::into).collect(),
                reasons: e.reasons.iter().map(Into::into).collect(),
                blockable: e.blockable.as_ref().map(Into::into),
            },
            benign_causes: f
                .benign_causes
                .iter()
                .map(|c| BenignCause { name: c.name.clone(), why: c.why.clone() })
                .collect(),
            next_step: f.next_step.clone(),
            techniques: f.techniques.iter().map(|t| t.0.clone()).collect(),
            provenance: Provenance {
                sources: f.provenance.sources.clone(),
                rows_read: f.provenance.rows_read,
                rows_refused: f.provenance.rows_refused,
                complete: f.provenance.complete,
                incomplete_because: f.provenance.incomplete_because.clone(),
            },
        }
    }
}

/// One line of `findings.jsonl`, without the line feed.
pub fn to_json_line(finding: &finding::Finding) -> String {
    serde_json::to_string(&Finding::from(finding))
        .expect("internal error: a finding has only finite numbers and string keys")
}
