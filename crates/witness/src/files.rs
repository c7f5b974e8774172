//! Evidence as files, so bounded that neither a hostile log nor whoever replays its checkpoints can fill the disk.
//!
//! ```text
//! <folder>/<hexadecimal SHA-256 of the origin>/fork-<id>        the bytes of evidence.rs
//!                                             /unproven-<id>
//!                                             /smaller-<id>
//!                                             /.new             being written; a crash may leave one, and it is replaced
//! ```
//!
//! Each kind has its own room, so that replays of harmless checkpoints leave the room of forks alone. The first exhibits stay; later
//! ones are not kept once the room is taken.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;
use tlog::add_checkpoint::MAX_REQUEST_BYTES;
use tlog::storage::Cause;

use crate::evidence::{Evidence, Exhibit, Kept, Kind};

/// 16: enough to see what a log does; with three kinds and twice 64 KiB each, a log takes at most 6.4 MB.
pub const MAX_EXHIBITS_PER_KIND: usize = 16;

/// Twice the largest request, for the request and the recorded checkpoint, and a head.
pub const MAX_EXHIBIT_BYTES: usize = 2 * MAX_REQUEST_BYTES + 1024;

/// A folder of evidence.
#[derive(Debug)]
pub struct FileEvidence {
    folder: PathBuf,
}

/// Why an exhibit was not kept.
#[derive(Debug, Error)]
pub enum KeepError {
    /// The folder of a log.
    #[error("could not make the folder `{path}`")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is there.
    #[error("could not list the folder `{path}`")]
    List {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file itself.
    #[error("could not write `{path}`")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// More bytes than a request and a checkpoint can have.
    #[error("the exhibit has more than {MAX_EXHIBIT_BYTES} bytes")]
    TooLong,
}

impl FileEvidence {
    /// Evidence in this folder, which is made when it is first needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn write(&self, exhibit: &Exhibit) -> Result<Kept, KeepError> {
        let bytes = exhibit.to_bytes();
        if bytes.len() > MAX_EXHIBIT_BYTES {
            return Err(KeepError::TooLong);
        }
        let folder = self.folder.join(&exhibit.log);
        fs::create_dir_all(&folder).map_err(|source| KeepError::Folder { path: folder.clone(), source })?;
        let path = folder.join(exhibit.name());
        if path.exists() {
            return Ok(Kept::Known);
        }
        let taken = count(&folder, exhibit.kind)
            .map_err(|source| KeepError::List { path: folder.clone(), source })?;
        if taken >= MAX_EXHIBITS_PER_KIND {
            return Ok(Kept::Full);
        }
        put(&folder, &path, &bytes).map_err(|source| KeepError::Write { path, source })?;
        Ok(Kept::New { room: MAX_EXHIBITS_PER_KIND - taken - 1 })
    }
}

impl Evidence for FileEvidence {
    fn keep(&mut self, exhibit: &Exhibit) -> Result<Kept, Cause> {
        Ok(self.write(exhibit)?)
    }
}

fn count(folder: &Path, kind: Kind) -> io::Result<usize> {
    let mut n = 0;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        n += usize::from(name.to_string_lossy().starts_with(kind.word()));
    }
    Ok(n)
}

/// Whole or not at all: a crash leaves `.new`, which counts as nothing and is overwritten.
fn put(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(".new");
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    // The name is durable once its folder is.
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exhibit(kind: Kind, n: usize) -> Exhibit {
        Exhibit::new("ab", kind, 17, &format!("text {n}\n"), None, b"request")
    }

    #[test]
    fn one_kind_fills_its_own_room_and_the_first_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let evidence = FileEvidence::new(folder.path());
        for n in 0..MAX_EXHIBITS_PER_KIND {
            let kept = evidence.write(&exhibit(Kind::Smaller, n)).expect("room");
            assert_eq!(kept, Kept::New { room: MAX_EXHIBITS_PER_KIND - n - 1 });
        }
        assert_eq!(evidence.write(&exhibit(Kind::Smaller, 99)).expect("no error"), Kept::Full);
        assert_eq!(evidence.write(&exhibit(Kind::Smaller, 0)).expect("no error"), Kept::Known);
        assert!(matches!(evidence.write(&exhibit(Kind::Fork, 0)), Ok(Kept::New { .. })));
        let first = folder.path().join("ab").join(exhibit(Kind::Smaller, 0).name());
        assert_eq!(fs::read(first).expect("the first"), exhibit(Kind::Smaller, 0).to_bytes());
    }

    #[test]
    fn what_a_crash_left_is_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("ab");
        fs::create_dir_all(&log).expect("a folder");
        fs::write(log.join(".new"), b"half an exh").expect("a file");
        let evidence = FileEvidence::new(folder.path());
        assert!(matches!(evidence.write(&exhibit(Kind::Fork, 0)), Ok(Kept::New { room: 15 })));
        assert!(!log.join(".new").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_by_name() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut evidence = FileEvidence::new(file.path());
        let error = evidence.keep(&exhibit(Kind::Fork, 0)).expect_err("a file is no folder");
        assert!(error.to_string().starts_with("could not make the folder"), "{error}");
    }
}
