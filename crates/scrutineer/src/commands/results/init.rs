//! `scrutineer results init`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use results::definition::Definition;
use results::lines::hex;
use results::read::Draft;
use results::setup::{Setup, SetupError};

use super::super::{CommandError, Done, put};
use super::{ResultsError, read, source, write};
use crate::words::{counted, thousands};

/// Arguments of `scrutineer results init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results init election.toml --out definition.txt
  scrutineer results init examples/slovenia-ep2024/election.toml --out definition.txt

election.toml names the authority's keys, the log's policy, the channels, the files that say which units and lists there
are, and the count centres with their keys; docs/specs/setup.md has every key. The definition is plain text with one spelling; its
fingerprint is printed. Nothing is signed yet: `scrutineer results adopt` is next.")]
pub(super) struct Init {
    /// The setup
    #[arg(value_name = "SETUP", value_hint = ValueHint::FilePath)]
    setup: PathBuf,
    /// Where the definition goes
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: PathBuf,
}

impl Init {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let definition = definition(&self.setup)?;
        write(&self.out, definition.to_string().as_bytes())?;
        let lists: usize = definition.contests.values().map(|contest| contest.lists.len()).sum();
        put(&format!(
            "Definition of `{}` in `{}`: {} units of which {} report, {}, {}, {}.\n\
             Fingerprint\n  {}\n",
            definition.election,
            self.out.display(),
            thousands(definition.units.len() as u64),
            thousands(definition.reporting_units().len() as u64),
            counted(definition.contests.len() as u64, "contest", "contests"),
            counted(lists as u64, "list", "lists"),
            counted(definition.centres.len() as u64, "centre", "centres"),
            hex(&definition.fingerprint()),
        ))?;
        Ok(Done::Quiet)
    }
}

/// Makes the definition that a setup describes. Keys and policy come from files beside it.
fn definition(file: &Path) -> Result<Definition, ResultsError> {
    let folder = file.parent().unwrap_or(Path::new("."));
    definition_with(file, &|_, name| fs::read(folder.join(name)).map_err(|error| error.to_string()))
}

/// Reads what a setup names: a key, or its policy.
pub(super) type LoadBeside<'a> = dyn Fn(&Setup, &str) -> Result<Vec<u8>, String> + 'a;

/// Makes the definition that a setup describes, with keys and policy from elsewhere.
pub(super) fn definition_with(file: &Path, load: &LoadBeside<'_>) -> Result<Definition, ResultsError> {
    let wrong =
        |error: SetupError| ResultsError::Document { file: file.to_owned(), reason: error.to_string() };
    let text = String::from_utf8_lossy(&read(file)?).into_owned();
    let setup = Setup::parse(&text).map_err(wrong)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut draft = Draft::default();
    for it in &setup.source {
        // A mapping is built in, or lies beside the setup.
        let beside =
            |name: &str| folder.join(name).is_file().then(|| folder.join(name).display().to_string());
        let mapping = it.mapping.as_deref().map(|name| beside(name).unwrap_or_else(|| name.to_owned()));
        let mapping = mapping.as_deref().map(source::mapping).transpose()?;
        let sources = source::sources(&folder.join(&it.file), mapping.as_ref())?;
        for each in sources {
            source::join(&mut draft, each.read.draft);
        }
    }
    setup.definition(&draft, &|name| load(&setup, name)).map_err(wrong)
}
