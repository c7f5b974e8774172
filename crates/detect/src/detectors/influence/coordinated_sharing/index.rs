//! One trace of a case, laid out for the judge: who shared what when, by object and by account.
//!
//! Accounts and objects are ranked by a digest of their names, not by their ids: ids depend on the
//! order of input, ranks do not, and every tie below is broken by rank.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::RecordBatch;
use traffic::{AccountNames, Trace};

use crate::case::{AllowedNetwork, Names};
use crate::engine::{Tables, column_i32, column_i64};

/// Stands for an account with one object: audience, never a suspect.
pub(super) const ONE_OFF: u32 = u32::MAX;

/// Objects with at least so many accounts have an audience whose first share can serve as the
/// start that delays are counted from.
pub(super) const DELAY_AUDIENCE: u32 = 12;

/// One account's shares of one object.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) object: u32,
    /// Range in [`Index::visit_times`], ascending.
    from: u32,
    to: u32,
}

/// See the module.
pub(super) struct Index {
    pub(super) trace: Trace,
    /// Ids of the accounts with at least two objects, by rank.
    pub(super) accounts: Vec<i32>,
    /// Ids of the objects, by rank.
    pub(super) objects: Vec<i64>,
    /// Distinct accounts of each object, one-off accounts included.
    pub(super) n_accounts: Vec<u32>,
    entry_starts: Vec<u32>,
    /// Account ranks and times (ms) of each object's shares, ordered by time, then account.
    entry_accounts: Vec<u32>,
    entry_times: Vec<i64>,
    visit_starts: Vec<u32>,
    visits: Vec<Visit>,
    visit_times: Vec<i64>,
    delay_starts: Vec<u32>,
    delays: Vec<i64>,
    /// Sum over all accounts of their distinct objects.
    pub(super) incidences: f64,
    account_rank: Ranks,
}

/// Accounts of declared networks, each of which stands for its whole network.
pub(super) struct Allowed {
    /// Account to the account that stands for it.
    network: BTreeMap<i32, i32>,
}

impl Allowed {
    /// Finds the accounts of declared networks among those with entries.
    pub(super) fn new(networks: &[AllowedNetwork], names: &AccountNames, tables: &Tables) -> Self {
        let mut network = BTreeMap::new();
        if networks.is_empty() {
            return Self { network };
        }
        let mut seen: BTreeSet<i32> = BTreeSet::new();
        for batch in &tables[super::gather::ENTRIES] {
            seen.extend(column_i32(batch, "account"));
        }
        let ids: BTreeMap<String, i32> = seen.into_iter().map(|id| (names.name(id), id)).collect();
        for declared in networks {
            let members: BTreeSet<&String> =
                declared.accounts.iter().filter(|name| ids.contains_key(*name)).collect();
            if let Some(first) = members.first() {
                let stands = ids[*first];
                network.extend(members.iter().map(|name| (ids[*name], stands)));
            }
        }
        Self { network }
    }

    pub(super) fn stands_for(&self, account: i32) -> i32 {
        self.network.get(&account).copied().unwrap_or(account)
    }

    fn is_declared(&self, account: i32) -> bool {
        self.network.contains_key(&account)
    }
}

/// A share as the gather gives it.
struct Row {
    object: i64,
    time: i64,
    account: i32,
    /// Its account has at least two objects.
    suspect: bool,
}

impl Index {
    /// One index for each trace that occurs, in order of trace.
    pub(super) fn build(entries: &[RecordBatch], names: &Names, allowed: &Allowed) -> Vec<Self> {
        let mut by_trace: BTreeMap<i32, Vec<Row>> = BTreeMap::new();
        for batch in entries {
            let (traces, ks) = (column_i32(batch, "trace"), column_i32(batch, "k"));
            let (ids, times) = (column_i64(batch, "object"), column_i64(batch, "time"));
            let accounts = column_i32(batch, "account");
            for at in 0..batch.num_rows() {
                by_trace.entry(traces[at]).or_default().push(Row {
                    object: ids[at],
                    time: times[at],
                    account: allowed.stands_for(accounts[at]),
                    suspect: ks[at] >= 2 || allowed.is_declared(accounts[at]),
                });
            }
        }
        by_trace
            .into_iter()
            .filter_map(|(code, rows)| Some(Self::of_trace(Trace::from_code(code)?, &rows, names)))
            .collect()
    }

    fn of_trace(trace: Trace, rows: &[Row], names: &Names) -> Self {
        let suspects = rows.iter().filter(|row| row.suspect).map(|row| i64::from(row.account));
        let accounts = ranked(suspects, |id| names.accounts.digest(id as i32));
        let objects = ranked(rows.iter().map(|row| row.object), |id| names.objects.digest(id));
        let account_rank = Ranks::of(&accounts);
        let object_rank = Ranks::of(&objects);
        let one_offs = rows.iter().filter(|row| !row.suspect);
        let mut one_off_counts = vec![0_u32; objects.len()];
        // A one-off account has one object, so its repeated shares are neighbours in no other list.
        let mut seen: Vec<(u32, i32)> =
            one_offs.map(|row| (object_rank.rank(row.object), row.account)).collect();
        seen.sort_unstable();
        seen.dedup();
        for (object, _) in &seen {
            one_off_counts[*object as usize] += 1;
        }
        let incidences_one_off = seen.len();
        let mut shares: Vec<(u32, i64, u32)> = rows
            .iter()
            .map(|row| {
                let account = if row.suspect { account_rank.rank(row.account.into()) } else { ONE_OFF };
                (object_rank.rank(row.object), row.time, account)
            })
            .collect();
        shares.sort_unstable();
        let entry_starts = starts(shares.iter().map(|share| share.0), objects.len());
        let entry_accounts: Vec<u32> = shares.iter().map(|share| share.2).collect();
        let entry_times: Vec<i64> = shares.iter().map(|share| share.1).collect();

        shares.retain(|share| share.2 != ONE_OFF);
        shares.sort_unstable_by_key(|&(object, time, account)| (account, object, time));
        let mut visits: Vec<Visit> = Vec::new();
        let mut visit_accounts: Vec<u32> = Vec::new();
        for (at, &(object, _, account)) in shares.iter().enumerate() {
            if visit_accounts.last() == Some(&account) && visits.last().is_some_and(|v| v.object == object) {
                visits.last_mut().expect("internal error: just seen").to = at as u32 + 1;
            } else {
                visits.push(Visit { object, from: at as u32, to: at as u32 + 1 });
                visit_accounts.push(account);
            }
        }
        let visit_times: Vec<i64> = shares.iter().map(|share| share.1).collect();
        let mut n_accounts = one_off_counts;
        for visit in &visits {
            n_accounts[visit.object as usize] += 1;
        }
        let visit_starts = starts(visit_accounts.iter().copied(), accounts.len());
        let incidences = (visits.len() + incidences_one_off) as f64;
        let mut index = Self {
            trace,
            accounts: accounts.iter().map(|&id| id as i32).collect(),
            objects,
            n_accounts,
            entry_starts,
            entry_accounts,
            entry_times,
            visit_starts,
            visits,
            visit_times,
            delay_starts: vec![0],
            delays: Vec::new(),
            incidences,
            account_rank,
        };
        for account in 0..index.accounts.len() as u32 {
            let mut delays: Vec<i64> = index
                .visits(account)
                .iter()
                .filter(|visit| index.n_accounts[visit.object as usize] >= DELAY_AUDIENCE)
                .map(|visit| index.delay(visit))
                .collect();
            delays.sort_unstable();
            index.delays.extend(delays);
            index.delay_starts.push(index.delays.len() as u32);
        }
        index
    }

    /// Rank of an account, or [`ONE_OFF`] where it is no suspect.
    pub(super) fn rank(&self, account: i32) -> u32 {
        self.account_rank.rank(account.into())
    }

    /// Shares of an object: account ranks and times, ordered by time.
    pub(super) fn entries(&self, object: u32) -> (&[u32], &[i64]) {
        let range =
            self.entry_starts[object as usize] as usize..self.entry_starts[object as usize + 1] as usize;
        (&self.entry_accounts[range.clone()], &self.entry_times[range])
    }

    /// What an account shared, by rank of the object.
    pub(super) fn visits(&self, account: u32) -> &[Visit] {
        &self.visits
            [self.visit_starts[account as usize] as usize..self.visit_starts[account as usize + 1] as usize]
    }

    /// When, ascending.
    pub(super) fn times(&self, visit: &Visit) -> &[i64] {
        &self.visit_times[visit.from as usize..visit.to as usize]
    }

    /// The account's shares of the object, if any.
    pub(super) fn visit(&self, account: u32, object: u32) -> Option<&Visit> {
        let visits = self.visits(account);
        visits.binary_search_by_key(&object, |visit| visit.object).ok().map(|at| &visits[at])
    }

    /// When anybody first shared the object.
    pub(super) fn first(&self, object: u32) -> i64 {
        self.entry_times[self.entry_starts[object as usize] as usize]
    }

    /// Time from the object's first share by anybody to this account's first.
    pub(super) fn delay(&self, visit: &Visit) -> i64 {
        self.visit_times[visit.from as usize] - self.first(visit.object)
    }

    /// An account's delays on objects with a real audience, ascending.
    pub(super) fn delays(&self, account: u32) -> &[i64] {
        &self.delays
            [self.delay_starts[account as usize] as usize..self.delay_starts[account as usize + 1] as usize]
    }
}

/// Distinct ids, ordered by a digest of their names.
fn ranked(ids: impl Iterator<Item = i64>, digest: impl Fn(i64) -> i64) -> Vec<i64> {
    let mut ids: Vec<i64> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut keyed: Vec<(i64, i64)> = ids.into_iter().map(|id| (digest(id), id)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, id)| id).collect()
}

/// Rank of each id.
enum Ranks {
    /// By id, where ids are dense, as a dictionary gives them.
    Dense(Vec<u32>),
    /// Pairs of id and rank, by id, where the input's own numbers are far apart.
    Sparse(Vec<(i64, u32)>),
}

impl Ranks {
    fn of(ids: &[i64]) -> Self {
        let highest = ids.iter().copied().max().unwrap_or(-1);
        if ids.iter().all(|&id| id >= 0) && highest < 16 * ids.len() as i64 + 4096 {
            let mut ranks = vec![ONE_OFF; (highest + 1) as usize];
            for (rank, &id) in ids.iter().enumerate() {
                ranks[id as usize] = rank as u32;
            }
            return Self::Dense(ranks);
        }
        let mut ranks: Vec<(i64, u32)> =
            ids.iter().enumerate().map(|(rank, &id)| (id, rank as u32)).collect();
        ranks.sort_unstable();
        Self::Sparse(ranks)
    }

    fn rank(&self, id: i64) -> u32 {
        match self {
            Self::Dense(ranks) => ranks.get(id as usize).copied().unwrap_or(ONE_OFF),
            Self::Sparse(ranks) => {
                ranks.binary_search_by_key(&id, |pair| pair.0).map_or(ONE_OFF, |at| ranks[at].1)
            }
        }
    }
}

/// Where each key begins in a sorted list of keys 0..n, and the end.
fn starts(keys: impl Iterator<Item = u32>, n: usize) -> Vec<u32> {
    let mut starts = vec![0_u32; n + 1];
    for key in keys {
        starts[key as usize + 1] += 1;
    }
    for at in 0..n {
        starts[at + 1] += starts[at];
    }
    starts
}
