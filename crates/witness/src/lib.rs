//! A witness of transparency logs, by [c2sp.org/tlog-witness](https://c2sp.org/tlog-witness), and the client that asks
//! witnesses: for those who want that a log cannot show one tree to some people and another to the rest.
//!
//! A witness remembers one checkpoint of each log it knows. It signs a new one only if the tree has grown from the one it
//! remembers, and remembers before it answers. Whoever demands the cosignatures of several independent witnesses
//! can be shown a second tree only if enough of them are in the plot.
//!
//! | module | what |
//! |---|---|
//! | [witness] | the rules: bytes and a time in, an answer out; no network, no clock |
//! | [answer] | the answers, with their status, type and body |
//! | [evidence] | what is kept of checkpoints that a log should not have signed |
//! | [files] | evidence as files, bounded |
//! | [event] | what an operator is told |
//! | [http] | a small HTTP server with bounds, for whatever a router answers |
//! | [server] | the rules over HTTP |
//! | [client] | asks many witnesses at once until a policy is content |
//! | [exchange] | one conversation with one witness |
//!
//! Out of scope: the optional `sign-subtree` call, mirrors (c2sp.org/tlog-mirror), bastions, and cosignatures of ML-DSA-44,
//! which are not verified. The crate knows nothing of what entries mean; where the record of each log is kept is for whoever
//! brings the [`tlog::storage::Cells`].

pub mod answer;
pub mod client;
pub mod event;
pub mod evidence;
pub mod exchange;
pub mod files;
pub mod http;
pub mod server;
pub mod witness;

pub use answer::Answer;
pub use client::{Client, Gathered};
pub use event::Event;
pub use evidence::{Evidence, Exhibit};
pub use files::FileEvidence;
pub use server::Stop;
pub use witness::Witness;

/// The examples of the README are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
