//! What the authority and the centres say beside returns: that a definition is adopted, what changes in it, commitments to numbers
//! that are still sealed, their release and their opening.

use std::collections::BTreeMap;
use std::fmt;

use domain::Timestamp;
use tlog::{Hash, VerifierKey};

use crate::id::{CentreId, ElectionId, UnitId};
use crate::lines::{DocumentError, Lines, hex, parse_hex, parse_time, parse_u32};
use crate::votes::Votes;

/// First line of an adoption.
pub const ADOPTION: &str = "scrutineer-adoption v1";
/// First line of a change.
pub const CHANGE: &str = "scrutineer-change v1";
/// First line of a commitment.
pub const COMMITMENT: &str = "scrutineer-commitment v1";
/// First line of a release.
pub const RELEASE: &str = "scrutineer-release v1";
/// First line of an opening.
pub const OPENING: &str = "scrutineer-opening v1";

/// The authority adopts a definition; signed by as many authority keys as it asks for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// The election.
    pub election: ElectionId,
    /// The definition's fingerprint.
    pub definition: Hash,
    /// When.
    pub time: Timestamp,
}

impl Adoption {
    /// Reads the text.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let mut lines = Lines::of(text, ADOPTION)?;
        let (election, definition) = head(&mut lines)?;
        let time = lines.parse("time", parse_time)?;
        lines.end()?;
        Ok(Self { election, definition, time })
    }
}

impl fmt::Display for Adoption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_head(f, ADOPTION, &self.election, &self.definition)?;
        writeln!(f, "time {}", self.time)
    }
}

/// The two lines with which every document says where it belongs.
fn head(lines: &mut Lines<'_>) -> Result<(ElectionId, Hash), DocumentError> {
    Ok((lines.parse("election", ElectionId::new)?, lines.parse("definition", parse_hex)?))
}

fn write_head(
    f: &mut fmt::Formatter<'_>,
    kind: &str,
    election: &ElectionId,
    definition: &Hash,
) -> fmt::Result {
    writeln!(f, "{kind}\nelection {election}\ndefinition {}", hex(definition))
}

/// What changes after the adoption. What counts is where it stands in the log, never a time that somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The election.
    pub election: ElectionId,
    /// Fingerprint of the adopted definition.
    pub definition: Hash,
    /// 1 for the first change.
    pub number: u32,
    /// The leaf hash of the change before, or of the adoption.
    pub supersedes: Hash,
    /// When.
    pub time: Timestamp,
    /// Why, for readers.
    pub reason: String,
    /// Keys that sign no more, by name.
    pub revoked: BTreeMap<String, Revocation>,
    /// Further keys of the authority, by name.
    pub authority: BTreeMap<String, VerifierKey>,
    /// Further keys of centres, by name.
    pub centre_keys: BTreeMap<String, (CentreId, VerifierKey)>,
    /// Corrected numbers of eligible people.
    pub eligible: BTreeMap<UnitId, u64>,
}

/// From where on a key is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The first entry of the log that this key may have signed in somebody else's hand. What it signed at this index and after is
    /// in question until another key has signed again; what it signed before stands.
    pub distrust_from: u64,
}

impl Change {
    /// Reads the text.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let mut lines = Lines::of(text, CHANGE)?;
        let (election, definition) = head(&mut lines)?;
        let number = lines.parse("number", |text| parse_u32(text).filter(|n| *n > 0))?;
        let supersedes = lines.parse("supersedes", parse_hex)?;
        let time = lines.parse("time", parse_time)?;
        let reason = lines.one("reason")?.to_owned();
        let revoked = map(&mut lines, "revoke", |text| {
            let (name, index) = text.split_once(' ')?;
            Some((name.to_owned(), Revocation { distrust_from: Votes::parse(index)?.0 }))
        })?;
        let authority = map(&mut lines, "authority", |text| {
            let key = VerifierKey::parse(text).ok().filter(|key| key.to_string() == text)?;
            Some((key.name().to_owned(), key))
        })?;
        let centre_keys = map(&mut lines, "centre-key", |text| {
            let (key, centre) = text.split_once(' ')?;
            let parsed = VerifierKey::parse(key).ok().filter(|parsed| parsed.to_string() == key)?;
            Some((parsed.name().to_owned(), (CentreId::new(centre)?, parsed)))
        })?;
        let eligible = map(&mut lines, "eligible", |text| {
            let (unit, n) = text.split_once(' ')?;
            Some((UnitId::new(unit)?, Votes::parse(n)?.0))
        })?;
        lines.end()?;
        Ok(Self {
            election,
            definition,
            number,
            supersedes,
            time,
            reason,
            revoked,
            authority,
            centre_keys,
            eligible,
        })
    }
}

/// A key that repeats, ascending.
fn map<K: Ord, V>(
    lines: &mut Lines<'_>,
    word: &str,
    read: impl Fn(&str) -> Option<(K, V)>,
) -> Result<BTreeMap<K, V>, DocumentError> {
    let mut map = BTreeMap::new();
    while let Some(text) = lines.maybe(word)? {
        let entry = read(text).filter(|(key, _)| map.last_key_value().is_none_or(|(last, _)| last < key));
        let Some((key, value)) = entry else {
            return Err(lines.before(format!("`{word}` cannot be `{text}`, or stands out of order")));
        };
        map.insert(key, value);
    }
    Ok(map)
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_head(f, CHANGE, &self.election, &self.definition)?;
        writeln!(f, "number {}\nsupersedes {}", self.number, hex(&self.supersedes))?;
        writeln!(f, "time {}\nreason {}", self.time, self.reason)?;
        for (name, revocation) in &self.revoked {
            writeln!(f, "revoke {name} {}", revocation.distrust_from)?;
        }
        self.authority.values().try_for_each(|key| writeln!(f, "authority {key}"))?;
        self.centre_keys.values().try_for_each(|(centre, key)| writeln!(f, "centre-key {key} {centre}"))?;
        self.eligible.iter().try_for_each(|(unit, n)| writeln!(f, "eligible {unit} {n}"))
    }
}

/// A centre commits to what it has counted in one slot, without saying what, how much or whether anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// The election.
    pub election: ElectionId,
    /// The definition's fingerprint.
    pub definition: Hash,
    /// The slot, from 0. Every centre commits once in each.
    pub slot: u32,
    /// See [`sealed`].
    pub sealed: Hash,
}

impl Commitment {
    /// Reads the text.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let mut lines = Lines::of(text, COMMITMENT)?;
        let (election, definition) = head(&mut lines)?;
        let slot = lines.parse("slot", |text| {
            // Padded, so that every commitment of a centre has the same size.
            text.parse().ok().filter(|slot| padded(*slot) == text)
        })?;
        let sealed = lines.parse("sealed", parse_hex)?;
        lines.end()?;
        Ok(Self { election, definition, slot, sealed })
    }
}

fn padded(slot: u32) -> String {
    format!("{slot:010}")
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_head(f, COMMITMENT, &self.election, &self.definition)?;
        writeln!(f, "slot {}\nsealed {}", padded(self.slot), hex(&self.sealed))
    }
}

/// Bytes of a commitment's salt: 256 bits, so that nobody can try the few hundred thousand results that a station could have.
pub const SALT_BYTES: usize = 32;

/// What a commitment seals: SHA-256 over its first line, the salt, and the leaf hashes of the returns in the order in which the
/// opening names them. A slot in which nothing was counted seals no return, and looks no different.
pub fn sealed(salt: &[u8; SALT_BYTES], returns: &[Hash]) -> Hash {
    let mut bytes = Vec::with_capacity(COMMITMENT.len() + 1 + SALT_BYTES * (1 + returns.len()));
    bytes.extend_from_slice(COMMITMENT.as_bytes());
    bytes.push(b'\n');
    bytes.extend_from_slice(salt);
    for leaf in returns {
        bytes.extend_from_slice(&leaf.0);
    }
    tlog::hash::sha256(&bytes)
}

/// Two people release the numbers: from here on returns may be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The election.
    pub election: ElectionId,
    /// The definition's fingerprint.
    pub definition: Hash,
    /// When.
    pub time: Timestamp,
}

impl Release {
    /// Reads the text.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let mut lines = Lines::of(text, RELEASE)?;
        let (election, definition) = head(&mut lines)?;
        let time = lines.parse("time", parse_time)?;
        lines.end()?;
        Ok(Self { election, definition, time })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_head(f, RELEASE, &self.election, &self.definition)?;
        writeln!(f, "time {}", self.time)
    }
}

/// A centre opens one of its commitments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The election.
    pub election: ElectionId,
    /// The definition's fingerprint.
    pub definition: Hash,
    /// The leaf hash of the commitment.
    pub commitment: Hash,
    /// Its salt.
    pub salt: [u8; SALT_BYTES],
    /// The leaf hashes of the returns that it sealed.
    pub returns: Vec<Hash>,
}

impl Opening {
    /// Reads the text.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let mut lines = Lines::of(text, OPENING)?;
        let (election, definition) = head(&mut lines)?;
        let commitment = lines.parse("commitment", parse_hex)?;
        let salt = lines.parse("salt", parse_hex)?.0;
        let mut returns = Vec::new();
        while let Some(text) = lines.maybe("return")? {
            returns.push(
                parse_hex(text).ok_or_else(|| lines.before("`return` is a leaf hash in hex".to_owned()))?,
            );
        }
        lines.end()?;
        Ok(Self { election, definition, commitment, salt, returns })
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_head(f, OPENING, &self.election, &self.definition)?;
        writeln!(f, "commitment {}\nsalt {}", hex(&self.commitment), hex(&Hash(self.salt)))?;
        self.returns.iter().try_for_each(|leaf| writeln!(f, "return {}", hex(leaf)))
    }
}
