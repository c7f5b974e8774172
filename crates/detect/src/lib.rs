//! Traffic windows to findings.
//!
//! A detector is three small functions: *gather* (a description of how much traffic becomes a small
//! table of evidence), *judge* (a pure function from that evidence to findings) and *explain* (the
//! words). [`catalogue`] is the one list of detectors; [`engine`] interprets gathers.

pub mod coordination;
pub mod detectors;
pub mod engine;
pub mod stats;

pub use engine::{Engine, EngineError};
