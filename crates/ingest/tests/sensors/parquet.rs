//! Parquet of network kinds.

use std::path::Path;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use traffic::flow::{self, Flow};
use traffic::rate::{self, Rate};
use traffic::{Address, Kind};

use crate::common::read;

fn write(path: &Path, batch: &RecordBatch) {
    let file = std::fs::File::create(path).expect("a file");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(batch).expect("rows");
    writer.close().expect("a file");
}

fn flow(n: i64) -> Flow {
    let src = Address::v4(0xc000_0200 + n as u32);
    Flow {
        src_hi: src.hi,
        src_lo: src.lo,
        time: 1_700_000_000_000 + n,
        packets: n,
        bytes: 60 * n,
        proto: 17,
        ..Flow::EMPTY
    }
}

#[test]
fn flows_come_back_as_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, rows) = (folder.path().join("flows"), (0..1000).map(flow).collect::<Vec<_>>());
    write(&path, &flow::batch(&rows));
    let reading = read(&[path]).expect("flows");
    assert_eq!((reading.kinds(), reading.ledger.rows_read), ("flow 1000".to_owned(), 1000));
    assert_eq!(reading.ledger.formats[0].1, "Parquet of network traffic");
    let back: Vec<Flow> = reading.batches_of(Kind::Flow).flat_map(flow::rows).collect();
    assert_eq!(back, rows);
}

#[test]
fn bad_rows_are_left_out_and_columns_may_stand_in_any_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rates");
    let rows = [
        Rate { series: 1, time: 1_700_000_000_000, step: 60_000, count: 7 },
        Rate { series: 1, time: -5, step: 60_000, count: 7 },
        Rate { series: 1, time: 1_700_000_060_000, step: 60_000, count: -7 },
        Rate { series: 1, time: 1_700_000_120_000, step: 60_000, count: 8 },
    ];
    let batch = rate::batch(&rows);
    let mut columns: Vec<(String, ArrayRef)> = batch
        .schema()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| (field.name().clone(), column.clone()))
        .collect();
    columns.reverse();
    columns.push(("more".to_owned(), Arc::new(Int64Array::from(vec![0; 4]))));
    write(&path, &RecordBatch::try_from_iter(columns).expect("columns"));
    let reading = read(&[path]).expect("rates");
    let back: Vec<Rate> = reading.batches_of(Kind::Rate).flat_map(rate::rows).collect();
    assert_eq!(back, [rows[0], rows[3]]);
    assert_eq!(reading.problems(), "1 × before 1970\n1 × a number is none, or is out of its range");
}

#[test]
fn a_missing_column_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flows");
    let batch = flow::batch(&[flow(1)]);
    let kept: Vec<usize> =
        (0..batch.num_columns()).filter(|&n| batch.schema().field(n).name() != "uid").collect();
    write(&path, &batch.project(&kept).expect("columns"));
    let error = read(&[path]).map(|_| ()).expect_err("a column is missing").to_string();
    assert!(error.contains("it has columns of the kind flow, but no column uid of Int64"), "{error}");
}
