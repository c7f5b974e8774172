//! Transparency logs in the formats of [C2SP](https://c2sp.org): for those who run a log, witness one, mirror one, or
//! only hold a proof.
//!
//! A log is an append-only list of entries whose hash tree anyone can recompute. What it publishes is a tree of static
//! files; the one file that changes, the [checkpoint], is a signed promise about all others.
//!
//! | module | specification |
//! |---|---|
//! | [hash], [merkle] | RFC 6962 section 2.1, RFC 9162 section 2.1 |
//! | [subtree] | draft-ietf-plants-merkle-tree-certs, "Subtrees" |
//! | [note], [key] | c2sp.org/signed-note |
//! | [checkpoint] | c2sp.org/tlog-checkpoint |
//! | [tile], [bundle] | c2sp.org/tlog-tiles |
//! | [cosignature] | c2sp.org/tlog-cosignature |
//! | [add_checkpoint] | c2sp.org/tlog-witness |
//! | [proof] | c2sp.org/tlog-proof |
//! | [policy] | c2sp.org/tlog-policy |
//! | [ed25519] | RFC 8032, and the one rule by which a signature is valid |
//!
//! Above the formats stand [reader] (proofs from published tiles), [writer] (appending, in an order that survives a
//! crash at every step), [receipt], [history] (what two checkpoints say about each other) and [fsck] (a whole log,
//! checked from what it publishes).
//!
//! The crate does no input or output and reads no clock: bytes, `now` and the small traits of [storage] are passed in.
//! It knows nothing of what entries mean.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod add_checkpoint;
pub mod bundle;
pub mod checkpoint;
pub mod cosignature;
pub mod ed25519;
pub mod fsck;
pub mod hash;
pub mod history;
pub mod key;
pub mod memory;
pub mod merkle;
pub mod note;
pub mod policy;
pub mod proof;
pub mod reader;
pub mod receipt;
pub mod storage;
pub mod subtree;
mod text;
pub mod tile;
pub mod writer;

pub use checkpoint::Checkpoint;
pub use hash::Hash;
pub use key::{SignerKey, VerifierKey};
pub use note::Note;
pub use policy::Policy;
pub use proof::Proof;
