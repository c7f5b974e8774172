//! Counts per time step: CSV with the columns `time` and `count`, and `series` and `step` (seconds) where there
//! are any; or bare counts, one a second, between spaces or line ends.
//!
//! Bare counts have no times: they are put from 1970-01-01 on, and that is said. Where a table has no `step`,
//! it is the smallest distance of two rows that follow each other in one series, among the first rows.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use traffic::rate::Rate;

use super::table::{Header, columns};
use super::{NetworkFormat, Sniffed, fields};
use crate::files::{Input, Line, Lines};
use crate::problems::Reason;
use crate::records::{Context, Log, Records};
use crate::rows::Rows;
use crate::time::Bounds;

columns! { place COLUMNS:
    TIME "time" | "timestamp" | "ts",
    COUNT "count" | "requests",
    STEP "step",
    SERIES "series",
}

/// Bare counts that are wanted before a file is taken for a series: a minute of them.
const ENOUGH: usize = 60;

/// Milliseconds from one bare count to the next.
const SECOND: i64 = 1000;

/// The longest step in seconds: a leap year. What is longer is no step.
const LONGEST_STEP: i64 = 366 * 24 * 3600;

#[derive(Debug)]
struct Table {
    header: Header<COLUMNS>,
    step: i64,
}

#[derive(Debug)]
struct Bare;

impl NetworkFormat for Table {
    fn name(&self) -> &'static str {
        "counts per time step"
    }

    fn open(&self, input: Input, context: Context) -> Box<dyn Records> {
        let (lines, header) = (Lines::new(input), self.header.clone());
        Box::new(TableReader { lines, header, step: self.step, context, header_seen: false })
    }
}

impl NetworkFormat for Bare {
    fn name(&self) -> &'static str {
        "counts per second without times"
    }

    fn open(&self, input: Input, _: Context) -> Box<dyn Records> {
        Box::new(BareReader::new(input))
    }
}

pub(super) fn sniff(head: &[u8]) -> Sniffed {
    let mut lines = head.split(|&b| b == b'\n');
    let header = Header::of(lines.next().unwrap_or_default(), place)
        .filter(|header: &Header<COLUMNS>| header.has(TIME) && header.has(COUNT) && header.skipped() == 0);
    if let Some(header) = header {
        let step = smallest_step(&header, lines);
        return Ok(Arc::new(Table { header, step }));
    }
    let is_bare = head.iter().all(|b| b.is_ascii_digit() || b.is_ascii_whitespace())
        && head.split(u8::is_ascii_whitespace).filter(|count| !count.is_empty()).nth(ENOUGH - 1).is_some();
    if is_bare {
        return Ok(Arc::new(Bare));
    }
    Err(String::new())
}

/// In milliseconds; a second where there are no two rows.
fn smallest_step<'a>(header: &Header<COLUMNS>, lines: impl Iterator<Item = &'a [u8]>) -> i64 {
    let mut last: BTreeMap<&[u8], i64> = BTreeMap::new();
    let mut smallest = None;
    for row in lines.filter_map(|line| header.split(line.trim_ascii_end())) {
        // Whatever is far in the future is refused later.
        let Ok(time) = fields::time(row[TIME], Bounds::new(domain::Timestamp(i64::MAX))) else { continue };
        if let Some(before) = last.insert(row[SERIES], time.millis) {
            let step = time.millis - before;
            // A single time in a far future, which is refused later, must not stretch the row before it.
            let possible = (1..=LONGEST_STEP * SECOND).contains(&step);
            if possible && smallest.is_none_or(|smallest| step < smallest) {
                smallest = Some(step);
            }
        }
    }
    smallest.unwrap_or(SECOND)
}

struct TableReader<R> {
    lines: Lines<R>,
    header: Header<COLUMNS>,
    step: i64,
    context: Context,
    header_seen: bool,
}

impl<R: Read + Send> Records for TableReader<R> {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        let (number, line) = match self.lines.next()? {
            Line::End => return Ok(false),
            Line::TooLong(number, head) => {
                log.refuse(Reason::LineTooLong, number, head);
                return Ok(true);
            }
            Line::Whole(number, line) => (number, line),
        };
        if line.trim_ascii().is_empty() || !std::mem::replace(&mut self.header_seen, true) {
            return Ok(true);
        }
        let outcome = match self.header.split(line) {
            Some(row) => read(&row, self.step, &self.context, rows, &log.source),
            None if line.contains(&0) => Err(Reason::NulByte),
            None => Err(Reason::FieldCount),
        };
        log.outcome(outcome, number, line);
        Ok(true)
    }
}

/// Reads a row. `usual_step` is for rows without a step, `source` for those without a series.
fn read(
    row: &[&[u8]; COLUMNS],
    usual_step: i64,
    context: &Context,
    rows: &mut Rows,
    source: &str,
) -> Result<Option<Reason>, Reason> {
    let time = fields::time(row[TIME], context.bounds)?;
    let step = if row[STEP].is_empty() {
        usual_step
    } else {
        match fields::duration(row[STEP])? {
            step @ 1.. if step <= LONGEST_STEP * SECOND => step,
            _ => return Err(Reason::BadNumber),
        }
    };
    if row[COUNT].is_empty() {
        return Err(Reason::BadNumber);
    }
    let count = fields::count(row[COUNT])?;
    let series = rows.text(if row[SERIES].is_empty() { source.as_bytes() } else { row[SERIES] });
    rows.rates.push(&Rate { series, time: time.millis, step, count });
    Ok(time.zone_missing.then_some(Reason::NoZone))
}

/// Reads bare counts in pieces: such a file may be one line of any length.
struct BareReader<R> {
    source: R,
    chunk: Vec<u8>,
    /// The count that the piece before cut in two, or that is still to end.
    token: Vec<u8>,
    time: i64,
    line: u64,
    said: bool,
}

/// Bytes of a token that are kept: no count has more digits, and what has is shown by its start.
const TOKEN: usize = 64;

impl<R: Read> BareReader<R> {
    fn new(source: R) -> Self {
        Self { source, chunk: vec![0; 1 << 16], token: Vec::new(), time: 0, line: 1, said: false }
    }

    fn end_token(&mut self, series: i64, rows: &mut Rows, log: &mut Log) {
        if self.token.is_empty() {
            return;
        }
        match fields::count(&self.token) {
            Ok(count) => {
                rows.rates.push(&Rate { series, time: self.time, step: SECOND, count });
                log.read += 1;
            }
            Err(reason) => log.refuse(reason, self.line, &self.token),
        }
        // A broken count is a second nevertheless.
        self.time += SECOND;
        self.token.clear();
    }
}

impl<R: Read + Send> Records for BareReader<R> {
    fn step(&mut self, rows: &mut Rows, log: &mut Log) -> io::Result<bool> {
        if !std::mem::replace(&mut self.said, true) {
            log.note(Reason::NoStart, 0, b"");
        }
        let series = rows.text(log.source.as_bytes());
        let n = match self.source.read(&mut self.chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
            other => other?,
        };
        let chunk = std::mem::take(&mut self.chunk);
        for &byte in &chunk[..n] {
            if byte.is_ascii_whitespace() {
                self.end_token(series, rows, log);
                self.line += u64::from(byte == b'\n');
            } else if self.token.len() < TOKEN {
                self.token.push(byte);
            }
        }
        self.chunk = chunk;
        if n == 0 {
            self.end_token(series, rows, log);
        }
        Ok(n > 0)
    }
}

#[cfg(test)]
mod tests {
    use crate::network::testing::check;

    #[test]
    fn a_table_of_counts() {
        insta::assert_snapshot!(check(
            "time,count\n2021-09-26T18:00:00Z,12\n2021-09-26T18:01:00Z,13\n2021-09-26T18:05:00Z,1\n2021-09-26T18:06:00Z,\nsoon,1\n1\n"
        ), @r"
    rate  2021-09-26T18:00:00Z +60000 ms 12
    rate  2021-09-26T18:01:00Z +60000 ms 13
    rate  2021-09-26T18:05:00Z +60000 ms 1
    1 × not as many fields as the header (7)
    1 × time is neither a number nor RFC 3339 (6)
    1 × a number is none, or is out of its range (5)
    ");
        insta::assert_snapshot!(check(
            "series,time,step,count\nresults,1632679200,300,7\nnews,1632679200.5,0.5,8\nnews,1632679201,-1,8\n"
        ), @r"
    rate results 2021-09-26T18:00:00Z +300000 ms 7
    rate news 2021-09-26T18:00:00.5Z +500 ms 8
    1 × a number is none, or is out of its range (4)
    ");
    }

    #[test]
    fn bare_counts_have_no_times() {
        let text = check("0 1 2 30 ".repeat(15) + "7\n9");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 63);
        assert_eq!(lines[3], "rate  1970-01-01T00:00:03Z +1000 ms 30");
        assert_eq!(lines[61], "rate  1970-01-01T00:01:01Z +1000 ms 9");
        assert_eq!(lines[62], "1 × counts without times: taken as one a second from 1970-01-01 on (0)");
    }

    /// Bare counts had no bound, and a dozen of them could not be added up.
    #[test]
    fn a_bare_count_beyond_all_counters_is_refused() {
        let text = check("1 ".repeat(60) + "9007199254740992 9007199254740993");
        assert!(text.contains("+1000 ms 9007199254740992\n"), "{text}");
        assert!(text.contains("1 × a number is none, or is out of its range (1)"), "{text}");
    }

    /// The distance to a time that is refused was taken for the step.
    #[test]
    fn a_time_in_a_far_future_stretches_no_step() {
        insta::assert_snapshot!(check("time,count\n1632679200,12\n5000000000000,1\n"), @r"
    rate  2021-09-26T18:00:00Z +1000 ms 12
    1 × more than a day in the future (3)
    ");
    }

    #[test]
    fn other_tables_and_a_few_numbers_are_no_rates() {
        for text in ["time,count,author\n1632679200,1,ana\n", "1 2 3\n"] {
            assert!(!check(text).contains("rate"), "{text}");
        }
    }
}
