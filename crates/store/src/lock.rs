//! One process at a time.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// Held while a folder is one's own. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says that somebody else has it (`WouldBlock`).
    ///
    /// # Errors
    /// Where somebody else has it, or the file cannot be made.
    pub fn take(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::WouldBlock, "another process is using it"))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
