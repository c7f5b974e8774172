//! A disk that forgets what a real one may forget: for tests.
//!
//! What was written and not synced may or may not survive a crash, name by name and file by file; a file whose content was not
//! synced may survive as any beginning of it. Every change is one or more *points*; a [`Fault`] strikes at one of them. Looking
//! changes nothing, so it has no points; it may fail too, see [`SimulatedDisk::fail_read`].

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Disk;

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The operation fails there, once; the program goes on.
    Fail,
    /// The disk is full there, once; the program goes on.
    Full,
    /// The power goes out: this operation and all later ones fail, until [`SimulatedDisk::crash`].
    Cut,
}

/// A file system in memory, with its page cache.
#[derive(Debug, Default)]
pub struct SimulatedDisk {
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Files by number: what a reader sees, and what is on the platter.
    files: BTreeMap<u64, Content>,
    next_file: u64,
    /// Names of files: what a reader sees, and what is on the platter.
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    folders: BTreeSet<PathBuf>,
    durable_folders: BTreeSet<PathBuf>,
    points: u64,
    fault: Option<(u64, Fault)>,
    reads: u64,
    failing_read: Option<u64>,
    is_cut: bool,
}

#[derive(Clone, Debug, Default)]
struct Content {
    seen: Vec<u8>,
    durable: Option<Vec<u8>>,
}

impl SimulatedDisk {
    /// An empty disk with these folders, durable.
    pub fn with_folders<'p>(folders: impl IntoIterator<Item = &'p Path>) -> Self {
        let folders: BTreeSet<PathBuf> = folders.into_iter().map(Path::to_path_buf).collect();
        let state = State { durable_folders: folders.clone(), folders, ..State::default() };
        Self { state: Mutex::new(state) }
    }

    /// Lets a fault strike at the n-th point from now, counted from 0.
    pub fn strike(&self, point: u64, fault: Fault) {
        let mut state = self.state();
        state.fault = Some((state.points + point, fault));
    }

    /// Lets the n-th read or listing from now fail, counted from 0, and no other.
    pub fn fail_read(&self, read: u64) {
        let mut state = self.state();
        state.failing_read = Some(state.reads + read);
    }

    /// Reads and listings so far.
    pub fn reads(&self) -> u64 {
        self.state().reads
    }

    /// Points passed so far.
    pub fn points(&self) -> u64 {
        self.state().points
    }

    /// Whether all faults that were set have struck.
    pub fn has_struck(&self) -> bool {
        let state = self.state();
        state.fault.is_none() && state.failing_read.is_none()
    }

    /// What a machine finds after the power came back; `coin` decides what of the unsynced survived.
    #[must_use]
    pub fn crash(&self, coin: &mut dyn FnMut() -> u64) -> Self {
        let mut state = self.state().clone();
        let folders = std::mem::take(&mut state.folders);
        state.folders.extend(state.durable_folders.iter().cloned());
        for folder in folders {
            // A folder survives only under a parent that does.
            let has_parent = folder.parent().is_none_or(|parent| state.folders.contains(parent));
            if has_parent && !state.folders.contains(&folder) && coin().is_multiple_of(2) {
                state.folders.insert(folder);
            }
        }
        let mut names = BTreeMap::new();
        let all: BTreeSet<PathBuf> = state.names.keys().chain(state.durable_names.keys()).cloned().collect();
        for path in all {
            let (seen, durable) = (state.names.get(&path), state.durable_names.get(&path));
            let survives = if seen == durable || coin().is_multiple_of(2) { seen } else { durable };
            let has_folder = path.parent().is_none_or(|parent| state.folders.contains(parent));
            if let Some(file) = survives.filter(|_| has_folder) {
                names.insert(path, *file);
            }
        }
        for content in state.files.values_mut() {
            if content.durable.as_ref() != Some(&content.seen) {
                let keep = (coin() % (content.seen.len() as u64 + 1)) as usize;
                content.seen.truncate(keep);
            }
            content.durable = Some(content.seen.clone());
        }
        state.durable_names.clone_from(&names);
        state.names = names;
        state.durable_folders.clone_from(&state.folders);
        (state.fault, state.failing_read, state.is_cut) = (None, None, false);
        Self { state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Passes a point; an error is the fault that strikes there.
    fn point(&mut self) -> io::Result<()> {
        if self.is_cut {
            return Err(io::Error::other("the power is out"));
        }
        let point = self.points;
        self.points += 1;
        let Some((at, fault)) = self.fault.filter(|(at, _)| *at == point) else { return Ok(()) };
        debug_assert_eq!(at, point);
        self.fault = None;
        match fault {
            Fault::Fail => Err(io::Error::other("input/output error")),
            Fault::Full => Err(io::Error::from(io::ErrorKind::StorageFull)),
            Fault::Cut => {
                self.is_cut = true;
                Err(io::Error::other("the power went out"))
            }
        }
    }

    /// Counts a read or listing; an error is the one that was to fail.
    fn look(&mut self) -> io::Result<()> {
        if self.is_cut {
            return Err(io::Error::other("the power is out"));
        }
        self.reads += 1;
        if self.failing_read.is_none_or(|at| at + 1 != self.reads) {
            return Ok(());
        }
        self.failing_read = None;
        Err(io::Error::other("input/output error"))
    }

    fn need_folder(&self, path: &Path) -> io::Result<()> {
        let is_there = path.parent().is_none_or(|parent| self.folders.contains(parent));
        if is_there { Ok(()) } else { Err(io::Error::from(io::ErrorKind::NotFound)) }
    }
}

impl Disk for SimulatedDisk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let mut state = self.state();
        state.look()?;
        Ok(state.names.get(path).map(|file| state.files[file].seen.clone()))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.look()?;
        let inside = |path: &&PathBuf| path.parent() == Some(folder);
        let names = state.names.keys().chain(&state.folders).filter(inside);
        let mut names: Vec<String> = names
            .filter_map(|path| path.file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.point()?;
        state.need_folder(path)?;
        let file = state.next_file;
        state.next_file += 1;
        state.names.insert(path.to_path_buf(), file);
        state.files.insert(file, Content::default());
        // Half of it is written when the fault strikes here.
        let half = bytes[..bytes.len() / 2].to_vec();
        state.files.insert(file, Content { seen: half, durable: None });
        state.point()?;
        state.files.insert(file, Content { seen: bytes.to_vec(), durable: None });
        // All of it is written, nothing synced.
        state.point()?;
        state.files.insert(file, Content { seen: bytes.to_vec(), durable: Some(bytes.to_vec()) });
        // Synced, and nobody told.
        state.point()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.point()?;
        state.need_folder(to)?;
        let file = state.names.remove(from).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        state.names.insert(to.to_path_buf(), file);
        state.point()
    }

    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.point()?;
        state.need_folder(folder)?;
        state.folders.insert(folder.to_path_buf());
        state.point()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.point()?;
        if !state.folders.contains(folder) {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        let inside = |path: &Path| path.parent() == Some(folder);
        state.durable_names.retain(|path, _| !inside(path));
        let names: Vec<(PathBuf, u64)> = state
            .names
            .iter()
            .filter(|(path, _)| inside(path))
            .map(|(path, file)| (path.clone(), *file))
            .collect();
        state.durable_names.extend(names);
        let folders: Vec<PathBuf> = state.folders.iter().filter(|path| inside(path)).cloned().collect();
        state.durable_folders.extend(folders);
        state.point()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.point()?;
        state.names.remove(path);
        state.point()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_synced_may_be_lost_and_what_was_is_not() {
        let disk = SimulatedDisk::with_folders([Path::new("/"), Path::new("/log")]);
        disk.write(Path::new("/log/a"), b"synced").expect("no fault");
        disk.sync_folder(Path::new("/log")).expect("no fault");
        disk.write(Path::new("/log/b"), b"no name yet").expect("no fault");
        disk.rename(Path::new("/log/b"), Path::new("/log/a")).expect("no fault");
        let mut found = BTreeSet::new();
        for coins in 0..16_u64 {
            let mut coins = (0..).map(|at| coins >> at);
            let after = disk.crash(&mut || coins.next().expect("endless"));
            found.insert(after.read(Path::new("/log/a")).expect("readable"));
        }
        assert_eq!(found, BTreeSet::from([Some(b"synced".to_vec()), Some(b"no name yet".to_vec())]));
    }
}
