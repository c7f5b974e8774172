//! Scratch space in an unnamed temporary file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use traffic::{Extent, Scratch};

/// A temporary file without a name: the system removes it when the process ends, however it ends.
#[derive(Debug)]
pub struct TempScratch {
    file: File,
    end: AtomicU64,
}

impl TempScratch {
    /// In the given folder, or in the system's own where there is none.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(folder: Option<&Path>) -> io::Result<Self> {
        let file = match folder {
            Some(folder) => tempfile::tempfile_in(folder)?,
            None => tempfile::tempfile()?,
        };
        Ok(Self { file, end: AtomicU64::new(0) })
    }
}

impl Scratch for TempScratch {
    fn append(&self, bytes: &[u8]) -> io::Result<Extent> {
        let len = bytes.len() as u64;
        let offset = self.end.fetch_add(len, Ordering::Relaxed);
        self.file.write_all_at(bytes, offset)?;
        Ok(Extent { offset, len })
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_can_be_read() -> io::Result<()> {
        let scratch = TempScratch::create(None)?;
        scratch.append(b"one")?;
        let two = scratch.append(b"two")?;
        let mut buf = [0; 3];
        scratch.read_at(two.offset, &mut buf)?;
        assert_eq!(&buf, b"two");
        assert!(scratch.read_at(6, &mut buf).is_err());
        Ok(())
    }
}
