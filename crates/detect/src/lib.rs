//! Traffic windows to findings.
//!
//! A detector is three small functions: *gather* (a description of how much traffic becomes a small
//! table of evidence), *judge* (a pure function from that evidence to findings) and *explain* (the
//! words). [`catalogue`] is the one list of detectors; [`engine`] interprets gathers.

pub mod case;
pub mod catalogue;
pub mod coordination;
pub mod detectors;
pub mod engine;
pub mod stats;
mod triage;

pub use case::{AllowedNetwork, Case, Names, Settings};
pub use catalogue::Detector;
pub use engine::{Engine, EngineError};

/// What a run found.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The worst first.
    pub findings: Vec<domain::Finding>,
    /// What the reader should know of the run: work that was shed, rows that were refused.
    pub notes: Vec<String>,
}

/// Runs detectors over traffic, in one pass. `names` is asked once the traffic is read.
///
/// # Errors
/// The traffic or the scratch space failed, or the control totals do not add up.
pub fn run(
    detectors: &[&Detector],
    parts: Vec<traffic::Part>,
    names: &mut dyn FnMut() -> Names,
    settings: &Settings,
    engine: &Engine,
) -> Result<Outcome, EngineError> {
    let gathers: Vec<engine::Gather> = detectors.iter().map(|detector| (detector.gather)(settings)).collect();
    let (tables, totals) = engine.run(&gathers, parts)?;
    let names = names();
    let case = Case { tables: &tables, totals: &totals, names: &names, settings, threads: engine.threads() };
    let findings = detectors.iter().flat_map(|detector| (detector.judge)(&case)).collect();
    let mut notes: Vec<String> = Vec::new();
    for (step, total) in &totals {
        for (reason, rows) in &total.refused {
            notes.push(format!("{step}: {rows} rows refused: {reason}"));
        }
    }
    Ok(Outcome { findings: triage::ordered(findings), notes })
}
