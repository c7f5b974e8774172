//! Ways by which an election's documents reach its log.
//!
//! What counts is the signature under a document, never the road on which it came: nothing here authenticates anybody, and a document
//! may be handed in by whoever has it, any number of times, over any channel.
//!
//! | module | what |
//! |---|---|
//! | [answer] | what became of a document, as it goes over the wire |
//! | [server] | takes documents over HTTP, for whoever implements [`server::Intake`] |
//! | [client] | hands documents in |

pub mod answer;
pub mod client;
pub mod server;

pub use answer::Answer;
pub use client::Client;
pub use server::Intake;
