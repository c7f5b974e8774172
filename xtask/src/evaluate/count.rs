//! Counting: what of a planted group was found, and what else was flagged.

/// What one method flagged in one run.
#[derive(Clone, Debug, Default)]
pub(super) struct Flagged {
    /// Ascending, each once.
    accounts: Vec<i32>,
    /// Pairs `a < b` that the method puts together; ascending, each once.
    pairs: Vec<(i32, i32)>,
}

impl Flagged {
    /// From groups of accounts: all members of a group are put together.
    pub(super) fn of_groups<'a>(groups: impl IntoIterator<Item = &'a [i32]>) -> Self {
        let mut pairs = Vec::new();
        for group in groups {
            for (at, &one) in group.iter().enumerate() {
                pairs.extend(group[at + 1..].iter().map(|&other| (one, other)));
            }
        }
        Self::of_pairs(pairs)
    }

    /// From pairs of accounts.
    pub(super) fn of_pairs(pairs: impl IntoIterator<Item = (i32, i32)>) -> Self {
        let mut pairs: Vec<(i32, i32)> = pairs.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut accounts: Vec<i32> = pairs.iter().flat_map(|&(a, b)| [a, b]).collect();
        accounts.sort_unstable();
        accounts.dedup();
        Self { accounts, pairs }
    }

    /// Of `members`, how many are flagged.
    pub(super) fn found(&self, members: &[i32]) -> usize {
        members.iter().filter(|account| self.has(**account)).count()
    }

    /// Accounts that are flagged.
    pub(super) fn n_accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Pairs that are flagged.
    pub(super) fn n_pairs(&self) -> usize {
        self.pairs.len()
    }

    /// Pairs of which both accounts are `members`, ascending.
    pub(super) fn n_pairs_among(&self, members: &[i32]) -> usize {
        self.pairs.iter().filter(|(a, b)| is_of(members, *a) && is_of(members, *b)).count()
    }

    /// Accounts that are neither in a plant (each ascending) nor in `known`.
    pub(super) fn n_other_accounts(&self, plants: &[&[i32]], known: &Self) -> usize {
        let planted = |account: &i32| plants.iter().any(|plant| is_of(plant, *account));
        self.accounts.iter().filter(|account| !planted(account) && !known.has(**account)).count()
    }

    /// Pairs of which at least one account is in no plant (each ascending), and that are not in `known`.
    pub(super) fn n_other_pairs(&self, plants: &[&[i32]], known: &Self) -> usize {
        let planted = |account| plants.iter().any(|plant| is_of(plant, account));
        let other = |pair: &&(i32, i32)| {
            known.pairs.binary_search(pair).is_err() && !(planted(pair.0) && planted(pair.1))
        };
        self.pairs.iter().filter(other).count()
    }

    /// Pairs of accounts of two different plants (each ascending).
    pub(super) fn n_pairs_across(&self, plants: &[&[i32]]) -> usize {
        let of = |account| plants.iter().position(|plant| is_of(plant, account));
        let across = |pair: &&(i32, i32)| match (of(pair.0), of(pair.1)) {
            (Some(a), Some(b)) => a != b,
            _ => false,
        };
        self.pairs.iter().filter(across).count()
    }

    fn has(&self, account: i32) -> bool {
        self.accounts.binary_search(&account).is_ok()
    }
}

fn is_of(members: &[i32], account: i32) -> bool {
    members.binary_search(&account).is_ok()
}

/// Sums over runs and groups.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    /// Planted accounts.
    pub(super) planted: usize,
    /// Planted accounts that were flagged.
    pub(super) found: usize,
    /// Flagged accounts that were not planted.
    pub(super) others: usize,
}

impl Tally {
    /// Part of the planted accounts that was flagged. `None` where nothing was planted.
    pub(super) fn recall(&self) -> Option<f64> {
        (self.planted > 0).then(|| self.found as f64 / self.planted as f64)
    }

    /// Part of the flagged accounts that was planted. `None` where nothing was flagged.
    pub(super) fn precision(&self) -> Option<f64> {
        let flagged = self.found + self.others;
        (flagged > 0).then(|| self.found as f64 / flagged as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two planted groups, 1-2-3 and 4-5-6. Flagged: 1-2 rightly, 4 with the stranger 9, and 10-11,
    /// which are flagged without any plant too.
    fn example() -> (Flagged, Flagged) {
        (Flagged::of_groups([&[1, 2][..], &[4, 9], &[10, 11]]), Flagged::of_groups([&[10, 11][..]]))
    }

    #[test]
    fn recall_and_precision_of_a_case_counted_by_hand() {
        let plants: [&[i32]; 2] = [&[1, 2, 3], &[4, 5, 6]];
        let (flagged, without) = example();
        let found: Vec<usize> = plants.iter().map(|plant| flagged.found(plant)).collect();
        assert_eq!(found, [2, 1]);
        let tally = |known: &Flagged| Tally {
            planted: 6,
            found: 3,
            others: flagged.n_other_accounts(&plants, known),
        };
        // On a background without coordination 9, 10 and 11 are false; beside what is flagged anyway, 9.
        let (all, beside) = (tally(&Flagged::default()), tally(&without));
        assert_eq!((all.recall(), all.precision()), (Some(0.5), Some(0.5)));
        assert_eq!((beside.recall(), beside.precision()), (Some(0.5), Some(0.75)));
    }

    #[test]
    fn pairs_across_two_plants_and_pairs_with_strangers_are_counted_apart() {
        let plants: [&[i32]; 2] = [&[1, 2, 3], &[4, 5, 6]];
        let flagged = Flagged::of_groups([&[3, 2, 1, 4][..], &[9, 1]]);
        assert_eq!(flagged.n_pairs(), 7);
        assert_eq!(flagged.n_pairs_among(plants[0]), 3);
        assert_eq!(flagged.n_pairs_across(&plants), 3);
        assert_eq!(flagged.n_other_pairs(&plants, &Flagged::default()), 1);
        assert_eq!(flagged.n_other_pairs(&plants, &Flagged::of_pairs([(1, 9)])), 0);
    }

    #[test]
    fn nothing_planted_has_no_recall_and_nothing_flagged_no_precision() {
        assert_eq!((Tally::default().recall(), Tally::default().precision()), (None, None));
    }
}
