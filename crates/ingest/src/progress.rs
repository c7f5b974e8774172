//! How far a reading is, for a progress bar.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counters that only grow. Bytes are those on disk, before decompression.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of all files.
    pub bytes_total: AtomicU64,
    /// Bytes read so far.
    pub bytes_read: AtomicU64,
    /// Rows of traffic given out so far.
    pub rows: AtomicU64,
}

impl Progress {
    pub(crate) fn add_bytes(&self, n: u64) {
        self.bytes_read.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn add_rows(&self, n: usize) {
        self.rows.fetch_add(n as u64, Ordering::Relaxed);
    }
}

/// A reader that counts, and that remembers whether an error came from the disk and not from a
/// decoder above it.
pub(crate) struct Counting<R> {
    pub(crate) inner: R,
    pub(crate) progress: Option<Arc<Progress>>,
    pub(crate) world_failed: Arc<AtomicBool>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buf) {
            Ok(n) => {
                if let Some(progress) = &self.progress {
                    progress.add_bytes(n as u64);
                }
                Ok(n)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.world_failed.store(true, Ordering::Relaxed);
                Err(error)
            }
        }
    }
}
