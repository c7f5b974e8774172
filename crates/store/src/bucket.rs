//! A transparency log in object storage.
//!
//! ```text
//! PREFIX/public/…                  what readers may see
//! PREFIX/state/signed-checkpoint   what the log signed last: replaced only if it is still the version that was read
//! ```
//!
//! An object that was put is durable, and replaced whole; that is all that a log asks of files. What a lock does for a folder,
//! the conditional put does here: of two writers one finds another version and stops, so the log never forks. Two that
//! write at the same moment can still spoil each other's files, which the next `open` reports; run one. The provider must have conditional puts, as S3,
//! Azure and Google have; one that ignores the condition would let two writers fork the log.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, UpdateVersion};
use tlog::storage::{CHECKPOINT, Cause, Cells, LogStorage, Source, SwapError};
use tlog::tile::Tile;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::log::{PUBLIC, STATE_FOLDER};

/// A log below a prefix of a bucket.
pub struct BucketLog {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    runtime: Runtime,
}

impl BucketLog {
    /// The log below a prefix; the whole bucket where the prefix is empty.
    ///
    /// # Errors
    /// Where the system gives no event queue.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: &str) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { store, prefix: Path::from(prefix), runtime })
    }

    fn public(&self, path: &str) -> Path {
        self.below(&format!("{PUBLIC}/{path}"))
    }

    fn cell(&self, name: &str) -> Path {
        self.below(&format!("{STATE_FOLDER}/{name}"))
    }

    fn below(&self, path: &str) -> Path {
        self.prefix.parts().chain(Path::from(path).parts()).collect()
    }

    /// The bytes of an object and its version.
    fn get(&self, path: &Path) -> Result<Option<(Bytes, UpdateVersion)>, Cause> {
        self.runtime.block_on(async {
            let found = match self.store.get(path).await {
                Ok(found) => found,
                Err(Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let version =
                UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
            Ok(Some((found.bytes().await?, version)))
        })
    }
}

impl Source for BucketLog {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Cause> {
        Ok(self.get(&self.public(path))?.map(|(bytes, _)| bytes.to_vec()))
    }

    fn partials(&self, tile: Tile) -> Result<Vec<Tile>, Cause> {
        let folder = tile.partial_folder();
        let listed = self.runtime.block_on(self.store.list_with_delimiter(Some(&self.public(&folder))))?;
        let names = listed.objects.iter().filter_map(|object| object.location.filename());
        let mut tiles: Vec<Tile> =
            names.filter_map(|name| Tile::parse(&format!("{folder}/{name}"))).collect();
        tiles.sort_unstable();
        Ok(tiles)
    }
}

impl Cells for BucketLog {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Cause> {
        Ok(self.get(&self.cell(name))?.map(|(bytes, _)| bytes.to_vec()))
    }

    fn swap(&mut self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<(), SwapError> {
        let path = self.cell(name);
        let mode = match (self.get(&path).map_err(SwapError::Failed)?, expected) {
            (None, None) => PutMode::Create,
            // The version belongs to the bytes that were compared: whoever writes in between makes the put fail.
            (Some((found, version)), Some(expected)) if *found == *expected => PutMode::Update(version),
            _ => return Err(SwapError::Lost),
        };
        let payload = PutPayload::from(new.to_vec());
        let put = self.store.put_opts(&path, payload, PutOptions::from(mode));
        match self.runtime.block_on(put) {
            Ok(_) => Ok(()),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotFound { .. }) => {
                Err(SwapError::Lost)
            }
            Err(error) => Err(SwapError::Failed(error.into())),
        }
    }
}

impl LogStorage for BucketLog {
    fn put(&mut self, files: &[(Tile, Vec<u8>)]) -> Result<(), Cause> {
        // All at once: a put takes its time on the way, not in the bucket. The pieces of one batch need no order.
        self.runtime.block_on(async {
            let mut puts = JoinSet::new();
            for (tile, bytes) in files {
                let (store, path) = (Arc::clone(&self.store), self.public(&tile.to_string()));
                let bytes = Bytes::from(bytes.clone());
                puts.spawn(async move { put_once(store.as_ref(), &path, bytes).await });
            }
            while let Some(done) = puts.join_next().await {
                done??;
            }
            Ok(())
        })
    }

    fn publish(&mut self, checkpoint: &[u8]) -> Result<(), Cause> {
        let payload = PutPayload::from(checkpoint.to_vec());
        self.runtime.block_on(self.store.put(&self.public(CHECKPOINT), payload))?;
        Ok(())
    }

    fn remove(&mut self, files: &[Tile]) -> Result<(), Cause> {
        self.runtime.block_on(async {
            for tile in files {
                match self.store.delete(&self.public(&tile.to_string())).await {
                    Ok(()) | Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(())
        })
    }
}

/// Puts an object that is not there yet. A folder has a lock; here a writer that another has overtaken must not write
/// over what that one has published, before the swap tells it so.
async fn put_once(store: &dyn ObjectStore, path: &Path, bytes: Bytes) -> Result<(), Cause> {
    let options = PutOptions::from(PutMode::Create);
    match store.put_opts(path, PutPayload::from(bytes.clone()), options).await {
        Ok(_) => Ok(()),
        Err(Error::AlreadyExists { .. }) if store.get(path).await?.bytes().await? == bytes => Ok(()),
        Err(Error::AlreadyExists { .. }) => {
            Err(format!("`{path}` is there already with other content: another writer was here").into())
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use tlog::key::KeyKind;
    use tlog::writer::{WriteError, Writer};
    use tlog::{SignerKey, fsck};

    use super::*;

    fn key() -> SignerKey {
        SignerKey::from_seed("log.example/bucket", KeyKind::Ed25519, &[1; 32]).expect("a name")
    }

    #[test]
    fn a_log_in_a_bucket_verifies_and_has_one_writer() {
        let bucket: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let open = || BucketLog::new(Arc::clone(&bucket), "2026/results").expect("an event queue");
        let mut writer = Writer::create(open(), key()).expect("an empty bucket");
        for first in (0..600).step_by(60) {
            let entries: Vec<String> = (first..first + 60).map(|i| format!("entry {i}")).collect();
            writer.append(&entries).expect("a bucket");
            writer.publish(&[]).expect("a bucket");
        }
        let mut second = Writer::open(open(), key()).expect("a log");
        second.append(&["of the second"]).expect("it came first");
        let refused = writer.append(&["of the first"]).expect_err("the second has overtaken it");
        assert!(matches!(refused, WriteError::Put(_)), "{refused}");
        second.publish(&[]).expect("a bucket");
        // Another that is overtaken where the other's files end is stopped by the swap, and leaves files that go.
        let mut third = Writer::open(open(), key()).expect("a log");
        third.append(&["of the third", "and another"]).expect("it came first");
        let refused = second.append(&["too late"]).expect_err("the state has moved on");
        assert!(matches!(refused, WriteError::Swap(SwapError::Lost)), "{refused}");
        third.publish(&[]).expect("a bucket");
        let mut fourth = Writer::open(open(), key()).expect("a log");
        fourth.append(&["of the fourth"]).expect("a bucket");
        fourth.publish(&[]).expect("a bucket");
        let options = fsck::Options { threads: 1, progress: &|_| {} };
        let report = fsck::check(&open(), key().verifier(), &options).expect("a log");
        assert_eq!(report.problems, []);
    }

    /// Objects are never written over, so full tiles that a dead append left further out than `open` looks must go first.
    #[test]
    fn full_tiles_of_a_dead_append_stop_nobody() {
        let bucket: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let open = || BucketLog::new(Arc::clone(&bucket), "").expect("an event queue");
        let entries = |salt: &str, n: u64| (0..n).map(|i| format!("{salt} {i}")).collect::<Vec<_>>();
        let mut writer = Writer::create(open(), key()).expect("an empty bucket");
        writer.append(&entries("first", 100)).expect("a bucket");
        let signed = open().get(&open().cell("signed-checkpoint")).expect("a bucket").expect("signed").0;
        writer.append(&entries("dead", 1000)).expect("a bucket");
        // As if the swap had not come.
        let cell = open().cell("signed-checkpoint");
        open().runtime.block_on(bucket.put(&cell, PutPayload::from(signed))).expect("a bucket");
        let mut writer = Writer::open(open(), key()).expect("a log");
        writer.append(&entries("living", 1000)).expect("nothing is in the way");
        writer.publish(&[]).expect("a bucket");
        let options = fsck::Options { threads: 1, progress: &|_| {} };
        let report = fsck::check(&open(), key().verifier(), &options).expect("a log");
        assert_eq!((report.checkpoint.size, report.problems), (1100, Vec::new()));
    }

    #[test]
    fn an_overtaken_writer_removes_nothing_of_the_other() {
        let bucket: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let open = || BucketLog::new(Arc::clone(&bucket), "").expect("an event queue");
        let mut first = Writer::create(open(), key()).expect("an empty bucket");
        let mut second = Writer::open(open(), key()).expect("a log");
        second.append(&(0..600).map(|i| format!("entry {i}")).collect::<Vec<_>>()).expect("it came first");
        second.publish(&[]).expect("a bucket");
        let refused = first.append(&["too late"]).expect_err("the state has moved on");
        assert!(matches!(refused, WriteError::Swap(SwapError::Lost)), "{refused}");
        let options = fsck::Options { threads: 1, progress: &|_| {} };
        let report = fsck::check(&open(), key().verifier(), &options).expect("a log");
        assert_eq!((report.checkpoint.size, report.problems), (600, Vec::new()));
    }
}
