//! A transparency log in a folder.
//!
//! ```text
//! DIR/public/checkpoint            what a web server may show: all of public/, nothing else
//! DIR/public/tile/…
//! DIR/state/signed-checkpoint      what the log signed last
//! DIR/state/lock                   held while a process writes
//! DIR/state/new-…                  a file on its way to public/
//! ```

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use tlog::storage::{CHECKPOINT, Cause, Cells, LogStorage, Source, SwapError};
use tlog::tile::Tile;

use crate::cells::FileCells;
use crate::disk::{Disk, RealDisk};
use crate::lock::Lock;

/// The files that a log publishes, to read.
#[derive(Debug)]
pub struct PublicFolder<D> {
    disk: D,
    folder: PathBuf,
}

impl PublicFolder<RealDisk> {
    /// The published files of the log in `folder`: its `public` folder where it has one, else the folder itself, so that a
    /// mirror's copy serves as well.
    pub fn of(folder: &Path) -> Self {
        let public = folder.join(PUBLIC);
        let folder = if public.is_dir() { public } else { folder.to_path_buf() };
        Self { disk: RealDisk, folder }
    }
}

impl<D: Disk> Source for PublicFolder<D> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Cause> {
        Ok(self.disk.read(&self.folder.join(path))?)
    }

    fn partials(&self, tile: Tile) -> Result<Vec<Tile>, Cause> {
        let folder = tile.partial_folder();
        let names = self.disk.list(&self.folder.join(&folder))?;
        let mut tiles: Vec<Tile> =
            names.iter().filter_map(|name| Tile::parse(&format!("{folder}/{name}"))).collect();
        tiles.sort_unstable();
        Ok(tiles)
    }
}

/// The folder, below the log's, that a web server may show.
pub const PUBLIC: &str = "public";
/// The folder, below the log's, that is nobody's business.
pub const STATE_FOLDER: &str = "state";

/// A log in a folder, to write.
#[derive(Debug)]
pub struct FileLog<D = RealDisk> {
    public: PublicFolder<D>,
    state: PathBuf,
    cells: FileCells<D>,
    /// Folders that are there and durable.
    folders: BTreeSet<PathBuf>,
    /// Held while this value lives.
    lock: Option<Lock>,
}

impl FileLog {
    /// Opens the folder of a log for the only process that writes to it; makes it where it is not there.
    ///
    /// # Errors
    /// Where another process has it (`WouldBlock`), or it cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut log = Self::on(RealDisk, folder)?;
        log.lock = Some(Lock::take(&log.state.join("lock"))?);
        Ok(log)
    }
}

impl<D: Disk + Clone> FileLog<D> {
    /// On some disk, without a lock: whoever calls it sees to it that there is one writer.
    ///
    /// # Errors
    /// Where the folders cannot be made.
    pub fn on(disk: D, folder: &Path) -> io::Result<Self> {
        let (public, state) = (folder.join(PUBLIC), folder.join(STATE_FOLDER));
        disk.make_folder(&public)?;
        disk.make_folder(&state)?;
        disk.sync_folder(folder)?;
        let cells = FileCells::new(disk.clone(), &state);
        let folders = BTreeSet::from([public.clone()]);
        Ok(Self { public: PublicFolder { disk, folder: public }, state, cells, folders, lock: None })
    }

    fn disk(&self) -> &D {
        &self.public.disk
    }

    /// Makes a folder of public files and those above it, each durable in the one above.
    fn make_folders(&mut self, folder: &Path) -> io::Result<()> {
        if self.folders.contains(folder) {
            return Ok(());
        }
        let above =
            folder.parent().expect("internal error: public files lie below the public folder").to_path_buf();
        self.make_folders(&above)?;
        self.disk().make_folder(folder)?;
        self.disk().sync_folder(&above)?;
        self.folders.insert(folder.to_path_buf());
        Ok(())
    }

    fn put_files(&mut self, files: &[(Tile, Vec<u8>)]) -> io::Result<()> {
        let mut touched = BTreeSet::new();
        for (at, (tile, bytes)) in files.iter().enumerate() {
            let path = self.public.folder.join(tile.to_string());
            let folder = path.parent().expect("internal error: a tile has a folder").to_path_buf();
            self.make_folders(&folder)?;
            // Written beside: a reader who guesses at a full tile must not find half of one.
            let beside = self.state.join(format!("new-{at}"));
            self.disk().write(&beside, bytes)?;
            self.disk().rename(&beside, &path)?;
            touched.insert(folder);
        }
        touched.iter().try_for_each(|folder| self.disk().sync_folder(folder))
    }
}

impl<D: Disk> Source for FileLog<D> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Cause> {
        self.public.read(path)
    }

    fn partials(&self, tile: Tile) -> Result<Vec<Tile>, Cause> {
        self.public.partials(tile)
    }
}

impl<D: Disk> Cells for FileLog<D> {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Cause> {
        self.cells.load(name)
    }

    fn swap(&mut self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<(), SwapError> {
        self.cells.swap(name, expected, new)
    }
}

impl<D: Disk + Clone> LogStorage for FileLog<D> {
    fn put(&mut self, files: &[(Tile, Vec<u8>)]) -> Result<(), Cause> {
        Ok(self.put_files(files)?)
    }

    fn publish(&mut self, checkpoint: &[u8]) -> Result<(), Cause> {
        let beside = self.state.join("new-checkpoint");
        self.disk().write(&beside, checkpoint)?;
        self.disk().rename(&beside, &self.public.folder.join(CHECKPOINT))?;
        Ok(self.disk().sync_folder(&self.public.folder)?)
    }

    fn remove(&mut self, files: &[Tile]) -> Result<(), Cause> {
        let mut touched = BTreeSet::new();
        for tile in files {
            let path = self.public.folder.join(tile.to_string());
            self.disk().remove(&path)?;
            touched.extend(path.parent().map(Path::to_path_buf));
        }
        Ok(touched.iter().try_for_each(|folder| self.disk().sync_folder(folder))?)
    }
}
