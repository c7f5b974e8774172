//! Parquet files: numbers as they are, text as a table.

use std::path::PathBuf;
use std::sync::Arc;

use crate::common::{dump, read, read_bytes};
use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::file::properties::WriterProperties;
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};

fn file(columns: Vec<(&str, ArrayRef)>, properties: Option<WriterProperties>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    )
    .expect("columns of one length");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), properties).expect("a schema");
    writer.write(&batch).expect("writing to memory");
    writer.into_inner().expect("writing to memory")
}

fn numbers() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("note", Arc::new(StringArray::from(vec!["a", "b", "c", "d", "e"])) as ArrayRef),
        ("ts", Arc::new(Int64Array::from(vec![0, 1_632_679_201_000, 1_795_600_000_000, -1, 5]))),
        ("object", Arc::new(Int64Array::from(vec![Some(70), Some(1 << 40), Some(1), Some(2), None]))),
        ("account", Arc::new(Int32Array::from(vec![3, 2_000_000_000, 4, 5, 6]))),
    ]
}

fn check(bytes: &[u8]) -> String {
    match read_bytes(bytes) {
        Ok(reading) => dump(&reading),
        Err(error) => error,
    }
}

#[test]
fn numbers_are_taken_as_ids() {
    insta::assert_snapshot!(check(&file(numbers(), None)), @"
    1970-01-01T00:00:00Z 3 share object 70
    2021-09-26T18:00:01Z 2000000000 share object 1099511627776
    1 × no object
      5: 6 0 5
    1 × more than a day in the future
      3: 4 1 1795600000000
    1 × before 1970
      4: 5 2 -1
");
}

#[test]
fn numbers_beside_a_table_are_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    std::fs::write(path("a"), file(numbers(), None)).expect("a file");
    std::fs::write(path("b"), "account,object,time\n3,70,1632679200\n").expect("a file");
    insta::assert_snapshot!(dump(&read(&[path("a"), path("b")]).expect("two files")), @"
    1970-01-01T00:00:00Z 3 share object 70
    2021-09-26T18:00:01Z 2000000000 share object 1099511627776
    2021-09-26T18:00:00Z 3 share object 70
    1 × no object
      5: 5  6
    1 × more than a day in the future
      3: 1795600000000 1 4
    1 × before 1970
      4: -1 2 5
");
}

#[test]
fn columns_of_text_are_a_table() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "timestamp_share",
            Arc::new(TimestampMicrosecondArray::from(vec![Some(1_632_679_200_500_000), None])),
        ),
        ("object_id", Arc::new(StringArray::from(vec!["url_1", "o2"]))),
        ("account_id", Arc::new(StringArray::from(vec!["tw_1", "eva"]))),
        ("content_id", Arc::new(Int64Array::from(vec![Some(9), None]))),
    ];
    insta::assert_snapshot!(check(&file(columns, None)), @"
    2021-09-26T18:00:00.5Z tw_1 share url url_1 on x in a post
    1 × no time
      2:  o2 eva
");
}

#[test]
fn a_large_file_has_several_parts_with_the_same_rows() {
    let n = 3_000_000_i64;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("account", Arc::new(Int32Array::from_iter_values((0..n).map(|i| (i % 1000) as i32)))),
        ("object", Arc::new(Int64Array::from_iter_values(0..n))),
        ("time", Arc::new(Int64Array::from_iter_values(0..n))),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    std::fs::write(&path, file(columns, None)).expect("a file");
    let mut reading = ingest::open(&[path], crate::common::plain()).expect("a file");
    let parts = reading.take_parts();
    assert!(parts.len() > 1);
    let rows: usize = parts.into_iter().flatten().map(|batch| batch.expect("a batch").rows.num_rows()).sum();
    assert_eq!((rows as i64, reading.finish().rows_read), (n, 3_000_000));
}

#[test]
fn what_cannot_be_read_says_why() {
    let plain = WriterProperties::builder().set_compression(Compression::UNCOMPRESSED).build();
    insta::assert_snapshot!(check(&file(numbers()[..2].to_vec(), Some(plain))), @"could not read `file` as traffic: not Parquet (no column account_id)");
    let all_bad: Vec<(&str, ArrayRef)> = vec![
        ("account", Arc::new(Int32Array::from(vec![-1, -2]))),
        ("object", Arc::new(Int64Array::from(vec![1, 2]))),
        ("time", Arc::new(Int64Array::from(vec![1, 2]))),
    ];
    insta::assert_snapshot!(check(&file(all_bad, None)), @"
    2 × account number below zero
      1: -1 1 1
      2: -2 2 2
    could not read traffic from `file`: none of its 2 rows could be read as Parquet: account number below zero
");
}

#[test]
fn damage_never_panics() {
    let whole = file(numbers(), None);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        ingest::fuzzing::fuzz_parquet(&bytes);
    }
}
