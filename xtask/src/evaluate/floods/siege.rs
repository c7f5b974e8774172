//! What is left to do where nothing tells a flood from people: share what the server can do among clients,
//! and answer what everybody wants from a copy.

use std::collections::BTreeMap;

use exercise::web::{Mix, Who};
use traffic::Address;

/// Share of people's requests that are answered, by what the server does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Siege {
    /// First come, first served.
    pub(super) nothing: f64,
    /// Max-min fair shares among clients.
    pub(super) fair: f64,
    /// Fair shares, and a copy answers what was asked for by ten clients or more.
    pub(super) copies: f64,
}

/// The server can do three times what is usual.
const CAPACITY: f64 = 3.0;
/// Shares are counted anew every so many milliseconds.
const STEP_MS: i64 = 5_000;
/// A page is copied where so many clients asked for it within the event.
const COPIED: usize = 10;

/// Plays an event to a server that can do too little.
pub(super) fn of(mix: &Mix) -> Siege {
    let from = mix.rows.partition_point(|row| row.time < mix.onset);
    let rows = || mix.rows[from..].iter().zip(&mix.truth[from..]);
    let mut askers: BTreeMap<(i64, i64), Vec<Address>> = BTreeMap::new();
    for (row, _) in rows() {
        askers.entry((row.path, row.query)).or_default().push(mix.client(row));
    }
    for clients in askers.values_mut() {
        clients.sort_unstable();
        clients.dedup();
    }
    // Requests by step and client: of people and of the flood, all of them and those that no copy answers.
    let mut all: BTreeMap<i64, BTreeMap<Address, [f64; 2]>> = BTreeMap::new();
    let mut rest: BTreeMap<i64, BTreeMap<Address, [f64; 2]>> = BTreeMap::new();
    let (mut people, mut copied) = (0.0, 0.0);
    for (row, who) in rows() {
        let (step, client) = ((row.time - mix.onset).div_euclid(STEP_MS), mix.client(row));
        let side = usize::from(*who == Who::Bot);
        all.entry(step).or_default().entry(client).or_default()[side] += 1.0;
        people += f64::from(u8::from(side == 0));
        if askers[&(row.path, row.query)].len() >= COPIED {
            copied += f64::from(u8::from(side == 0));
        } else {
            rest.entry(step).or_default().entry(client).or_default()[side] += 1.0;
        }
    }
    let capacity = CAPACITY * mix.plan.base.per_minute * STEP_MS as f64 / 60_000.0;
    let sum = |steps: &BTreeMap<i64, BTreeMap<Address, [f64; 2]>>, fair: bool| -> f64 {
        steps.values().map(|clients| served(clients, capacity, fair)).sum()
    };
    Siege {
        nothing: sum(&all, false) / people,
        fair: sum(&all, true) / people,
        copies: (copied + sum(&rest, true)) / people,
    }
}

/// People's requests that are answered within one step.
fn served(clients: &BTreeMap<Address, [f64; 2]>, capacity: f64, fair: bool) -> f64 {
    let total: f64 = clients.values().map(|[people, flood]| people + flood).sum();
    if total <= capacity {
        return clients.values().map(|[people, _]| people).sum();
    }
    if !fair {
        return clients.values().map(|[people, _]| people * capacity / total).sum();
    }
    // The level up to which everybody gets what they want and above which nobody gets more.
    let mut wants: Vec<f64> = clients.values().map(|[people, flood]| people + flood).collect();
    wants.sort_by(f64::total_cmp);
    let (mut left, mut level) = (capacity, 0.0);
    for (at, &want) in wants.iter().enumerate() {
        let share = left / (wants.len() - at) as f64;
        if want > share {
            level = share;
            break;
        }
        left -= want;
        level = want;
    }
    let of = |people: f64, flood: f64| people * (level / (people + flood)).min(1.0);
    clients.values().map(|&[people, flood]| of(people, flood)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fair_shares_leave_the_modest_alone() {
        let clients: BTreeMap<Address, [f64; 2]> =
            [(Address::v4(1), [2.0, 0.0]), (Address::v4(2), [3.0, 0.0]), (Address::v4(3), [0.0, 95.0])]
                .into();
        assert_eq!(served(&clients, 100.0, false), 5.0);
        assert_eq!(served(&clients, 20.0, true), 5.0);
        assert_eq!(served(&clients, 20.0, false), 1.0);
        assert_eq!(served(&clients, 6.0, true), 4.0);
    }
}
