//! Storage behind the small traits that the other crates declare.

pub mod scratch;

pub use scratch::TempScratch;
