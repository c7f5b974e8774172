//! `scrutineer coordination edges`: networks of accounts that share the same things.

mod write;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use detect::coordination::peers::{coortweet, number_rows, only_trace, toolkit};
use detect::detectors::influence::coordinated_sharing;
use detect::{Case, Engine, EngineError, Names, Settings};
use domain::Timestamp;
use ingest::{Accounts, Options, ReadError};
use traffic::Trace;

use super::{CommandError, Done, say, size};

/// Arguments of `scrutineer coordination`.
#[derive(Debug, Args)]
pub(crate) struct Coordination {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write the network of accounts as a table of edges, with the ids of the input
    Edges(Edges),
}

/// Arguments of `scrutineer coordination edges`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer coordination edges --as coortweet --window 60 --min-participation 2 posts.csv
  scrutineer coordination edges --min-edge-weight 3 posts.csv
  scrutineer coordination edges --as toolkit-retweet --min-edge-weight 2 --format graphml reposts.csv

An edge says that two accounts did the same within the window, not that they agreed to.")]
struct Edges {
    /// Files, or folders of files
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Whose rules to follow; without it, our own network with both p-values of every pair
    #[arg(long = "as", value_name = "RULES")]
    rules: Option<Rules>,
    /// Longest time between two shares, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(i64).range(0..=31_536_000))]
    window: i64,
    /// Rows that an account must have (coortweet)
    #[arg(long, value_name = "ROWS", default_value_t = 2)]
    min_participation: u64,
    /// Weight that an edge must have
    #[arg(long, value_name = "WEIGHT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    min_edge_weight: u32,
    /// Count rows that agree in object, account, post and time once (coortweet)
    #[arg(long)]
    unique: bool,
    /// Take objects of this trace only, such as url or hashtag, where the input has several
    #[arg(long, value_name = "TRACE", value_parser = trace)]
    trace: Option<Trace>,
    /// Format of the output
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: Format,
    /// Memory for the work; what does not fit goes to a scratch file
    #[arg(long, value_name = "SIZE", default_value = "512MB", value_parser = size::parse)]
    memory: u64,
    /// Threads; as many as the machine has unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Rules {
    /// `detect_groups` and `generate_coordinated_network` of CooRTweet 2.1
    Coortweet,
    /// `co_retweet` of the coordination-network-toolkit 1.5
    ToolkitRetweet,
    /// `co_link` of the coordination-network-toolkit 1.5
    ToolkitLink,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table with a header
    Csv,
    /// For Gephi, igraph, networkx
    Graphml,
}

/// Why no network was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EdgesError {
    /// The files cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is nowhere to put what does not fit into memory.
    #[error("could not make a scratch file")]
    Scratch { source: io::Error },
    /// The work failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl EdgesError {
    /// What the user can do.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.hint().map(str::to_owned),
            Self::Scratch { .. } => Some("set TMPDIR to a folder that you can write".to_owned()),
            Self::Engine(_) => None,
        }
    }
}

impl Coordination {
    /// Reads, counts, writes.
    pub(super) fn run(self) -> Result<Done, CommandError> {
        match self.what {
            What::Edges(edges) => edges.run(),
        }
    }
}

impl Edges {
    fn run(self) -> Result<Done, CommandError> {
        match self.rules {
            Some(Rules::Coortweet) => self.coortweet(),
            Some(Rules::ToolkitRetweet) => self.toolkit(toolkit::Kind::Retweet),
            Some(Rules::ToolkitLink) => self.toolkit(toolkit::Kind::Link),
            None => self.ours(),
        }
    }

    /// The network of the detector `coordinated-sharing`, with both p-values of every pair.
    fn ours(&self) -> Result<Done, CommandError> {
        let (tables, ledger) = self.gather((coordinated_sharing::DETECTOR.gather)(&Settings::default()))?;
        let names = Names {
            accounts: ledger.accounts,
            objects: ledger.objects,
            texts: ledger.texts,
            sources: ledger.sources,
            rows_read: ledger.rows_read,
            rows_refused: ledger.rows_refused,
        };
        let (totals, settings) = (BTreeMap::new(), Settings::default());
        let case = Case { tables: &tables, totals: &totals, names: &names, settings: &settings, threads: 1 };
        let mut edges = coordinated_sharing::network(&case);
        edges.retain(|edge| edge.in_step.iter().any(|&objects| objects >= self.min_edge_weight));
        for edge in &mut edges {
            if names.accounts.name(edge.a) > names.accounts.name(edge.b) {
                (edge.a, edge.b) = (edge.b, edge.a);
            }
        }
        edges.sort_by_cached_key(|edge| {
            (names.accounts.name(edge.a), names.accounts.name(edge.b), edge.trace)
        });
        let graphml = self.format == Format::Graphml;
        put_with(|out| write::ours(out, graphml, &edges, &names.accounts))
    }

    fn coortweet(&self) -> Result<Done, CommandError> {
        let rule = coortweet::Rule {
            window_ms: self.window * 1000,
            min_participation: self.min_participation,
            unique: self.unique,
        };
        let (tables, ledger) = self.gather(coortweet::gather(rule))?;
        let mut edges = coortweet::network(&tables, rule, &ledger.accounts, &ledger.objects);
        drop(tables);
        // The threshold is that of the whole network, so edges go only now.
        edges.retain(|edge| edge.weight >= u64::from(self.min_edge_weight));
        let graphml = self.format == Format::Graphml;
        put_with(|out| write::coortweet(out, graphml, &edges, &ledger.accounts))
    }

    fn toolkit(&self, kind: toolkit::Kind) -> Result<Done, CommandError> {
        let gather = toolkit::gather(kind, self.window * 1000, self.min_edge_weight.into());
        let (tables, ledger) = self.gather(gather)?;
        let edges = toolkit::network(tables, &ledger.accounts);
        let graphml = self.format == Format::Graphml;
        put_with(|out| write::toolkit(out, graphml, &edges, &ledger.accounts))
    }

    /// Runs one gather over the files and tells what could not be used.
    fn gather(
        &self,
        gather: detect::engine::Gather,
    ) -> Result<(detect::engine::Tables, ingest::Ledger), EdgesError> {
        #[expect(clippy::disallowed_methods, reason = "the binary is where the clock is read")]
        let now = Timestamp(jiff::Timestamp::now().as_millisecond());
        let options =
            Options { accounts: Accounts::Plain, now, default_trace: Trace::Object, seed: traffic::Seed(0) };
        let mut reading = ingest::open(&self.paths, options)?;
        let scratch = store::TempScratch::create(None).map_err(|source| EdgesError::Scratch { source })?;
        let threads = self
            .threads
            .map_or_else(|| thread::available_parallelism().map_or(1, std::num::NonZero::get), usize::from);
        let memory = usize::try_from(self.memory).unwrap_or(usize::MAX);
        let engine = Engine::new(threads, memory, Arc::new(scratch));
        let parts = match self.trace {
            Some(trace) => only_trace(reading.take_parts(), trace),
            None => reading.take_parts(),
        };
        let (tables, totals) = engine.run(&[gather], number_rows(parts))?;
        let ledger = reading.finish();
        if ledger.rows_refused > 0 {
            say(ledger.problems.to_string().trim_end());
        }
        for (reason, rows) in totals.values().flat_map(|total| &total.refused) {
            say(&format!("note: {rows} rows were left out: {reason}"));
        }
        Ok((tables, ledger))
    }
}

fn trace(name: &str) -> Result<Trace, String> {
    let names = || Trace::ALL.iter().map(|trace| trace.name()).collect::<Vec<_>>().join(", ");
    Trace::parse(name).ok_or_else(|| format!("there are {}", names()))
}

/// Lets `write` write to standard output.
fn put_with(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<Done, CommandError> {
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    write(&mut out)
        .and_then(|()| io::Write::flush(&mut out))
        .map_err(|source| CommandError::Stdout { source })?;
    Ok(Done::Quiet)
}
