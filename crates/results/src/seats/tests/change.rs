//! Votes to come: by hand, and against every way to spread a few of them.

use proptest::prelude::*;

use super::*;

#[test]
fn one_vote_less_than_needed_settles() {
    let standings = standings(3, Method::SainteLague, "A=10 B=7 C=0");
    let Stability::Settled { next: Some(next) } = standings.could_change(2) else { panic!("settled") };
    // 10/3 is A's last quotient: C needs 4 votes and B 3.
    assert_eq!(moved(&next), "3 to B from A (Overtakes)");
    assert_eq!(standings.could_change(3), Stability::MayMove(next));
}

#[test]
fn a_threshold_can_be_met_or_missed() {
    let lost = with_threshold(4, Method::DHondt, 500, "A=900 B=51 C=49");
    // C needs 2 votes for 5 % of 1,002, but hundreds for a seat; B has no seat to lose.
    let Stability::Settled { next: Some(next) } = lost.could_change(10) else { panic!("settled") };
    assert_eq!(moved(&next), "174 to B from A (Overtakes)");
    // B's seat falls with its share, for 100 of 2,001 is less than 5 %. To overtake B, C would need 15 votes.
    let missed = with_threshold(19, Method::DHondt, 500, "A=1010 B=100 C=885");
    let Stability::MayMove(change) = missed.could_change(10) else { panic!("may move") };
    assert_eq!(moved(&change), "6 to nobody from B (Falls)");
    // C would have a seat as soon as it meets the threshold.
    let entered = with_threshold(30, Method::DHondt, 1000, "A=900 C=99");
    let Stability::MayMove(change) = entered.could_change(10) else { panic!("may move") };
    assert_eq!(moved(&change), "1 to C from A (Enters)");
}

#[test]
fn a_move_is_not_certain_where_as_many_votes_change_who_takes_part() {
    // Two votes bring D level with B, but of 21 valid votes A's and C's two are less than a tenth: D gains nothing then.
    let standings = with_threshold(2, Method::DroopRemainder, 1000, "A=2 B=12@x C=2@x D=3@x");
    let Stability::MayMove(change) = standings.could_change(2) else { panic!("may move") };
    assert_eq!(moved(&change), "2 to nobody from A (Falls, perhaps)");
    assert!(!any_spread_differs(&standings, 2));
}

#[test]
fn a_tie_is_decided_by_one_vote_and_stays_one_without() {
    let tied = standings(1, Method::HareRemainder, "A=4 B=4");
    assert!(matches!(tied.could_change(0), Stability::Settled { .. }));
    let Stability::MayMove(change) = tied.could_change(1) else { panic!("may move") };
    assert_eq!(moved(&change), "1 to A from nobody (DecidesTie)");
}

#[test]
fn within_a_connection_a_seat_moves_sooner() {
    let connected = standings(3, Method::HagenbachBischoff, "A=500@x B=300@x C=950");
    let Stability::Settled { next: Some(next) } = connected.could_change(10) else { panic!("settled") };
    assert_eq!(moved(&next), "150 to connection x from C (Overtakes)");
    let connected = standings(3, Method::HagenbachBischoff, "A=500@x B=495@x C=1950");
    assert_eq!(told(&connected.allocate()), "A 1, C 2");
    let Stability::MayMove(change) = connected.could_change(10) else { panic!("may move") };
    assert_eq!(moved(&change), "5 to B from A (Overtakes)");
}

#[test]
fn nothing_is_said_of_a_contest_without_a_method() {
    assert_eq!(standings(3, Method::None, "A=1").could_change(9), Stability::NotComputed);
    let alone = standings(3, Method::DHondt, "A=1");
    assert_eq!(alone.could_change(u64::MAX), Stability::Settled { next: None });
}

/// Whether any spread of at most `uncovered` votes gives other seats or ties.
fn any_spread_differs(standings: &Standings, uncovered: u64) -> bool {
    let before = standings.allocate();
    let ids: Vec<ListId> = standings.lists.keys().cloned().collect();
    let mut spreads = vec![(standings.clone(), uncovered)];
    for id in ids {
        let mut next = Vec::new();
        for (base, left) in spreads {
            for more in 0..=left {
                let mut spread = base.clone();
                spread.valid += more;
                spread.lists.get_mut(&id).expect("the list").votes += more;
                next.push((spread, left - more));
            }
        }
        spreads = next;
    }
    spreads.iter().any(|(spread, _)| {
        let after = spread.allocate();
        (&after.seats, &after.ties, after.unfilled) != (&before.seats, &before.ties, before.unfilled)
    })
}

/// Compares the answer with every spread, and a certain move with the outcome it says.
fn agrees(standings: &Standings, uncovered: u64) -> Result<(), TestCaseError> {
    let differs = any_spread_differs(standings, uncovered);
    match standings.could_change(uncovered) {
        Stability::Settled { .. } => prop_assert!(!differs, "said settled: {standings:?} {uncovered}"),
        Stability::MayMove(change) if change.certain => {
            prop_assert!(any_spread_differs(standings, change.votes), "{change:?} of {standings:?}");
            prop_assert!(!any_spread_differs(standings, change.votes - 1), "{change:?} of {standings:?}");
        }
        Stability::MayMove(change) => {
            prop_assert!(!any_spread_differs(standings, change.votes - 1), "{change:?} of {standings:?}");
        }
        Stability::NotComputed => prop_assert_eq!(standings.method, Method::None),
    }
    Ok(())
}

fn a_method() -> impl Strategy<Value = Method> {
    proptest::sample::select(Method::ALL.to_vec())
}

fn some_lists(most: u64, grouped: bool) -> impl Strategy<Value = BTreeMap<ListId, Standing>> {
    let names: Vec<Option<&str>> =
        if grouped { vec![None, Some("x"), Some("x/a"), Some("y")] } else { vec![None] };
    let list = (0..=most, proptest::sample::select(names));
    proptest::collection::vec(list, 1..=4).prop_map(|all| {
        let words = all.iter().zip(["A", "B", "C", "D"]).map(|((votes, group), id)| {
            format!("{id}={votes}{}", group.map(|group| format!("@{group}")).unwrap_or_default())
        });
        lists(&words.collect::<Vec<_>>().join(" "))
    })
}

fn of(seats: u32, method: Method, threshold: u32, lists: BTreeMap<ListId, Standing>) -> Standings {
    let valid = lists.values().map(|each| each.votes).sum();
    Standings::new(seats, method, threshold, valid, lists).expect("standings")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn without_a_threshold_the_answer_is_that_of_every_spread(
        seats in 0_u32..8, method in a_method(), lists in some_lists(14, false), uncovered in 0_u64..5,
    ) {
        let standings = of(seats, method, 0, lists);
        agrees(&standings, uncovered)?;
        if let Stability::MayMove(change) = standings.could_change(uncovered) {
            prop_assert!(change.certain);
        }
    }

    #[test]
    fn with_connections_the_answer_is_that_of_every_spread(
        seats in 0_u32..8, method in a_method(), lists in some_lists(14, true), uncovered in 0_u64..5,
    ) {
        let standings = of(seats, method, 0, lists);
        agrees(&standings, uncovered)?;
        if let Stability::MayMove(change) = standings.could_change(uncovered) {
            prop_assert!(change.certain);
        }
    }

    #[test]
    fn with_a_threshold_settled_is_proof(
        seats in 0_u32..8, method in a_method(), lists in some_lists(14, true), uncovered in 0_u64..5,
        threshold in proptest::sample::select(vec![500_u32, 1000, 1500, 2500, 5000, 10_000]),
    ) {
        let standings = of(seats, method, threshold, lists);
        agrees(&standings, uncovered)?;
        if standings.has_one_distribution()
            && let Stability::MayMove(change) = standings.could_change(uncovered)
        {
            prop_assert!(change.certain);
        }
    }
}

/// Lists of an election's size; the same groups as above.
fn many_votes() -> impl Strategy<Value = BTreeMap<ListId, Standing>> {
    let group = proptest::sample::select(vec![None, None, Some("x"), Some("x/a"), Some("x/b"), Some("y")]);
    proptest::collection::vec((0_u64..1_000_000, group), 1..=9).prop_map(|all| {
        let words = all.iter().enumerate().map(|(i, (votes, group))| {
            format!("L{i}={votes}{} ", group.map(|group| format!("@{group}")).unwrap_or_default())
        });
        lists(&words.collect::<String>())
    })
}

/// Adds votes to some lists, in the order of `shares`, each of which is a list and a part of what is left in 256.
fn spread(standings: &Standings, votes: u64, shares: &[(usize, u64)]) -> Standings {
    let (mut spread, mut left) = (standings.clone(), votes);
    let ids: Vec<ListId> = standings.lists.keys().cloned().collect();
    for (list, part) in shares {
        let more = left * part / 256;
        left -= more;
        spread.valid += more;
        spread.lists.get_mut(&ids[list % ids.len()]).expect("the list").votes += more;
    }
    spread
}

fn differs(one: &Standings, other: &Standings) -> bool {
    let (one, other) = (one.allocate(), other.allocate());
    (one.seats, one.ties, one.unfilled) != (other.seats, other.ties, other.unfilled)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn at_any_size_the_fewest_votes_change_and_one_less_does_not(
        seats in 1_u32..40, method in a_method(), lists in many_votes(),
        threshold in proptest::sample::select(vec![0_u32, 0, 0, 400, 1500]),
        shares in proptest::collection::vec((0_usize..9, proptest::sample::select(vec![0_u64, 40, 128, 256])), 1..6),
    ) {
        let standings = of(seats, method, threshold, lists);
        let change = match standings.could_change(u64::MAX / 4) {
            Stability::MayMove(change) => change,
            Stability::Settled { next } => { prop_assert_eq!(next, None); return Ok(()) }
            Stability::NotComputed => return Ok(()),
        };
        let fewer = spread(&standings, change.votes - 1, &shares);
        prop_assert!(!differs(&standings, &fewer), "{change:?}");
        if change.certain {
            let to = |id: &ListId, each: &Standing| match &change.to {
                Some(Claimant::List(list)) => list == id,
                Some(Claimant::Connection(path)) => {
                    let groups = [each.connection.clone(), each.sub_connection.clone()];
                    let takes_part = threshold == 0 || Threshold(&standings).met(each.votes);
                    takes_part && path.iter().zip(groups).all(|(name, group)| group.as_ref() == Some(name))
                }
                None => change.from != Some(Claimant::List(id.clone())),
            };
            let gains = standings.lists.iter().position(|(id, each)| to(id, each)).expect("a list");
            prop_assert!(differs(&standings, &spread(&standings, change.votes, &[(gains, 256)])), "{change:?}");
        }
    }
}
