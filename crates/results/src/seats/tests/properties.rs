//! What holds for any votes.

use proptest::prelude::*;

use super::*;

fn any_lists() -> impl Strategy<Value = BTreeMap<ListId, Standing>> {
    let group = proptest::option::of(0_u8..3);
    // Few different small numbers make ties; large ones show overflow.
    let votes = prop_oneof![0_u64..6, 0_u64..200, 0_u64..u64::MAX / 8];
    proptest::collection::btree_map(0_u8..20, (votes, group.clone(), group), 0..8).prop_map(|all| {
        let list = |(number, (votes, connection, sub)): (u8, (u64, Option<u8>, Option<u8>))| {
            let standing = Standing {
                votes,
                connection: connection.map(|name| name.to_string()),
                sub_connection: sub.map(|name| name.to_string()),
            };
            (ListId::new(&format!("L{number}")).expect("an id"), standing)
        };
        all.into_iter().map(list).collect()
    })
}

fn any_method() -> impl Strategy<Value = Method> {
    proptest::sample::select(Method::ALL.to_vec())
}

fn divisor_method() -> impl Strategy<Value = Method> {
    proptest::sample::select(vec![Method::DHondt, Method::SainteLague, Method::ModifiedSainteLague])
}

fn of(seats: u32, method: Method, threshold: u32, lists: BTreeMap<ListId, Standing>) -> Standings {
    let valid = lists.values().map(|each| each.votes).sum();
    Standings::new(seats, method, threshold, valid, lists).expect("standings")
}

proptest! {
    #[test]
    fn every_seat_is_certain_tied_or_unfilled(
        seats in 0_u32..40, method in any_method(), lists in any_lists(),
        threshold in proptest::sample::select(vec![0_u32, 0, 400, 3000]),
    ) {
        let standings = of(seats, method, threshold, lists);
        let outcome = standings.allocate();
        let certain: u32 = outcome.seats.values().sum();
        let tied: u32 = outcome.ties.iter().map(|tie| tie.seats).sum();
        prop_assert_eq!(certain + tied + outcome.unfilled, seats);
        for tie in &outcome.ties {
            prop_assert!(tie.seats > 0 && (tie.among.len() as u64) > u64::from(tie.seats), "{:?}", tie);
        }
        let someone = standings.lists.iter().any(|(id, each)| each.votes > 0 && !outcome.excluded.contains(id));
        if someone && !matches!(method, Method::None | Method::Plurality) {
            prop_assert_eq!(outcome.unfilled, 0);
        }
        for (id, each) in &standings.lists {
            if each.votes == 0 || outcome.excluded.contains(id) {
                prop_assert_eq!(outcome.seats[id], 0);
            }
        }
        let top = u32::try_from(outcome.awards.iter().filter(|award| award.within.is_empty()).count());
        prop_assert!(top.expect("few") <= seats);
        let _ = standings.could_change(7);
    }

    #[test]
    fn one_seat_more_takes_none_away(seats in 0_u32..40, method in divisor_method(), lists in any_lists()) {
        let fewer = of(seats, method, 0, lists.clone()).allocate();
        let more = of(seats + 1, method, 0, lists).allocate();
        for (id, held) in &fewer.seats {
            prop_assert!(more.seats[id] >= *held, "{id}");
        }
    }

    #[test]
    fn names_and_their_order_do_not_matter(
        seats in 0_u32..20, method in any_method(), lists in any_lists(),
    ) {
        let renamed = |id: &ListId| {
            let number: u32 = id.as_str()[1..].parse().expect("a number");
            ListId::new(&format!("M{}", 50 - number)).expect("an id")
        };
        let mirrored = lists.iter().map(|(id, each)| (renamed(id), each.clone())).collect();
        let (one, other) = (of(seats, method, 0, lists).allocate(), of(seats, method, 0, mirrored).allocate());
        let of_one: BTreeMap<ListId, u32> = one.seats.iter().map(|(id, n)| (renamed(id), *n)).collect();
        prop_assert_eq!(&of_one, &other.seats);
        let ties = |outcome: &Outcome, rename: &dyn Fn(&ListId) -> ListId| {
            let tie = |tie: &Tie| (tie.seats, tie.among.iter().map(rename).collect::<BTreeSet<_>>());
            outcome.ties.iter().map(tie).collect::<BTreeSet<_>>()
        };
        prop_assert_eq!(ties(&one, &renamed), ties(&other, &ListId::clone));
    }

    #[test]
    fn hagenbach_bischoff_is_dhondt_but_for_equal_quotients(
        seats in 0_u32..40, votes in proptest::collection::vec(0_u64..500, 0..8),
    ) {
        let words = votes.iter().enumerate().map(|(i, votes)| format!("L{i}={votes} ")).collect::<String>();
        let swiss = standings(seats, Method::HagenbachBischoff, &words).allocate();
        let dhondt = standings(seats, Method::DHondt, &words).allocate();
        for (id, held) in &dhondt.seats {
            let most = held + u32::from(dhondt.ties.iter().any(|tie| tie.among.contains(id)));
            prop_assert!((*held..=most).contains(&swiss.seats[id]), "{id}");
        }
    }
}
