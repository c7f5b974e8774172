//! `cargo xtask convert`: any traffic that is read, as Parquet files of its kinds, so that benchmarks and
//! other programs have the rows without the parsing.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use traffic::{Batch, Kind};

type ConvertError = Box<dyn std::error::Error + Send + Sync>;

/// Rows in a row group: a file of 10 million rows has 10, so that several threads have something to do, and
/// a column of a group is a few megabytes.
const GROUP_ROWS: usize = 1 << 20;

/// Milliseconds by which a copy is later than the one before.
const DAY: i64 = 24 * 3600 * 1000;

/// Writes traffic as one Parquet file for each kind, such as `flow.parquet`.
///
/// Text ids come without their texts, and only ids of one seed can be compared.
#[derive(Debug, clap::Args)]
pub(crate) struct Convert {
    /// Files and folders to read
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The folder to write to
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Write all rows so many times, each time a day later: for files of any size
    #[arg(long, default_value_t = 1)]
    copies: u32,
    /// What makes the ids of texts
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Writes what those files hold, once.
pub(crate) fn write(paths: &[PathBuf], out: &Path) -> Result<(), ConvertError> {
    main(&Convert { paths: paths.to_vec(), out: out.to_owned(), copies: 1, seed: 0 })
}

/// Reads and writes.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to the person who started it")]
pub(crate) fn main(args: &Convert) -> Result<(), ConvertError> {
    std::fs::create_dir_all(&args.out)?;
    let mut writers: BTreeMap<Kind, ArrowWriter<File>> = BTreeMap::new();
    let mut rows: BTreeMap<Kind, u64> = BTreeMap::new();
    for copy in 0..args.copies.max(1) {
        let options = ingest::Options {
            accounts: ingest::Accounts::Plain,
            now: domain::Timestamp(i64::MAX / 2),
            default_trace: traffic::Trace::Object,
            seed: traffic::Seed(args.seed),
        };
        let mut reading = ingest::open(&args.paths, options)?;
        for part in reading.take_parts() {
            for batch in part {
                let batch = later(batch?, i64::from(copy) * DAY)?;
                if batch.kind == Kind::Post {
                    continue;
                }
                let writer = match writers.get_mut(&batch.kind) {
                    Some(writer) => writer,
                    None => writers.entry(batch.kind).or_insert(create(&args.out, &batch)?),
                };
                writer.write(&batch.rows)?;
                *rows.entry(batch.kind).or_default() += batch.rows.num_rows() as u64;
            }
        }
        let ledger = reading.finish();
        if copy == 0 && !ledger.problems.is_empty() {
            eprint!("{}", ledger.problems);
        }
    }
    for (kind, writer) in writers {
        writer.close()?;
        println!("{}: {} rows", file(&args.out, kind).display(), rows[&kind]);
    }
    Ok(())
}

fn file(folder: &Path, kind: Kind) -> PathBuf {
    folder.join(format!("{kind}.parquet"))
}

fn create(folder: &Path, batch: &Batch) -> Result<ArrowWriter<File>, ConvertError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    Ok(ArrowWriter::try_new(File::create(file(folder, batch.kind))?, batch.rows.schema(), Some(properties))?)
}

/// The batch with its times moved.
fn later(batch: Batch, by: i64) -> Result<Batch, ConvertError> {
    if by == 0 {
        return Ok(batch);
    }
    let place = batch.rows.schema().index_of("time")?;
    let mut columns = batch.rows.columns().to_vec();
    let times: Vec<i64> =
        detect::engine::column_i64(&batch.rows, "time").iter().map(|time| time + by).collect();
    columns[place] = Arc::new(arrow_array::Int64Array::from(times));
    Ok(Batch::new(batch.kind, arrow_array::RecordBatch::try_new(batch.rows.schema(), columns)?))
}
