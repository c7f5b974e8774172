//! The plainest count of pairs, to hold the engine against.

use std::collections::{BTreeMap, BTreeSet};

use detect::engine::{column_i32, column_i64};
use exercise::zipf::Shape;

/// Pairs that meet within a minute on at least three objects, and the sum of those objects.
pub(super) fn plainly(shape: Shape) -> (u64, i64) {
    let mut objects: BTreeMap<i64, Vec<(i64, i32)>> = BTreeMap::new();
    for batch in shape.batches(65_536) {
        let (accounts, times) = (column_i32(&batch, "account"), column_i64(&batch, "ts"));
        for ((&object, &time), &account) in column_i64(&batch, "object").iter().zip(times).zip(accounts) {
            objects.entry(object).or_default().push((time, account));
        }
    }
    let mut pairs: BTreeMap<(i32, i32), BTreeSet<i64>> = BTreeMap::new();
    for (object, mut rows) in objects {
        rows.sort_unstable();
        for (at, &(time, account)) in rows.iter().enumerate() {
            for &(_, other) in rows[at + 1..].iter().take_while(|(later, _)| later - time <= 60_000) {
                if other != account {
                    pairs.entry((account.min(other), account.max(other))).or_default().insert(object);
                }
            }
        }
    }
    let kept = pairs.values().map(BTreeSet::len).filter(|&objects| objects >= 3);
    kept.fold((0, 0), |(pairs, weight), objects| (pairs + 1, weight + objects as i64))
}
