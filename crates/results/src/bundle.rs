//! A whole election's log in one file, for a reader without a network: `docs/specs/bundle.md`.
//!
//! ```text
//! scrutineer-bundle v1⏎
//! checkpoint 412⏎            bytes of the checkpoint that follow
//! …
//! (u16 length, entry)*       as in the entry bundles of c2sp.org/tlog-tiles, in order, to the end of the file
//! ```

use thiserror::Error;
use tlog::storage::{CHECKPOINT, Source};
use tlog::tile::FULL_WIDTH;
use tlog::{Checkpoint, Note, reader};

/// First line of a bundle.
pub const BUNDLE: &str = "scrutineer-bundle v1";

/// Why a file is no bundle.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BundleError {
    #[error("the file does not begin with `{BUNDLE}`")]
    Kind,
    #[error("the line `checkpoint BYTES` is missing or wrong")]
    Head,
    #[error("the file ends within the checkpoint")]
    Checkpoint,
}

/// What was published of a log, as far as it could be had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The checkpoint, a signed note.
    pub checkpoint: Vec<u8>,
    /// The entries, from the first.
    pub entries: Vec<Vec<u8>>,
    /// What could not be had, if something could not.
    pub missing: Option<String>,
}

/// 1 GiB: a hundred thousand returns with a thousand candidates each.
pub const MAX_PUBLISHED_BYTES: usize = 1 << 30;

impl Published {
    /// Reads what a log publishes, from its folder or over a network. What cannot be had is named, not an error: whatever is
    /// there is judged.
    pub fn of(source: &dyn Source) -> Self {
        let mut published = Self::default();
        match source.read(CHECKPOINT) {
            Ok(Some(bytes)) => published.checkpoint = bytes,
            Ok(None) => published.missing = Some(format!("`{CHECKPOINT}` is not there")),
            Err(cause) => published.missing = Some(format!("could not read `{CHECKPOINT}`: {cause}")),
        }
        // Nobody has verified that size. It only says how far to look; a log that claims more than it has ends early.
        let note = Note::parse(&published.checkpoint).ok();
        let Some(size) = note.and_then(|note| Some(Checkpoint::parse(note.unverified_text()).ok()?.size))
        else {
            return published;
        };
        let mut bytes = 0;
        for index in 0..size.div_ceil(u64::from(FULL_WIDTH)) {
            match reader::entries(source, size, index) {
                Ok(entries) => {
                    bytes += entries.iter().map(Vec::len).sum::<usize>();
                    published.entries.extend(entries);
                }
                Err(error) => {
                    published.missing = Some(error.to_string());
                    break;
                }
            }
            if bytes > MAX_PUBLISHED_BYTES {
                published.missing = Some(format!("more than {MAX_PUBLISHED_BYTES} bytes are not read"));
                break;
            }
        }
        published
    }
}

/// Whether a file says that it is a bundle.
pub fn is_bundle(bytes: &[u8]) -> bool {
    bytes.starts_with(BUNDLE.as_bytes())
}

/// Writes a bundle.
pub fn write(published: &Published) -> Vec<u8> {
    let mut bytes = format!("{BUNDLE}\ncheckpoint {}\n", published.checkpoint.len()).into_bytes();
    bytes.extend_from_slice(&published.checkpoint);
    published.entries.iter().for_each(|entry| tlog::bundle::push(&mut bytes, entry));
    bytes
}

/// Reads a bundle. One that was cut short gives the entries that are whole.
///
/// # Errors
/// Where not even a checkpoint can be read.
pub fn read(bytes: &[u8]) -> Result<Published, BundleError> {
    let rest = bytes.strip_prefix(BUNDLE.as_bytes()).and_then(|rest| rest.strip_prefix(b"\n"));
    let rest = rest.ok_or(BundleError::Kind)?;
    let end = rest.iter().take(32).position(|byte| *byte == b'\n').ok_or(BundleError::Head)?;
    let line = std::str::from_utf8(&rest[..end]).map_err(|_| BundleError::Head)?;
    let length =
        line.strip_prefix("checkpoint ").and_then(crate::lines::parse_u32).ok_or(BundleError::Head)?;
    let rest = &rest[end + 1..];
    let (checkpoint, mut rest) = rest.split_at_checked(length as usize).ok_or(BundleError::Checkpoint)?;
    let mut published = Published { checkpoint: checkpoint.to_vec(), ..Published::default() };
    while !rest.is_empty() {
        let entry = rest
            .split_first_chunk()
            .and_then(|(length, rest)| rest.split_at_checked(usize::from(u16::from_be_bytes(*length))));
        let Some((entry, after)) = entry else {
            published.missing = Some(format!("the bundle is cut within entry {}", published.entries.len()));
            break;
        };
        published.entries.push(entry.to_vec());
        rest = after;
    }
    Ok(published)
}
