//! Files of count centres and authorities, read.

use std::fs;
use std::path::Path;

use results::read::{self, Draft, Mapping, Read};

use super::super::say;
use super::ResultsError;

/// Files that are read as one set.
const SET: &str = "WP_Wahl.csv";

/// Problems of one file that are told; the rest is counted.
const PROBLEMS_SHOWN: usize = 10;

/// A mapping: a built-in one by name, or one in a file.
pub(super) fn mapping(name: &str) -> Result<Mapping, ResultsError> {
    if let Some(mapping) = Mapping::built_in(name) {
        return Ok(mapping);
    }
    let file = Path::new(name);
    let text = String::from_utf8_lossy(&super::read(file)?).into_owned();
    let wrong = |reason: read::MappingError| ResultsError::Document {
        file: file.to_owned(),
        reason: reason.to_string(),
    };
    Mapping::parse(&text, name).map_err(wrong)
}

/// One file, or a set of files in a folder, read; and its bytes, which a return names by their digest.
pub(super) struct Source {
    pub(super) bytes: Vec<u8>,
    pub(super) read: Read,
}

/// Reads a file, every file of a folder, or a folder that is one set.
pub(super) fn sources(path: &Path, mapping: Option<&Mapping>) -> Result<Vec<Source>, ResultsError> {
    if !path.is_dir() {
        return Ok(vec![source(path, mapping)?]);
    }
    if path.join(SET).is_file() {
        return Ok(vec![set(path)?]);
    }
    let mut files = Vec::new();
    super::submission::walk(path, &mut files)?;
    files.iter().map(|file| source(file, mapping)).collect()
}

fn source(file: &Path, mapping: Option<&Mapping>) -> Result<Source, ResultsError> {
    let bytes = super::read(file)?;
    let name = file.display().to_string();
    let read = read::read(&bytes, &name, mapping).map_err(|error| ResultsError::Source { error })?;
    tell(&name, &read);
    Ok(Source { bytes, read })
}

fn set(folder: &Path) -> Result<Source, ResultsError> {
    let failed = |source| ResultsError::Read { file: folder.to_owned(), source };
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file.extension().is_some_and(|ending| ending == "csv") {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, super::read(&file)?));
        }
    }
    files.sort();
    let borrowed: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let read = read::read_set(&borrowed).map_err(|error| ResultsError::Source { error })?;
    tell(&folder.display().to_string(), &read);
    let bytes = files.into_iter().flat_map(|(_, bytes)| bytes).collect();
    Ok(Source { bytes, read })
}

/// Takes in what one more file says of the election; where files differ, the first has the word, and it is told.
pub(super) fn join(draft: &mut Draft, other: Draft) {
    for problem in draft.join(other) {
        say(&format!("warning: {}: {} ({})", problem.field, problem.message, problem.code));
    }
}

/// Tells what could not be read; nothing is lost without a word.
fn tell(name: &str, read: &Read) {
    for problem in read.problems.iter().take(PROBLEMS_SHOWN) {
        let line = problem.line.map(|line| format!(" line {line},")).unwrap_or_default();
        say(&format!("warning: {name}:{line} {}: {} ({})", problem.field, problem.message, problem.code));
    }
    let more = read.problems.len().saturating_sub(PROBLEMS_SHOWN) as u64 + read.more_problems;
    if more > 0 {
        say(&format!("warning: {name}: {more} more problems"));
    }
}
