//! Lines of a stream, numbered, none longer than the limit.

use std::io::{self, Read};

use memchr::memchr;

use crate::MAX_LINE;

/// Bytes asked for at a time.
const CHUNK: usize = 1 << 18;

/// Bytes kept of a line that is too long, to show.
const KEPT: usize = 400;

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// Its number from 1, and its bytes without the line end.
    Whole(u64, &'a [u8]),
    /// A line above [`MAX_LINE`]: its number and its first bytes.
    TooLong(u64, &'a [u8]),
    /// The stream is over.
    End,
}

/// Frames a stream into lines. Keeps one line and one chunk at most.
pub(crate) struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    number: u64,
    over: bool,
    /// Within a line that is too long, whose first bytes are at the start of the buffer.
    skipping: bool,
    failed: Option<io::Error>,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            number: 0,
            over: false,
            skipping: false,
            failed: None,
        }
    }

    /// The next line. A byte order mark at the start of the first line, and `\r` before the line
    /// end, are left out.
    ///
    /// # Errors
    /// The source failed. A line that the failure cut short is not given out: its last number may
    /// have lost digits. [`io::ErrorKind::WouldBlock`] is no failure: nothing is lost, and it may be
    /// asked again.
    pub(crate) fn next(&mut self) -> io::Result<Line<'_>> {
        if self.skipping {
            return self.skip();
        }
        let mut searched = 0;
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer[self.start + searched..self.end]) {
                let from = self.start;
                let to = from + searched + at;
                self.start = to + 1;
                self.number += 1;
                return Ok(self.finished(from, to));
            }
            searched = self.end - self.start;
            if searched > MAX_LINE {
                return self.skip();
            }
            if self.over {
                if let Some(error) = self.failed.take() {
                    self.start = self.end;
                    return Err(error);
                }
                if searched == 0 {
                    return Ok(Line::End);
                }
                let (from, to) = (self.start, self.end);
                self.start = self.end;
                self.number += 1;
                return Ok(self.finished(from, to));
            }
            self.fill()?;
        }
    }

    fn finished(&self, mut from: usize, mut to: usize) -> Line<'_> {
        if to > from && self.buffer[to - 1] == b'\r' {
            to -= 1;
        }
        if self.number == 1 && self.buffer[from..to].starts_with(b"\xef\xbb\xbf") {
            from += 3;
        }
        if to - from > MAX_LINE {
            return Line::TooLong(self.number, &self.buffer[from..from + KEPT]);
        }
        Line::Whole(self.number, &self.buffer[from..to])
    }

    /// Drops bytes up to the line end; the first few are kept at the start of the buffer.
    fn skip(&mut self) -> io::Result<Line<'_>> {
        if !self.skipping {
            self.skipping = true;
            self.number += 1;
            self.buffer.copy_within(self.start..self.start + KEPT, 0);
        }
        loop {
            self.start = KEPT;
            self.end = KEPT;
            if self.over {
                if let Some(error) = self.failed.take() {
                    return Err(error);
                }
                break;
            }
            self.fill()?;
            if let Some(at) = memchr(b'\n', &self.buffer[self.start..self.end]) {
                self.start += at + 1;
                break;
            }
        }
        self.skipping = false;
        Ok(Line::TooLong(self.number, &self.buffer[..KEPT]))
    }

    /// Reads one chunk behind what is there.
    fn fill(&mut self) -> io::Result<()> {
        if self.start > KEPT && self.start == self.end {
            self.start = KEPT;
            self.end = KEPT;
        }
        if self.buffer.len() - self.end < CHUNK / 2 {
            if self.start > KEPT {
                self.buffer.copy_within(self.start..self.end, KEPT);
                self.end -= self.start - KEPT;
                self.start = KEPT;
            }
            let room = self.end + CHUNK;
            if self.buffer.len() < room {
                self.buffer.resize(room, 0);
            }
        }
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.over = true,
                Ok(n) => self.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    self.over = true;
                }
            }
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// Gives out bytes in pieces of one size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(buf.len());
            buf[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn check(bytes: &[u8], piece: usize) -> String {
        let mut lines = Lines::new(Pieces(bytes, piece));
        let mut out = String::new();
        loop {
            match lines.next().expect("pieces never fail") {
                Line::Whole(n, line) => write!(out, "{n}:{} ", line.escape_ascii()).expect("text"),
                Line::TooLong(n, head) => write!(out, "{n}:too long, {} shown ", head.len()).expect("text"),
                Line::End => return out,
            }
        }
    }

    #[test]
    fn lines_are_the_same_in_whatever_pieces_they_come() {
        for piece in [1, 2, 3, 1 << 20] {
            assert_eq!(check(b"\xef\xbb\xbfa\r\nb\n\nlast", piece), "1:a 2:b 3: 4:last ");
            assert_eq!(check(b"", piece), "");
            assert_eq!(check(b"a\n", piece), "1:a ");
        }
    }

    #[test]
    fn a_long_line_is_skipped_without_being_kept() {
        let mut bytes = b"first\n".to_vec();
        bytes.resize(10 << 20, b'x');
        bytes.extend_from_slice(b"\nlast\n");
        for piece in [1000, 1 << 20] {
            assert_eq!(check(&bytes, piece), "1:first 2:too long, 400 shown 3:last ");
        }
        let mut lines = Lines::new(&bytes[..]);
        while lines.next().expect("a slice never fails") != Line::End {}
        assert!(lines.buffer.capacity() < 3 * MAX_LINE);
    }

    #[test]
    fn a_line_of_just_the_limit_is_whole() {
        let mut bytes = vec![b'x'; MAX_LINE];
        assert!(check(&bytes, 1 << 16).starts_with("1:xxx"));
        bytes.push(b'x');
        assert_eq!(check(&bytes, 1 << 16), "1:too long, 400 shown ");
    }
}
