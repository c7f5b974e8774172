//! The traffic model: Arrow schemas with typed columns for each kind of traffic, the dictionaries
//! behind their id columns, and the scratch space that heavy work may borrow.
//!
//! Kernels see signed integers and millisecond times only, so that every engine agrees on them.

mod address;
pub mod names;
pub mod schema;
pub mod scratch;
pub mod texts;

pub use address::Address;
pub use names::{AccountNames, ObjectNames};
pub use schema::post::{self, Action, Platform, Post, Trace};
pub use schema::{Batch, Kind, flow, login, lookup, rate, request, tls};
pub use scratch::{Extent, Scratch};
pub use texts::{Seed, Texts};

/// A stream of batches of traffic, of any kinds. Several parts may be read at once.
pub type Part = Box<dyn Iterator<Item = Result<Batch, SourceError>> + Send>;

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
