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
    pub(super) rows: u64,
}

/// Rows read from a run at once.
const BLOCK_ROWS: usize = 4096;

impl Partition {
    pub(super) fn add(&mut self, chunk: Chunk) {
        self.rows += (chunk.words.len() / chunk.layout.words) as u64;
        self.chunks.push(chunk);
    }

    /// Bytes that its chunks hold in memory.
    pub(super) fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk_bytes(&chunk.words)).sum()
    }

    /// Bytes that a chunk takes in memory.
    pub(super) fn bytes_of(chunk: &Chunk) -> usize {
        chunk_bytes(&chunk.words)
    }

    /// Moves the chunks in memory to scratch space, as one sorted run. Says how many bytes are free now.
    pub(super) fn spill(&mut self, scratch: &dyn Scratch) -> io::Result<usize> {
        let freed = self.bytes();
        let Some((layout, words)) = self.load() else { return Ok(0) };
        let mut bytes = Vec::with_capacity(words.len() * 8);
        for word in &words {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        let rows = (words.len() / layout.words) as u64;
        let extent = scratch.append(&bytes)?;
        self.runs.push(Run { layout: Arc::new(layout), offset: extent.offset, rows });
        Ok(freed)
    }

    /// Takes the chunks in memory as one sorted list of rows; `None` where there are none.
    fn load(&mut self) -> Option<(Layout, Vec<u64>)> {
        let layout = Layout::union(self.chunks.iter().map(|chunk| chunk.layout.as_ref()))?;
        let rows: usize = self.chunks.iter().map(|chunk| chunk.words.len() / chunk.layout.words).sum();
        let mut words = Vec::with_capacity(rows * layout.words);
        let mut row = [0; MAX_WORDS];
        for chunk in std::mem::take(&mut self.chunks) {
            if *chunk.layout == layout {
                words.extend_from_slice(&chunk.words);
                continue;
            }
            for packed in chunk.words.chunks_exact(chunk.layout.words) {
                layout.repack(&chunk.layout, packed, &mut row[..layout.words]);
                words.extend_from_slice(&row[..layout.words]);
            }
        }
        layout.sort(&mut words, &mut Vec::new());
        Some((layout, words))
    }

    /// Gives all rows, sorted, to `take` in blocks of at most `block_rows`.
    pub(super) fn drain<E: From<io::Error>>(
        mut self,
        scratch: &dyn Scratch,
        block_rows: usize,
        mut take: impl FnMut(&Layout, &[u64]) -> Result<(), E>,
    ) -> Result<(), E> {
        let runs = std::mem::take(&mut self.runs);
        let loaded = self.load();
        if runs.is_empty() {
            let Some((layout, words)) = loaded else { return Ok(()) };
            for block in words.chunks(block_rows * layout.words) {
                take(&layout, block)?;
            }
            return Ok(());
        }
        let all = runs.iter().map(|run| run.layout.as_ref()).chain(loaded.iter().map(|(layout, _)| layout));
        let layout = Layout::union(all).expect("internal error: a partition with runs has a layout");
        let mut cursors: Vec<Cursor> = runs.into_iter().map(Cursor::over_run).collect();
        cursors.extend(loaded.map(|(layout, words)| Cursor::over_words(layout, words)));
        merge(&layout, cursors, scratch, block_rows, take)
    }
}

fn chunk_bytes(words: &[u64]) -> usize {
    words.len() * 8 + 48
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
            self.words.extend(bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)));
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
