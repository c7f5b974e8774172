//! The recorded sites that mixes are made from.

use std::path::{Path, PathBuf};

use domain::Timestamp;
use exercise::web::Learnt;
use ingest::{Accounts, Options, Reading};
use traffic::request::{self, Request};
use traffic::{Kind, Seed, Texts};

use super::super::EvaluateError;

/// Rows after this are refused. Later than every recording, and the same in every run.
const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// What makes text ids, here and in the detector.
pub(super) const SEED: Seed = Seed(0);

/// The NASA day.
pub(super) const NASA: &str = "network/weblogs/nasa_19950801_clf.log";
/// Elastic's example log. All its minutes are :05, each hour squeezed into one minute, so that it has visits,
/// agents and referers, and no times.
pub(super) const ELASTIC: &str = "network/weblogs/elastic_apache_logs_10k.log";

/// A site to play on.
pub(super) struct Site {
    pub(super) name: &'static str,
    pub(super) learnt: Learnt,
}

/// Opens a file of the data folder.
pub(super) fn open(data: &Path, name: &str) -> Result<Reading, EvaluateError> {
    let path: PathBuf = data.join(name);
    let options =
        Options { accounts: Accounts::Plain, now: NOW, default_trace: traffic::Trace::Object, seed: SEED };
    Ok(ingest::open(&[path], options)?)
}

/// All requests of a log, and their texts.
fn requests(data: &Path, name: &str) -> Result<(Vec<Request>, Texts), EvaluateError> {
    let mut reading = open(data, name)?;
    let mut rows = Vec::new();
    for part in reading.take_parts() {
        for batch in part {
            let batch = batch?;
            if batch.kind == Kind::Request {
                rows.extend(request::rows(&batch.rows));
            }
        }
    }
    Ok((rows, reading.finish().texts))
}

/// Both sites: the NASA day with the agents and referers of the other, and that with the pauses of the NASA day.
pub(super) fn all(data: &Path) -> Result<Vec<Site>, EvaluateError> {
    let learn = |name| -> Result<Learnt, EvaluateError> {
        let (rows, texts) = requests(data, name)?;
        Ok(Learnt::new(&rows, &texts, SEED)?)
    };
    let (nasa, elastic) = (learn(NASA)?, learn(ELASTIC)?);
    Ok(vec![
        Site { name: "NASA 1995", learnt: nasa.clone().with_agents_of(&elastic) },
        Site { name: "Elastic 2015", learnt: elastic.with_pauses_of(&nasa) },
    ])
}
