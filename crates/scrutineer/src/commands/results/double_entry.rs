//! `scrutineer results double-entry`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use results::entry_page::{Language, double_entry_page};
use results::id::CentreId;

use super::super::{CommandError, Done, put};
use super::{ResultsError, authority, place, write};
use crate::words::thousands;

/// Arguments of `scrutineer results double-entry`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results double-entry definition.txt --centre 1001 --out 1001.html
  scrutineer results double-entry definition.txt --centre 1001 --contest ep --language nl --out 1001.html

For a count centre without a computer system: one page that needs no network and loads nothing. Two people type the paper form
one after the other, blind; the page compares, checks the arithmetic and saves a return, which `scrutineer results sign`
signs. Carry the page on a stick, and compare its SHA-256, which is printed here.")]
pub(super) struct DoubleEntry {
    /// The definition
    #[arg(value_name = "DEFINITION", value_hint = ValueHint::FilePath)]
    definition: PathBuf,
    /// The count centre
    #[arg(long, value_name = "ID")]
    centre: String,
    /// The contest, where there are several
    #[arg(long, value_name = "ID")]
    contest: Option<String>,
    /// Language of the page: en or nl
    #[arg(long, value_name = "CODE", default_value = "en", value_parser = language)]
    language: Language,
    /// Where the page goes
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: PathBuf,
}

fn language(code: &str) -> Result<Language, String> {
    let all = || Language::ALL.map(Language::code).join(", ");
    Language::parse(code).ok_or_else(|| format!("it is one of {}", all()))
}

impl DoubleEntry {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let definition = authority::definition(&self.definition)?;
        let unknown = || ResultsError::Unknown { what: "centre", name: self.centre.clone() };
        let centre = CentreId::new(&self.centre).ok_or_else(unknown)?;
        let contest = place::contest(&definition, self.contest.as_deref())?;
        let page = double_entry_page(&definition, contest, &centre, self.language).map_err(|error| {
            ResultsError::Document { file: self.definition.clone(), reason: error.to_string() }
        })?;
        write(&self.out, page.as_bytes())?;
        put(&format!(
            "`{}`, {} bytes, SHA-256\n  {}\n",
            self.out.display(),
            thousands(page.len() as u64),
            results::lines::hex(&tlog::hash::sha256(page.as_bytes()))
        ))?;
        Ok(Done::Quiet)
    }
}
