//! What a leaf of an election's log can be.

use thiserror::Error;
use tlog::note::NoteError;
use tlog::{Hash, Note};

use crate::lines::{DocumentError, hex, parse_hex};
use crate::returns::{RETRACTION, RETURN, Retraction, Return};
use crate::statement::{
    ADOPTION, Adoption, CHANGE, COMMITMENT, Change, Commitment, OPENING, Opening, RELEASE, Release,
};

/// First word of a part of a definition.
const PART: &str = "scrutineer-part v1 ";

/// 60,000 bytes of a definition in one leaf: with its first line it stays below what a leaf can hold (65,535).
pub const PART_BYTES: usize = 60_000;

/// A leaf, read and not yet believed.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A piece of a definition; believed where an adoption names the whole.
    Part(Part),
    /// A signed document.
    Signed(Note, Document),
    /// A document of a kind that this program does not know. It is kept and counted; newer programs may know it.
    Unknown,
}

/// A piece of a definition's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Fingerprint of the whole.
    pub definition: Hash,
    /// Which piece, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A document whose signature makes it what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// A definition is adopted.
    Adoption(Adoption),
    /// Something of it changes.
    Change(Change),
    /// A return.
    Return(Box<Return>),
    /// A retraction.
    Retraction(Retraction),
    /// A sealed slot.
    Commitment(Commitment),
    /// Numbers are released.
    Release(Release),
    /// A sealed slot is opened.
    Opening(Opening),
}

/// Why bytes are no entry.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EntryError {
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("the entry is a part of a definition, and its first line cannot be read")]
    Part,
}

impl Entry {
    /// Reads a leaf.
    ///
    /// # Errors
    /// Where it says that it is of a known kind and is not.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.starts_with(PART.as_bytes()) {
            return Part::parse(bytes).map(Self::Part).ok_or(EntryError::Part);
        }
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let Ok(kind) = std::str::from_utf8(first) else { return Ok(Self::Unknown) };
        let is_known = [ADOPTION, CHANGE, RETURN, RETRACTION, COMMITMENT, RELEASE, OPENING].contains(&kind);
        if !is_known {
            return Ok(Self::Unknown);
        }
        let note = Note::parse(bytes)?;
        let text = note.unverified_text();
        let document = match kind {
            ADOPTION => Document::Adoption(Adoption::parse(text)?),
            CHANGE => Document::Change(Change::parse(text)?),
            RETURN => Document::Return(Box::new(Return::parse(text)?)),
            RETRACTION => Document::Retraction(Retraction::parse(text)?),
            COMMITMENT => Document::Commitment(Commitment::parse(text)?),
            RELEASE => Document::Release(Release::parse(text)?),
            _ => Document::Opening(Opening::parse(text)?),
        };
        Ok(Self::Signed(note, document))
    }
}

impl Part {
    /// Cuts a definition's text into leaves.
    pub fn cut(text: &[u8]) -> Vec<Vec<u8>> {
        let definition = tlog::hash::sha256(text);
        let pieces = text.chunks(PART_BYTES);
        let of = pieces.len() as u32;
        (1..)
            .zip(pieces)
            .map(|(number, bytes)| Self { definition, number, of, bytes: bytes.to_vec() }.to_bytes())
            .collect()
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{PART}{} {} {}\n", hex(&self.definition), self.number, self.of).into_bytes();
        bytes.extend_from_slice(&self.bytes);
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let line = std::str::from_utf8(&bytes[PART.len()..end]).ok()?;
        let mut words = line.split(' ');
        let definition = parse_hex(words.next()?)?;
        let number = crate::lines::parse_u32(words.next()?)?;
        let of = crate::lines::parse_u32(words.next()?)?;
        let bytes = bytes[end + 1..].to_vec();
        let is_whole = words.next().is_none() && (1..=of).contains(&number) && !bytes.is_empty();
        is_whole.then_some(Self { definition, number, of, bytes })
    }
}
