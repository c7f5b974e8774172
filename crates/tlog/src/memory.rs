//! A log in memory: for tests, and for whoever holds a whole small log in one bundle.

use std::collections::BTreeMap;

use crate::storage::{CHECKPOINT, Cause, Cells, LogStorage, Source, SwapError};
use crate::tile::Tile;

/// The files of a log and the private cells of its writer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What readers see, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What only the writer sees, by name.
    pub cells: BTreeMap<String, Vec<u8>>,
}

impl Source for Memory {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Cause> {
        Ok(self.files.get(path).cloned())
    }

    fn partials(&self, tile: Tile) -> Result<Vec<Tile>, Cause> {
        let folder = tile.partial_folder() + "/";
        let inside = self.files.range(folder.clone()..).map(|(path, _)| path);
        Ok(inside.take_while(|path| path.starts_with(&folder)).filter_map(|path| Tile::parse(path)).collect())
    }
}

impl Cells for Memory {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Cause> {
        Ok(self.cells.get(name).cloned())
    }

    fn swap(&mut self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<(), SwapError> {
        if self.cells.get(name).map(Vec::as_slice) != expected {
            return Err(SwapError::Lost);
        }
        self.cells.insert(name.to_owned(), new.to_vec());
        Ok(())
    }
}

impl LogStorage for Memory {
    fn put(&mut self, files: &[(Tile, Vec<u8>)]) -> Result<(), Cause> {
        self.files.extend(files.iter().map(|(tile, bytes)| (tile.to_string(), bytes.clone())));
        Ok(())
    }

    fn publish(&mut self, checkpoint: &[u8]) -> Result<(), Cause> {
        self.files.insert(CHECKPOINT.to_owned(), checkpoint.to_vec());
        Ok(())
    }

    fn remove(&mut self, files: &[Tile]) -> Result<(), Cause> {
        for tile in files {
            self.files.remove(&tile.to_string());
        }
        Ok(())
    }
}
