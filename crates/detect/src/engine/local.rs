//! The local engine: our own threads, radix partitions, spill over a memory ceiling.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicIsize, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use traffic::{Part, Scratch, SourceError};

use super::gather::{Emit, Gather, Input, Kernel, Step, Tables};
use super::spill::{Buffers, Partition, slice_of};
use super::writer::Writer;

/// Rows handed to a kernel at once: a column of 32 KB, so that all of them stay in the second-level cache.
const BATCH_ROWS: usize = 4096;

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
        let shuffles = shuffles(gathers);
        let run = Run {
            engine: self,
            stores: shuffles.iter().map(Store::new).collect(),
            held: AtomicIsize::new(0),
        };
        run.read_traffic(&shuffles, parts)?;
        let mut kept = Tables::new();
        let mut small = Tables::new();
        let mut totals = BTreeMap::new();
        for (number, shuffle) in shuffles.iter().enumerate() {
            let results = run.fold(number, &shuffles, &small)?;
            for (step, (table, total)) in shuffle.steps.iter().zip(results) {
                totals.insert(step.name, total);
                if step.small {
                    small.insert(step.name, table.clone());
                }
                if step.keep {
                    kept.insert(step.name, table);
                }
            }
        }
        Ok((kept, totals))
    }
}

/// Steps that are fed by the same rows in the same order: mostly one.
struct Shuffle<'s> {
    steps: Vec<&'s Step>,
}

/// The shuffles of all steps, each after those that it reads. The first step of a gather knows nothing of the others,
/// so it may be folded together with the first of another gather.
fn shuffles(gathers: &[Gather]) -> Vec<Shuffle<'_>> {
    let mut all: Vec<Shuffle<'_>> = Vec::new();
    for gather in gathers {
        for (place, step) in gather.steps.iter().enumerate() {
            let same = all.iter_mut().find(|other| place == 0 && step.shares_shuffle(other.steps[0]));
            match same {
                Some(shuffle) => shuffle.steps.push(step),
                None => all.push(Shuffle { steps: vec![step] }),
            }
        }
    }
    all
}

/// The input of one shuffle, spread over partitions: narrow rows first, then as many partitions of wide ones.
pub(super) struct Store {
    pub(super) schema: SchemaRef,
    /// For each column of the schema, its place in sort order.
    pub(super) places: Vec<usize>,
    /// Columns of `by`, counted in sort order.
    pub(super) n_by: usize,
    pub(super) partitions: Vec<Mutex<Partition>>,
    rows: AtomicU64,
    spilled: AtomicU64,
}

impl Store {
    fn new(shuffle: &Shuffle<'_>) -> Self {
        let step = shuffle.steps[0];
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
            partitions: (0..2 * step.partitions.max(1)).map(|_| Mutex::default()).collect(),
            rows: AtomicU64::new(0),
            spilled: AtomicU64::new(0),
        }
    }

    pub(super) fn note_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }
}

pub(super) struct Run<'a> {
    engine: &'a Engine,
    pub(super) stores: Vec<Store>,
    /// Bytes of rows in memory, over all stores.
    held: AtomicIsize,
}

impl Run<'_> {
    fn read_traffic(&self, shuffles: &[Shuffle<'_>], parts: Vec<Part>) -> Result<(), EngineError> {
        let parts: Vec<Mutex<Option<Part>>> = parts.into_iter().map(|part| Mutex::new(Some(part))).collect();
        let left = AtomicUsize::new(parts.len());
        in_threads(self.engine.threads, |thread| {
            let mut writers = Self::writers(shuffles, |input| matches!(input, Input::Traffic(..)));
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
            writers.into_iter().try_for_each(|writer| writer.flush(self))
        })
    }

    /// One writer for each input that `wanted` picks.
    fn writers<'s>(shuffles: &[Shuffle<'s>], wanted: impl Fn(&Input) -> bool) -> Vec<Writer<'s>> {
        let mut writers = Vec::new();
        for (number, shuffle) in shuffles.iter().enumerate() {
            let step = shuffle.steps[0];
            for (source, input) in step.from.iter().enumerate() {
                if wanted(input) {
                    writers.push(Writer::new(number, step, source, input.clone()));
                }
            }
        }
        writers
    }

    /// Folds all steps of a shuffle, and gives the table and totals of each.
    fn fold(
        &self,
        number: usize,
        shuffles: &[Shuffle<'_>],
        small: &Tables,
    ) -> Result<Vec<(Vec<RecordBatch>, Totals)>, EngineError> {
        let store = &self.stores[number];
        let steps = &shuffles[number].steps;
        let rows_in = store.rows.load(Ordering::Relaxed);
        let next = AtomicUsize::new(0);
        let results: Vec<Folded> = steps.iter().map(|_| Folded::new(store.partitions.len())).collect();
        in_threads(self.engine.threads, |_| {
            let mut outlets: Vec<Outlet<'_>> = steps
                .iter()
                .zip(&results)
                .map(|(step, result)| Outlet {
                    step,
                    writers: Self::writers(
                        shuffles,
                        |input| matches!(input, Input::Step(name) if *name == step.name),
                    ),
                    result,
                })
                .collect();
            let mut buffers = Buffers::default();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= store.partitions.len() {
                    break;
                }
                self.fold_partition(store, at, &mut outlets, small, &mut buffers)?;
                if let Some(report) = &self.engine.progress {
                    report(steps[0].name, at as u64 + 1, store.partitions.len() as u64);
                }
            }
            let writers = outlets.into_iter().flat_map(|outlet| outlet.writers);
            writers.into_iter().try_for_each(|writer| writer.flush(self))
        })?;
        let mut all = Vec::new();
        for (step, result) in steps.iter().zip(results) {
            let (table, used, mut totals) = result.into_parts();
            totals.rows_in = rows_in;
            totals.spilled = store.spilled.load(Ordering::Relaxed);
            let accounted = used + totals.refused.values().sum::<u64>();
            // With a combiner the kernel sees fewer rows than came; the combiner's own totals hold the difference.
            if step.combine.is_none() && accounted != rows_in {
                return Err(EngineError::Totals { step: step.name, rows_in, accounted });
            }
            all.push((table, totals));
        }
        Ok(all)
    }

    fn fold_partition(
        &self,
        store: &Store,
        at: usize,
        outlets: &mut [Outlet<'_>],
        small: &Tables,
        buffers: &mut Buffers,
    ) -> Result<(), EngineError> {
        let partition = std::mem::take(&mut *lock(&store.partitions[at]));
        if partition.is_empty() {
            return Ok(());
        }
        self.held.fetch_sub(partition.bytes() as isize, Ordering::Relaxed);
        let mut kernels: Vec<Box<dyn Kernel>> =
            outlets.iter().map(|outlet| outlet.step.kernel.start(small)).collect();
        let room = self.engine.memory / self.engine.threads / 4;
        let scratch = &*self.engine.scratch;
        partition.drain(scratch, room, self.engine.batch_rows, buffers, |layout, words| {
            let batch = layout.unpack(words, &store.schema, &store.places);
            let mut both = kernels.iter_mut().zip(&mut *outlets);
            both.try_for_each(|(kernel, outlet)| {
                kernel.push(&batch, &mut Emit::new(&mut |batch| outlet.take(self, at, batch)))
            })
        })?;
        for (kernel, outlet) in kernels.iter_mut().zip(outlets) {
            let accounted = kernel.finish(&mut Emit::new(&mut |batch| outlet.take(self, at, batch)))?;
            let (used, totals) = &mut *lock(&outlet.result.totals);
            *used += accounted.used;
            for (reason, rows) in accounted.refused {
                *totals.refused.entry(reason).or_default() += rows;
            }
        }
        Ok(())
    }

    /// So many bytes more are held; makes room where they are too many.
    pub(super) fn hold(&self, bytes: usize) -> Result<(), EngineError> {
        self.held.fetch_add(bytes as isize, Ordering::Relaxed);
        self.make_room()
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

/// What a step of a shuffle has put out, and what became of its rows.
struct Folded {
    tables: Vec<Mutex<Vec<RecordBatch>>>,
    totals: Mutex<(u64, Totals)>,
}

impl Folded {
    fn new(partitions: usize) -> Self {
        Self { tables: (0..partitions).map(|_| Mutex::default()).collect(), totals: Mutex::default() }
    }

    fn into_parts(self) -> (Vec<RecordBatch>, u64, Totals) {
        let tables = self.tables.into_iter();
        let (used, totals) = self.totals.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        (tables.flat_map(|table| table.into_inner().unwrap_or_default()).collect(), used, totals)
    }
}

/// Where one thread puts what a step's kernels give.
struct Outlet<'s> {
    step: &'s Step,
    writers: Vec<Writer<'s>>,
    result: &'s Folded,
}

impl Outlet<'_> {
    fn take(&mut self, run: &Run<'_>, at: usize, batch: RecordBatch) -> Result<(), EngineError> {
        lock(&self.result.totals).1.rows_out += batch.num_rows() as u64;
        for writer in &mut self.writers {
            writer.add(run, &batch)?;
        }
        if self.step.keep || self.step.small {
            lock(&self.result.tables[at]).push(batch);
        }
        Ok(())
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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
