//! Partitions: chunks of packed rows in memory, sorted runs in scratch space, and their merge.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;

use traffic::Scratch;

use super::rows::{Layout, MAX_WORDS};

/// Rows that arrived together.
pub(super) struct Chunk {
    pub(super) layout: Arc<Layout>,
    pub(super) words: Box<[u64]>,
}

/// Sorted rows in scratch space.
struct Run {
    layout: Arc<Layout>,
    offset: u64,
    rows: u64,
}

/// One partition of one step's input.
#[derive(Default)]
pub(super) struct Partition {
    chunks: Vec<Chunk>,
    runs: Vec<Run>,
    /// Bytes that the chunks hold in memory.
    bytes: usize,
}

/// Space that one thread uses for one partition after the other.
#[derive(Default)]
pub(super) struct Buffers {
    words: Vec<u64>,
    spare: Vec<u64>,
}

/// Rows read from a run at once.
const BLOCK_ROWS: usize = 4096;

impl Partition {
    pub(super) fn add(&mut self, chunk: Chunk) {
        self.bytes += Self::bytes_of(&chunk);
        self.chunks.push(chunk);
    }

    /// No row came.
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.runs.is_empty()
    }

    /// Bytes that its chunks hold in memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that a chunk takes in memory.
    pub(super) fn bytes_of(chunk: &Chunk) -> usize {
        chunk.words.len() * 8 + 48
    }

    /// Moves the chunks in memory to scratch space, as sorted runs of about `slice` bytes: sorting takes
    /// twice the room of what is sorted, and there is none to spare. Says how many bytes are free now.
    pub(super) fn spill(
        &mut self,
        scratch: &dyn Scratch,
        slice: usize,
        buffers: &mut Buffers,
    ) -> io::Result<usize> {
        let freed = self.bytes;
        // Taken from the end, so that what is written is let go of at once.
        while !self.chunks.is_empty() {
            let mut part = Self::default();
            while part.bytes < slice {
                let Some(chunk) = self.chunks.pop() else { break };
                part.add(chunk);
            }
            self.bytes -= part.bytes;
            let all = part.chunks.iter().map(|chunk| chunk.layout.as_ref());
            let Some(layout) = Layout::union(all) else { continue };
            part.load(&layout, buffers);
            let bytes: Vec<u8> = buffers.words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let rows = (buffers.words.len() / layout.words) as u64;
            let extent = scratch.append(&bytes)?;
            self.runs.push(Run { layout: Arc::new(layout), offset: extent.offset, rows });
        }
        self.chunks.shrink_to_fit();
        Ok(freed)
    }

    /// Takes the chunks in memory as one sorted list of rows.
    fn load(&mut self, layout: &Layout, buffers: &mut Buffers) {
        buffers.words.clear();
        for chunk in std::mem::take(&mut self.chunks) {
            layout.repack_all(&chunk.layout, &chunk.words, &mut buffers.words);
        }
        self.bytes = 0;
        layout.sort(&mut buffers.words, &mut buffers.spare);
    }

    /// Brings the runs back into memory, as chunks.
    fn recall(&mut self, scratch: &dyn Scratch) -> io::Result<()> {
        for run in std::mem::take(&mut self.runs) {
            let mut bytes = vec![0; run.rows as usize * run.layout.words * 8];
            scratch.read_at(run.offset, &mut bytes)?;
            self.add(Chunk { layout: run.layout, words: words_of(&bytes).collect() });
        }
        Ok(())
    }

    /// Gives all rows, sorted, to `take` in blocks of at most `block_rows`. A partition of which
    /// parts were spilled is brought back where it fits into `room` bytes, and merged where not; one
    /// that does not fit although nothing of it was spilled goes the same way.
    pub(super) fn drain<E: From<io::Error>>(
        mut self,
        scratch: &dyn Scratch,
        room: usize,
        block_rows: usize,
        buffers: &mut Buffers,
        mut take: impl FnMut(&Layout, &[u64]) -> Result<(), E>,
    ) -> Result<(), E> {
        let spilled: usize = self.runs.iter().map(|run| run.rows as usize * run.layout.words * 8).sum();
        // The rows lie in memory three times for a moment: as chunks, as one list, and in the sort.
        if (self.bytes + spilled).saturating_mul(3) <= room {
            self.recall(scratch)?;
        } else if self.bytes > room {
            self.spill(scratch, slice_of(room), buffers)?;
        }
        let runs = std::mem::take(&mut self.runs);
        let all = runs.iter().map(|run| run.layout.as_ref());
        let all = all.chain(self.chunks.iter().map(|chunk| chunk.layout.as_ref()));
        let Some(layout) = Layout::union(all) else { return Ok(()) };
        self.load(&layout, buffers);
        if runs.is_empty() {
            return buffers.words.chunks(block_rows * layout.words).try_for_each(|b| take(&layout, b));
        }
        let mut cursors: Vec<Cursor> = runs.into_iter().map(Cursor::over_run).collect();
        cursors.push(Cursor::over_words(layout.clone(), std::mem::take(&mut buffers.words)));
        merge(&layout, cursors, scratch, block_rows, take)
    }
}

/// Bytes that are sorted at once where a partition must be spilled and there is so much room.
pub(super) fn slice_of(room: usize) -> usize {
    (room / 4).max(1 << 18)
}

fn words_of(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word))
}

/// A place in a sorted run, or in the sorted rows in memory.
struct Cursor {
    layout: Arc<Layout>,
    words: Vec<u64>,
    at: usize,
    /// What is still in scratch space.
    offset: u64,
    rows_left: u64,
}

impl Cursor {
    fn over_run(run: Run) -> Self {
        Self { layout: run.layout, words: Vec::new(), at: 0, offset: run.offset, rows_left: run.rows }
    }

    fn over_words(layout: Layout, words: Vec<u64>) -> Self {
        Self { layout: Arc::new(layout), words, at: 0, offset: 0, rows_left: 0 }
    }

    /// The next row in `layout`, or `None` at the end.
    fn next(&mut self, layout: &Layout, scratch: &dyn Scratch) -> io::Result<Option<[u64; MAX_WORDS]>> {
        let width = self.layout.words;
        if self.at == self.words.len() {
            if self.rows_left == 0 {
                return Ok(None);
            }
            let rows = (self.rows_left as usize).min(BLOCK_ROWS);
            let mut bytes = vec![0; rows * width * 8];
            scratch.read_at(self.offset, &mut bytes)?;
            self.words.clear();
            self.words.extend(words_of(&bytes));
            self.offset += bytes.len() as u64;
            self.rows_left -= rows as u64;
            self.at = 0;
        }
        let mut row = [0; MAX_WORDS];
        layout.repack(&self.layout, &self.words[self.at..self.at + width], &mut row[..layout.words]);
        self.at += width;
        Ok(Some(row))
    }
}

fn merge<E: From<io::Error>>(
    layout: &Layout,
    mut cursors: Vec<Cursor>,
    scratch: &dyn Scratch,
    block_rows: usize,
    mut take: impl FnMut(&Layout, &[u64]) -> Result<(), E>,
) -> Result<(), E> {
    let mut heap = BinaryHeap::with_capacity(cursors.len());
    for (number, cursor) in cursors.iter_mut().enumerate() {
        if let Some(row) = cursor.next(layout, scratch)? {
            heap.push(Reverse((row, number)));
        }
    }
    let mut block = Vec::with_capacity(block_rows * layout.words);
    while let Some(mut top) = heap.peek_mut() {
        let Reverse((row, number)) = *top;
        block.extend_from_slice(&row[..layout.words]);
        match cursors[number].next(layout, scratch)? {
            Some(next) => *top = Reverse((next, number)),
            None => drop(std::collections::binary_heap::PeekMut::pop(top)),
        }
        if block.len() >= block_rows * layout.words {
            take(layout, &block)?;
            block.clear();
        }
    }
    if !block.is_empty() {
        take(layout, &block)?;
    }
    Ok(())
}
