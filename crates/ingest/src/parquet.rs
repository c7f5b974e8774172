//! Parquet files.
//!
//! Three layouts are read. The columns of a kind of network traffic (crate `traffic`) are taken as they are,
//! text ids included, which can then be compared with each other but not shown. Columns `account` (Int32), `object` (Int64) and `ts` or `time` (Int64,
//! milliseconds) are taken as ids as they are, without a copy. Any other file with the columns of
//! [`crate::tables`] is read as text.
//!
//! The library below is not written for hostile files: a panic in it is caught and becomes damage.

mod footer;
mod kinds;
mod numbers;
mod text;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::basic::Compression;
use ::parquet::file::reader::ChunkReader;
use arrow_schema::{DataType, TimeUnit};
use traffic::{Kind, Part, SourceError};

use crate::BATCH_ROWS;
use crate::files::Found;
use crate::reading::{Shared, source_error};
use crate::records::Log;
use crate::tables::Layout;

/// Rows of a part at least, unless the file has fewer.
const PART_ROWS: i64 = 1 << 20;

/// Parts of a file at most.
const MAX_PARTS: usize = 64;

/// Rows of a batch of text, which is decoded whole before it is read row by row.
const TEXT_ROWS: usize = 8192;

/// True where the file begins and ends as Parquet does.
pub(crate) fn is_parquet(mut file: &File) -> io::Result<bool> {
    let mut ends = [[0; 4]; 2];
    let mut read = || -> io::Result<()> {
        file.read_exact(&mut ends[0])?;
        file.seek(SeekFrom::End(-4))?;
        file.read_exact(&mut ends[1])
    };
    let outcome = read();
    // A pipe cannot be read twice, and this one does not even know its place: nothing to go back to.
    match file.rewind() {
        Ok(()) => {}
        Err(error) => return Err(error),
    }
    match outcome {
        Ok(()) => Ok(ends == [*b"PAR1"; 2]),
        Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Which columns to read, and how.
#[derive(Clone, Debug)]
pub(crate) enum Columns {
    /// Ids and times as they are: the places of account, object and time in the file.
    Numbers([usize; 3]),
    /// A kind of network traffic: the places of its columns, in the order of its schema.
    Kind(Kind, Vec<usize>),
    /// As text: the places in the file, and the layout of those columns.
    Text(Vec<usize>, Layout),
}

/// Row groups of a file.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    metadata: ArrowReaderMetadata,
    columns: Columns,
    wanted: Range<usize>,
}

impl Columns {
    /// Reads the file's metadata.
    ///
    /// # Errors
    /// Why it cannot be read as posts.
    pub(crate) fn of<R: ChunkReader>(reader: &R) -> Result<Groups, String> {
        footer::check(reader)?;
        // The schema that Arrow writers leave beside that of Parquet would bring dictionaries and
        // views; without it a text is a text.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = catch_unwind(AssertUnwindSafe(|| ArrowReaderMetadata::load(reader, options)))
            .map_err(|_| "its metadata is damaged".to_owned())?
            .map_err(|error| error.to_string())?;
        let columns = Self::choose(&metadata)?;
        check_packing(&metadata, columns.places())?;
        let wanted = 0..metadata.metadata().num_row_groups();
        Ok(Groups { metadata, columns, wanted })
    }

    fn choose(metadata: &ArrowReaderMetadata) -> Result<Self, String> {
        let fields = metadata.schema().fields();
        if let Some((kind, places)) = kinds::recognise(fields)? {
            return Ok(Self::Kind(kind, places));
        }
        let find = |name: &str, fits: fn(&DataType) -> bool| {
            fields.iter().position(|field| field.name() == name && fits(field.data_type()))
        };
        let time =
            |kind: &DataType| matches!(kind, DataType::Int64 | DataType::Timestamp(TimeUnit::Millisecond, _));
        let numbers = (
            find("account", |kind| *kind == DataType::Int32),
            find("object", |kind| *kind == DataType::Int64),
            find("ts", time).or_else(|| find("time", time)),
        );
        if let (Some(account), Some(object), Some(time)) = numbers {
            return Ok(Self::Numbers([account, object, time]));
        }
        let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        let places = Layout::of(&names)?.columns();
        for &place in &places {
            let field = &fields[place];
            if !text::is_readable(field.data_type()) {
                return Err(format!("column {} is {}", field.name(), field.data_type()));
            }
        }
        // The same layout, with columns counted among those that are read.
        let kept: Vec<String> = places.iter().map(|&place| names[place].clone()).collect();
        let layout = Layout::of(&kept)?;
        Ok(Self::Text(places, layout))
    }

    fn places(&self) -> &[usize] {
        match self {
            Self::Numbers(places) => places,
            Self::Kind(_, places) | Self::Text(places, _) => places,
        }
    }
}

/// Refuses compressions that this build cannot undo, before the first row and not in the middle.
fn check_packing(metadata: &ArrowReaderMetadata, places: &[usize]) -> Result<(), String> {
    for group in metadata.metadata().row_groups() {
        for &place in places {
            // The columns of posts are flat, so a field is a column. Where another field of the file
            // is nested the places differ, and the reader itself will complain.
            let Some(column) = group.columns().get(place) else { continue };
            match column.compression() {
                Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) => {}
                other => return Err(format!("it is compressed with {other}: write it with snappy or gzip")),
            }
        }
    }
    Ok(())
}

impl Groups {
    /// True where account and object are numbers that may serve as ids.
    pub(crate) fn are_numbers(&self) -> bool {
        matches!(self.columns, Columns::Numbers(_))
    }

    /// True where they are of a kind of network traffic.
    pub(crate) fn are_network(&self) -> bool {
        matches!(self.columns, Columns::Kind(..))
    }

    /// Parts of about equal size, of whole row groups.
    pub(crate) fn split(self) -> Vec<Self> {
        let rows = |group: usize| self.metadata.metadata().row_group(group).num_rows().max(0);
        let total: i64 = self.wanted.clone().map(rows).fold(0, i64::saturating_add);
        let part_rows = PART_ROWS.max(total / MAX_PARTS as i64);
        let mut parts = Vec::new();
        let (mut from, mut n) = (self.wanted.start, 0_i64);
        for group in self.wanted.clone() {
            n = n.saturating_add(rows(group));
            if n >= part_rows || group + 1 == self.wanted.end {
                parts.push(Self { wanted: from..group + 1, ..self.clone() });
                (from, n) = (group + 1, 0);
            }
        }
        parts
    }

    /// The part that reads these row groups. `bytes` is the size of the whole file.
    pub(crate) fn part(self, shared: Arc<Shared>, found: &Found, name: String, bytes: u64) -> Part {
        let file_rows = self.metadata.metadata().file_metadata().num_rows().max(1) as u64;
        let all = self.wanted == (0..self.metadata.metadata().num_row_groups());
        let origin =
            Origin { path: found.path.clone(), name, bytes, file_rows, must_give: found.named && all };
        // Numbers keep their own way only where every file is numbers: otherwise they are names.
        match &self.columns {
            Columns::Numbers(_) if shared.all_numbers => {
                Box::new(numbers::Numbers::new(shared, self, origin))
            }
            Columns::Kind(kind, places) => {
                let (kind, places) = (*kind, places.clone());
                Box::new(kinds::Kinds::new(shared, self, origin, kind, &places))
            }
            _ => Box::new(text::Text::new(shared, self, origin)),
        }
    }

    /// Rows of the file before these groups.
    fn rows_before(&self) -> u64 {
        (0..self.wanted.start).map(|g| self.metadata.metadata().row_group(g).num_rows().max(0) as u64).sum()
    }

    /// Opens a file for reading; see [`Self::open`].
    fn open_file(&self, origin: &Origin, rows: usize) -> Result<Reader, SourceError> {
        let file = File::open(&origin.path).map_err(|error| source_error(&origin.name, error))?;
        self.open(file, rows).map_err(|damage| source_error(&origin.name, damage))
    }

    /// Opens the columns for reading. They come in the order of the file.
    fn open<R: ChunkReader + 'static>(&self, reader: R, rows: usize) -> Result<Reader, Damage> {
        let built = catch_unwind(AssertUnwindSafe(|| {
            let mask = ProjectionMask::roots(self.metadata.parquet_schema(), self.columns.places().to_vec());
            ParquetRecordBatchReaderBuilder::new_with_metadata(reader, self.metadata.clone())
                .with_projection(mask)
                .with_row_groups(self.wanted.clone().collect())
                .with_batch_size(rows)
                .build()
        }));
        match built {
            Ok(Ok(inner)) => Ok(Reader { inner: Some(inner) }),
            Ok(Err(error)) => Err(Damage(error.to_string())),
            Err(_) => Err(Damage("a column is damaged".to_owned())),
        }
    }

    /// The place of each column among those that are read.
    fn order(&self) -> [usize; 3] {
        let Columns::Numbers(places) = &self.columns else { return [0, 1, 2] };
        places.map(|place| places.iter().filter(|&&other| other < place).count())
    }
}

/// Where a part's rows come from.
struct Origin {
    path: std::path::PathBuf,
    name: String,
    bytes: u64,
    file_rows: u64,
    /// The part is the whole of a file that the user named, so that it is an error if all is lost.
    must_give: bool,
}

impl Origin {
    /// The share of the file's bytes that these rows stand for.
    fn bytes_of(&self, rows: u64) -> u64 {
        (u128::from(self.bytes) * u128::from(rows) / u128::from(self.file_rows)) as u64
    }
}

impl Origin {
    /// At the end of a part: the error, where it is the whole of a file that was named and every row was refused.
    fn lost_all(&mut self, shared: &Shared, log: &mut Log, any_read: bool) -> Option<SourceError> {
        let refused = log.refused;
        let lost = std::mem::take(&mut self.must_give) && !any_read && log.read == 0 && refused > 0;
        lost.then(|| shared.all_refused(log, refused, "Parquet"))
    }
}

/// The content of a file is not what it says it is.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Damage(String);

/// Batches, with panics caught.
struct Reader {
    inner: Option<ParquetRecordBatchReader>,
}

impl Iterator for Reader {
    type Item = Result<arrow_array::RecordBatch, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut inner = self.inner.take()?;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let batch = inner.next();
            (batch, inner)
        }));
        match outcome {
            Ok((Some(Ok(batch)), inner)) => {
                self.inner = Some(inner);
                Some(Ok(batch))
            }
            Ok((Some(Err(error)), _)) => Some(Err(Damage(error.to_string()))),
            Ok((None, _)) => None,
            Err(_) => Some(Err(Damage("a page is damaged".to_owned()))),
        }
    }
}

/// For fuzzing: reads bytes, and gives the number of rows.
pub(crate) fn count_rows(bytes: &[u8]) -> usize {
    let bytes = bytes::Bytes::copy_from_slice(bytes);
    let Ok(groups) = Columns::of(&bytes) else { return 0 };
    let mut n = 0;
    for groups in groups.split() {
        let Ok(reader) = groups.open(bytes.clone(), BATCH_ROWS.min(TEXT_ROWS)) else { continue };
        n += reader.map_while(Result::ok).map(|batch| batch.num_rows()).sum::<usize>();
    }
    n
}
