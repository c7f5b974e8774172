//! The engine gives the same bytes for any batch size, order of input, thread count and memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use arrow_array::RecordBatch;
use detect::coordination::co_share;
use detect::engine::{Engine, column_i32, column_i64};
use proptest::prelude::*;
use traffic::post::{self, Action, Platform, Post, Trace};
use traffic::{Batch, Extent, Kind, Part, Scratch};

/// Scratch space in memory.
#[derive(Default)]
struct MemoryScratch(Mutex<Vec<u8>>);

impl Scratch for MemoryScratch {
    fn append(&self, bytes: &[u8]) -> io::Result<Extent> {
        let mut all = self.0.lock().expect("no thread panicked");
        let offset = all.len() as u64;
        all.extend_from_slice(bytes);
        Ok(Extent { offset, len: bytes.len() as u64 })
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let all = self.0.lock().expect("no thread panicked");
        let start = offset as usize;
        buf.copy_from_slice(all.get(start..start + buf.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

fn row(account: i32, object: i64, time: i64) -> Post {
    Post {
        account,
        object,
        trace: Trace::Object,
        action: Action::Share,
        time,
        post: -1,
        platform: Platform::Unknown,
        author: -1,
    }
}

/// What the two steps should say, in the plainest way: every pair of rows is compared.
fn plainly(rows: &[Post], window: i64, min: usize) -> Vec<(i32, i32, i64)> {
    let mut objects: BTreeMap<(i32, i32), BTreeSet<i64>> = BTreeMap::new();
    for x in rows {
        for y in rows {
            if x.account < y.account && x.object == y.object && (x.time - y.time).abs() <= window {
                objects.entry((x.account, y.account)).or_default().insert(x.object);
            }
        }
    }
    objects.into_iter().filter(|(_, o)| o.len() >= min).map(|((a, b), o)| (a, b, o.len() as i64)).collect()
}

fn parts(rows: &[Post], batch: usize, n_parts: usize) -> Vec<Part> {
    let batches: Vec<RecordBatch> = rows.chunks(batch.max(1)).map(post::batch).collect();
    let mut parts: Vec<Vec<RecordBatch>> = vec![Vec::new(); n_parts.max(1)];
    for (at, batch) in batches.into_iter().enumerate() {
        parts[at % n_parts.max(1)].push(batch);
    }
    parts
        .into_iter()
        .map(|p| Box::new(p.into_iter().map(|rows| Ok(Batch::new(Kind::Post, rows)))) as Part)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_same_rows_give_the_same_bytes(
        rows in prop::collection::vec((0_i32..40, 0_i64..12, 0_i64..3000), 0..700),
        seed in any::<u64>(),
        batch in 1_usize..300,
        kernel_batch in 1_usize..300,
        n_parts in 1_usize..5,
        threads in 1_usize..4,
        memory in prop_oneof![Just(0_usize), 1000_usize..50_000, Just(usize::MAX)],
    ) {
        let rows: Vec<Post> = rows.into_iter().map(|(a, o, t)| row(a, o, t)).collect();
        let one = Engine::new(1, usize::MAX, Arc::new(MemoryScratch::default()));
        let (calm, _) = one.run(&[co_share::gather(60, 2)], parts(&rows, 100_000, 1)).expect("runs");

        let mut shuffled = rows.clone();
        let mut state = seed | 1;
        for i in (1..shuffled.len()).rev() {
            state ^= state << 13; state ^= state >> 7; state ^= state << 17;
            shuffled.swap(i, (state % (i as u64 + 1)) as usize);
        }
        let other = Engine::new(threads, memory, Arc::new(MemoryScratch::default())).with_batch_rows(kernel_batch);
        let (stormy, totals) = other.run(&[co_share::gather(60, 2)], parts(&shuffled, batch, n_parts)).expect("runs");
        prop_assert_eq!(&calm, &stormy);
        prop_assert_eq!(totals["co-share.meetings"].rows_in, rows.len() as u64);

        let mut got: Vec<(i32, i32, i64)> = Vec::new();
        for batch in &calm["co-share.pairs"] {
            for i in 0..batch.num_rows() {
                got.push((column_i32(batch, "a")[i], column_i32(batch, "b")[i], column_i64(batch, "objects")[i]));
            }
        }
        got.sort_unstable();
        prop_assert_eq!(got, plainly(&rows, 60, 2));
    }
}

#[test]
fn a_low_ceiling_spills_and_says_so() {
    let rows: Vec<Post> = (0..5000).map(|i| row(i % 50, i64::from(i % 7), i64::from(i))).collect();
    let engine = Engine::new(2, 4096, Arc::new(MemoryScratch::default()));
    let (_, totals) = engine.run(&[co_share::gather(60, 2)], parts(&rows, 100, 2)).expect("runs");
    assert!(totals["co-share.pairs"].spilled > 0, "{totals:?}");
}

#[test]
fn a_source_that_fails_fails_the_run() {
    let failing: Part = Box::new(std::iter::once(Err(traffic::SourceError {
        source_name: "feed.csv".to_owned(),
        cause: "disk gone".into(),
    })));
    let engine = Engine::new(2, usize::MAX, Arc::new(MemoryScratch::default()));
    let error = engine.run(&[co_share::gather(60, 2)], vec![failing]).expect_err("the source failed");
    assert_eq!(error.to_string(), "could not read traffic from `feed.csv`");
}
