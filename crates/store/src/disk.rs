//! The few operations of a file system that durable storage needs, as a trait: so that a test can let each of them fail, or
//! the power go out in the middle of it.

mod simulated;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

pub use simulated::{Fault, SimulatedDisk};

/// A file system. Paths are whole.
pub trait Disk: Send + Sync {
    /// The bytes of a file, or `None` where there is none.
    ///
    /// # Errors
    /// Where nobody can tell.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// The names in a folder; none where it is not there.
    ///
    /// # Errors
    /// Where nobody can tell.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Writes a file and makes its *content* durable. Its name is durable only after [`Disk::sync_folder`].
    ///
    /// # Errors
    /// Where it could not be written; part of it may have been.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Gives a file another name, over whatever had it. A reader sees the old or the new file.
    ///
    /// # Errors
    /// Where it could not.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes a folder, whose parent is there. No error if it is there already.
    ///
    /// # Errors
    /// Where it could not.
    fn make_folder(&self, folder: &Path) -> io::Result<()>;

    /// Makes durable which names a folder has.
    ///
    /// # Errors
    /// Where nobody knows whether they are.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Removes a file. No error if it is not there.
    ///
    /// # Errors
    /// Where it could not.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        // On the handle that wrote: an error of writing back is told to it and to nobody else.
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl<D: Disk + ?Sized> Disk for std::sync::Arc<D> {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        (**self).read(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        (**self).list(folder)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        (**self).write(path, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        (**self).rename(from, to)
    }

    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        (**self).make_folder(folder)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        (**self).sync_folder(folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        (**self).remove(path)
    }
}
