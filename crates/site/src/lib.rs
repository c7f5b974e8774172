//! The public pages of an election: a static tree that any web server can hand out and any mirror can copy.
//!
//! Everything is made from the log and from nothing else, so that two people who publish the same log write the same bytes.
//! (Proofs are the exception: they are of the checkpoint at which they were first made, see [`Cache::Once`].)
//! While numbers are under embargo the log has none, and neither has the tree. Nothing here reads a clock, a disk or a
//! network: [`Site::files`] names the files and makes their bytes when asked; the binary writes them.
//!
//! `docs/specs/site.md` says what stands where.

mod exports;
mod feed;
mod history;
mod latest;
mod level;
mod log;
pub mod manifest;
mod nist;
pub mod notices;
mod page;
mod path;
mod seats;
mod unit;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use results::board::{Chain, Election};
use results::id::{ContestId, UnitId};
use results::totals::{self, Totals};
use tlog::policy::Cosigned;
use tlog::{Checkpoint, Hash, Note};

pub use latest::MAX_LATEST_BYTES;
pub use notices::{Notices, NoticesError};
pub use path::slug;

/// The largest page, in bytes: it loads in a second where the network is slow.
pub const MAX_PAGE_BYTES: usize = 50_000;

/// What is published, and what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// The election that the log tells of.
    pub election: &'a Election,
    /// The checkpoint as it stands in its file.
    pub note: &'a Note,
    /// The same, read.
    pub checkpoint: &'a Checkpoint,
    /// Witnesses that have cosigned it.
    pub cosigned: &'a [Cosigned],
    /// All entries that it covers.
    pub entries: &'a [Vec<u8>],
    /// Their leaf hashes.
    pub leaves: &'a [Hash],
}

/// What whoever publishes can choose.
#[derive(Clone, Debug)]
pub struct Options {
    /// The zone in which times are shown; UTC where the zone of the definition cannot be had.
    pub zone: TimeZone,
    /// What the duty officer has to say.
    pub notices: Notices,
    /// Where the tree will be found, without a slash at the end; the feed and the commands for readers name it.
    pub address: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, notices: Notices::default(), address: String::new() }
    }
}

/// How soon a file must be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cache {
    /// It never changes: where it stands already, nothing need be made.
    Once,
    /// At once, with each return.
    Immediate,
    /// Within a minute or so: exports of the whole country.
    Debounced,
}

/// A file of the tree, whose bytes are made when asked for.
pub struct File<'s> {
    /// Its place, relative and with `/`; of ASCII letters, digits and `. - _ /` alone, and never upwards.
    pub path: String,
    /// How soon it must be written.
    pub cache: Cache,
    make: Box<dyn Fn() -> Vec<u8> + 's>,
}

impl File<'_> {
    /// Makes the bytes.
    pub fn bytes(&self) -> Vec<u8> {
        (self.make)()
    }
}

impl std::fmt::Debug for File<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File").field("path", &self.path).field("cache", &self.cache).finish_non_exhaustive()
    }
}

/// A publication with its sums, ready to be written out.
#[derive(Debug)]
pub struct Site<'a> {
    publication: Publication<'a>,
    options: &'a Options,
    totals: Totals,
    /// Units by the unit that they are summed into.
    children: BTreeMap<&'a UnitId, Vec<&'a UnitId>>,
    /// Units of which a return is due, by contest.
    due: BTreeMap<&'a ContestId, BTreeSet<&'a UnitId>>,
    tree: log::Levels,
}

/// Makes all files of an election's public tree. [`Site`] does the same and can make those of some units alone.
pub fn publish(publication: Publication<'_>, options: &Options, each: &mut dyn FnMut(&File<'_>)) {
    let site = Site::of(publication, options);
    site.files().iter().for_each(each);
}

impl<'a> Site<'a> {
    /// Adds up what there is.
    pub fn of(publication: Publication<'a>, options: &'a Options) -> Self {
        let election = publication.election;
        let mut children: BTreeMap<&UnitId, Vec<&UnitId>> = BTreeMap::new();
        for (id, unit) in &election.definition.units {
            if let Some(parent) = &unit.parent {
                children.entry(parent).or_default().push(id);
            }
        }
        let contests = election.definition.contests.keys();
        let due = contests.map(|contest| (contest, election.due(contest).collect())).collect();
        let totals = totals::totals(election);
        Self { publication, options, totals, children, due, tree: log::Levels::of(publication.leaves) }
    }

    /// All files of the tree but the manifest, which needs their hashes: [`manifest::write`].
    pub fn files(&self) -> Vec<File<'_>> {
        let mut files = self.pages(&|_, _| true);
        files.extend(self.heads());
        files.extend(log::files(self, 0));
        files.extend(exports::files(self));
        files.extend(nist::files(self));
        files.extend(feed::files(self));
        files.extend(level::corrections(self));
        files
    }

    /// The files that a reader must see at once when entries from `since` on are new: the pages of their units and of the units
    /// above, in every language, the copy of the log, and `latest.json`. Nothing where an entry from there on is more than a
    /// return or a retraction, since that may change every page.
    pub fn files_since(&self, since: u64) -> Option<Vec<File<'_>>> {
        let election = self.publication.election;
        let mut touched: BTreeSet<(&ContestId, &UnitId)> = BTreeSet::new();
        let mut seen = 0;
        for ((contest, unit), chain) in &election.chains {
            let new = chain.links().iter().filter(|link| link.index >= since).count() as u64;
            seen += new;
            if new > 0 {
                touched.extend(election.definition.upwards(unit).map(|above| (contest, above)));
            }
        }
        if seen != self.publication.checkpoint.size.checked_sub(since)? {
            return None;
        }
        let mut files = self.pages(&|contest, unit| touched.contains(&(contest, unit)));
        files.extend(self.heads());
        files.extend(log::files(self, since));
        Some(files)
    }

    /// Pages of units in contests.
    fn pages(&self, wanted: &dyn Fn(&ContestId, &UnitId) -> bool) -> Vec<File<'_>> {
        let mut files = Vec::new();
        for (contest, unit) in self.totals.keys().filter(|(contest, unit)| wanted(contest, unit)) {
            let is_due = self.due[contest].contains(unit);
            for words in words::LANGUAGES {
                if is_due && self.is_open() {
                    let make = move || unit::page(self, words, contest, unit).into_bytes();
                    files.push(File::page(path::unit(words, contest, unit, 0), make));
                } else {
                    files.extend(level::pages(self, words, contest, unit));
                }
            }
        }
        files
    }

    /// The first page of each language, and the small file that programs ask for every few seconds.
    fn heads(&self) -> Vec<File<'_>> {
        let mut files: Vec<File<'_>> = words::LANGUAGES
            .iter()
            .map(|words| File::page(path::home(words), move || level::home(self, words).into_bytes()))
            .collect();
        files.push(File::page("latest.json".to_owned(), || latest::json(self).into_bytes()));
        files
    }

    fn election(&self) -> &'a Election {
        self.publication.election
    }

    /// Whether numbers may be shown.
    fn is_open(&self) -> bool {
        self.publication.election.is_open()
    }

    fn chain(&self, contest: &ContestId, unit: &UnitId) -> Option<&'a Chain> {
        self.publication.election.chain(contest, unit)
    }

    /// Seconds since the epoch at which the newest witness saw this state; none where nobody has.
    fn time(&self) -> Option<u64> {
        self.publication.cosigned.iter().map(|by| by.time).max()
    }
}

impl<'s> File<'s> {
    fn page(path: String, make: impl Fn() -> Vec<u8> + 's) -> Self {
        Self { path, cache: Cache::Immediate, make: Box::new(make) }
    }

    fn debounced(path: &str, make: impl Fn() -> Vec<u8> + 's) -> Self {
        Self { path: path.to_owned(), cache: Cache::Debounced, make: Box::new(make) }
    }

    fn once(path: String, make: impl Fn() -> Vec<u8> + 's) -> Self {
        Self { path, cache: Cache::Once, make: Box::new(make) }
    }
}
