//! Each method, connections, thresholds and ties on numbers that can be checked by hand.

use super::*;

#[test]
fn the_divisor_methods_differ_on_the_same_votes() {
    let votes = "A=53000 B=24000 C=23000";
    assert_eq!(allocated(7, Method::DHondt, votes), "A 4, B 2, C 1");
    assert_eq!(allocated(7, Method::SainteLague, votes), "A 3, B 2, C 2");
    assert_eq!(allocated(1, Method::ModifiedSainteLague, "A=1400 B=999"), "A 1");
    // 3000/3 = 1000 is more than 1399/1.4 = 999.3 and less than 1401/1.4 = 1000.7; plain Sainte-Laguë gives B a seat.
    assert_eq!(allocated(2, Method::ModifiedSainteLague, "A=3000 B=1399"), "A 2");
    assert_eq!(allocated(2, Method::ModifiedSainteLague, "A=3000 B=1400"), "A 1, tie 1 among A B");
    assert_eq!(allocated(2, Method::ModifiedSainteLague, "A=3000 B=1401"), "A 1, B 1");
    assert_eq!(allocated(2, Method::SainteLague, "A=3000 B=1399"), "A 1, B 1");
}

#[test]
fn remainders_and_the_two_quotas() {
    let votes = "A=47000 B=16000 C=15800 D=12000 E=6100 F=3100";
    assert_eq!(allocated(10, Method::HareRemainder, votes), "A 5, B 2, C 1, D 1, E 1");
    assert_eq!(allocated(10, Method::DroopRemainder, votes), "A 5, B 2, C 2, D 1");
    assert_eq!(allocated(2, Method::HareRemainder, "A=5 B=5 C=5 D=5"), "tie 2 among A B C D");
    // 9 votes, 9 seats: the quota is 1, all is given in full quotas. 9 votes, 7 seats: the quota is 2, each list has two of
    // them, and three seats are left for two lists: one each, and one more to the larger remainder.
    assert_eq!(allocated(9, Method::DroopRemainder, "A=5 B=4"), "A 5, B 4");
    assert_eq!(allocated(7, Method::DroopRemainder, "A=5 B=4"), "A 4, B 3");
}

#[test]
fn plurality_elects_so_many_persons() {
    assert_eq!(allocated(2, Method::Plurality, "A=10 B=30 C=20"), "B 1, C 1");
    assert_eq!(allocated(2, Method::Plurality, "A=10 B=30 C=10"), "B 1, tie 1 among A C");
    assert_eq!(allocated(4, Method::Plurality, "A=10 B=30 C=0"), "A 1, B 1, unfilled 2");
    assert_eq!(allocated(1, Method::Plurality, "A=3@x B=2@x C=4"), "C 1");
}

#[test]
fn hagenbach_bischoff_takes_the_next_larger_number() {
    // 100/(4+1) is 20 exactly, and with the quota 20 the lists would have five full quotas for four seats. With 21 they have
    // three; both quotients are then 20, and B has the larger remainder, 19 before 18.
    let outcome = standings(4, Method::HagenbachBischoff, "A=60 B=40").allocate();
    assert_eq!(told(&outcome), "A 2, B 2");
    let steps: Vec<Step> = outcome.awards.iter().map(|award| award.by).collect();
    assert_eq!(steps, [Step::Quota, Step::Quota, Step::Quota, Step::QuotientThenRemainder]);
}

#[test]
fn hagenbach_bischoff_decides_an_equal_quotient_by_remainder() {
    // Quota floor(150/3)+1 = 51: A has one seat and remainder 49, B none and 50. Both quotients are 50.
    let outcome = standings(2, Method::HagenbachBischoff, "A=100 B=50").allocate();
    assert_eq!(told(&outcome), "A 1, B 1");
    let last = outcome.awards.last().expect("an award");
    assert_eq!((last.to.to_string(), last.by), ("B".to_owned(), Step::QuotientThenRemainder));
    assert_eq!(allocated(2, Method::DHondt, "A=100 B=50"), "A 1, tie 1 among A B");
}

#[test]
fn an_equal_quotient_and_remainder_is_decided_by_votes() {
    // Quota floor(10/5)+1 = 3: A has two seats and remainder 2, B none and 2. 8/3 gives A a third; 8/4 is then 2/1.
    let outcome = standings(4, Method::HagenbachBischoff, "A=8 B=2").allocate();
    assert_eq!(told(&outcome), "A 4");
    assert_eq!(outcome.awards.last().map(|award| award.by), Some(Step::QuotientThenVotes));
    assert_eq!(allocated(1, Method::HagenbachBischoff, "A=4 B=4"), "tie 1 among A B");
}

#[test]
fn connected_lists_are_one_first() {
    assert_eq!(allocated(3, Method::HagenbachBischoff, "A=50 B=20 C=30"), "A 2, C 1");
    assert_eq!(allocated(3, Method::HagenbachBischoff, "A=46 B=24@x C=30@x"), "A 1, B 1, C 1");
    // The connection has 37 votes and two seats; of these y has one with 22 votes, for which A and B tie.
    assert_eq!(allocated(3, Method::DHondt, "A=11@x/y B=11@x/y C=15@x D=13"), "C 1, D 1, tie 1 among A B");
}

#[test]
fn a_tie_of_a_connection_opens_the_seats_within() {
    // The connection has 40 votes as C has: one seat is certain for each and the third is open. Within, one seat goes to A;
    // two go to A and B.
    let outcome = standings(3, Method::DHondt, "A=25@x B=15@x C=40").allocate();
    assert_eq!(told(&outcome), "A 1, C 1, tie 1 among B C (connection x)");
    let within: Vec<_> = outcome.awards.iter().filter(|award| !award.within.is_empty()).collect();
    assert!(within.is_empty(), "{within:?}");
}

#[test]
fn a_seat_that_a_list_may_lose_when_its_connection_gains_is_open() {
    // Largest remainders are not monotone. Of the connection's 3 or 4 seats, C has one of 3 and none of 4.
    let inner = "A=60@x B=60@x C=20@x";
    let (three, four) =
        (allocated(3, Method::HareRemainder, inner), allocated(4, Method::HareRemainder, inner));
    assert_eq!((three.as_str(), four.as_str()), ("A 1, B 1, C 1", "A 2, B 2"));
    let outcome = standings(7, Method::HareRemainder, &format!("{inner} D=140")).allocate();
    assert_eq!(told(&outcome), "A 1, B 1, D 3, tie 2 among A B C D (connection x)");
}

#[test]
fn a_share_equal_to_the_threshold_is_enough() {
    let outcome = |threshold| told(&with_threshold(10, Method::DHondt, threshold, "A=96 B=4").allocate());
    assert_eq!(outcome(400), "A 10");
    assert_eq!(outcome(401), "A 10, excluded B");
    let outcome = |threshold| told(&with_threshold(25, Method::DHondt, threshold, "A=96 B=4").allocate());
    assert_eq!(outcome(400), "A 24, B 1");
    assert_eq!(outcome(401), "A 25, excluded B");
}

#[test]
fn awards_keep_the_exact_quotient() {
    let outcome = standings(3, Method::SainteLague, "A=10 B=7").allocate();
    let lines: Vec<String> =
        outcome.awards.iter().map(|a| format!("{} {} {} {:?}", a.seat, a.to, a.claim, a.by)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    1 A 10 Quotient
    2 B 7 Quotient
    3 A 10/3 Quotient
    ");
    let last = outcome.last_seat.expect("a last seat");
    assert_eq!((last.holder.to_string(), last.runner_up.to_string()), ("A".into(), "B".into()));
    assert_eq!((last.votes_to_tie, last.votes_to_take), (3, 4));
}

#[test]
fn nothing_to_give_or_nobody_to_take() {
    for method in Method::ALL {
        assert_eq!(allocated(0, method, "A=5 B=3"), "", "{method:?}");
        assert_eq!(allocated(3, method, "A=0 B=0"), "unfilled 3", "{method:?}");
        assert_eq!(allocated(3, method, ""), "unfilled 3", "{method:?}");
        let alone = match method {
            Method::None => "unfilled 4",
            Method::Plurality => "A 1, unfilled 3",
            _ => "A 4",
        };
        assert_eq!(allocated(4, method, "A=7"), alone, "{method:?}");
        assert_eq!(allocated(4, method, "A=7 B=0"), alone, "{method:?}");
    }
}

#[test]
fn the_largest_numbers_do_not_overflow() {
    let half = u64::MAX / 2;
    for method in Method::ALL {
        for seats in [1, 2, 3, 7, MAX_SEATS] {
            for threshold in [0, 10_000] {
                let text = format!("A={half} B={half} C=1");
                let standings =
                    Standings::new(seats, method, threshold, u64::MAX, lists(&text)).expect("standings");
                let outcome = standings.allocate();
                let tied: u32 = outcome.ties.iter().map(|tie| tie.seats).sum();
                let certain: u32 = outcome.seats.values().sum();
                assert_eq!(certain + tied + outcome.unfilled, seats, "{method:?}");
                let _ = standings.could_change(u64::MAX);
            }
        }
    }
    assert_eq!(allocated(1, Method::DHondt, &format!("A={half} B={}", half + 1)), "B 1");
}

#[test]
fn what_cannot_be_computed_is_refused() {
    let list = || lists("A=1");
    let refused = Standings::new(10_001, Method::DHondt, 0, 1, list());
    assert_eq!(refused, Err(StandingsError::TooManySeats { seats: 10_001 }));
    let refused = Standings::new(1, Method::DHondt, 10_001, 1, list());
    assert_eq!(refused, Err(StandingsError::ThresholdAboveAll { threshold: 10_001 }));
    let refused = Standings::new(1, Method::DHondt, 0, 1, lists(&format!("A={} B=1", u64::MAX)));
    assert_eq!(refused, Err(StandingsError::TooManyVotes));
}

#[test]
fn a_contest_brings_its_rules_and_connections() {
    let id = |text: &str| ListId::new(text).expect("an id");
    let list = |connection: Option<&str>| crate::definition::List {
        connection: connection.map(str::to_owned),
        ..crate::definition::List::default()
    };
    let contest = Contest {
        unit: crate::id::UnitId::new("nation").expect("an id"),
        title: "Council".to_owned(),
        seats: 3,
        method: Method::HagenbachBischoff,
        threshold: 0,
        votes_per_ballot: 1,
        lists: [("A", None), ("B", Some("x")), ("C", Some("x"))]
            .map(|(name, connection)| (id(name), list(connection)))
            .into(),
    };
    let votes = BTreeMap::from([(id("A"), 46), (id("B"), 24), (id("C"), 30)]);
    let given = Standings::of(&contest, &votes, 100).expect("standings");
    assert_eq!(given, standings(3, Method::HagenbachBischoff, "A=46 B=24@x C=30@x"));
    let unknown = BTreeMap::from([(id("D"), 1)]);
    let refused = Standings::of(&contest, &unknown, 1);
    assert_eq!(refused, Err(StandingsError::UnknownList { list: id("D") }));
}
