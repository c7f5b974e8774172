//! From batches to the partitions of a step.

use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;

use super::gather::{Emit, Input, Step, Tables};
use super::local::{EngineError, Run, Store, lock};
use super::rows::{Column, Layout};
use super::spill::{Chunk, Partition};

/// Words that a writer gathers for one partition before it hands them over.
const BLOCK_WORDS: usize = 512;

/// Spreads the batches of one thread over the partitions of one input.
///
/// Rows gather in one small block a partition and go to the partition when the block is full. What
/// the blocks hold is not counted against the memory ceiling: 4 KB a partition and thread.
///
/// A partition takes either narrow rows or wide ones, see [`Column::note_wide`], and the two are packed
/// apart: a few IPv6 addresses among IPv4 would else make every row three times as wide.
pub(super) struct Writer<'s> {
    pub(super) store: usize,
    step: &'s Step,
    source: usize,
    pub(super) input: Input,
    narrow: Lane,
    wide: Lane,
    words: Vec<u64>,
    hashes: Vec<u64>,
    rows: u64,
}

/// Rows that are packed alike.
#[derive(Default)]
struct Lane {
    layout: Option<Arc<Layout>>,
    blocks: Vec<Vec<u64>>,
}

impl<'s> Writer<'s> {
    pub(super) fn new(store: usize, step: &'s Step, source: usize, input: Input) -> Self {
        let (narrow, wide) = (Lane::default(), Lane::default());
        Self { store, step, source, input, narrow, wide, words: Vec::new(), hashes: Vec::new(), rows: 0 }
    }

    pub(super) fn add(&mut self, run: &Run<'_>, batch: &RecordBatch) -> Result<(), EngineError> {
        let store = &run.stores[self.store];
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(());
        }
        self.rows += rows as u64;
        let columns = self.columns(store, batch);
        let by = &columns[..store.n_by];
        if by.iter().any(Column::has_wide) {
            let mut wide = vec![false; rows];
            for column in by {
                column.note_wide(&mut wide);
            }
            let n_wide = wide.iter().filter(|wide| **wide).count();
            // Where many are wide, apart from each other they would gain little.
            if 2 * n_wide < rows {
                let select = |wanted: bool| {
                    let rows: BooleanArray = wide.iter().map(|wide| Some(*wide == wanted)).collect();
                    filter_record_batch(batch, &rows).expect("internal error: a filter of the batch's length")
                };
                let mut lane = std::mem::take(&mut self.wide);
                let done = self.add_to(&mut lane, run, &select(true), Some(true));
                self.wide = lane;
                done?;
                let mut lane = std::mem::take(&mut self.narrow);
                let done = self.add_to(&mut lane, run, &select(false), Some(false));
                self.narrow = lane;
                return done;
            }
            let mut lane = std::mem::take(&mut self.wide);
            let done = self.add_to(&mut lane, run, batch, None);
            self.wide = lane;
            return done;
        }
        let mut lane = std::mem::take(&mut self.narrow);
        let done = self.add_to(&mut lane, run, batch, Some(false));
        self.narrow = lane;
        done
    }

    /// Adds rows to one lane. `wide` says that all rows are so or none is.
    fn add_to(
        &mut self,
        lane: &mut Lane,
        run: &Run<'_>,
        batch: &RecordBatch,
        wide: Option<bool>,
    ) -> Result<(), EngineError> {
        let store = &run.stores[self.store];
        let rows = batch.num_rows();
        let columns = self.columns(store, batch);
        self.words.clear();
        let fits = lane.layout.as_ref().is_some_and(|layout| layout.pack(&columns, rows, &mut self.words));
        if !fits {
            let ranges: Vec<(i64, i64)> = columns.iter().map(Column::range).collect();
            let layout = match lane.layout.take() {
                Some(layout) => {
                    let wider = layout.widened(&ranges);
                    self.hand_over_all(lane, run, &layout)?;
                    wider
                }
                None => Layout::roomy(&ranges),
            };
            self.words.clear();
            assert!(layout.pack(&columns, rows, &mut self.words), "internal error: a layout lacks room");
            lane.layout = Some(Arc::new(layout));
        }
        self.place(store, &columns[..store.n_by], rows, wide);
        let Some(layout) = lane.layout.clone() else { return Ok(()) };
        lane.blocks.resize_with(store.partitions.len(), Vec::new);
        match layout.words {
            1 => self.spread::<1>(lane, run, &layout),
            2 => self.spread::<2>(lane, run, &layout),
            3 => self.spread::<3>(lane, run, &layout),
            4 => self.spread::<4>(lane, run, &layout),
            width => {
                let (words, hashes) = (std::mem::take(&mut self.words), std::mem::take(&mut self.hashes));
                let mut rows = words.chunks_exact(width).zip(&hashes);
                rows.try_for_each(|(row, &at)| self.push(lane, run, &layout, at as usize, row))?;
                (self.words, self.hashes) = (words, hashes);
                Ok(())
            }
        }
    }

    /// Writes the partition of each row to `hashes`.
    fn place(&mut self, store: &Store, by: &[Column<'_>], rows: usize, wide: Option<bool>) {
        self.hashes.clear();
        self.hashes.resize(rows, 0);
        for column in by {
            column.mix_into(&mut self.hashes);
        }
        // The high half of the product spreads hashes evenly over any number of partitions.
        let n_narrow = (store.partitions.len() / 2) as u64;
        let first = if wide == Some(true) { n_narrow } else { 0 };
        for hash in &mut self.hashes {
            *hash = first + ((u128::from(*hash) * u128::from(n_narrow)) >> 64) as u64;
        }
        if wide.is_none() {
            let mut wide = vec![false; rows];
            for column in by {
                column.note_wide(&mut wide);
            }
            self.hashes.iter_mut().zip(wide).filter(|(_, wide)| *wide).for_each(|(at, _)| *at += n_narrow);
        }
    }

    /// [`Self::push`] for all rows, of a width that the compiler knows.
    fn spread<const N: usize>(
        &mut self,
        lane: &mut Lane,
        run: &Run<'_>,
        layout: &Arc<Layout>,
    ) -> Result<(), EngineError> {
        let (words, hashes) = (std::mem::take(&mut self.words), std::mem::take(&mut self.hashes));
        for (row, &at) in words.as_chunks::<N>().0.iter().zip(&hashes) {
            self.push(lane, run, layout, at as usize, row)?;
        }
        (self.words, self.hashes) = (words, hashes);
        Ok(())
    }

    #[inline]
    fn push(
        &mut self,
        lane: &mut Lane,
        run: &Run<'_>,
        layout: &Arc<Layout>,
        at: usize,
        row: &[u64],
    ) -> Result<(), EngineError> {
        let block = &mut lane.blocks[at];
        if block.len() + row.len() > block.capacity() {
            if !block.is_empty() {
                self.hand_over(lane, run, layout, at)?;
            }
            let words = if self.step.combine.is_some() { 8 * BLOCK_WORDS } else { BLOCK_WORDS };
            lane.blocks[at].reserve_exact(words / row.len() * row.len());
        }
        lane.blocks[at].extend_from_slice(row);
        Ok(())
    }

    /// Gives the block of one partition to it.
    #[cold]
    fn hand_over(
        &mut self,
        lane: &mut Lane,
        run: &Run<'_>,
        layout: &Arc<Layout>,
        at: usize,
    ) -> Result<(), EngineError> {
        let store = &run.stores[self.store];
        let block = std::mem::take(&mut lane.blocks[at]);
        let chunk = self.combined(store, layout, block)?;
        let bytes = Partition::bytes_of(&chunk);
        lock(&store.partitions[at]).add(chunk);
        run.hold(bytes)
    }

    fn hand_over_all(
        &mut self,
        lane: &mut Lane,
        run: &Run<'_>,
        layout: &Arc<Layout>,
    ) -> Result<(), EngineError> {
        for at in 0..lane.blocks.len() {
            if !lane.blocks[at].is_empty() {
                self.hand_over(lane, run, layout, at)?;
            }
        }
        Ok(())
    }

    /// Hands all staged rows to their partitions.
    pub(super) fn flush(mut self, run: &Run<'_>) -> Result<(), EngineError> {
        for mut lane in [std::mem::take(&mut self.narrow), std::mem::take(&mut self.wide)] {
            if let Some(layout) = lane.layout.take() {
                self.hand_over_all(&mut lane, run, &layout)?;
            }
        }
        run.stores[self.store].note_rows(self.rows);
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
            let fits = layout.pack(&self.columns(store, batch), batch.num_rows(), &mut words);
            assert!(fits, "internal error: a layout lacks room");
        }
        Ok(Chunk { layout, words: words.into() })
    }
}
