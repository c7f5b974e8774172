//! Reads files to the end.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::Timestamp;
use ingest::{Accounts, Ledger, Options, Reason};
use traffic::{Batch, Kind, Seed, Trace};

/// What a reading gave.
pub(crate) struct Read {
    pub(crate) batches: Vec<Batch>,
    pub(crate) ledger: Ledger,
}

/// Reads files or folders; errors of sources are panics.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Read, ingest::ReadError> {
    let options = Options {
        accounts: Accounts::Plain,
        // 2100-01-01.
        now: Timestamp(4_102_444_800_000),
        default_trace: Trace::Object,
        seed: Seed(0),
    };
    let mut reading = ingest::open(paths, options)?;
    let batches = reading.take_parts().into_iter().flatten().map(|batch| batch.expect("a batch")).collect();
    Ok(Read { batches, ledger: reading.finish() })
}

impl Read {
    /// Rows by kind, in order, such as `flow 2, tls 1`.
    pub(crate) fn kinds(&self) -> String {
        let shown: Vec<String> = self.ledger.kinds.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
        shown.join(", ")
    }

    /// How often each reason was counted, over all sources.
    pub(crate) fn problems(&self) -> String {
        let mut by_reason: BTreeMap<Reason, u64> = BTreeMap::new();
        for (_, reason, problem) in self.ledger.problems.iter() {
            *by_reason.entry(reason).or_default() += problem.count;
        }
        let shown: Vec<String> = by_reason.iter().map(|(reason, n)| format!("{n} × {reason}")).collect();
        shown.join("\n")
    }

    /// Every row of one kind as a batch of its own schema.
    pub(crate) fn batches_of(&self, kind: Kind) -> impl Iterator<Item = &arrow_array::RecordBatch> {
        self.batches.iter().filter(move |batch| batch.kind == kind).map(|batch| &batch.rows)
    }
}
