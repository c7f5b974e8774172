//! What a judge sees: the gathered evidence, the names behind its ids, and the settings.

use std::collections::BTreeMap;

use domain::{Provenance, Site};
use traffic::{AccountNames, ObjectNames, Seed, Texts};

use crate::engine::{Record, Tables, Totals, rows};

/// Everything that a judge may look at.
pub struct Case<'a> {
    /// Kept results of the gathers, by step.
    pub tables: &'a Tables,
    /// Control totals of every step.
    pub totals: &'a BTreeMap<&'static str, Totals>,
    /// Names behind the ids.
    pub names: &'a Names,
    /// What the user set.
    pub settings: &'a Settings,
    /// Threads that a judge may use. No result depends on it.
    pub threads: usize,
}

impl Case<'_> {
    /// The rows of a kept result.
    pub fn rows<R: Record>(&self, step: &str) -> impl Iterator<Item = R> {
        self.tables.get(step).into_iter().flatten().flat_map(rows)
    }
}

/// Names behind the ids, and where the rows came from. Known once the traffic is read.
pub struct Names {
    /// Accounts.
    pub accounts: AccountNames,
    /// Objects.
    pub objects: ObjectNames,
    /// Texts behind text ids.
    pub texts: Texts,
    /// Files or feeds, as the user named them.
    pub sources: Vec<String>,
    /// Rows read.
    pub rows_read: u64,
    /// Rows refused.
    pub rows_refused: u64,
}

impl Names {
    /// Provenance of a finding that saw everything.
    pub fn provenance(&self) -> Provenance {
        Provenance {
            sources: self.sources.clone(),
            rows_read: self.rows_read,
            rows_refused: self.rows_refused,
            complete: true,
            incomplete_because: Vec::new(),
        }
    }
}

/// What the user set.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Networks that have declared themselves: each counts as one account.
    pub allowed: Vec<AllowedNetwork>,
    /// What is defended, known to be good, and expected.
    pub site: Site,
    /// What makes the ids of texts, and picks samples by hash.
    pub seed: Seed,
}

/// A network whose accounts may act in step: a newsroom, a party, a syndication service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedNetwork {
    /// What it calls itself.
    pub name: String,
    /// Its accounts, as they are named in findings.
    pub accounts: Vec<String>,
}
