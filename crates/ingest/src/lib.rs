//! Sensors and file formats to traffic batches.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = domain::Timestamp(0);
//! let options = ingest::Options {
//!     accounts: ingest::Accounts::Plain,
//!     now,
//!     default_trace: traffic::Trace::Object,
//!     seed: traffic::Seed(0),
//! };
//! let mut reading = ingest::open(&["posts.csv.gz".into()], options)?;
//! for part in reading.take_parts() {
//!     for batch in part {
//!         let batch = batch?;
//!         println!("{} rows of {} traffic", batch.rows.num_rows(), batch.kind);
//!     }
//! }
//! let ledger = reading.finish();
//! eprint!("{}", ledger.problems);
//! # Ok(())
//! # }
//! ```
//!
//! A format is known by its content and never by its name; each may also be gzip or Zstandard.
//! A row that cannot be read is counted by reason and never stops a stream. Memory is bounded by
//! the limits below and by the number of distinct names, whatever the input.
//!
//! Tables and our own JSON Lines are taken as they are. Records of platforms are normalised: see
//! [`normal`] for what counts as the same link, hashtag or text.

mod error;
mod files;
#[doc(hidden)]
pub mod fuzzing;
pub mod live;
mod network;
pub mod normal;
mod parquet;
mod problems;
mod progress;
mod reading;
mod records;
mod rows;
mod sniff;
mod tables;
mod time;

pub use error::ReadError;
pub use files::plain;
pub use problems::{Example, Problem, Problems, Reason};
pub use progress::Progress;
pub use reading::{Accounts, Ledger, Options, Reading, open};

/// The longest line, in bytes. A longer one is refused and skipped without being kept.
pub const MAX_LINE: usize = 1 << 20;

/// The largest JSON document or element of a JSON array, in bytes: a page of X holds 500 posts of
/// some 5 KiB at most, and a parsed document takes ten times its bytes.
pub const MAX_DOCUMENT: usize = 16 << 20;

/// The longest name of an account or object, in bytes. A URL of 4 KiB is longer than any browser's
/// address bar shows; what is longer is not a name.
pub const MAX_NAME: usize = 4096;

/// Rows in a batch: enough to make the cost of a batch vanish, small enough to stay in the cache.
pub const BATCH_ROWS: usize = 65_536;
