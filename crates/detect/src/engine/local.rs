//! The local engine: our own threads, radix partitions, spill over a memory ceiling.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicIsize, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use traffic::{Part, Scratch, SourceError};

use super::gather::{Emit, Gather, Input, Step, Tables};
use super::rows::{Column, Layout};
use super::spill::{Buffers, Chunk, Partition, slice_of};

/// Rows handed to a kernel at once.
const BATCH_ROWS: usize = 16_384;
/// Words that a writer gathers for one partition before it hands them over.
const BLOCK_WORDS: usize = 512;

/// Runs gathers in this process.
#[derive(Clone)]
pub struct Engine {
    threads: usize,
    memory: usize,
    batch_rows: usize,
    scratch: Arc<dyn Scratch>,
    progress: Option<Arc<Progress>>,
}

/// Told what goes on: the step's name, partitions done, partitions in all.
pub type Progress = dyn Fn(&str, u64, u64) + Send + Sync;

/// A run failed. There is no partial result.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The traffic could not be read to its end.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The scratch space failed.
    #[error("could not use the scratch space for work that outgrew its memory")]
    Scratch(#[from] std::io::Error),
    /// Rows were lost or doubled: a bug, and no answer is better than a wrong one.
    #[error("control totals of step `{step}` do not add up: {rows_in} rows in, {accounted} accounted for")]
    Totals {
        /// The step.
        step: &'static str,
        /// Rows that the engine gave it.
        rows_in: u64,
        /// Rows that its kernels account for.
        accounted: u64,
    },
}

/// What went through a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows that came to the step.
    pub rows_in: u64,
    /// Rows that it put out.
    pub rows_out: u64,
    /// Rows that its kernels refused, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Bytes that went through scratch space.
    pub spilled: u64,
}

impl Engine {
    /// With so many threads (at least one), so many bytes for rows in flight, and scratch space for
    /// what goes beyond.
    pub fn new(threads: usize, memory: usize, scratch: Arc<dyn Scratch>) -> Self {
        Self { threads: threads.max(1), memory, batch_rows: BATCH_ROWS, scratch, progress: None }
    }

    /// Reports progress to `report`.
    #[must_use]
    pub fn with_progress(self, report: Arc<Progress>) -> Self {
        Self { progress: Some(report), ..self }
    }

    /// Hands kernels batches of this size instead of the usual one. For tests: no result may change.
    #[must_use]
    pub fn with_batch_rows(self, rows: usize) -> Self {
        Self { batch_rows: rows.max(1), ..self }
    }

    /// Threads that it uses.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs the gathers in one pass over the traffic. Gives the results of all steps that are marked
    /// `keep`, and the control totals of every step.
    ///
    /// # Errors
    /// See [`EngineError`].
    ///
    /// # Panics
    /// On a gather that is not well formed: a step that reads a later one, or lacks a column.
    pub fn run(
        &self,
        gathers: &[Gather],
        parts: Vec<Part>,
    ) -> Result<(Tables, BTreeMap<&'static str, Totals>), EngineError> {
        let steps: Vec<&Step> = gathers.iter().flat_map(|gather| &gather.steps).collect();
        let run = Run {
            engine: self,
            stores: steps.iter().map(|step| Store::new(step)).collect(),
            held: AtomicIsize::new(0),
        };
        run.read_traffic(&steps, parts)?;
        let mut kept = Tables::new();
        let mut small = Tables::new();
        let mut totals = BTreeMap::new();
        for (number, step) in steps.iter().enumerate() {
            let (table, total) = run.fold(number, step, &steps, &small)?;
            totals.insert(step.name, total);
            if step.small {
                small.insert(step.name, table.clone());
            }
            if step.keep {
                kept.insert(step.name, table);
            }
        }
        Ok((kept, totals))
    }
}

/// The input of one step, spread over partitions.
struct Store {
    schema: SchemaRef,
    /// For each column of the schema, its place in sort order.
    places: Vec<usize>,
    /// Columns of `by`, counted in sort order.
    n_by: usize,
    partitions: Vec<Mutex<Partition>>,
    rows: AtomicU64,
    spilled: AtomicU64,
}

impl Store {
    fn new(step: &Step) -> Self {
        let schema = step.kernel.input();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut sorted: Vec<&str> = Vec::with_capacity(names.len());
        for name in step.by.iter().chain(step.order).chain(&names) {
            assert!(names.contains(name), "internal error: step `{}` has no column `{name}`", step.name);
            if !sorted.contains(name) {
                sorted.push(name);
            }
        }
        let place = |name: &&str| sorted.iter().position(|s| s == name).unwrap_or_default();
        Self {
            places: names.iter().map(place).collect(),
            n_by: step.by.len(),
            schema,
            partitions: (0..step.partitions.max(1)).map(|_| Mutex::default()).collect(),
            rows: AtomicU64::new(0),
            spilled: AtomicU64::new(0),
        }
    }
}

struct Run<'a> {
    engine: &'a Engine,
    stores: Vec<Store>,
    /// Bytes of rows in memory, over all stores.
    held: AtomicIsize,
}

impl Run<'_> {
    fn read_traffic(&self, steps: &[&Step], parts: Vec<Part>) -> Result<(), EngineError> {
        let parts: Vec<Mutex<Option<Part>>> = parts.into_iter().map(|part| Mutex::new(Some(part))).collect();
        let left = AtomicUsize::new(parts.len());
        in_threads(self.engine.threads, |thread| {
            let mut writers = Self::writers(steps, |input| matches!(input, Input::Traffic(..)));
            // Each thread begins at a part of its own; threads that have none share.
            let mut at = thread;
            while left.load(Ordering::Acquire) > 0 {
                let mut part = lock(&parts[at % parts.len()]);
                let Some(batches) = part.as_mut() else {
                    at += 1;
                    continue;
                };
                let next = batches.next();
                if !matches!(next, Some(Ok(_))) {
                    *part = None;
                    left.fetch_sub(1, Ordering::Release);
                }
                drop(part);
                let Some(batch) = next.transpose()? else { continue };
                for writer in &mut writers {
                    match &writer.input {
                        Input::Traffic(kind, Some(map)) if *kind == batch.kind => {
                            writer.add(self, &map(&batch.rows))?;
                        }
                        Input::Traffic(kind, None) if *kind == batch.kind => writer.add(self, &batch.rows)?,
                        _ => {}
                    }
                }
            }
            writers.into_iter().try_for_each(|mut writer| writer.flush(self))
        })
    }

    /// One writer for each input that `wanted` picks.
    fn writers<'s>(steps: &[&'s Step], wanted: impl Fn(&Input) -> bool) -> Vec<Writer<'s>> {
        let mut writers = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            for (source, input) in step.from.iter().enumerate() {
                if wanted(input) {
                    writers.push(Writer::new(number, step, source, input.clone()));
                }
            }
        }
        writers
    }

    fn fold(
        &self,
        number: usize,
        step: &Step,
        steps: &[&Step],
        small: &Tables,
    ) -> Result<(Vec<RecordBatch>, Totals), EngineError> {
        let store = &self.stores[number];
        let wants_table = step.keep || step.small;
        let next = AtomicUsize::new(0);
        let totals =
            Mutex::new((0_u64, Totals { rows_in: store.rows.load(Ordering::Relaxed), ..Totals::default() }));
        let tables: Vec<Mutex<Vec<RecordBatch>>> =
            store.partitions.iter().map(|_| Mutex::default()).collect();
        in_threads(self.engine.threads, |_| {
            let mut writers =
                Self::writers(steps, |input| matches!(input, Input::Step(name) if *name == step.name));
            let mut buffers = Buffers::default();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= store.partitions.len() {
                    break;
                }
                let partition = std::mem::take(&mut *lock(&store.partitions[at]));
                self.held.fetch_sub(partition.bytes() as isize, Ordering::Relaxed);
                let mut rows_out = 0;
                let mut sink = |batch: RecordBatch| -> Result<(), EngineError> {
                    rows_out += batch.num_rows() as u64;
                    for writer in &mut writers {
                        writer.add(self, &batch)?;
                    }
                    if wants_table {
                        lock(&tables[at]).push(batch);
                    }
                    Ok(())
                };
                let mut out = Emit::new(&mut sink);
                let mut kernel = step.kernel.start(small);
                let room = self.engine.memory / self.engine.threads / 4;
                let scratch = &*self.engine.scratch;
                partition.drain(scratch, room, self.engine.batch_rows, &mut buffers, |layout, words| {
                    kernel.push(&layout.unpack(words, &store.schema, &store.places), &mut out)
                })?;
                let accounted = kernel.finish(&mut out)?;
                let (used, totals) = &mut *lock(&totals);
                *used += accounted.used;
                totals.rows_out += rows_out;
                for (reason, rows) in accounted.refused {
                    *totals.refused.entry(reason).or_default() += rows;
                }
                if let Some(report) = &self.engine.progress {
                    report(step.name, at as u64 + 1, store.partitions.len() as u64);
                }
            }
            writers.into_iter().try_for_each(|mut writer| writer.flush(self))
        })?;
        let (used, mut totals) = totals.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        totals.spilled = store.spilled.load(Ordering::Relaxed);
        let accounted = used + totals.refused.values().sum::<u64>();
        // With a combiner the kernel sees fewer rows than came; the combiner's own totals hold the difference.
        if step.combine.is_none() && accounted != totals.rows_in {
            return Err(EngineError::Totals { step: step.name, rows_in: totals.rows_in, accounted });
        }
        let table = tables.into_iter().flat_map(|t| t.into_inner().unwrap_or_default()).collect();
        Ok((table, totals))
    }

    /// Spills the largest partitions until half the memory is free again. Two threads may do so at
    /// once: each takes a partition for itself while it writes.
    fn make_room(&self) -> Result<(), EngineError> {
        let limit = isize::try_from(self.engine.memory).unwrap_or(isize::MAX);
        if self.held.load(Ordering::Relaxed) <= limit {
            return Ok(());
        }
        let mut sizes: Vec<(usize, &Store, &Mutex<Partition>)> = self
            .stores
            .iter()
            .flat_map(|store| store.partitions.iter().map(move |p| (lock(p).bytes(), store, p)))
            .collect();
        sizes.sort_unstable_by_key(|(bytes, ..)| std::cmp::Reverse(*bytes));
        for (_, store, partition) in sizes {
            if self.held.load(Ordering::Relaxed) <= limit / 2 {
                break;
            }
            let slice = slice_of(self.engine.memory / self.engine.threads / 4);
            let freed = lock(partition).spill(&*self.engine.scratch, slice, &mut Buffers::default())?;
            store.spilled.fetch_add(freed as u64, Ordering::Relaxed);
            self.held.fetch_sub(freed as isize, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Spreads the batches of one thread over the partitions of one input.
///
/// Rows gather in one small block a partition and go to the partition when the block is full. What
/// the blocks hold is not counted against the memory ceiling: 4 KB a partition and thread.
struct Writer<'s> {
    store: usize,
    step: &'s Step,
    source: usize,
    input: Input,
    layout: Option<Arc<Layout>>,
    words: Vec<u64>,
    hashes: Vec<u64>,
    blocks: Vec<Vec<u64>>,
    rows: u64,
}

impl<'s> Writer<'s> {
    fn new(store: usize, step: &'s Step, source: usize, input: Input) -> Self {
        let blocks = vec![Vec::new(); step.partitions.max(1)];
        let (words, hashes) = (Vec::new(), Vec::new());
        Self { store, step, source, input, layout: None, words, hashes, blocks, rows: 0 }
    }

    fn add(&mut self, run: &Run<'_>, batch: &RecordBatch) -> Result<(), EngineError> {
        let store = &run.stores[self.store];
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(());
        }
        let columns = self.columns(store, batch);
        let ranges: Vec<(i64, i64)> = columns.iter().map(Column::range).collect();
        let layout = match &self.layout {
            Some(layout) if layout.covers(&ranges) => layout.clone(),
            Some(layout) => {
                let wider = Arc::new(layout.widened(&ranges));
                self.flush(run)?;
                wider
            }
            None => Arc::new(Layout::roomy(&ranges)),
        };
        self.layout = Some(layout.clone());
        self.hashes.clear();
        self.hashes.resize(rows, 0);
        for column in &columns[..store.n_by] {
            column.mix_into(&mut self.hashes);
        }
        // The high half of the product spreads hashes evenly over any number of partitions.
        let n_partitions = store.partitions.len() as u128;
        for hash in &mut self.hashes {
            *hash = ((u128::from(*hash) * n_partitions) >> 64) as u64;
        }
        self.words.clear();
        layout.pack(&columns, rows, &mut self.words);
        self.rows += rows as u64;
        match layout.words {
            1 => self.spread::<1>(run, &layout),
            2 => self.spread::<2>(run, &layout),
            3 => self.spread::<3>(run, &layout),
            4 => self.spread::<4>(run, &layout),
            width => {
                let (words, hashes) = (std::mem::take(&mut self.words), std::mem::take(&mut self.hashes));
                let rows = words.chunks_exact(width).zip(&hashes);
                rows.into_iter().try_for_each(|(row, &at)| self.push(run, &layout, at as usize, row))?;
                (self.words, self.hashes) = (words, hashes);
                Ok(())
            }
        }
    }

    /// [`Self::push`] for all rows, of a width that the compiler knows.
    fn spread<const N: usize>(&mut self, run: &Run<'_>, layout: &Arc<Layout>) -> Result<(), EngineError> {
        let (words, hashes) = (std::mem::take(&mut self.words), std::mem::take(&mut self.hashes));
        for (row, &at) in words.as_chunks::<N>().0.iter().zip(&hashes) {
            self.push(run, layout, at as usize, row)?;
        }
        (self.words, self.hashes) = (words, hashes);
        Ok(())
    }

    #[inline]
    fn push(
        &mut self,
        run: &Run<'_>,
        layout: &Arc<Layout>,
        at: usize,
        row: &[u64],
    ) -> Result<(), EngineError> {
        let block = &mut self.blocks[at];
        if block.len() + row.len() > block.capacity() {
            if !block.is_empty() {
                self.hand_over(run, layout, at)?;
            }
            let words = if self.step.combine.is_some() { 8 * BLOCK_WORDS } else { BLOCK_WORDS };
            self.blocks[at].reserve_exact(words / row.len() * row.len());
        }
        self.blocks[at].extend_from_slice(row);
        Ok(())
    }

    /// Gives the block of one partition to it.
    #[cold]
    fn hand_over(&mut self, run: &Run<'_>, layout: &Arc<Layout>, at: usize) -> Result<(), EngineError> {
        let store = &run.stores[self.store];
        let block = std::mem::take(&mut self.blocks[at]);
        let chunk = self.combined(store, layout, block)?;
        let bytes = Partition::bytes_of(&chunk);
        lock(&store.partitions[at]).add(chunk);
        run.held.fetch_add(bytes as isize, Ordering::Relaxed);
        run.make_room()
    }

    /// Hands all staged rows to their partitions.
    fn flush(&mut self, run: &Run<'_>) -> Result<(), EngineError> {
        let Some(layout) = self.layout.clone() else { return Ok(()) };
        for at in 0..self.blocks.len() {
            if !self.blocks[at].is_empty() {
                self.hand_over(run, &layout, at)?;
            }
        }
        run.stores[self.store].rows.fetch_add(std::mem::take(&mut self.rows), Ordering::Relaxed);
        Ok(())
    }

    /// The batch's columns in sort order. A column `source` is the number of the input; a column
    /// that the batch lacks is 0.
    fn columns<'b>(&self, store: &Store, batch: &'b RecordBatch) -> Vec<Column<'b>> {
        let mut columns: Vec<Column<'b>> = store.places.iter().map(|_| Column::Same(0)).collect();
        for (field, &place) in store.schema.fields().iter().zip(&store.places) {
            columns[place] = match batch.column_by_name(field.name()) {
                Some(array) => Column::of(array).unwrap_or_else(|| {
                    panic!(
                        "internal error: step `{}` cannot shuffle column `{}`",
                        self.step.name,
                        field.name()
                    )
                }),
                None if field.name() == "source" => Column::Same(self.source as i64),
                None => {
                    assert!(
                        self.step.from.len() > 1,
                        "internal error: step `{}` lacks column `{}`",
                        self.step.name,
                        field.name()
                    );
                    Column::Same(0)
                }
            };
        }
        columns
    }

    /// The rows of one partition as a chunk, merged by the step's combiner where it has one.
    fn combined(
        &self,
        store: &Store,
        layout: &Arc<Layout>,
        mut sorted: Vec<u64>,
    ) -> Result<Chunk, EngineError> {
        let Some(combine) = &self.step.combine else {
            return Ok(Chunk { layout: layout.clone(), words: sorted.into() });
        };
        layout.sort(&mut sorted, &mut Vec::new());
        let mut merged: Vec<RecordBatch> = Vec::new();
        let mut sink = |batch: RecordBatch| {
            merged.push(batch);
            Ok(())
        };
        let mut out = Emit::new(&mut sink);
        let mut kernel = combine.start(&Tables::new());
        let pushed = (sorted.len() / layout.words) as u64;
        kernel.push(&layout.unpack(&sorted, &store.schema, &store.places), &mut out)?;
        let accounted = kernel.finish(&mut out)?;
        let accounted = accounted.used + accounted.refused.values().sum::<u64>();
        if accounted != pushed {
            return Err(EngineError::Totals { step: self.step.name, rows_in: pushed, accounted });
        }
        let mut ranges: Vec<(i64, i64)> = layout.ranges();
        for batch in &merged {
            for (range, column) in ranges.iter_mut().zip(self.columns(store, batch)) {
                let (min, max) = column.range();
                *range = (range.0.min(min), range.1.max(max));
            }
        }
        let layout = Arc::new(Layout::new(&ranges));
        let mut words = Vec::new();
        for batch in &merged {
            layout.pack(&self.columns(store, batch), batch.num_rows(), &mut words);
        }
        Ok(Chunk { layout, words: words.into() })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Runs `work` on so many threads and gives the first error. A panic of one is a panic of all.
fn in_threads(
    threads: usize,
    work: impl Fn(usize) -> Result<(), EngineError> + Sync,
) -> Result<(), EngineError> {
    if threads == 1 {
        return work(0);
    }
    std::thread::scope(|scope| {
        let work = &work;
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        handles.into_iter().try_for_each(|handle| match handle.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}
