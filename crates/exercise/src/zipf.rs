//! Large traffic of a known shape, for measuring: objects by Zipf's law, a few accounts that post
//! much, and planted groups that share the same objects within seconds.
//!
//! Rows come in no order, as from a store that was filled by many feeds.

use std::sync::Arc;

use arrow_array::{Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

/// The shape of the traffic. [`Shape::default`] is what `cargo xtask bench` measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows in all, those of the planted groups included.
    pub rows: usize,
    /// Rows are spread evenly over so many days.
    pub days: u32,
    /// Objects; the one of rank r has 1/r of the share of the first (Zipf with exponent 1).
    pub objects: u32,
    /// Accounts; the chance of the first x of them together is the root of x / accounts.
    pub accounts: u32,
    /// Planted groups. The accounts of two groups are distinct.
    pub groups: u32,
    /// Accounts in a group.
    pub group_accounts: u32,
    /// Objects that all accounts of a group share.
    pub group_objects: u32,
    /// All shares of one object by one group lie within so many milliseconds.
    pub group_window_ms: u32,
    /// Everything follows from this number.
    pub seed: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            rows: 10_000_000,
            days: 14,
            objects: 2_000_000,
            accounts: 1_000_000,
            groups: 200,
            group_accounts: 20,
            group_objects: 30,
            group_window_ms: 30_000,
            seed: 1,
        }
    }
}

impl Shape {
    /// Pairs of accounts of one group, over all groups: each meets on `group_objects` objects.
    pub fn planted_pairs(&self) -> u64 {
        u64::from(self.groups) * u64::from(self.group_accounts) * u64::from(self.group_accounts - 1) / 2
    }

    /// The rows, as batches of `batch_rows` rows of [`schema`].
    ///
    /// # Panics
    /// Where the planted groups need more rows or accounts than there are.
    pub fn batches(self, batch_rows: usize) -> impl Iterator<Item = RecordBatch> {
        let mut rows = Rows::new(self);
        std::iter::from_fn(move || {
            let size = batch_rows.min(self.rows - rows.at);
            (size > 0).then(|| rows.batch(size))
        })
    }
}

/// `account` Int32, `object` Int64, `ts` Int64 (milliseconds since the epoch).
pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("account", DataType::Int32, false),
        Field::new("object", DataType::Int64, false),
        Field::new("ts", DataType::Int64, false),
    ]))
}

/// 1 June 2026, 00:00 UTC.
const START_MS: i64 = 1_780_272_000_000;
const DAY_MS: u64 = 86_400_000;

struct Rows {
    shape: Shape,
    random: SplitMix,
    /// Share of the objects up to each rank.
    cumulative: Vec<f64>,
    /// Rows of the planted groups, still to come.
    planted: Vec<(i32, i64, i64)>,
    at: usize,
}

impl Rows {
    fn new(shape: Shape) -> Self {
        let mut random = SplitMix(shape.seed);
        let mut total = 0.0;
        let cumulative = (1..=shape.objects)
            .map(|rank| {
                total += 1.0 / f64::from(rank);
                total
            })
            .collect();
        let planted = plant(&shape, &mut random);
        assert!(planted.len() <= shape.rows, "internal error: more planted rows than rows");
        Self { shape, random, cumulative, planted, at: 0 }
    }

    fn batch(&mut self, rows: usize) -> RecordBatch {
        let (mut accounts, mut objects, mut times) =
            (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
        for _ in 0..rows {
            let (account, object, time) = self.next();
            accounts.push(account);
            objects.push(object);
            times.push(time);
        }
        RecordBatch::try_new(
            schema(),
            vec![
                Arc::new(Int32Array::from(accounts)),
                Arc::new(Int64Array::from(objects)),
                Arc::new(Int64Array::from(times)),
            ],
        )
        .expect("internal error: the columns follow the schema")
    }

    fn next(&mut self) -> (i32, i64, i64) {
        let left = (self.shape.rows - self.at) as u64;
        self.at += 1;
        // Planted rows are spread evenly over what is still to come, and so are all placed in the end.
        if self.random.below(left) < self.planted.len() as u64
            && let Some(row) = self.planted.pop()
        {
            return row;
        }
        let share = self.random.unit() * self.cumulative.last().copied().unwrap_or(0.0);
        let object = self.cumulative.partition_point(|&up_to| up_to <= share);
        let account = f64::from(self.shape.accounts) * self.random.unit().powi(2);
        (account as i32, object as i64, self.random.moment(&self.shape))
    }
}

/// The rows of the planted groups, in random order. Their accounts are the rarest ones; their objects
/// are drawn from the rarer half.
fn plant(shape: &Shape, random: &mut SplitMix) -> Vec<(i32, i64, i64)> {
    let members = shape.groups * shape.group_accounts;
    assert!(members <= shape.accounts, "internal error: more planted accounts than accounts");
    let mut rows = Vec::with_capacity((members * shape.group_objects) as usize);
    let half = u64::from(shape.objects / 2);
    for group in 0..shape.groups {
        for _ in 0..shape.group_objects {
            let object = (half + random.below(half)) as i64;
            let start = random.moment(shape);
            for member in 0..shape.group_accounts {
                let account = shape.accounts - 1 - (group * shape.group_accounts + member);
                let delay = random.below(u64::from(shape.group_window_ms)) as i64;
                rows.push((account as i32, object, start + delay));
            }
        }
    }
    for at in (1..rows.len()).rev() {
        rows.swap(at, random.below(at as u64 + 1) as usize);
    }
    rows
}

/// Steele, Lea and Flood's SplitMix64: small, and the same everywhere.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly below `n`, but for a bias below n / 2^64.
    fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// Evenly in [0, 1).
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn moment(&mut self, shape: &Shape) -> i64 {
        START_MS + self.below(u64::from(shape.days) * DAY_MS) as i64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow_array::cast::AsArray;
    use arrow_array::types::{Int32Type, Int64Type};

    use super::*;

    fn small() -> Shape {
        Shape { rows: 20_000, objects: 1000, accounts: 5000, groups: 3, ..Shape::default() }
    }

    #[test]
    fn the_same_seed_gives_the_same_rows_in_any_batches() {
        let rows = |batch| -> Vec<i64> {
            small()
                .batches(batch)
                .flat_map(|b| b.column(2).as_primitive::<Int64Type>().values().to_vec())
                .collect()
        };
        assert_eq!(rows(20_000), rows(777));
    }

    #[test]
    fn groups_are_planted_whole_and_the_first_object_is_the_commonest() {
        let shape = small();
        let mut members: BTreeMap<i32, u32> = BTreeMap::new();
        let mut objects: BTreeMap<i64, u32> = BTreeMap::new();
        for batch in shape.batches(4096) {
            let accounts = batch.column(0).as_primitive::<Int32Type>().values();
            for (&account, &object) in
                accounts.iter().zip(batch.column(1).as_primitive::<Int64Type>().values())
            {
                if account >= 5000 - 60 {
                    *members.entry(account).or_default() += 1;
                }
                *objects.entry(object).or_default() += 1;
            }
        }
        assert_eq!(members.len(), 60);
        assert!(members.values().all(|&rows| rows >= 30), "{members:?}");
        let commonest = objects.iter().max_by_key(|(_, rows)| **rows).map(|(object, _)| *object);
        assert_eq!(commonest, Some(0));
    }
}
