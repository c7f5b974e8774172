//! The small traits by which a log reaches its disk, or a bucket, or somebody's web server.
//!
//! `tlog` calls them and implements them in [`crate::memory`] alone.

use thiserror::Error;

use crate::tile::Tile;

/// Whatever went wrong below. It is shown, not matched on.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The name of the file that holds the checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// Reads what a log publishes, by paths below its prefix. Used from several threads at once.
pub trait Source: Sync {
    /// The bytes of a file, or `None` where there is none.
    ///
    /// # Errors
    /// Where nobody can tell.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Cause>;

    /// The partial versions of a tile or bundle that are there, where the source can list them. A web server cannot.
    ///
    /// # Errors
    /// Where it could, but failed.
    fn partials(&self, _tile: Tile) -> Result<Vec<Tile>, Cause> {
        Ok(Vec::new())
    }
}

/// Why a value was not swapped.
#[derive(Debug, Error)]
pub enum SwapError {
    /// Another value stands there than the caller expected: somebody else writes. Nothing was changed.
    #[error("another value stands there than expected: somebody else writes to it")]
    Lost,
    /// It failed, and nobody knows whether the new value stands. The caller must load before it goes on.
    #[error("could not replace the value")]
    Failed(#[source] Cause),
}

/// Small named values that survive a crash, each changed only by whoever knows what it was.
pub trait Cells {
    /// The value, or `None` where there is none.
    ///
    /// # Errors
    /// Where nobody can tell.
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Cause>;

    /// Puts a new value in the place of the expected one (`None`: in the place of none). When this returns, the new value is
    /// durable; a crash before leaves the old or the new one, whole.
    ///
    /// # Errors
    /// [`SwapError`].
    fn swap(&mut self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<(), SwapError>;
}

/// Where a writer keeps its log.
pub trait LogStorage: Source + Cells {
    /// Writes files, each whole, over older ones of the same path. When this returns, all are durable.
    ///
    /// # Errors
    /// Where one could not be written; others may have been.
    fn put(&mut self, files: &[(Tile, Vec<u8>)]) -> Result<(), Cause>;

    /// Replaces the public checkpoint. When this returns it is durable; a reader sees the old or the new one, whole.
    ///
    /// # Errors
    /// Where it could not be replaced.
    fn publish(&mut self, checkpoint: &[u8]) -> Result<(), Cause>;

    /// Removes files that no checkpoint needs. When this returns, a crash does not bring them back.
    ///
    /// # Errors
    /// Where one could not be removed.
    fn remove(&mut self, files: &[Tile]) -> Result<(), Cause>;
}
