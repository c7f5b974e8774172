//! Storage behind the small traits that the other crates declare.

pub mod bucket;
pub mod cells;
pub mod disk;
pub mod http;
pub mod lock;
pub mod log;
pub mod registrar;
pub mod scratch;
pub mod sequencer;

pub use bucket::BucketLog;
pub use cells::FileCells;
pub use disk::RealDisk;
pub use http::HttpLog;
pub use log::{FileLog, PublicFolder};
pub use scratch::TempScratch;
pub use sequencer::Sequencer;
