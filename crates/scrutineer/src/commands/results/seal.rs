//! `scrutineer results seal`: numbers under embargo.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use results::entry::{Document, Entry};
use results::lines::hex;
use results::statement::{Commitment, Opening, SALT_BYTES, sealed};
use tlog::{Hash, Note, SignerKey};

use super::super::log::LogError;
use super::super::log::keys::{read_secret, write_new};
use super::super::{CommandError, Done, put};
use super::{ResultsError, authority, read};

/// Arguments of `scrutineer results seal`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results seal --slot 7 --definition definition.txt --key 1001.key --out sealed/ returns/ep/1001_034-r1.return
  scrutineer results seal --slot 8 --definition definition.txt --key 1001.key --out sealed/

A centre seals once in every slot that the definition has, whether it has counted anything or not: so neither when nor how much it
has counted can be read from the log. OUT/slot-N.commitment goes to the log now. OUT/slot-N.opening stays in the house until
the release; it holds the salt without which nobody can guess what was sealed, and is written for its owner alone.")]
pub(super) struct Seal {
    /// Signed returns that were finished in this slot
    #[arg(value_name = "RETURN", value_hint = ValueHint::AnyPath)]
    returns: Vec<PathBuf>,
    /// The slot, from 0
    #[arg(long, value_name = "N")]
    slot: u32,
    #[command(flatten)]
    centre: Centre,
    /// Where commitment and opening go
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
}

/// Whose seal it is.
#[derive(Debug, Args)]
struct Centre {
    /// The definition
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    definition: PathBuf,
    /// The centre's secret key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key: PathBuf,
}

impl Centre {
    fn open(&self) -> Result<(results::definition::Definition, SignerKey), CommandError> {
        let definition = authority::definition(&self.definition)?;
        let key = read_secret(&self.key)?;
        if !definition.centres.values().any(|centre| centre.keys.contains(key.verifier())) {
            let problem = "is of no centre in this definition".to_owned();
            return Err(ResultsError::Key { key: key.verifier().name().to_owned(), problem }.into());
        }
        Ok((definition, key))
    }
}

impl Seal {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let (definition, key) = self.centre.open()?;
        let slots = definition.embargo.as_ref().map_or(0, |embargo| embargo.slots);
        if self.slot >= slots {
            let text = self.slot.to_string();
            return Err(ResultsError::Argument { text, what: "slot of this election" }.into());
        }
        let returns = self.leaves()?;
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(|source| LogError::Random { source })?;
        let (election, fingerprint) = (definition.election.clone(), definition.fingerprint());
        let commitment = Commitment {
            election: election.clone(),
            definition: fingerprint,
            slot: self.slot,
            sealed: sealed(&salt, &returns),
        };
        let note = Note::sign(&commitment.to_string(), &key).to_string();
        let n = returns.len();
        let opening = Opening {
            election,
            definition: fingerprint,
            commitment: Hash::leaf(note.as_bytes()),
            salt,
            returns,
        };
        let opening = Note::sign(&opening.to_string(), &key).to_string();
        // The opening first: a commitment whose opening is lost can never be opened.
        let file = |ending: &str| self.out.join(format!("slot-{}.{ending}", self.slot));
        write_new(&file("opening"), &opening, 0o600)?;
        write_new(&file("commitment"), &note, 0o644)?;
        put(&format!(
            "Slot {} seals {n} returns. Log `{}` now, and `{}` after the release.\n",
            self.slot,
            file("commitment").display(),
            file("opening").display()
        ))?;
        Ok(Done::Quiet)
    }

    fn leaves(&self) -> Result<Vec<Hash>, ResultsError> {
        let mut files = Vec::new();
        self.returns.iter().try_for_each(|path| super::submission::walk(path, &mut files))?;
        files.iter().map(|file| leaf(file)).collect()
    }
}

/// The leaf hash of a signed return or retraction.
fn leaf(file: &Path) -> Result<Hash, ResultsError> {
    let bytes = read(file)?;
    match Entry::parse(&bytes) {
        Ok(Entry::Signed(_, Document::Return(_) | Document::Retraction(_))) => Ok(Hash::leaf(&bytes)),
        _ => {
            Err(ResultsError::Document { file: file.to_owned(), reason: "it is no signed return".to_owned() })
        }
    }
}

/// The groups in which a digest is printed and compared by eye.
pub(super) fn groups(hash: &Hash) -> String {
    let digits = hex(hash);
    let groups: Vec<&str> = (0..16).map(|at| &digits[4 * at..4 * at + 4]).collect();
    groups.join(" ")
}
