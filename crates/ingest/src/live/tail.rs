//! The lines of a file that grows and is rotated.
//!
//! A log is rotated in one of four ways, and none may lose a line or give one twice:
//!
//! - renamed and made anew (logrotate's `create`): the writer may go on in the old file until it is
//!   told, so the old one is read on beside the new one for some polls;
//! - copied and cut to nothing (`copytruncate`): seen by the file being shorter than what was read, or by
//!   other first bytes. What the writer adds between the last poll and the cut is lost: nobody can read
//!   it, and logrotate's own copy may lack it, too;
//! - deleted and made anew;
//! - renamed twice or more between two polls: the files in between lie beside it, under names that begin
//!   with its own.
//!
//! A file is known by device, inode and its first bytes, since an inode is given again.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use memchr::{memchr, memrchr};
use serde::{Deserialize, Serialize};
use traffic::names::digest;

use crate::MAX_LINE;

/// First bytes by which a file is known again. Zeek's header, which names the time at which the file
/// was begun, is shorter.
const PREFIX: usize = 1024;

/// Bytes asked for at a time.
const CHUNK: usize = 1 << 18;

/// Lines that are read ahead of who takes them, in bytes.
const AHEAD: usize = 1 << 20;

/// Polls without a byte after which a file that was rotated away is at its end.
const QUIET_POLLS: u32 = 50;

/// Rotated files that are read on beside the newest one.
const MAX_OPEN: usize = 16;

/// Files that were read to their end and are remembered, so that none is read again.
const MAX_KNOWN: usize = 4096;

/// Files between two polls that are still read. Each takes a file handle.
const MAX_BETWEEN: usize = 256;

/// How much older than the newest file a file between two polls may be. A file that is renamed while the
/// folder is listed can be missing in the list; it is found by the next one, when a newer file was seen.
const SLACK: Duration = Duration::from_secs(10);

/// How often a folder is listed until two lists are the same: a file that is renamed meanwhile may be
/// missing in one.
const LISTS: usize = 10;

/// Where to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the first line of the file.
    Beginning,
    /// Behind the last line that is there.
    End,
    /// Where another one stopped.
    At(Position),
}

/// How far a file was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePosition {
    /// Number of its device.
    pub device: u64,
    /// Its number on the device.
    pub inode: u64,
    /// Bytes of whole lines that were given out.
    pub offset: u64,
    /// How many of its first bytes the digest is of.
    pub prefix: usize,
    /// Digest of its first bytes.
    pub digest: i64,
}

/// How far a [`Tail`] is: to be saved, and to begin again from. The newest file is the last one; those
/// before it were rotated away and might have grown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The files, oldest first.
    pub files: Vec<FilePosition>,
}

/// What happened to the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TailCounts {
    /// It was another file than before.
    pub rotated: u64,
    /// It was cut, or written anew.
    pub truncated: u64,
    /// Bytes of a last line that was cut off before it was whole.
    pub cut_off: u64,
    /// Files of a saved position that were no longer to be found, and files between two polls that
    /// were too many.
    pub lost: u64,
}

/// Follows a file by its path. As a [`Read`] it gives whole lines and, where none is there now,
/// [`ErrorKind::WouldBlock`].
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    /// Files that are read, oldest first. The last one has the path, unless it was just renamed.
    open: VecDeque<Open>,
    /// First bytes of files that are done, by device and inode, with the number of the entry.
    known: BTreeMap<(u64, u64), (u64, Vec<u8>)>,
    n_known: u64,
    /// What a saved position waits for, until the first poll.
    resume: Option<Position>,
    from_end: bool,
    /// When the first file was written to: what is older was there before this tail.
    began: Option<SystemTime>,
    /// Lines that wait to be taken.
    ready: Vec<u8>,
    taken: usize,
    counts: TailCounts,
}

/// A file that is being read.
#[derive(Debug)]
struct Open {
    file: File,
    id: (u64, u64),
    /// When it was written to, as it was when it had the path: what had the path later is newer.
    modified: Option<SystemTime>,
    /// Bytes read.
    read: u64,
    /// Its first bytes, as far as they were read.
    prefix: Vec<u8>,
    /// What was read behind the last line end.
    partial: Vec<u8>,
    /// Polls since the last byte.
    quiet: u32,
    /// The line that is being read is longer than any that is kept: it is given out in pieces.
    in_long_line: bool,
}

impl Tail {
    /// Follows the file of this path, which need not be there yet.
    pub fn new(path: &Path, start: Start) -> Self {
        let (resume, from_end) = match start {
            Start::Beginning => (None, false),
            Start::End => (None, true),
            Start::At(position) => (Some(position), false),
        };
        Self {
            path: path.to_owned(),
            open: VecDeque::new(),
            known: BTreeMap::new(),
            n_known: 0,
            resume,
            from_end,
            began: None,
            ready: Vec::new(),
            taken: 0,
            counts: TailCounts::default(),
        }
    }

    /// What happened to the file so far.
    pub fn counts(&self) -> TailCounts {
        self.counts
    }

    /// How far it is. Only to be asked when all lines that were given out are dealt with and
    /// [`Read::read`] said that there is nothing now: lines that wait to be taken are not in it.
    pub fn position(&self) -> Position {
        if let Some(position) = &self.resume {
            return position.clone();
        }
        let files = self.open.iter().map(|open| FilePosition {
            device: open.id.0,
            inode: open.id.1,
            offset: open.read - open.partial.len() as u64,
            prefix: open.prefix.len(),
            digest: digest(&open.prefix),
        });
        Position { files: files.collect() }
    }

    /// Whole lines that are there now, each with its line end, or `None` where none is.
    ///
    /// # Errors
    /// The disk failed.
    pub fn next_lines(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.taken == self.ready.len() {
            self.poll()?;
        }
        if self.taken == self.ready.len() {
            return Ok(None);
        }
        let lines = self.ready.split_off(self.taken);
        self.ready.clear();
        self.taken = 0;
        Ok(Some(lines))
    }

    /// Looks what has become of the file and reads what is new, up to a limit.
    fn poll(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.taken = 0;
        if let Some(position) = self.resume.take()
            && let Err(error) = self.restore(&position)
        {
            self.resume = Some(position);
            return Err(error);
        }
        // First what has the path, then the reading: what is written into the old file before it is
        // seen to be the old one is read below.
        self.look()?;
        let last = self.open.len().saturating_sub(1);
        for at in 0..self.open.len() {
            if self.ready.len() >= AHEAD {
                return Ok(());
            }
            self.open[at].read_on(&mut self.ready, &mut self.counts)?;
            // Lines of a newer file wait until an older one was read as far as it goes.
            if at < last && self.ready.len() >= AHEAD {
                return Ok(());
            }
        }
        // The newest file must have been begun: before, the writer is still in the old one.
        let begun = self.open.back().is_some_and(|open| open.read > 0);
        while self.open.len() > MAX_OPEN || self.open.len() > 1 && begun && self.open[0].quiet >= QUIET_POLLS
        {
            if self.open[0].quiet == 0 {
                return Ok(());
            }
            if let Some(done) = self.open.pop_front() {
                self.close(done);
            }
        }
        Ok(())
    }

    /// Ends a file: a last line without a line end is one.
    fn close(&mut self, mut done: Open) {
        if !done.partial.is_empty() {
            self.ready.append(&mut done.partial);
            self.ready.push(b'\n');
        }
        self.remember(&done);
    }

    fn remember(&mut self, done: &Open) {
        self.n_known += 1;
        self.known.insert(done.id, (self.n_known, done.prefix.clone()));
        if self.known.len() > MAX_KNOWN
            && let Some((&oldest, _)) = self.known.iter().min_by_key(|(_, (number, _))| *number)
        {
            self.known.remove(&oldest);
        }
    }

    /// Opens what has the path now, if it is another file than the newest one, and the files that had
    /// it in between.
    fn look(&mut self) -> io::Result<()> {
        let Some(now) = open(&self.path)? else { return Ok(()) };
        let Some(newest) = self.open.back_mut() else {
            let mut now = now;
            if std::mem::take(&mut self.from_end) {
                now.skip_to_end()?;
            }
            self.began = now.modified;
            self.open.push_back(now);
            return Ok(());
        };
        if newest.id == now.id {
            newest.modified = now.modified;
            return Ok(());
        }
        let since = newest.modified.and_then(|time| time.checked_sub(SLACK)).max(self.began);
        let between = self.between(&now, since)?;
        self.counts.rotated += 1 + between.len() as u64;
        self.open.extend(between);
        self.open.push_back(now);
        Ok(())
    }

    /// Files beside the path that are newer than `since` and were never read, oldest first.
    fn between(&mut self, now: &Open, since: Option<SystemTime>) -> io::Result<Vec<Open>> {
        let mut found: BTreeMap<(u64, u64), Open> = BTreeMap::new();
        for _ in 0..LISTS {
            let before = found.len();
            for (path, meta) in self.siblings()? {
                let is_new = |id, modified: Option<SystemTime>| {
                    modified >= since
                        && id != now.id
                        && !found.contains_key(&id)
                        && self.open.iter().all(|open| open.id != id)
                };
                if !is_new((meta.dev(), meta.ino()), meta.modified().ok()) {
                    continue;
                }
                // Between the listing and now it may have become another file.
                let Some(mut file) = open(&path)? else { continue };
                if !is_new(file.id, file.modified) || !file.peek()? || self.was_read(&file) {
                    continue;
                }
                if found.len() == MAX_BETWEEN {
                    self.counts.lost += 1;
                    continue;
                }
                file.prefix.clear();
                found.insert(file.id, file);
            }
            if found.len() == before {
                break;
            }
        }
        let mut found: Vec<Open> = found.into_values().collect();
        found.sort_by_key(|file| file.modified);
        Ok(found)
    }

    /// Whether this is a file that is done, or a copy of one.
    fn was_read(&self, file: &Open) -> bool {
        let known = self.known.iter().map(|(id, (_, prefix))| (id, prefix));
        let read = self.open.iter().map(|open| (&open.id, &open.prefix));
        known.chain(read).any(|(id, prefix)| {
            let n = prefix.len().min(file.prefix.len());
            // A copy is told by all of the bytes that are kept; few could be a header.
            let alike = prefix[..n] == file.prefix[..n];
            n > 0 && alike && (*id == file.id || prefix.len() == file.prefix.len())
        })
    }

    /// Plain files whose names begin with the name of the path, and that are not it.
    fn siblings(&self) -> io::Result<Vec<(PathBuf, fs::Metadata)>> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let Some(name) = self.path.file_name() else { return Ok(Vec::new()) };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let other = entry.file_name();
            let other = other.as_encoded_bytes();
            // Compressed copies were plain files before.
            let packed = [&b".gz"[..], b".zst", b".xz", b".bz2"].iter().any(|end| other.ends_with(end));
            if !other.starts_with(name.as_encoded_bytes()) || other == name.as_encoded_bytes() || packed {
                continue;
            }
            // What is renamed or deleted meanwhile is found under its new name, or nowhere.
            if let Ok(meta) = entry.metadata()
                && meta.is_file()
            {
                paths.push((folder.join(entry.file_name()), meta));
            }
        }
        Ok(paths)
    }

    /// Finds the files of a saved position again, under whatever name.
    fn restore(&mut self, position: &Position) -> io::Result<()> {
        let wanted = |id| position.files.iter().any(|saved| id == (saved.device, saved.inode));
        let mut paths: Vec<PathBuf> = self
            .siblings()?
            .into_iter()
            .filter(|(_, meta)| wanted((meta.dev(), meta.ino())))
            .map(|(path, _)| path)
            .collect();
        paths.push(self.path.clone());
        let mut files = Vec::new();
        for path in paths {
            if let Some(mut file) = open(&path)? {
                let _ = file.peek()?;
                files.push(file);
            }
        }
        let mut opened = VecDeque::new();
        let mut lost = 0;
        for saved in &position.files {
            let same = |file: &Open| {
                file.id == (saved.device, saved.inode)
                    && file.prefix.len() >= saved.prefix
                    && digest(&file.prefix[..saved.prefix]) == saved.digest
            };
            match files.iter().position(same) {
                Some(at) => {
                    let mut file = files.swap_remove(at);
                    file.read = saved.offset;
                    file.prefix.truncate(saved.prefix);
                    opened.push_back(file);
                }
                None => lost += 1,
            }
        }
        self.began = opened.back().and_then(|newest| newest.modified);
        self.open = opened;
        self.counts.lost += lost;
        Ok(())
    }
}

impl Read for Tail {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() {
            self.poll()?;
        }
        let there = &self.ready[self.taken..];
        if there.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let n = there.len().min(buf.len());
        buf[..n].copy_from_slice(&there[..n]);
        self.taken += n;
        Ok(n)
    }
}

/// Opens a file at its first byte. `None` where there is none.
fn open(path: &Path) -> io::Result<Option<Open>> {
    let file = match File::open(path) {
        Ok(file) => file,
        // Between a rename and a new file there is none.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Ok(None);
    }
    Ok(Some(Open {
        file,
        id: (meta.dev(), meta.ino()),
        modified: meta.modified().ok(),
        read: 0,
        prefix: Vec::new(),
        partial: Vec::new(),
        quiet: 0,
        in_long_line: false,
    }))
}

impl Open {
    /// Looks at the first bytes without reading on. False where there are none.
    fn peek(&mut self) -> io::Result<bool> {
        self.prefix = self.first(PREFIX)?;
        Ok(!self.prefix.is_empty())
    }

    fn first(&self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut n = 0;
        while n < length {
            match self.file.read_at(&mut bytes[n..], n as u64) {
                Ok(0) => break,
                Ok(more) => n += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(n);
        Ok(bytes)
    }

    /// Behind the last line end that is there.
    fn skip_to_end(&mut self) -> io::Result<()> {
        self.peek()?;
        let mut end = self.file.metadata()?.len();
        let mut chunk = vec![0; 4096];
        while end > 0 {
            let from = end.saturating_sub(chunk.len() as u64);
            let n = self.file.read_at(&mut chunk[..(end - from) as usize], from)?;
            if let Some(at) = memrchr(b'\n', &chunk[..n]) {
                end = from + at as u64 + 1;
                break;
            }
            end = from;
        }
        self.read = end;
        self.prefix.truncate(end as usize);
        Ok(())
    }

    /// Appends whole lines to `lines`, until there is nothing more or enough.
    fn read_on(&mut self, lines: &mut Vec<u8>, counts: &mut TailCounts) -> io::Result<()> {
        self.quiet = self.quiet.saturating_add(1);
        let meta = self.file.metadata()?;
        if meta.len() == self.read {
            return Ok(());
        }
        if meta.len() < self.read || self.first(self.prefix.len())? != self.prefix {
            counts.truncated += 1;
            counts.cut_off += self.partial.len() as u64;
            self.read = 0;
            self.prefix.clear();
            self.partial.clear();
            self.in_long_line = false;
        }
        let mut chunk = vec![0; CHUNK];
        while lines.len() < AHEAD {
            let n = match self.file.read_at(&mut chunk, self.read) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.quiet = 0;
            let bytes = &chunk[..n];
            if self.prefix.len() as u64 == self.read {
                let missing = (PREFIX - self.prefix.len()).min(n);
                self.prefix.extend_from_slice(&bytes[..missing]);
            }
            self.read += n as u64;
            self.frame(bytes, lines);
        }
        Ok(())
    }

    fn frame(&mut self, mut bytes: &[u8], lines: &mut Vec<u8>) {
        if self.in_long_line {
            // Only so much of it is passed on that whoever reads it sees that it is too long.
            let Some(end) = memchr(b'\n', bytes) else { return };
            bytes = &bytes[end..];
            self.in_long_line = false;
        }
        match memrchr(b'\n', bytes) {
            Some(end) => {
                lines.append(&mut self.partial);
                lines.extend_from_slice(&bytes[..=end]);
                self.partial.extend_from_slice(&bytes[end + 1..]);
            }
            None => self.partial.extend_from_slice(bytes),
        }
        if self.partial.len() > MAX_LINE {
            lines.append(&mut self.partial);
            self.in_long_line = true;
        }
    }
}
