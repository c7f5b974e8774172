//! A finding: what was observed, how sure we are, what else it may be, what to do next.
//! It never says who did it.

use std::fmt;

use crate::evidence::Evidence;
use crate::time::Timestamp;

/// One thing that a detector wants a person to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Stable name: digest of detector, subjects and start of the episode.
    pub id: FindingId,
    /// Grows while an attack goes on.
    pub revision: u32,
    /// When the episode was over, where that is known.
    pub ended: Option<Timestamp>,
    /// The detector's name in kebab case, such as `coordinated-sharing`.
    pub detector: String,
    /// One calm sentence.
    pub title: String,
    /// How bad it is if it is so.
    pub severity: Severity,
    /// How sure we are that it is so, 0 to 1. Apart from severity.
    pub confidence: f64,
    /// First and last row that belong to it.
    pub first_seen: Timestamp,
    /// See `first_seen`.
    pub last_seen: Timestamp,
    /// Register id of the asset concerned, where one is.
    pub asset: Option<String>,
    /// Who and what it is about, typed, sorted.
    pub subjects: Vec<Subject>,
    /// Where the detector tells kinds apart.
    pub verdict: Option<Verdict>,
    /// The facts behind the title.
    pub evidence: Evidence,
    /// What it may be instead, the likeliest first.
    pub benign_causes: Vec<BenignCause>,
    /// One thing that the reader can do next.
    pub next_step: String,
    /// Technique ids of DISARM or ATT&CK.
    pub techniques: Vec<Technique>,
    /// Where the rows came from.
    pub provenance: Provenance,
}

/// Stable name of a finding: 16 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId(pub String);

impl FindingId {
    /// Digest of what makes two findings the same episode: the detector, its subjects (in any
    /// order) and the start.
    pub fn of(detector: &str, subjects: &[Subject], start: Timestamp) -> Self {
        let mut names: Vec<String> = subjects.iter().map(Subject::to_string).collect();
        names.sort_unstable();
        let mut hasher = blake3::Hasher::new();
        for part in std::iter::once(detector).chain(names.iter().map(String::as_str)) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update(&start.0.to_le_bytes());
        Self(hasher.finalize().to_hex()[..16].to_owned())
    }
}

/// How bad, from a note to a night's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Look when there is time.
    Low,
    /// Look today.
    Medium,
    /// Look now.
    High,
    /// Act now.
    Critical,
}

impl Severity {
    /// All levels, mildest first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The one spelling, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The level of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something a finding is about, written `kind:name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A pseudonym, or the id of data that was anonymised before.
    Account(String),
    /// An IP address.
    Ip(String),
    /// A domain name.
    Domain(String),
    /// A reporting unit of an election.
    Unit(String),
    /// An asset, by its register id.
    Asset(String),
    /// A network: `192.0.2.0/24`.
    Network(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Account(name) => ("account", name),
            Self::Ip(name) => ("ip", name),
            Self::Domain(name) => ("domain", name),
            Self::Unit(name) => ("unit", name),
            Self::Asset(name) => ("asset", name),
            Self::Network(name) => ("network", name),
        };
        write!(f, "{kind}:{name}")
    }
}

/// Kinds that a detector tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Hostile by its shape.
    Attack,
    /// Many people, not an attack.
    FlashCrowd,
    /// Both at once.
    Mixed,
    /// Not to be told apart from what was seen.
    Unsure,
}

impl Verdict {
    /// The one spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attack => "attack",
            Self::FlashCrowd => "flash-crowd",
            Self::Mixed => "mixed",
            Self::Unsure => "unsure",
        }
    }
}

/// Another explanation, and what speaks for it here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BenignCause {
    /// Short name in kebab case: `common-trigger`, `automated-syndication`, `newsroom`, …
    pub name: String,
    /// One sentence: what speaks for it or against it in this finding.
    pub why: String,
}

/// A technique id with the name of its catalogue: `DISARM:T0049`, `ATTACK:T1498.001`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Technique(pub String);

/// Where a finding's rows came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Files or sources, as the user named them.
    pub sources: Vec<String>,
    /// Rows read from them.
    pub rows_read: u64,
    /// Rows that could not be read, and were counted.
    pub rows_refused: u64,
    /// False where work was shed; `incomplete_because` then says which.
    pub complete: bool,
    /// Why work was shed, one sentence each.
    pub incomplete_because: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_depends_on_what_not_on_order() {
        let (a, b) = (Subject::Account("p_a".into()), Subject::Account("p_b".into()));
        let t = Timestamp(5);
        let one = FindingId::of("coordinated-sharing", &[a.clone(), b.clone()], t);
        assert_eq!(one, FindingId::of("coordinated-sharing", &[b, a.clone()], t));
        assert_ne!(one, FindingId::of("coordinated-sharing", &[a], t));
        assert_eq!(one.0.len(), 16);
    }

    #[test]
    fn severities_are_ordered_and_named_once() {
        assert!(Severity::Low < Severity::High);
        for level in Severity::ALL {
            assert_eq!(Severity::parse(level.name()), Some(level));
        }
    }
}
