//! What is known of a site from calm days before a rise.

use std::collections::{BTreeMap, BTreeSet};

use super::kept::{BINS, busy_most, pause_at, unpacked};
use super::records::{Common, Record, WORDS, What};
use super::signs::Habits;
use super::weights::{SIGNS, Sign, USUAL_CLIENTS};

/// Calm clients without which nothing is learnt of habits.
const ENOUGH: f64 = 20.0;
/// Pauses without which reading times are not known.
const ENOUGH_PAUSES: f64 = 30.0;
/// Where fewer pages than this bring their assets along, another host serves them.
const FEW_COMPLETE: f64 = 0.05;

/// Calm days of one asset, up to a rise.
#[derive(Clone, Debug)]
pub(super) struct History {
    /// Client windows that were looked at.
    pub(super) clients: f64,
    busy: [f64; BINS],
    pauses: [f64; BINS],
    pub(super) showed: [f64; SIGNS],
    /// Paths that were answered.
    pub(super) paths: BTreeSet<i64>,
    /// Those that had a query.
    pub(super) queried: BTreeSet<i64>,
    /// Calm client windows by agent.
    pub(super) agents: BTreeMap<i64, f64>,
    /// Sums over calm clients.
    pub(super) common: Common,
    /// Some partition could not remember all paths.
    full: bool,
}

impl History {
    /// From the records of one asset, those of later epochs left out.
    pub(super) fn of(records: &[Record], key: i64, epoch: i32) -> Self {
        let mut history = Self {
            clients: 0.0,
            busy: [0.0; BINS],
            pauses: [0.0; BINS],
            showed: [0.0; SIGNS],
            paths: BTreeSet::new(),
            queried: BTreeSet::new(),
            agents: BTreeMap::new(),
            common: Common::default(),
            full: false,
        };
        for record in records.iter().filter(|record| record.key == key && record.at <= epoch) {
            history.add(record);
        }
        history
    }

    fn add(&mut self, record: &Record) {
        let words = &record.words;
        let counts = |into: &mut [f64; BINS]| {
            into.iter_mut().zip(unpacked(words)).for_each(|(sum, n)| *sum += n);
        };
        match record.what {
            what if what == What::Busy as i32 => counts(&mut self.busy),
            what if what == What::Pauses as i32 => counts(&mut self.pauses),
            what if what == What::Signs as i32 => {
                self.clients += words[0] as f64;
                self.full |= words[1] != 0;
                self.showed.iter_mut().zip(&words[2..]).for_each(|(sum, n)| *sum += *n as f64);
            }
            what if what == What::Common as i32 => self.common.merge(words),
            what if what == What::Paths as i32 => {
                for &path in words.iter().filter(|path| **path >= 0) {
                    let plain = path & !(1 << 62);
                    if path == plain {
                        self.paths.insert(path)
                    } else {
                        self.queried.insert(plain)
                    };
                }
            }
            what if what == What::Agents as i32 => {
                for at in (0..WORDS).step_by(2).filter(|at| words[at + 1] > 0) {
                    *self.agents.entry(words[at]).or_default() += words[at + 1] as f64;
                }
            }
            _ => {}
        }
    }

    /// Share of calm clients that had an agent; none where that is not known.
    pub(super) fn agent_share(&self, agent: i64) -> Option<f64> {
        let all: f64 = self.agents.values().sum();
        (all >= ENOUGH).then(|| self.agents.get(&agent).copied().unwrap_or(0.0) / all)
    }

    /// Share of calm requests by clients that show what people show.
    pub(super) fn personal_share(&self) -> f64 {
        // Three of four, as at the sites that weights were learnt from, where too little is known.
        let (requests, people) = (self.common.requests, self.common.of_people);
        (people + 0.75 * ENOUGH) / (requests + ENOUGH)
    }

    /// Odds of calm clients whose pages brought nothing along to those whose pages did, by [`super::records::Sender`].
    pub(super) fn bare_odds(&self, sender: usize) -> f64 {
        let bare = Sign::BareOne.usual() + Sign::BareTwo.usual() + Sign::BareFour.usual();
        let whole = Sign::Complete.usual() + Sign::PartlyComplete.usual();
        (self.common.bare[sender] + USUAL_CLIENTS * bare)
            / (self.common.whole[sender] + USUAL_CLIENTS * whole)
    }

    /// True where too little was recorded before the rise to know the site.
    pub(super) fn is_thin(&self) -> bool {
        self.clients < ENOUGH
    }

    fn complete(&self) -> f64 {
        let shown = |sign: Sign| self.showed[sign as usize];
        let yes = shown(Sign::Complete) + shown(Sign::PartlyComplete);
        let no = shown(Sign::BareOne) + shown(Sign::BareTwo) + shown(Sign::BareFour);
        if yes + no < ENOUGH { 1.0 } else { yes / (yes + no) }
    }

    pub(super) fn habits(&self) -> Habits {
        let known = self.clients >= ENOUGH;
        let n_pauses: f64 = self.pauses.iter().sum();
        let pause = |part: f64| {
            let (bin, inside) = quantile(&self.pauses, part);
            pause_at(bin, inside)
        };
        Habits {
            n90: if known { busy_most(quantile(&self.busy, 0.9).0) } else { 0.0 },
            n99: if known { busy_most(quantile(&self.busy, 0.99).0) } else { 0.0 },
            pauses: (n_pauses >= ENOUGH_PAUSES).then(|| (pause(0.05), pause(0.25))),
            knows_nets: known,
            knows_paths: known && !self.full,
            knows_assets: self.complete() >= FEW_COMPLETE,
        }
    }
}

/// The bin in which that part of all lies, and how far inside it.
fn quantile(counts: &[f64; BINS], part: f64) -> (usize, f64) {
    let wanted = part * counts.iter().sum::<f64>();
    let mut below = 0.0;
    for (bin, &count) in counts.iter().enumerate() {
        if below + count >= wanted && count > 0.0 {
            return (bin, ((wanted - below) / count).clamp(0.0, 1.0));
        }
        below += count;
    }
    (BINS - 1, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_where_the_counts_are() {
        let mut counts = [0.0; BINS];
        (counts[2], counts[10]) = (90.0, 10.0);
        assert_eq!(quantile(&counts, 0.5).0, 2);
        assert_eq!(quantile(&counts, 0.95).0, 10);
    }
}
