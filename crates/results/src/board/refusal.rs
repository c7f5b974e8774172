//! Why an entry may not stand in the log.

use domain::Timestamp;
use thiserror::Error;

use crate::definition::DefinitionError;

/// Why an entry may not stand at a place of the log. Each has a code of its own, which operators and readers see.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("no definition is adopted yet")]
    NoDefinition,
    #[error("a definition is adopted already")]
    AlreadyAdopted,
    #[error("the parts of the definition are not all there, or do not fit its fingerprint")]
    Parts,
    #[error("the definition cannot be used: {0}")]
    Definition(Box<DefinitionError>),
    #[error("it speaks of another election, `{0}`")]
    OtherElection(String),
    #[error("it was made for another definition of the election")]
    OtherDefinition,
    #[error("key `{0}` is no key of this election")]
    UnknownKey(String),
    #[error("key `{key}` was revoked by entry {at}")]
    Revoked { key: String, at: u64 },
    #[error("key `{key}` is that of {role}, which does not sign such a thing")]
    WrongRole { key: String, role: String },
    #[error("it has {0} signatures: too many, none, one twice or out of order")]
    Signatures(usize),
    #[error("the signature of `{0}` does not verify")]
    BadSignature(String),
    #[error("{has} of the {needs} people who must sign have signed")]
    TooFew { has: usize, needs: usize },
    #[error("key `{0}` was a key of this election before, or is of the wrong kind")]
    KeyInUse(String),
    #[error("there is no centre `{0}`")]
    UnknownCentre(String),
    #[error("there is no unit `{0}`")]
    UnknownUnit(String),
    #[error("there is no list `{0}`")]
    UnknownList(String),
    #[error("contest `{contest}` is not held in unit `{unit}`")]
    NotHeld { contest: String, unit: String },
    #[error("centre `{centre}` may not report unit `{unit}`")]
    Unauthorised { centre: String, unit: String },
    #[error("unit `{0}` is summed from others and reports nothing itself")]
    NotReporting(String),
    #[error("unit `{unit}` is too small to report alone; `{into}` reports for it")]
    Merged { unit: String, into: String },
    #[error("a return of {cast} ballots could tell how somebody voted; the least is {least}")]
    TooSmall { cast: u64, least: u64 },
    #[error(
        "the change of {changed} ballots against revision {before} could tell how somebody voted; the least is {least}"
    )]
    SmallChange { changed: u64, before: u32, least: u64 },
    #[error("numbers are under embargo")]
    Embargo,
    #[error("this election has no embargo")]
    NoEmbargo,
    #[error("numbers may not be released before {0}")]
    TooEarly(Timestamp),
    #[error("there is no slot {0}, or it is over")]
    NoSlot(u32),
    #[error("the centre has made no such commitment")]
    NoCommitment,
    #[error("the commitment was opened before")]
    Opened,
    #[error("salt and returns are not what the commitment sealed")]
    NotSealed,
    #[error("key `{key}` has signed two things where there can be one; the other is entry {other}")]
    Equivocation { key: String, other: u64 },
    #[error("revision {revision} stands in entry {other} already, signed by another key")]
    Conflict { revision: u32, other: u64 },
    #[error("revision {revision} does not follow revision {last}, or does not name it")]
    Revision { revision: u32, last: u32 },
    #[error("the change does not follow the last one, or does not name it")]
    Sequence,
    #[error("it is of a kind that this program does not know")]
    UnknownKind,
    #[error("it stands in the log already, as entry {0}")]
    Known(u64),
}

impl Refusal {
    /// Whether the refused document, once its signature holds, is evidence against whoever holds the key.
    pub fn is_evidence(&self) -> bool {
        matches!(self, Self::Equivocation { .. } | Self::Conflict { .. })
    }

    /// The word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoDefinition => "no-definition",
            Self::AlreadyAdopted => "already-adopted",
            Self::Parts => "definition-parts",
            Self::Definition(_) => "bad-definition",
            Self::OtherElection(_) => "other-election",
            Self::OtherDefinition => "other-definition",
            Self::UnknownKey(_) => "unknown-key",
            Self::Revoked { .. } => "revoked-key",
            Self::WrongRole { .. } => "wrong-role",
            Self::Signatures(_) => "signatures",
            Self::BadSignature(_) => "bad-signature",
            Self::TooFew { .. } => "too-few-signatures",
            Self::KeyInUse(_) => "key-in-use",
            Self::UnknownCentre(_) => "unknown-centre",
            Self::UnknownUnit(_) => "unknown-unit",
            Self::UnknownList(_) => "unknown-list",
            Self::NotHeld { .. } => "not-held",
            Self::Unauthorised { .. } => "unauthorised-unit",
            Self::NotReporting(_) => "not-reporting",
            Self::Merged { .. } => "merged-unit",
            Self::TooSmall { .. } => "too-small",
            Self::SmallChange { .. } => "small-change",
            Self::Embargo => "embargo",
            Self::NoEmbargo => "no-embargo",
            Self::TooEarly(_) => "too-early",
            Self::NoSlot(_) => "no-slot",
            Self::NoCommitment => "no-commitment",
            Self::Opened => "opened-before",
            Self::NotSealed => "not-sealed",
            Self::Equivocation { .. } => "equivocation",
            Self::Conflict { .. } => "conflict",
            Self::Revision { .. } => "revision",
            Self::Sequence => "sequence",
            Self::UnknownKind => "unknown-kind",
            Self::Known(_) => "known",
        }
    }
}
