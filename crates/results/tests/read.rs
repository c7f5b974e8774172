//! Reading real files of centres and authorities. They are below `../shared/data` of the workspace, which the project does
//! not carry; each test names what it skips.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use results::read::{self, Mapping, Read, ReadError};
use results::{Count, Tally, Votes};

#[path = "read/eml.rs"]
mod eml;
#[path = "read/samples.rs"]
mod samples;
#[path = "read/swiss.rs"]
mod swiss;
#[path = "read/tables.rs"]
mod tables;

/// The file or folder below the data of results; `None` where it is missing.
#[expect(clippy::print_stdout, reason = "a test names what it skips")]
fn shared(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/results").join(path);
    if !file.exists() {
        println!("skipped: there is no ../shared/data/results/{path}");
        return None;
    }
    Some(file)
}

/// Reads a shared file by what it is.
fn open(path: &str) -> Option<Result<Read, ReadError>> {
    let bytes = fs::read(shared(path)?).expect("a readable file");
    Some(read::read(&bytes, path, None))
}

/// Reads a shared table by a built-in mapping.
fn open_by(path: &str, mapping: &str) -> Option<Read> {
    let bytes = fs::read(shared(path)?).expect("a readable file");
    let mapping = Mapping::built_in(mapping).expect("a built-in mapping");
    Some(read::read(&bytes, path, Some(&mapping)).unwrap_or_else(|error| panic!("{error}")))
}

fn sum<'t>(tallies: impl IntoIterator<Item = &'t Tally>, count: &Count) -> u64 {
    tallies.into_iter().filter_map(|tally| tally.count(count)).map(|votes| votes.0).sum()
}

/// Every number of tallies added up, each under a readable name.
fn totals<'t>(tallies: impl IntoIterator<Item = &'t Tally>) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    let mut add = |name: String, votes: Votes| *sums.entry(name).or_insert(0) += votes.0;
    for tally in tallies {
        for (count, votes) in &tally.counts {
            add(format!("{} {count}", tally.contest), *votes);
        }
        for (list, votes) in &tally.lists {
            votes.total.into_iter().for_each(|votes| add(format!("{} list {list}", tally.contest), votes));
            votes
                .list_only
                .into_iter()
                .for_each(|votes| add(format!("{} list {list} alone", tally.contest), votes));
            for (number, votes) in &votes.candidates {
                add(format!("{} list {list} candidate {number}", tally.contest), *votes);
            }
        }
    }
    sums
}

/// The problems as text, one a line.
fn problems(read: &Read) -> String {
    read.problems.iter().map(|problem| format!("{problem}\n")).collect()
}

/// What a file says in one paragraph.
fn summary(read: &Read) -> String {
    let draft = &read.draft;
    let lists: usize = draft.contests.values().map(|contest| contest.lists.len()).sum();
    let lists_of = |contest: &results::definition::Contest| {
        contest.lists.values().map(|l| l.candidates.len()).sum::<usize>()
    };
    let candidates: usize = draft.contests.values().map(lists_of).sum();
    format!(
        "{}: {} tallies, {} stated, {} events; {} units, {} contests, {lists} lists, {candidates} candidates; \
         rows {} = {} used + {} stated + {} ignored + {} refused; {} problems",
        read.format,
        read.tallies.len(),
        read.stated.len(),
        read.events.len(),
        draft.units.len(),
        draft.contests.len(),
        read.rows.all,
        read.rows.used,
        read.rows.stated,
        read.rows.ignored,
        read.rows.refused,
        read.problems.len(),
    )
}
