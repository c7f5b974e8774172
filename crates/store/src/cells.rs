//! Durable cells in a folder: one file each, replaced whole.

use std::io;
use std::path::{Path, PathBuf};

use tlog::storage::{Cause, Cells, SwapError};

use crate::disk::Disk;

/// Cells as files of a folder that nobody else writes to while this value lives.
#[derive(Debug)]
pub struct FileCells<D> {
    disk: D,
    folder: PathBuf,
}

impl<D: Disk> FileCells<D> {
    /// Cells in a folder that is there. Whoever opens them sees to it that no other process does: [`crate::lock`].
    pub fn new(disk: D, folder: &Path) -> Self {
        Self { disk, folder: folder.to_path_buf() }
    }

    fn path(&self, name: &str) -> PathBuf {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(
            !name.is_empty() && name.chars().all(is_plain),
            "internal error: `{name}` cannot name a cell"
        );
        self.folder.join(name)
    }

    /// Writes beside, then renames: a reader sees the old or the new value, and after this call the new one survives.
    fn replace(&self, name: &str, new: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let beside = path.with_extension("new");
        self.disk.write(&beside, new)?;
        self.disk.rename(&beside, &path)?;
        self.disk.sync_folder(&self.folder)
    }
}

impl<D: Disk> Cells for FileCells<D> {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Cause> {
        Ok(self.disk.read(&self.path(name))?)
    }

    fn swap(&mut self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<(), SwapError> {
        let found = self.load(name).map_err(SwapError::Failed)?;
        if found.as_deref() != expected {
            return Err(SwapError::Lost);
        }
        self.replace(name, new).map_err(|error| SwapError::Failed(error.into()))
    }
}
