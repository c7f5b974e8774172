//! `scrutineer results confirm`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use results::entry::Entry;
use tlog::receipt::Receipt;
use tlog::{Hash, VerifierKey};

use super::super::{CommandError, Done, put};
use super::{place, read};

/// Arguments of `scrutineer results confirm`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results confirm https://results.example.org/2026 returns/
  scrutineer results confirm night returns/ --receipts receipts/ --receipts-key receipts.vkey

For the centre itself: each document that it has signed, and whether it stands in the log as it was signed. Exit code 3 where
one does not. With --receipts it also says where the log has broken the promise that it signed, and the receipt is the proof.")]
pub(super) struct Confirm {
    /// Folder, address or bundle of the log
    #[arg(value_name = "LOG")]
    log: String,
    /// What was signed: files, or folders of them
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Folder of receipts that the log gave
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    receipts: Option<PathBuf>,
    /// The key that signs the log's receipts, in a file
    #[arg(long, value_name = "FILE", requires = "receipts", value_hint = ValueHint::FilePath)]
    receipts_key: Option<PathBuf>,
    /// Write JSON Lines
    #[arg(long)]
    json: bool,
}

impl Confirm {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let published = place::published(&self.log)?;
        let leaves: BTreeMap<Hash, u64> =
            (0..).zip(&published.entries).map(|(index, entry)| (Hash::leaf(entry), index)).collect();
        let key = self.receipts_key.as_deref().map(super::super::log::keys::read_verifier_key).transpose()?;
        let mut files = Vec::new();
        self.paths.iter().try_for_each(|path| super::submission::walk(path, &mut files))?;
        let (mut stand, mut absent) = (0, 0);
        for file in files {
            let bytes = read(&file)?;
            if !matches!(Entry::parse(&bytes), Ok(Entry::Signed(..))) {
                continue;
            }
            let leaf = Hash::leaf(&bytes);
            let index = leaves.get(&leaf).copied();
            let size = published.entries.len() as u64;
            let promise = if index.is_none() { self.promise(&leaf, size, key.as_ref()) } else { None };
            match index {
                Some(_) => stand += 1,
                None => absent += 1,
            }
            put(&self.line(&file, index, promise.as_deref()))?;
        }
        if !self.json {
            let size = published.entries.len();
            put(&format!("{stand} stand in the log of {size} entries, {absent} do not.\n"))?;
        }
        Ok(if absent == 0 { Done::Quiet } else { Done::Found })
    }

    fn line(&self, file: &Path, index: Option<u64>, promise: Option<&str>) -> String {
        if self.json {
            let file = file.display().to_string();
            return format!("{}\n", serde_json::json!({ "file": file, "index": index, "promise": promise }));
        }
        match index {
            Some(index) => format!("{index}  {}\n", file.display()),
            None => {
                let promise = promise.map(|promise| format!("; {promise}")).unwrap_or_default();
                format!("NOT IN THE LOG  {}{promise}\n", file.display())
            }
        }
    }

    /// What the log has promised of a document that is not there, by the receipt that its key has signed.
    fn promise(&self, leaf: &Hash, size: u64, key: Option<&VerifierKey>) -> Option<String> {
        let file = self.receipts.as_ref()?.join(format!("{}.receipt", results::lines::hex(leaf)));
        let receipt = Receipt::open(&std::fs::read(&file).ok()?, key?);
        let Ok(receipt) = receipt else {
            return Some(format!("`{}` is no receipt of this log", file.display()));
        };
        let is_late = receipt.index < size || super::super::log::now() > receipt.published_by;
        let by = verbal(receipt.published_by);
        Some(if is_late {
            format!(
                "the log promised to show it as entry {} by {by} and has not: keep `{}`",
                receipt.index,
                file.display()
            )
        } else {
            format!("the log promised to show it by {by}")
        })
    }
}

fn verbal(second: u64) -> String {
    domain::Timestamp::from_seconds(second.try_into().unwrap_or(i64::MAX)).to_string()
}
