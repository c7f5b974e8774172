//! Generated traffic as a Parquet file.

use std::fs::File;
use std::path::Path;

use exercise::zipf::{self, Shape};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::BenchError;

/// Rows in a row group: a file of 10 million rows has 40, enough to read in parallel.
const GROUP_ROWS: usize = 250_000;

/// Writes traffic of this shape, compressed with Snappy.
pub(super) fn write(path: &Path, shape: Shape) -> Result<(), BenchError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    let mut writer = ArrowWriter::try_new(File::create(path)?, zipf::schema(), Some(properties))?;
    for batch in shape.batches(GROUP_ROWS) {
        writer.write(&batch)?;
    }
    writer.close()?;
    Ok(())
}
