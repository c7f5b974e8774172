//! The copy of the log in the tree: checkpoint, tiles, the definition, and each return with its proof.

use std::convert::Infallible;

use results::entry::Entry;
use tlog::merkle::{self, Ranges};
use tlog::storage::CHECKPOINT;
use tlog::tile::{self, FULL_WIDTH, Level, Tile};
use tlog::{Hash, Proof, bundle};

use crate::{File, Site, path};

/// All nodes of the tree that are full, level by level, so that each proof is a look-up.
#[derive(Debug)]
pub(crate) struct Levels(Vec<Vec<Hash>>);

impl Levels {
    pub(crate) fn of(leaves: &[Hash]) -> Self {
        let mut levels = vec![leaves.to_vec()];
        while let Some(last) = levels.last().filter(|last| last.len() > 1) {
            let above =
                last.as_chunks::<2>().0.iter().map(|[left, right]| Hash::node(*left, *right)).collect();
            levels.push(above);
        }
        Self(levels)
    }

    fn node(&self, start: u64, end: u64) -> Hash {
        let width = end - start;
        if width == 0 {
            return Hash::EMPTY_ROOT;
        }
        if width.is_power_of_two() && start.is_multiple_of(width) {
            return self.0[width.trailing_zeros() as usize][(start / width) as usize];
        }
        let half = width.next_power_of_two() / 2;
        Hash::node(self.node(start, start + half), self.node(start + half, end))
    }
}

impl Ranges for &Levels {
    type Error = Infallible;

    fn range(&mut self, start: u64, end: u64) -> Result<Hash, Infallible> {
        Ok(self.node(start, end))
    }
}

/// The files of the copy that are new since the log had so many entries; all since 0.
pub(crate) fn files<'s>(site: &'s Site<'_>, since: u64) -> Vec<File<'s>> {
    let size = site.publication.checkpoint.size;
    let mut files = vec![
        File::page(CHECKPOINT.to_owned(), || site.publication.note.to_string().into_bytes()),
        File::once("definition.txt".to_owned(), || definition(site)),
    ];
    // A tile's path says how much is in it.
    files.extend(
        tile::between(since, size).map(|tile| File::once(tile.to_string(), move || tile_bytes(site, tile))),
    );
    let links = site.election().chains.values().flat_map(results::board::Chain::links);
    for index in links.map(|link| link.index).filter(|index| *index >= since) {
        files.push(File::once(path::entry(index), move || site.publication.entries[index as usize].clone()));
        files.push(File::once(path::proof(index), move || proof(site, index).to_string().into_bytes()));
    }
    files
}

fn tile_bytes(site: &Site<'_>, tile: Tile) -> Vec<u8> {
    let first = tile.index * u64::from(FULL_WIDTH);
    match tile.level {
        Level::Entries => {
            let entries = site.publication.entries.iter().skip(first as usize).take(usize::from(tile.width));
            let mut bytes = Vec::new();
            entries.for_each(|entry| bundle::push(&mut bytes, entry));
            bytes
        }
        Level::Hashes(level) => {
            let below = 1_u64 << (8 * u32::from(level));
            (first..first + u64::from(tile.width))
                .flat_map(|at| site.tree.node(at * below, (at + 1) * below).0)
                .collect()
        }
    }
}

/// A proof holds for ever, so it is made once, for the first checkpoint that covers its entry.
fn proof(site: &Site<'_>, index: u64) -> Proof {
    let size = site.publication.checkpoint.size;
    let Ok(hashes) = merkle::inclusion_proof(index, size, &mut &site.tree);
    Proof { extra: None, index, hashes, checkpoint: site.publication.note.clone() }
}

/// The text whose SHA-256 is the fingerprint, put together from the parts in the log.
fn definition(site: &Site<'_>) -> Vec<u8> {
    let mut parts = std::collections::BTreeMap::new();
    for entry in site.publication.entries {
        match Entry::parse(entry) {
            Ok(Entry::Part(part)) if part.definition == site.election().fingerprint => {
                parts.insert(part.number, part.bytes);
            }
            Ok(Entry::Part(_)) => {}
            // Parts stand before the adoption, and the adoption before all else.
            _ => break,
        }
    }
    parts.into_values().flatten().collect()
}
