//! The recordings, read the way every user's files are read.

use std::path::{Path, PathBuf};

use detect::engine::{column_i32, column_i64};
use domain::Timestamp;
use exercise::coordination::Share;
use ingest::{Accounts, Options, Reading};

use super::EvaluateError;

/// Rows after this are refused. Later than every recording, and the same in every run.
const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Shares of links in the German election of 2021.
pub(super) const GERMAN: &str = "coordination/german_url.csv";

/// Reposts of cascades that are known to be natural.
pub(super) const CONTROL: &str = "coordination/control/weibo_ced_reposts.csv.gz";

/// Opens one file of the data folder.
pub(super) fn open(data: &Path, name: &str) -> Result<Reading, EvaluateError> {
    let path: PathBuf = data.join(name);
    let options = Options {
        accounts: Accounts::Plain,
        now: NOW,
        default_trace: traffic::Trace::Object,
        seed: traffic::Seed(0),
    };
    Ok(ingest::open(&[path], options)?)
}

/// All shares of a file, with accounts and objects as dense numbers.
pub(super) fn shares(data: &Path, name: &str) -> Result<Vec<Share>, EvaluateError> {
    let mut shares = Vec::new();
    for part in open(data, name)?.take_parts() {
        for batch in part {
            let batch = batch?.rows;
            let (accounts, objects) = (column_i32(&batch, "account"), column_i64(&batch, "object"));
            let times = column_i64(&batch, "time");
            let rows = accounts.iter().zip(objects).zip(times);
            shares.extend(rows.map(|((&account, &object), &time)| Share { account, object, time }));
        }
    }
    Ok(shares)
}
