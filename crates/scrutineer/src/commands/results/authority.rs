//! `scrutineer results adopt`, `change` and `release`: what several people sign, each with a key of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use results::definition::Definition;
use results::id::{CentreId, UnitId};
use results::lines::hex;
use results::signing::cosign;
use results::statement::{Adoption, Change, Release, Revocation};
use tlog::{Note, SignerKey, VerifierKey};

use super::super::log::keys::read_secret;
use super::super::{CommandError, Done, put};
use super::{ResultsError, now, place, read, write};

/// Arguments of `scrutineer results adopt`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results adopt definition.txt --key anna.key --out adoption.note
  scrutineer results adopt definition.txt --key ben.key --out adoption.note      (the second person, on the same file)

Prints the definition's fingerprint. Publish it where readers will look for it and a forger cannot reach: the official
gazette, the printed notice at the polling station.")]
pub(super) struct Adopt {
    /// The definition
    #[arg(value_name = "DEFINITION", value_hint = ValueHint::FilePath)]
    definition: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

/// Who signs, and where the signatures are gathered.
#[derive(Debug, Args)]
struct Signing {
    /// A secret key; give it once for each person present
    #[arg(long, value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    key: Vec<PathBuf>,
    /// The statement with its signatures; where it is there already, signatures are added
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: PathBuf,
}

impl Signing {
    fn keys(&self) -> Result<Vec<SignerKey>, CommandError> {
        Ok(self.key.iter().map(|file| read_secret(file)).collect::<Result<_, _>>()?)
    }

    /// The statement that is being signed already.
    fn begun(&self) -> Result<Option<Note>, ResultsError> {
        if !self.out.exists() {
            return Ok(None);
        }
        let wrong = |reason: tlog::note::NoteError| ResultsError::Document {
            file: self.out.clone(),
            reason: reason.to_string(),
        };
        Note::parse(&read(&self.out)?).map(Some).map_err(wrong)
    }

    /// Signs with all keys, of which each must be one of `allowed`; says who has signed and how many must.
    fn sign(
        &self,
        text: &str,
        begun: Option<Note>,
        allowed: &[&VerifierKey],
        needs: usize,
    ) -> Result<String, CommandError> {
        let mut note = begun;
        for key in self.keys()? {
            if !allowed.contains(&key.verifier()) {
                let problem = "is none of those that may sign this".to_owned();
                return Err(ResultsError::Key { key: key.verifier().name().to_owned(), problem }.into());
            }
            note = Some(cosign(note.as_ref(), text, &key));
        }
        let note = note.expect("internal error: the command line asks for a key");
        write(&self.out, note.to_string().as_bytes())?;
        let names: Vec<String> =
            note.signatures().iter().map(|signature| format!("`{}`", signature.name)).collect();
        let missing = needs.saturating_sub(names.len());
        let state = match missing {
            0 => "It is complete.".to_owned(),
            1 => "One more person must sign.".to_owned(),
            n => format!("{n} more people must sign."),
        };
        Ok(format!("Signed by {}. {state}\n", names.join(", ")))
    }
}

/// Reads a definition.
pub(super) fn definition(file: &Path) -> Result<Definition, ResultsError> {
    let wrong = |reason| ResultsError::Definition { file: file.to_owned(), reason: Box::new(reason) };
    Definition::parse(&read(file)?).map_err(wrong)
}

/// Reads a change that enough of the authority's people have signed, and learns the keys that it gives them.
pub(super) fn signed_change(
    file: &Path,
    authority: &mut Vec<VerifierKey>,
    needs: usize,
) -> Result<Change, ResultsError> {
    let wrong = |reason: String| ResultsError::Document { file: file.to_owned(), reason };
    let note = Note::parse(&read(file)?).map_err(|error| wrong(error.to_string()))?;
    let signed = note.verify(authority).map_err(|error| wrong(error.to_string()))?.by.len();
    if signed < needs {
        return Err(wrong(format!("{signed} of the {needs} people who must sign have signed")));
    }
    let change = Change::parse(note.unverified_text())
        .map_err(|reason| ResultsError::Text { file: file.to_owned(), reason })?;
    authority.extend(change.authority.values().cloned());
    Ok(change)
}

/// A statement that was begun must be the one that is meant.
fn text_of<T>(
    begun: Option<&Note>,
    file: &Path,
    parse: impl Fn(&str) -> Result<T, results::lines::DocumentError>,
    is_meant: impl Fn(&T) -> bool,
) -> Result<Option<String>, ResultsError> {
    let Some(note) = begun else { return Ok(None) };
    let text = note.unverified_text();
    let statement = parse(text).map_err(|reason| ResultsError::Text { file: file.to_owned(), reason })?;
    if !is_meant(&statement) {
        let reason = "it is the statement of something else; choose another --out".to_owned();
        return Err(ResultsError::Document { file: file.to_owned(), reason });
    }
    Ok(Some(text.to_owned()))
}

impl Adopt {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let definition = definition(&self.definition)?;
        let fingerprint = definition.fingerprint();
        let begun = self.signing.begun()?;
        let adoption =
            Adoption { election: definition.election.clone(), definition: fingerprint, time: now() };
        let text =
            text_of(begun.as_ref(), &self.signing.out, Adoption::parse, |it| it.definition == fingerprint)?
                .unwrap_or_else(|| adoption.to_string());
        let allowed: Vec<&VerifierKey> = definition.authority.iter().collect();
        let signed = self.signing.sign(&text, begun, &allowed, definition.authority_threshold)?;
        put(&format!(
            "Definition of `{}`, fingerprint\n  {}\n{signed}",
            definition.election,
            hex(&fingerprint)
        ))?;
        Ok(Done::Quiet)
    }
}

/// Arguments of `scrutineer results release`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results release definition.txt --key carla.key --out release.note
  scrutineer results release definition.txt --key dan.key --out release.note

Two people sign, not before the time that the definition names. Once the release stands in the log, centres open their
commitments and returns are taken.")]
pub(super) struct ReleaseNumbers {
    /// The definition
    #[arg(value_name = "DEFINITION", value_hint = ValueHint::FilePath)]
    definition: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

impl ReleaseNumbers {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let definition = definition(&self.definition)?;
        let fingerprint = definition.fingerprint();
        let begun = self.signing.begun()?;
        let release = Release { election: definition.election.clone(), definition: fingerprint, time: now() };
        let text =
            text_of(begun.as_ref(), &self.signing.out, Release::parse, |it| it.definition == fingerprint)?
                .unwrap_or_else(|| release.to_string());
        let allowed: Vec<&VerifierKey> = definition.release.iter().collect();
        put(&self.signing.sign(&text, begun, &allowed, 2)?)?;
        Ok(Done::Quiet)
    }
}

/// Arguments of `scrutineer results change`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results change night --revoke centre-1001.ep2024.example=812 --centre-key 1001=keys/new-1001.vkey \\
      --reason 'the key of centre 1001 was on a stolen laptop' --key anna.key --out change.note
  scrutineer results change night --eligible 1001/034=520 --reason 'late register' --key anna.key --out change.note

--revoke NAME=INDEX: returns that this key signed at entry INDEX of the log or later are in question until another key of
the centre has signed anew; earlier ones stand. What counts is the place in the log: nobody can write a place before entries
that witnesses have seen.")]
pub(super) struct ChangeElection {
    /// Folder, address or bundle of the log
    #[arg(value_name = "LOG")]
    log: String,
    /// A key that signs no more, and the first entry that is in question
    #[arg(long, value_name = "NAME=INDEX")]
    revoke: Vec<String>,
    /// A further key of a centre
    #[arg(long, value_name = "CENTRE=FILE")]
    centre_key: Vec<String>,
    /// A further key of the authority
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    authority_key: Vec<PathBuf>,
    /// A corrected number of eligible people
    #[arg(long, value_name = "UNIT=N")]
    eligible: Vec<String>,
    /// Why, for readers
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    signing: Signing,
}

fn pair<'t>(text: &'t str, what: &'static str) -> Result<(&'t str, &'t str), ResultsError> {
    text.split_once('=').ok_or_else(|| ResultsError::Argument { text: text.to_owned(), what })
}

fn vkey(file: &Path) -> Result<VerifierKey, ResultsError> {
    let text = String::from_utf8_lossy(&read(file)?).into_owned();
    let wrong = |reason: tlog::key::KeyError| ResultsError::Document {
        file: file.to_owned(),
        reason: reason.to_string(),
    };
    VerifierKey::parse(text.trim_end()).map_err(wrong)
}

impl ChangeElection {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let board = place::board(&self.log)?;
        let election = place::election(&board, &self.log)?;
        let change = self.change(election)?;
        let begun = self.signing.begun()?;
        let same = |it: &Change| Change { time: change.time, ..it.clone() } == change;
        let text = text_of(begun.as_ref(), &self.signing.out, Change::parse, same)?
            .unwrap_or_else(|| change.to_string());
        let allowed: Vec<&VerifierKey> = election
            .keys
            .iter()
            .filter(|state| state.role == results::board::Role::Authority && state.revoked.is_none())
            .map(|state| &state.key)
            .collect();
        put(&self.signing.sign(&text, begun, &allowed, election.definition.authority_threshold)?)?;
        Ok(Done::Quiet)
    }

    fn change(&self, election: &results::board::Election) -> Result<Change, ResultsError> {
        let number = |text: &str| text.parse::<u32>().ok().map(u64::from);
        let wrong = |text: &str, what| ResultsError::Argument { text: text.to_owned(), what };
        let mut revoked = BTreeMap::new();
        for text in &self.revoke {
            let (name, index) = pair(text, "NAME=INDEX")?;
            let distrust_from = number(index).ok_or_else(|| wrong(index, "index of an entry"))?;
            revoked.insert(name.to_owned(), Revocation { distrust_from });
        }
        let mut centre_keys = BTreeMap::new();
        for text in &self.centre_key {
            let (centre, file) = pair(text, "CENTRE=FILE")?;
            let centre = CentreId::new(centre).ok_or_else(|| wrong(centre, "id of a centre"))?;
            let key = vkey(Path::new(file))?;
            centre_keys.insert(key.name().to_owned(), (centre, key));
        }
        let mut eligible = BTreeMap::new();
        for text in &self.eligible {
            let (unit, n) = pair(text, "UNIT=N")?;
            let unit = UnitId::new(unit).ok_or_else(|| wrong(unit, "id of a unit"))?;
            eligible.insert(unit, number(n).ok_or_else(|| wrong(n, "number of people"))?);
        }
        let authority = self.authority_key.iter().map(|file| vkey(file));
        let authority: Vec<VerifierKey> = authority.collect::<Result<_, _>>()?;
        Ok(Change {
            election: election.definition.election.clone(),
            definition: election.fingerprint,
            number: election.changes.0 + 1,
            supersedes: election.changes.1,
            time: now(),
            reason: results::definition::tidy(&self.reason),
            revoked,
            authority: authority.into_iter().map(|key| (key.name().to_owned(), key)).collect(),
            centre_keys,
            eligible,
        })
    }
}
