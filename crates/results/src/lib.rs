//! Results of an election: from what a count centre says to the verdict that anyone can reach about a published number.
//!
//! A [definition] names the units, the contests, the centres and every key, and is signed by the authority. A centre's
//! [tally] of one unit becomes a signed return; the returns are checked, logged and added up; a reader verifies all of it
//! from what is published and a fingerprint that came by another way.
//!
//! The crate reads no file, no clock and no network: bytes, `now` and randomness are passed in.

pub mod answer;
pub mod board;
pub mod bundle;
pub mod checks;
pub mod definition;
pub mod entry;
pub mod entry_page;
pub mod id;
pub mod lines;
pub mod privacy;
pub mod read;
pub mod replay;
pub mod returns;
pub mod seats;
pub mod setup;
pub mod signing;
pub mod statement;
pub mod tally;
pub mod totals;
pub mod validate;
pub mod verify;
pub mod votes;

pub use id::{CandidateNumber, CentreId, ContestId, ElectionId, ListId, UnitId};
pub use tally::{Count, ListVotes, Mode, Tally};
pub use votes::Votes;
