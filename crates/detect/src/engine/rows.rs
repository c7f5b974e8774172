//! Rows as the engine keeps them: a few 64-bit words each, most significant column first, so that
//! comparing words compares rows.
//!
//! A [`Layout`] gives each column as many bits as its range needs. Columns never straddle words.
//! 36 million pairs of a co-sharing step take 8 bytes each this way instead of 16.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};

/// Most words a row can have: one for each column at worst.
pub(super) const MAX_WORDS: usize = 20;

/// Rows that are packed at once.
const PACKED_AT_ONCE: usize = 512;

/// Where each column lies in the words of a row. Columns are in sort order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    columns: Vec<Slot>,
    /// Words a row.
    pub(super) words: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    min: i64,
    max: i64,
    word: usize,
    shift: u32,
    bits: u32,
}

impl Slot {
    fn mask(&self) -> u64 {
        if self.bits == 64 { u64::MAX } else { (1 << self.bits) - 1 }
    }

    /// Puts values from row `from` on into their rows of so many words. Not 0 where one does not fit.
    fn pack(&self, column: &Column<'_>, from: usize, words: usize, out: &mut [u64]) -> u64 {
        match column {
            Column::I32(values) => self.pack_each(values[from..].iter().map(|&v| i64::from(v)), words, out),
            Column::I64(values) => self.pack_each(values[from..].iter().copied(), words, out),
            Column::Same(value) => self.pack_each(std::iter::repeat(*value), words, out),
        }
    }

    #[inline]
    fn pack_each(&self, values: impl Iterator<Item = i64>, words: usize, out: &mut [u64]) -> u64 {
        let (min, mask, shift) = (self.min, self.mask(), self.shift);
        if self.bits == 0 {
            return values.take(out.len() / words).fold(0, |beyond, value| beyond | (value ^ min) as u64);
        }
        let mut beyond = 0;
        let mut pack = |word: &mut u64, value: i64| {
            let bits = value.wrapping_sub(min) as u64;
            beyond |= bits & !mask;
            *word |= (bits & mask) << shift;
        };
        match words {
            1 => out.iter_mut().zip(values).for_each(|(word, value)| pack(word, value)),
            2 => out
                .as_chunks_mut::<2>()
                .0
                .iter_mut()
                .zip(values)
                .for_each(|(r, v)| pack(&mut r[self.word], v)),
            3 => out
                .as_chunks_mut::<3>()
                .0
                .iter_mut()
                .zip(values)
                .for_each(|(r, v)| pack(&mut r[self.word], v)),
            4 => out
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .zip(values)
                .for_each(|(r, v)| pack(&mut r[self.word], v)),
            n => out.chunks_exact_mut(n).zip(values).for_each(|(r, v)| pack(&mut r[self.word], v)),
        }
        beyond
    }

    fn get(&self, row: &[u64]) -> i64 {
        self.min.wrapping_add(((row[self.word] >> self.shift) & self.mask()) as i64)
    }
}

impl Layout {
    /// For columns with these smallest and largest values.
    pub(super) fn new(ranges: &[(i64, i64)]) -> Self {
        let mut columns: Vec<Slot> = Vec::with_capacity(ranges.len());
        let (mut word, mut free) = (0, 64);
        for &(min, max) in ranges {
            let span = max.wrapping_sub(min) as u64;
            let bits = 64 - span.leading_zeros();
            if bits > free {
                word += 1;
                free = 64;
            }
            free -= bits;
            // A column of one value has no bits; its shift must still be below 64.
            columns.push(Slot { min, max, word, shift: free.min(63), bits });
        }
        Self { columns, words: word + 1 }
    }

    pub(super) fn ranges(&self) -> Vec<(i64, i64)> {
        self.columns.iter().map(|slot| (slot.min, slot.max)).collect()
    }

    /// Whether all values within these ranges fit.
    #[cfg(test)]
    pub(super) fn covers(&self, ranges: &[(i64, i64)]) -> bool {
        self.columns.iter().zip(ranges).all(|(slot, (min, max))| slot.min <= *min && *max <= slot.max)
    }

    /// A layout that holds what both hold.
    pub(super) fn widened(&self, ranges: &[(i64, i64)]) -> Self {
        let both = |(slot, range): (&Slot, &(i64, i64))| (slot.min.min(range.0), slot.max.max(range.1));
        Self::roomy(&self.columns.iter().zip(ranges).map(both).collect::<Vec<_>>())
    }

    /// For columns with about these smallest and largest values: each range is widened to what its
    /// bits can hold, from a round number on, so that the next rows mostly fit too and two writers
    /// mostly agree. A column of one value stays one: it costs nothing.
    pub(super) fn roomy(ranges: &[(i64, i64)]) -> Self {
        let widen = |&(min, max): &(i64, i64)| {
            let span = max.wrapping_sub(min) as u64;
            let bits = 64 - span.leading_zeros();
            if bits == 0 || bits > 60 {
                return (min, max);
            }
            let low = min >> (bits - 1) << (bits - 1);
            let bits = 64 - (max.wrapping_sub(low) as u64).leading_zeros();
            (low, low.saturating_add(((1_u64 << bits) - 1) as i64))
        };
        Self::new(&ranges.iter().map(widen).collect::<Vec<_>>())
    }

    /// The smallest layout that holds what all of these hold.
    pub(super) fn union<'a>(layouts: impl Iterator<Item = &'a Self>) -> Option<Self> {
        let mut ranges: Option<Vec<(i64, i64)>> = None;
        for layout in layouts {
            match &mut ranges {
                None => ranges = Some(layout.ranges()),
                Some(ranges) => {
                    for (range, slot) in ranges.iter_mut().zip(&layout.columns) {
                        range.0 = range.0.min(slot.min);
                        range.1 = range.1.max(slot.max);
                    }
                }
            }
        }
        ranges.map(|ranges| Self::new(&ranges))
    }

    /// Appends the rows of the columns, packed, to `words`. False where a value does not fit into its column: then what
    /// was appended means nothing.
    pub(super) fn pack(&self, columns: &[Column<'_>], rows: usize, words: &mut Vec<u64>) -> bool {
        let start = words.len();
        words.resize(start + rows * self.words, 0);
        // Block by block, so that the words stay in the first-level cache while the columns come by.
        let mut beyond = 0;
        for (block, out) in words[start..].chunks_mut(PACKED_AT_ONCE * self.words).enumerate() {
            let from = block * PACKED_AT_ONCE;
            for (slot, column) in self.columns.iter().zip(columns) {
                beyond |= slot.pack(column, from, self.words, out);
            }
        }
        beyond == 0
    }

    /// Writes one row of layout `from` in this layout.
    pub(super) fn repack(&self, from: &Self, row: &[u64], out: &mut [u64]) {
        out.fill(0);
        for (to, slot) in self.columns.iter().zip(&from.columns) {
            if to.bits > 0 {
                out[to.word] |= (slot.get(row).wrapping_sub(to.min) as u64) << to.shift;
            }
        }
    }

    /// Appends rows of layout `from`, in this layout, to `out`.
    pub(super) fn repack_all(&self, from: &Self, rows: &[u64], out: &mut Vec<u64>) {
        if self.columns == from.columns {
            out.extend_from_slice(rows);
            return;
        }
        let start = out.len();
        out.resize(start + rows.len() / from.words * self.words, 0);
        for (to, slot) in self.columns.iter().zip(&from.columns) {
            if to.bits == 0 {
                continue;
            }
            let (mask, more) = (slot.mask(), slot.min.wrapping_sub(to.min) as u64);
            for (row, out) in rows.chunks_exact(from.words).zip(out[start..].chunks_exact_mut(self.words)) {
                out[to.word] |= ((row[slot.word] >> slot.shift) & mask).wrapping_add(more) << to.shift;
            }
        }
    }

    /// The rows as a batch of the schema; `places[i]` is where schema column `i` stands in sort order.
    pub(super) fn unpack(&self, words: &[u64], schema: &SchemaRef, places: &[usize]) -> RecordBatch {
        let columns: Vec<ArrayRef> = schema
            .fields()
            .iter()
            .zip(places)
            .map(|(field, &place)| {
                let slot = &self.columns[place];
                if field.data_type() == &DataType::Int32 {
                    Arc::new(Int32Array::from(self.values(slot, words, |value| value as i32))) as ArrayRef
                } else {
                    Arc::new(Int64Array::from(self.values(slot, words, |value| value)))
                }
            })
            .collect();
        RecordBatch::try_new(schema.clone(), columns)
            .expect("internal error: columns were made from the schema")
    }

    fn values<T>(&self, slot: &Slot, words: &[u64], cast: impl Fn(i64) -> T) -> Vec<T> {
        let (min, mask, shift) = (slot.min, slot.mask(), slot.shift);
        let value = |word: u64| cast(min.wrapping_add(((word >> shift) & mask) as i64));
        match self.words {
            1 => words.iter().map(|&word| value(word)).collect(),
            2 => words.as_chunks::<2>().0.iter().map(|row| value(row[slot.word])).collect(),
            n => words.chunks_exact(n).map(|row| value(row[slot.word])).collect(),
        }
    }

    /// Sorts rows of this layout. `spare` grows as needed; its content means nothing.
    pub(super) fn sort(&self, words: &mut Vec<u64>, spare: &mut Vec<u64>) {
        match self.words {
            1 => self.sort_n::<1>(words, spare),
            2 => self.sort_n::<2>(words, spare),
            3 => self.sort_n::<3>(words, spare),
            4 => self.sort_n::<4>(words, spare),
            5 => self.sort_n::<5>(words, spare),
            6 => self.sort_n::<6>(words, spare),
            7 => self.sort_n::<7>(words, spare),
            8 => self.sort_n::<8>(words, spare),
            9 => self.sort_n::<9>(words, spare),
            10 => self.sort_n::<10>(words, spare),
            11 => self.sort_n::<11>(words, spare),
            12 => self.sort_n::<12>(words, spare),
            _ => self.sort_n::<MAX_WORDS>(words, spare),
        }
    }

    fn sort_n<const N: usize>(&self, words: &mut Vec<u64>, spare: &mut Vec<u64>) {
        if N == MAX_WORDS && self.words != N {
            let mut rows: Vec<Vec<u64>> = words.chunks_exact(self.words).map(<[u64]>::to_vec).collect();
            rows.sort_unstable();
            *words = rows.concat();
            return;
        }
        if spare.len() < words.len() {
            spare.resize(words.len(), 0);
        }
        let (rows, rest) = words.as_chunks_mut::<N>();
        debug_assert!(rest.is_empty(), "internal error: a torn row");
        radix_sort(rows, spare.as_chunks_mut::<N>().0);
    }
}

/// Bits that one pass of the sort looks at: 256 open cache lines stay in the first-level cache.
const DIGIT: u32 = 8;
/// Below this many rows, comparing is faster.
const COMPARE_BELOW: usize = 192;

/// Sorts by the highest bits that differ, no more of them than it takes to tell most rows apart, with
/// passes from the least significant digit; then sorts each run of rows that agree on those bits.
fn radix_sort<const N: usize>(rows: &mut [[u64; N]], spare: &mut [[u64; N]]) {
    if rows.len() < COMPARE_BELOW {
        rows.sort_unstable();
        return;
    }
    let first = rows[0];
    let mut differing = [0; N];
    for row in &*rows {
        for (bits, (word, first)) in differing.iter_mut().zip(row.iter().zip(&first)) {
            *bits |= word ^ first;
        }
    }
    let Some(word) = differing.iter().position(|bits| *bits != 0) else { return };
    let used = 64 - differing[word].leading_zeros();
    let wanted = rows.len().ilog2() + 4;
    let passes = wanted.min(used).div_ceil(DIGIT);
    let low = used.saturating_sub(passes * DIGIT);
    let spare = &mut spare[..rows.len()];
    for pass in 0..passes {
        let shift = low + pass * DIGIT;
        if pass % 2 == 0 { scatter(rows, spare, word, shift) } else { scatter(spare, rows, word, shift) }
    }
    if passes % 2 == 1 {
        rows.copy_from_slice(spare);
    }
    if low == 0 && word + 1 == N {
        return;
    }
    let mut start = 0;
    while start < rows.len() {
        let key = rows[start][word] >> low;
        let mut end = start + 1;
        while end < rows.len() && rows[end][word] >> low == key {
            end += 1;
        }
        match end - start {
            1 => {}
            2..=24 => insertion_sort(&mut rows[start..end]),
            _ => radix_sort(&mut rows[start..end], &mut spare[start..end]),
        }
        start = end;
    }
}

/// One stable pass over the digit at `shift`.
fn scatter<const N: usize>(from: &[[u64; N]], to: &mut [[u64; N]], word: usize, shift: u32) {
    let digit = |row: &[u64; N]| ((row[word] >> shift) & ((1 << DIGIT) - 1)) as usize;
    let mut places = [0_usize; 1 << DIGIT];
    for row in from {
        places[digit(row)] += 1;
    }
    let mut next = 0;
    for place in &mut places {
        (*place, next) = (next, next + *place);
    }
    for row in from {
        let place = &mut places[digit(row)];
        to[*place] = *row;
        *place += 1;
    }
}

fn insertion_sort<const N: usize>(rows: &mut [[u64; N]]) {
    for at in 1..rows.len() {
        let row = rows[at];
        let mut to = at;
        while to > 0 && rows[to - 1] > row {
            rows[to] = rows[to - 1];
            to -= 1;
        }
        rows[to] = row;
    }
}

/// A column that is about to be packed.
pub(super) enum Column<'a> {
    I32(&'a [i32]),
    I64(&'a [i64]),
    /// The same value in every row: a source number, or a column that an input lacks.
    Same(i64),
}

impl<'a> Column<'a> {
    /// The values of an Arrow column, which must be Int32 or Int64 without nulls.
    pub(super) fn of(array: &'a ArrayRef) -> Option<Self> {
        match array.data_type() {
            DataType::Int32 if array.null_count() == 0 => {
                Some(Self::I32(array.as_primitive::<Int32Type>().values()))
            }
            DataType::Int64 if array.null_count() == 0 => {
                Some(Self::I64(array.as_primitive::<Int64Type>().values()))
            }
            _ => None,
        }
    }

    /// Smallest and largest value; of no rows, any.
    pub(super) fn range(&self) -> (i64, i64) {
        match self {
            Self::I32(values) => {
                let (min, max) = values.iter().fold((i32::MAX, i32::MIN), |(a, b), &v| (a.min(v), b.max(v)));
                if min <= max { (min.into(), max.into()) } else { (0, 0) }
            }
            Self::I64(values) => {
                let (min, max) = values.iter().fold((i64::MAX, i64::MIN), |(a, b), &v| (a.min(v), b.max(v)));
                if min <= max { (min, max) } else { (0, 0) }
            }
            Self::Same(value) => (*value, *value),
        }
    }

    /// True where [`Self::note_wide`] would note any row.
    pub(super) fn has_wide(&self) -> bool {
        match self {
            Self::I32(_) => false,
            // Without a branch, so that the compiler makes vector code of it.
            Self::I64(values) => values.iter().fold(0, |all, &value| all | beyond_narrow(value)) != 0,
            Self::Same(value) => beyond_narrow(*value) != 0,
        }
    }

    /// Notes rows whose value is beyond 48 bits: the high half of an IPv6 address is, while the halves of an IPv4
    /// address and ids of texts are not. Fixed for ever: partitions depend on it.
    pub(super) fn note_wide(&self, wide: &mut [bool]) {
        match self {
            Self::I32(_) => {}
            Self::I64(values) => {
                wide.iter_mut().zip(*values).for_each(|(wide, &value)| *wide |= beyond_narrow(value) != 0);
            }
            Self::Same(value) => wide.iter_mut().for_each(|wide| *wide |= beyond_narrow(*value) != 0),
        }
    }

    /// Mixes the values into one hash a row. Fixed for ever: partitions depend on it.
    pub(super) fn mix_into(&self, hashes: &mut [u64]) {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |hash: u64, value: i64| {
            let mixed = (hash ^ value as u64).wrapping_mul(ODD);
            mixed ^ (mixed >> 29)
        };
        match self {
            Self::I32(values) => hashes.iter_mut().zip(*values).for_each(|(h, &v)| *h = mix(*h, v.into())),
            Self::I64(values) => hashes.iter_mut().zip(*values).for_each(|(h, &v)| *h = mix(*h, v)),
            Self::Same(value) => hashes.iter_mut().for_each(|h| *h = mix(*h, *value)),
        }
    }
}

/// Not 0 for values that are neither small negative numbers nor of 48 bits.
fn beyond_narrow(value: i64) -> i64 {
    value.wrapping_add(1 << 32) >> 49
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packing_keeps_values_and_order(rows in prop::collection::vec((any::<i64>(), -3_i32..3, 0_i64..1000), 1..200)) {
            let columns: (Vec<i64>, Vec<i32>, Vec<i64>) =
                (rows.iter().map(|r| r.0).collect(), rows.iter().map(|r| r.1).collect(), rows.iter().map(|r| r.2).collect());
            let packed = [Column::I32(&columns.1), Column::I64(&columns.2), Column::I64(&columns.0)];
            let layout = Layout::new(&packed.iter().map(Column::range).collect::<Vec<_>>());
            let mut words = Vec::new();
            assert!(layout.pack(&packed, rows.len(), &mut words));
            layout.sort(&mut words, &mut Vec::new());
            let schema = crate::engine::schema_of(&[
                ("x", DataType::Int64), ("y", DataType::Int32), ("z", DataType::Int64)]);
            let batch = layout.unpack(&words, &schema, &[2, 0, 1]);
            let mut expected = rows.clone();
            expected.sort_by_key(|r| (r.1, r.2, r.0));
            let got: Vec<(i64, i32, i64)> = (0..rows.len()).map(|i| (
                batch.column(0).as_primitive::<Int64Type>().value(i),
                batch.column(1).as_primitive::<Int32Type>().value(i),
                batch.column(2).as_primitive::<Int64Type>().value(i))).collect();
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn radix_and_comparison_agree(
            mut rows in prop::collection::vec((0_u64..1 << 40, prop_oneof![any::<u64>(), 0_u64..3]), 150..3000),
            shift in 0_u32..40,
            keep in any::<u64>(),
        ) {
            // Fewer distinct values, so that long runs agree on the bits of the first pass.
            for row in &mut rows {
                *row = (row.0 >> shift, row.1 & keep);
            }
            let layout = Layout::new(&[(0, (1 << 40) - 1), (i64::MIN, i64::MAX)]);
            let mut words: Vec<u64> = rows.iter().flat_map(|r| [r.0, r.1]).collect();
            layout.sort(&mut words, &mut Vec::new());
            rows.sort_unstable();
            prop_assert_eq!(words, rows.iter().flat_map(|r| [r.0, r.1]).collect::<Vec<_>>());
        }

        #[test]
        fn a_wider_layout_keeps_the_row(value in -1000_i64..1000, more in any::<i64>()) {
            let narrow = Layout::new(&[(-1000, 1000), (7, 7)]);
            let wide = narrow.widened(&[(more, more), (0, 9)]);
            prop_assert!(wide.covers(&narrow.ranges()) && wide.covers(&[(more, more), (0, 9)]));
            let mut words = Vec::new();
            assert!(narrow.pack(&[Column::Same(value), Column::Same(7)], 1, &mut words));
            let mut out = vec![0; wide.words];
            wide.repack(&narrow, &words, &mut out);
            let mut again = vec![0; narrow.words];
            narrow.repack(&wide, &out, &mut again);
            prop_assert_eq!(words, again);
        }
    }
}
