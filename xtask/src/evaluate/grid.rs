//! Groups planted into a background, over a grid of what a group may be like.

use std::collections::BTreeSet;

use exercise::coordination::{Background, Kind, Plan, Share};

use super::EvaluateError;
use super::count::{Flagged, Tally};
use super::methods::{Method, Methods};

/// Which values each factor takes.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    pub(super) sizes: Vec<usize>,
    pub(super) objects: Vec<usize>,
    pub(super) participations: Vec<f64>,
    pub(super) jitters_s: Vec<i64>,
    pub(super) kinds: Vec<Kind>,
}

impl Levels {
    /// The grid of 432 cells.
    pub(super) fn full() -> Self {
        Self {
            sizes: vec![3, 5, 10, 30],
            objects: vec![3, 5, 10, 20],
            participations: vec![0.3, 0.6, 0.9],
            jitters_s: vec![5, 45, 600],
            kinds: Kind::ALL.to_vec(),
        }
    }

    /// Half of it: every second number of objects.
    pub(super) fn thinned() -> Self {
        Self { objects: vec![3, 10], ..Self::full() }
    }

    /// A sixth of it, for a first look.
    pub(super) fn quick() -> Self {
        Self {
            objects: vec![3, 10],
            participations: vec![0.3, 0.9],
            jitters_s: vec![45, 600],
            ..Self::full()
        }
    }

    /// Number of cells.
    pub(super) fn n_cells(&self) -> usize {
        self.sizes.len() * self.plans().len()
    }

    /// All but the size: groups of all sizes are planted together.
    fn plans(&self) -> Vec<Plan> {
        let mut plans = Vec::new();
        for &objects in &self.objects {
            for &participation in &self.participations {
                for &jitter_s in &self.jitters_s {
                    for &kind in &self.kinds {
                        plans.push(Plan { size: 0, objects, participation, jitter_s, kind });
                    }
                }
            }
        }
        plans
    }
}

/// What is known of a background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    /// Nothing in it is coordinated: whatever is flagged in it is false.
    NothingCoordinated,
    /// Nobody knows: what is flagged without plants is not counted.
    Unknown,
}

/// One group that was planted.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) plan: Plan,
    pub(super) seed: u64,
    /// Its accounts that were flagged, by method.
    pub(super) found: Vec<usize>,
}

/// One run: groups of all sizes planted together.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// With a size of 0.
    pub(super) plan: Plan,
    /// By method.
    pub(super) other_accounts: Vec<usize>,
    /// By method.
    pub(super) other_pairs: Vec<usize>,
    /// Pairs of two different planted groups, by method.
    pub(super) pairs_across: Vec<usize>,
}

/// Everything that was counted on one background.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid {
    pub(super) cells: Vec<Cell>,
    pub(super) runs: Vec<Run>,
    /// For each seed and method: accounts and pairs that are flagged with nothing planted.
    pub(super) without: Vec<(u64, Vec<(usize, usize)>)>,
    /// Objects that popular and early groups choose from.
    pub(super) n_popular: usize,
}

impl Grid {
    /// Plants every cell into the background and counts. `say` is told how far it is.
    pub(super) fn add(
        &mut self,
        methods: &Methods,
        background: &Background,
        truth: Truth,
        levels: &Levels,
        seed: u64,
        say: &mut dyn FnMut(usize, usize),
    ) -> Result<(), EvaluateError> {
        let all = Method::all();
        let meetings = methods.meetings(&background.shares)?;
        let findings = methods.findings(&background.shares)?;
        let without: Vec<Flagged> = all.iter().map(|method| method.flagged(&findings, &meetings)).collect();
        self.without.push((seed, without.iter().map(|f| (f.n_accounts(), f.n_pairs())).collect()));
        self.n_popular = background.n_popular();
        let plans = levels.plans();
        for (at, plan) in plans.iter().enumerate() {
            say(at, plans.len());
            let mut with_plants = background.clone();
            let mut planted = Vec::new();
            for &size in &levels.sizes {
                let plan = Plan { size, ..*plan };
                planted.push((plan, with_plants.plant(&plan, seed_of(seed, &plan))));
            }
            let mut shares = background.shares.clone();
            shares.extend(planted.iter().flat_map(|(_, plant)| &plant.shares));
            let findings = methods.findings(&shares)?;
            let accounts: BTreeSet<i32> = planted.iter().flat_map(|(_, p)| p.accounts.clone()).collect();
            let added: Vec<Share> = planted.iter().flat_map(|(_, p)| p.shares.clone()).collect();
            let more = methods.meetings(&touched(&shares, &added))?.with_any_of(&accounts);
            let meetings = meetings.and(&more);

            let plants: Vec<&[i32]> = planted.iter().map(|(_, p)| p.accounts.as_slice()).collect();
            let nothing = Flagged::default();
            let flagged: Vec<Flagged> =
                all.iter().map(|method| method.flagged(&findings, &meetings)).collect();
            for (plan, plant) in &planted {
                let found = flagged.iter().map(|flagged| flagged.found(&plant.accounts)).collect();
                self.cells.push(Cell { plan: *plan, seed, found });
            }
            let known = |method: usize| match truth {
                Truth::NothingCoordinated => &nothing,
                Truth::Unknown => &without[method],
            };
            let per_method = |count: &dyn Fn(&Flagged, &Flagged) -> usize| -> Vec<usize> {
                flagged.iter().enumerate().map(|(method, flagged)| count(flagged, known(method))).collect()
            };
            self.runs.push(Run {
                plan: *plan,
                other_accounts: per_method(&|flagged, known| flagged.n_other_accounts(&plants, known)),
                other_pairs: per_method(&|flagged, known| flagged.n_other_pairs(&plants, known)),
                pairs_across: per_method(&|flagged, _| flagged.n_pairs_across(&plants)),
            });
        }
        Ok(())
    }

    /// Sums over the cells that `wanted` takes; the others are those of the runs that it takes.
    pub(super) fn tally(&self, method: usize, wanted: impl Fn(&Plan) -> bool) -> Tally {
        let cells: Vec<&Cell> = self.cells.iter().filter(|cell| wanted(&cell.plan)).collect();
        Tally {
            planted: cells.iter().map(|cell| cell.plan.size).sum(),
            found: cells.iter().map(|cell| cell.found[method]).sum(),
            others: self
                .runs
                .iter()
                .filter(|run| wanted(&run.plan))
                .map(|run| run.other_accounts[method])
                .sum(),
        }
    }

    /// Recall of each seed by itself.
    pub(super) fn recall_by_seed(&self, method: usize) -> Vec<f64> {
        let recall = |seed: u64| {
            let cells = self.cells.iter().filter(|cell| cell.seed == seed);
            let add = |sum: Tally, cell: &Cell| Tally {
                planted: sum.planted + cell.plan.size,
                found: sum.found + cell.found[method],
                others: 0,
            };
            cells.fold(Tally::default(), add).recall()
        };
        self.without.iter().filter_map(|(seed, _)| recall(*seed)).collect()
    }
}

/// Shares of the objects that `added` touches. Accounts that meet an added one do so among these.
pub(super) fn touched(shares: &[Share], added: &[Share]) -> Vec<Share> {
    let objects: BTreeSet<i64> = added.iter().map(|share| share.object).collect();
    shares.iter().filter(|share| objects.contains(&share.object)).copied().collect()
}

/// A seed for each plan, so that a thinned grid plants the same groups as the full one.
fn seed_of(seed: u64, plan: &Plan) -> u64 {
    let parts = [
        plan.size as u64,
        plan.objects as u64,
        (plan.participation * 10.0).round() as u64,
        plan.jitter_s as u64,
        plan.kind as u64,
    ];
    parts.into_iter().fold(seed, |seed, part| seed.wrapping_mul(1009).wrapping_add(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_has_the_cells_that_the_page_speaks_of() {
        assert_eq!([Levels::full(), Levels::thinned()].map(|levels| levels.n_cells()), [432, 216]);
    }

    #[test]
    fn a_thinned_grid_plants_the_same_groups() {
        let seeds = |levels: Levels| -> BTreeSet<u64> {
            levels.plans().iter().map(|plan| seed_of(7, plan)).collect()
        };
        assert_eq!(seeds(Levels::full()).len(), 108);
        assert!(seeds(Levels::thinned()).is_subset(&seeds(Levels::full())));
    }

    #[test]
    fn a_tight_group_in_a_quiet_background_is_counted() -> Result<(), EvaluateError> {
        let crowd = |at: i32| Share {
            account: (at * at * 7 + at) % 211,
            object: i64::from(at / 10),
            time: i64::from(at) * 977_000,
        };
        let background = Background::new((0..1000).map(crowd).collect());
        let levels = Levels {
            sizes: vec![5],
            objects: vec![10],
            participations: vec![0.9],
            jitters_s: vec![5],
            kinds: vec![Kind::Own],
        };
        let mut grid = Grid::default();
        let mut said = Vec::new();
        let methods = Methods::new()?;
        grid.add(&methods, &background, Truth::NothingCoordinated, &levels, 1, &mut |at, of| {
            said.push((at, of));
        })?;
        assert_eq!(said, [(0, 1)]);
        // By "four objects within a minute", whose result is known beforehand.
        let four = Method::all().iter().position(|m| *m == Method::Threshold { window: 0, k: 4 });
        let tally = grid.tally(four.expect("the threshold is tried"), |_| true);
        assert_eq!((tally.recall(), tally.precision()), (Some(1.0), Some(1.0)));
        Ok(())
    }
}
