//! The folder of a public tree, and what stands in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use results::lines::{hex, parse_hex};
use tlog::Hash;
use tlog::hash::sha256;
use tlog::storage::CHECKPOINT;

use super::super::{ResultsError, read, write};

/// First line of the state.
const STATE: &str = "scrutineer-published v1";

/// The folder.
pub(super) struct Tree {
    folder: PathBuf,
    state: PathBuf,
    /// The folder is that of the log, which writes its own files.
    is_log: bool,
}

/// What was written, and of which log.
pub(super) struct State {
    /// Fingerprint of the election.
    pub(super) definition: Hash,
    /// Entries of the log.
    pub(super) size: u64,
    /// Root of the log.
    pub(super) root: Hash,
    /// Hash of the program's version and of all that one can choose: where it is another one, every page may be.
    pub(super) choice: Hash,
    /// All files by path.
    pub(super) files: BTreeMap<String, Kept>,
}

/// A file as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) hash: Hash,
    pub(super) len: u64,
}

impl Tree {
    /// Opens a folder: an empty one, one that was written before, or that of the log itself.
    pub(super) fn open(folder: &Path, log: &str) -> Result<Self, ResultsError> {
        let mut state = folder.as_os_str().to_owned();
        state.push(".state");
        let same = |other: PathBuf| {
            folder.canonicalize().is_ok_and(|it| other.canonicalize().is_ok_and(|log| log == it))
        };
        let is_log = same(PathBuf::from(log)) || same(Path::new(log).join("public"));
        let tree = Self { folder: folder.to_owned(), state: state.into(), is_log };
        let is_empty = fs::read_dir(folder).map_or(true, |mut inside| inside.next().is_none());
        if !is_empty && !is_log && !tree.state.is_file() {
            let reason = "it is not empty, and nothing was published there before".to_owned();
            return Err(ResultsError::Document { file: folder.to_owned(), reason });
        }
        Ok(tree)
    }

    /// What was written before.
    pub(super) fn state(&self) -> Result<Option<State>, ResultsError> {
        if !self.state.is_file() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&read(&self.state)?).into_owned();
        let reason = || "it cannot be read; remove it and the tree, and publish again".to_owned();
        let wrong = || ResultsError::Document { file: self.state.clone(), reason: reason() };
        State::parse(&text).ok_or_else(wrong).map(Some)
    }

    /// Remembers what was written.
    pub(super) fn save(&self, state: &State) -> Result<(), ResultsError> {
        replace(&self.state, state.text().as_bytes())
    }

    /// Whether the log itself writes this file here.
    pub(super) fn is_of_the_log(&self, path: &str) -> bool {
        self.is_log && (path == CHECKPOINT || path.starts_with("tile/"))
    }

    /// Whether a file stands as it was written. A crash of the machine can leave one empty that was whole.
    pub(super) fn has(&self, path: &str, state: &State) -> bool {
        let len = fs::symlink_metadata(self.folder.join(path)).map(|it| it.len()).ok();
        state.files.get(path).is_some_and(|kept| Some(kept.len) == len)
    }

    /// Writes a file where it is not there already with these bytes. Says whether it was written.
    pub(super) fn put(&self, path: &str, bytes: &[u8], state: &mut State) -> Result<bool, ResultsError> {
        let kept = Kept { hash: sha256(bytes), len: bytes.len() as u64 };
        if state.files.get(path) == Some(&kept) && self.has(path, state) {
            return Ok(false);
        }
        replace(&self.folder.join(path), bytes)?;
        state.files.insert(path.to_owned(), kept);
        Ok(true)
    }

    /// Removes a file.
    pub(super) fn remove(&self, path: &str, state: &mut State) -> Result<(), ResultsError> {
        let file = self.folder.join(path);
        if let Err(source) = fs::remove_file(&file)
            && source.kind() != std::io::ErrorKind::NotFound
        {
            return Err(ResultsError::Write { file, source });
        }
        state.files.remove(path);
        Ok(())
    }
}

impl State {
    fn text(&self) -> String {
        let mut text = format!(
            "{STATE}\ndefinition {}\nsize {}\nroot {}\nchoice {}\n",
            hex(&self.definition),
            self.size,
            hex(&self.root),
            hex(&self.choice)
        );
        for (path, kept) in &self.files {
            text.push_str(&format!("file {} {} {path}\n", hex(&kept.hash), kept.len));
        }
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut field = |name: &str| lines.next()?.strip_prefix(name);
        field(STATE)?;
        let definition = parse_hex(field("definition ")?)?;
        let size = field("size ")?.parse().ok()?;
        let root = parse_hex(field("root ")?)?;
        let choice = parse_hex(field("choice ")?)?;
        let mut files = BTreeMap::new();
        for line in lines {
            let mut words = line.strip_prefix("file ")?.splitn(3, ' ');
            let kept = Kept { hash: parse_hex(words.next()?)?, len: words.next()?.parse().ok()? };
            let path = words.next().filter(|path| is_inside(path))?;
            files.insert(path.to_owned(), kept);
        }
        Some(Self { definition, size, root, choice, files })
    }
}

/// Whether a path stays in the folder.
fn is_inside(path: &str) -> bool {
    path.split('/').all(|part| !part.is_empty() && part != "." && part != "..") && !path.contains(['\\', ':'])
}

/// Replaces a file in one step: a reader sees the old or the new one, whole.
fn replace(file: &Path, bytes: &[u8]) -> Result<(), ResultsError> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!(".new-{name}"));
    write(&beside, bytes)?;
    fs::rename(&beside, file).map_err(|source| ResultsError::Write { file: file.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_as_it_was_written_and_names_no_file_outside() {
        let kept = Kept { hash: sha256(b"x"), len: 1 };
        let files = [("index.html".to_owned(), kept), ("c-ep/u-1.html".to_owned(), kept)].into();
        let state =
            State { definition: sha256(b"d"), size: 7, root: sha256(b"r"), choice: sha256(b"c"), files };
        let text = state.text();
        let read = State::parse(&text).expect("a state");
        assert_eq!((read.text(), read.size, read.files.len()), (text.clone(), 7, 2));
        for hostile in ["../x", "/x", "a/../x", "a//x"] {
            assert!(State::parse(&text.replace("index.html", hostile)).is_none(), "{hostile}");
        }
    }

    #[test]
    fn files_that_are_the_same_are_left_and_one_that_was_cut_is_written_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let tree = Tree::open(&folder.path().join("tree"), "no-log").expect("a new folder");
        let (definition, root, choice) = (sha256(b"d"), sha256(b"r"), sha256(b"c"));
        let mut state = State { definition, size: 0, root, choice, files: BTreeMap::new() };
        assert!(tree.put("a/b.html", b"one", &mut state).expect("written"));
        assert!(!tree.put("a/b.html", b"one", &mut state).expect("left"));
        assert!(tree.put("a/b.html", b"two", &mut state).expect("replaced"));
        fs::write(folder.path().join("tree/a/b.html"), b"").expect("a crash");
        assert!(tree.put("a/b.html", b"two", &mut state).expect("written again"));
        tree.save(&state).expect("saved");
        assert_eq!(tree.state().expect("read").expect("there").files, state.files);
        fs::create_dir_all(folder.path().join("other")).expect("a folder");
        fs::write(folder.path().join("other/thesis.txt"), b"mine").expect("a file");
        assert!(Tree::open(&folder.path().join("other"), "no-log").is_err());
    }
}
