//! The traffic model: Arrow schemas with typed columns for each kind of traffic, the dictionaries
//! behind their id columns, and the scratch space that heavy work may borrow.
//!
//! Kernels see signed integers and millisecond times only, so that every engine agrees on them.

pub mod names;
pub mod schema;
pub mod scratch;

pub use names::{AccountNames, ObjectNames};
pub use schema::post::{self, Action, Platform, Post, Trace};
pub use scratch::{Extent, Scratch};

/// A stream of batches of one kind of traffic. Several parts may be read at once.
pub type Part = Box<dyn Iterator<Item = Result<arrow_array::RecordBatch, SourceError>> + Send>;

/// A source of traffic failed in a way that ends it. Bad rows are not errors: they are counted.
#[derive(Debug, thiserror::Error)]
#[error("could not read traffic from `{source_name}`")]
pub struct SourceError {
    /// The file or feed, as the user named it.
    pub source_name: String,
    /// What went wrong.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}
