//! Scratch space that heavy work may borrow when it outgrows its memory.

use std::io;

/// Where bytes lie in a scratch space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub len: u64,
}

/// Append-only scratch space, shared by threads, gone when dropped. `store` implements it on disk.
pub trait Scratch: Send + Sync {
    /// Appends bytes and says where they lie.
    ///
    /// # Errors
    /// The world failed: disk full, disk gone.
    fn append(&self, bytes: &[u8]) -> io::Result<Extent>;

    /// Reads `buf.len()` bytes at an offset that [`Scratch::append`] gave.
    ///
    /// # Errors
    /// The world failed, or the bytes were never written.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()>;
}
