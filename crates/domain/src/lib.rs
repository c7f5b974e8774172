//! The nouns that every other crate shares: findings and their evidence, pseudonyms, time.
//!
//! A type enters this crate when a second crate needs it. Nothing here reads a file, a clock or
//! the network, and nothing here knows a traffic format or a detector.

pub mod evidence;
pub mod finding;
pub mod pseudonym;
pub mod site;
pub mod time;
pub mod wire;

pub use evidence::{
    BlockRule, Blockable, Evidence, Member, Reason, Sample, Sensitivity, Series, SharedObject, Spared, Tie,
};
pub use finding::{BenignCause, Finding, FindingId, Provenance, Severity, Subject, Technique, Verdict};
pub use pseudonym::{CaseKey, Pseudonym};
pub use site::{AsnTable, Asset, Embed, ExpectedEvent, KnownClient, Prefix, Site};
pub use time::Timestamp;
