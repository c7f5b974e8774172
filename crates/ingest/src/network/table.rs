//! Tables of flows: a header of names, then rows without quotes, with commas or tabs between fields.

use memchr::memchr_iter;

/// Where the columns that are read stand in a file.
#[derive(Clone, Debug)]
pub(super) struct Header<const N: usize> {
    delimiter: u8,
    /// For each field of a row the number of its column, or [`SKIPPED`].
    columns: Vec<u8>,
    has: [bool; N],
}

/// In place of the column's number: nobody reads it.
const SKIPPED: u8 = u8::MAX;

impl<const N: usize> Header<N> {
    /// Reads a line as a header: one with at least two of the columns that `place` knows, none of them twice.
    pub(super) fn of(line: &[u8], place: fn(&str) -> Option<usize>) -> Option<Self> {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii_end();
        if line.len() > 1 << 12 {
            return None;
        }
        [b',', b'\t', b';'].into_iter().find_map(|delimiter| {
            let mut has = [false; N];
            let mut columns = Vec::new();
            for name in line.split(|&b| b == delimiter) {
                let name = std::str::from_utf8(name.trim_ascii()).ok()?.to_ascii_lowercase();
                let column = place(&name);
                if let Some(column) = column
                    && std::mem::replace(&mut has[column], true)
                {
                    return None;
                }
                columns.push(column.map_or(SKIPPED, |column| column as u8));
            }
            (has.iter().filter(|has| **has).count() > 1).then_some(Self { delimiter, columns, has })
        })
    }

    /// True where the file has the column.
    pub(super) fn has(&self, column: usize) -> bool {
        self.has[column]
    }

    /// Names that nobody reads.
    pub(super) fn skipped(&self) -> usize {
        self.columns.iter().filter(|&&column| column == SKIPPED).count()
    }

    /// The fields of a row, without the spaces around them. `None` where it has not as many as the header.
    pub(super) fn split<'a>(&self, line: &'a [u8]) -> Option<[&'a [u8]; N]> {
        let mut fields: [&[u8]; N] = [&[]; N];
        let mut ends = memchr_iter(self.delimiter, line).chain([line.len()]);
        let mut from = 0;
        for &column in &self.columns {
            let to = ends.next()?;
            if let Some(field) = fields.get_mut(usize::from(column)) {
                *field = line[from..to].trim_ascii();
            }
            from = to + 1;
        }
        // What is left over is the end of the line, or there are too many.
        ends.next().is_none().then_some(fields)
    }
}

/// Numbers of columns, and where a name stands.
macro_rules! columns {
    ($place:ident $count:ident: $($constant:ident $name:literal $(| $alias:literal)*,)+) => {
        columns!(@number 0; $($constant)+);
        const $count: usize = [$($name),+].len();
        fn $place(name: &str) -> Option<usize> {
            match name {
                $($name $(| $alias)* => Some($constant),)+
                _ => None,
            }
        }
    };
    (@number $n:expr; $constant:ident $($rest:ident)*) => {
        const $constant: usize = $n;
        columns!(@number $n + 1; $($rest)*);
    };
    (@number $n:expr;) => {};
}

pub(super) use columns;
