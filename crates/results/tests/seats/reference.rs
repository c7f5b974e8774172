//! Random allocations that another program computed, see `reference.py`.

use std::collections::BTreeMap;

use results::definition::Method;
use results::seats::{Outcome, Standing, Standings};
use results::{ListId, seats};

/// One line of `reference.csv`.
struct Case {
    line: String,
    method: Method,
    seats: u32,
    threshold: u32,
    votes: Vec<u64>,
    /// The seats of each list; none in a tie.
    given: Option<Vec<u32>>,
    /// How the other program broke a tie, in two ways.
    broken: Vec<Vec<u32>>,
}

fn cases() -> Vec<Case> {
    let lines = include_str!("reference.csv").lines().skip(1);
    lines.map(case).collect()
}

fn case(line: &str) -> Case {
    let fields: Vec<&str> = line.split(',').collect();
    let [method, seats, threshold, votes, result, forwards, backwards] = fields[..] else {
        panic!("seven fields in `{line}`")
    };
    Case {
        line: line.to_owned(),
        method: Method::parse(method).expect("a method"),
        seats: seats.parse().expect("a number"),
        threshold: threshold.parse().expect("a number"),
        votes: votes.split(' ').map(|n| n.parse().expect("a number")).collect(),
        given: (result != "tie").then(|| numbers(result)),
        broken: [forwards, backwards].into_iter().filter(|n| !n.is_empty()).map(numbers).collect(),
    }
}

fn numbers(text: &str) -> Vec<u32> {
    text.split(' ').map(|n| n.parse().expect("a number")).collect()
}

fn id(number: usize) -> ListId {
    ListId::new(&format!("list-{number:02}")).expect("an id")
}

fn allocate(case: &Case) -> Outcome {
    let lists: BTreeMap<ListId, Standing> = (0..)
        .zip(&case.votes)
        .map(|(i, &votes)| (id(i), Standing { votes, ..Standing::default() }))
        .collect();
    let valid = case.votes.iter().sum();
    Standings::new(case.seats, case.method, case.threshold, valid, lists).expect("standings").allocate()
}

#[test]
fn seats_and_ties_are_those_of_the_reference() {
    let mut ties = 0;
    let cases = cases();
    for case in &cases {
        let outcome = allocate(case);
        let certain: Vec<u32> = outcome.seats.values().copied().collect();
        assert_eq!(outcome.ties.is_empty(), case.given.is_some(), "{}", case.line);
        if let Some(given) = &case.given {
            assert_eq!(&certain, given, "{}", case.line);
            continue;
        }
        ties += 1;
        let [tie] = &outcome.ties[..] else { panic!("one tie in `{}`", case.line) };
        for broken in &case.broken {
            tie_allows(tie, &certain, broken, &case.line);
        }
        // Broken by position from both ends, the first of the tied lists has a seat once and the last the other time.
        if let [forwards, backwards] = &case.broken[..] {
            let tied: Vec<usize> = (0..certain.len()).filter(|&i| tie.among.contains(&id(i))).collect();
            let (first, last) = (tied[0], tied[tied.len() - 1]);
            assert_eq!((forwards[first], backwards[last]), (certain[first] + 1, certain[last] + 1));
            assert_eq!((forwards[last], backwards[first]), (certain[last], certain[first]), "{}", case.line);
        }
    }
    assert!(cases.len() >= 2_400 && ties >= 300, "{} cases, {ties} ties", cases.len());
}

/// Whether seats are those that are certain and one each for as many of the tied lists as there are seats.
fn tie_allows(tie: &seats::Tie, certain: &[u32], broken: &[u32], line: &str) {
    let mut gained = 0;
    for (i, (&certain, &broken)) in certain.iter().zip(broken).enumerate() {
        let most = certain + u32::from(tie.among.contains(&id(i)));
        assert!((certain..=most).contains(&broken), "list {i} of {line}: {certain} {tie:?}");
        gained += broken - certain;
    }
    assert_eq!(gained, tie.seats, "{line}");
}
