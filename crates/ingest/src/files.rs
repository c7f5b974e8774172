//! From paths to files, and from a file to its plain bytes.

pub(crate) mod copies;
mod lines;
mod zstd;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::bufread::MultiGzDecoder;

pub(crate) use lines::{Line, Lines};

use crate::error::ReadError;
use crate::progress::{Counting, Progress};

/// A file to read, and whether the user named it or a folder above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) named: bool,
}

/// The files behind the paths: folders are followed and sorted by name; what begins with a dot is
/// left out of folders. A file that is reached twice is read once.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<Found>, ReadError> {
    if paths.is_empty() {
        return Err(ReadError::NoInput);
    }
    let mut found: Vec<Found> = Vec::new();
    let mut seen: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut add = |file: Found| {
        let same = fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
        if let Some(&at) = seen.get(&same) {
            found[at].named |= file.named;
        } else {
            seen.insert(same, found.len());
            found.push(file);
        }
    };
    for path in paths {
        let meta = fs::metadata(path).map_err(|source| ReadError::Look { path: path.clone(), source })?;
        if meta.is_dir() {
            walk(path, 0, &mut add)?;
        } else {
            add(Found { path: path.clone(), named: true });
        }
    }
    Ok(found)
}

/// Folders deeper than this are a loop of links.
const MAX_DEPTH: usize = 40;

fn walk(folder: &Path, depth: usize, add: &mut impl FnMut(Found)) -> Result<(), ReadError> {
    let fail = |source| ReadError::List { path: folder.to_owned(), source };
    let mut entries = fs::read_dir(folder).map_err(fail)?.collect::<io::Result<Vec<_>>>().map_err(fail)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // A dangling link is not a file of traffic; opening it would only fail.
        let Ok(meta) = fs::metadata(&path) else { continue };
        if meta.is_dir() && depth < MAX_DEPTH {
            walk(&path, depth + 1, add)?;
        } else if meta.is_file() {
            add(Found { path, named: false });
        }
    }
    Ok(())
}

/// How a file is packed, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            // RFC 1952, section 2.3.1.
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // RFC 8878, sections 3.1.1 and 3.1.2: a frame, or a frame to be skipped.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// The plain bytes of a file that may be gzip or Zstandard.
///
/// # Errors
/// The file cannot be opened or its first bytes cannot be read.
pub fn plain(path: &Path) -> io::Result<impl Read + Send> {
    Input::open(path, None)
}

/// Plain bytes of a file, whatever its packing.
pub(crate) struct Input {
    reader: Box<dyn Read + Send>,
    world_failed: Arc<AtomicBool>,
}

impl Input {
    pub(crate) fn open(path: &Path, progress: Option<Arc<Progress>>) -> io::Result<Self> {
        Self::new(File::open(path)?, progress)
    }

    pub(crate) fn new<R: Read + Send + 'static>(
        inner: R,
        progress: Option<Arc<Progress>>,
    ) -> io::Result<Self> {
        let world_failed = Arc::new(AtomicBool::new(false));
        let mut counting = Counting { inner, progress, world_failed: world_failed.clone() };
        let mut head = Vec::new();
        counting.by_ref().take(4).read_to_end(&mut head)?;
        let packing = Packing::of(&head);
        let whole = Cursor::new(head).chain(counting);
        let reader: Box<dyn Read + Send> = match packing {
            Packing::Plain => Box::new(whole),
            Packing::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, whole))),
            Packing::Zstd => Box::new(zstd::Frames::new(BufReader::with_capacity(1 << 16, whole))),
        };
        Ok(Self { reader, world_failed })
    }

    /// A stream that does not end, as it is: it is not looked into, since nothing may be there yet.
    pub(crate) fn live<R: Read + Send + 'static>(reader: R) -> Self {
        Self { reader: Box::new(reader), world_failed: Arc::new(AtomicBool::new(false)) }
    }

    /// Set when the disk fails; survives the input being moved into a reader.
    pub(crate) fn failure_flag(&self) -> Arc<AtomicBool> {
        self.world_failed.clone()
    }

    /// True where an error that came out of [`Read::read`] was the disk's and not the content's.
    pub(crate) fn world_failed(&self) -> bool {
        self.world_failed.load(Ordering::Relaxed)
    }
}

impl Read for Input {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buf)
    }
}
