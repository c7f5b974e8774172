//! Simulated ordinary nights: how often a hard finding comes from chance alone, and which planted copies are found.
//!
//! Places differ: a district's shares are drawn around the nation's and a station's around the district's, by Dirichlet
//! laws; a vote then falls by its station's shares. `RESULTS_NIGHTS` sets the number of nights of each kind; the
//! figures in the rule's documentation are of 200.

use std::collections::BTreeMap;

use oorandom::Rand64;
use results::checks::{Class, History, check_set, check_tally};
use results::definition::UnitKind;
use results::{ContestId, Count, ListId, ListVotes, Tally, UnitId, Votes};

use crate::support::{World, list_id, minute, unit_id};

/// A kind of election.
#[derive(Clone)]
struct Kind {
    units: usize,
    units_in_district: usize,
    /// The nation's shares.
    shares: Vec<f64>,
    /// The larger, the more alike are districts; and stations of one district.
    alike: (f64, f64),
    /// The middle and the spread of a station's votes, of whose logarithm they are mean and deviation.
    votes: (f64, f64),
    /// Neighbours in pairs have the same shares and registers of the same size, as where a large precinct was halved.
    twins: bool,
}

fn slovenia() -> Kind {
    let shares = vec![0.221, 0.306, 0.105, 0.077, 0.072, 0.048, 0.078, 0.040, 0.022, 0.016, 0.015];
    Kind {
        units: 3000,
        units_in_district: 35,
        shares,
        alike: (120.0, 80.0),
        votes: (5.0, 0.85),
        twins: false,
    }
}

fn netherlands() -> Kind {
    let shares = (1..=20).map(|list| 1.0 / f64::from(list)).collect();
    Kind { units: 3000, units_in_district: 30, shares, alike: (60.0, 60.0), votes: (6.6, 0.5), twins: false }
}

/// A state's precincts, with so many candidates.
fn precincts(candidates: usize, units: usize) -> Kind {
    let shares = (0..candidates).map(|candidate| 0.55 * 0.7_f64.powi(candidate as i32)).collect();
    Kind { units, units_in_district: 150, shares, alike: (40.0, 40.0), votes: (6.3, 0.9), twins: false }
}

fn normal(random: &mut Rand64) -> f64 {
    let (a, b) = (1.0 - random.rand_float(), random.rand_float());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// A gamma-distributed number (Marsaglia and Tsang 2000).
fn gamma(random: &mut Rand64, shape: f64) -> f64 {
    if shape < 1.0 {
        let factor = (1.0 - random.rand_float()).powf(1.0 / shape);
        return factor * gamma(random, shape + 1.0);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(random);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && (1.0 - random.rand_float()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// Shares around the given ones.
fn dirichlet(random: &mut Rand64, around: &[f64], alike: f64) -> Vec<f64> {
    let total: f64 = around.iter().sum();
    let drawn: Vec<f64> =
        around.iter().map(|share| gamma(random, (alike * share / total).max(1e-3)).max(1e-12)).collect();
    let sum: f64 = drawn.iter().sum();
    drawn.into_iter().map(|share| share / sum).collect()
}

/// Each vote by itself.
fn ballots(random: &mut Rand64, shares: &[f64], votes: u64) -> Vec<u64> {
    let mut counts = vec![0; shares.len()];
    for _ in 0..votes {
        let mut point = random.rand_float();
        let list = shares.iter().position(|share| {
            point -= share;
            point < 0.0
        });
        counts[list.unwrap_or(shares.len() - 1)] += 1;
    }
    counts
}

struct Night {
    world: World,
    tallies: Vec<Tally>,
}

fn night(kind: &Kind, random: &mut Rand64) -> Night {
    let lists: Vec<ListId> = (0..kind.shares.len()).map(|list| list_id(&format!("{list:02}"))).collect();
    let mut world = World::default();
    world.unit("n", UnitKind::Nation, None, None);
    world.contest("c", "n", 1, &lists.iter().map(ListId::as_str).collect::<Vec<_>>());
    let contest = ContestId::new("c").expect("an id");
    let mut tallies = Vec::with_capacity(kind.units);
    let (mut district, mut shares, mut register) = (Vec::new(), Vec::new(), 0.0);
    for unit in 0..kind.units {
        let above = format!("d{}", unit / kind.units_in_district);
        if unit % kind.units_in_district == 0 {
            world.unit(&above, UnitKind::District, Some("n"), None);
            district = dirichlet(random, &kind.shares, kind.alike.0);
        }
        if !(kind.twins && unit % 2 == 1) {
            shares = dirichlet(random, &district, kind.alike.1);
            register = (kind.votes.0 + kind.votes.1 * normal(random)).exp();
        }
        // Who comes is chance too.
        let votes = (register + register.sqrt() * 0.7 * normal(random)).max(0.0) as u64;
        let id = format!("u{unit:05}");
        world.unit(&id, UnitKind::PollingStation, Some(&above), None);
        let counts = ballots(random, &shares, votes);
        tallies.push(tally(&contest, unit_id(&id), &lists, &counts));
    }
    Night { world, tallies }
}

fn tally(contest: &ContestId, unit: UnitId, lists: &[ListId], counts: &[u64]) -> Tally {
    let mut tally = Tally::new(contest.clone(), unit);
    let votes = |&votes: &u64| ListVotes { total: Some(Votes(votes)), ..ListVotes::default() };
    tally.lists = lists.iter().cloned().zip(counts.iter().map(votes)).collect();
    let total = tally.votes();
    tally.counts =
        [(Count::Valid, total), (Count::Invalid, Votes(0)), (Count::Cast, total)].into_iter().collect();
    tally
}

/// So many where nothing else is said.
const NIGHTS: usize = 4;

fn nights() -> usize {
    std::env::var("RESULTS_NIGHTS").ok().and_then(|text| text.parse().ok()).unwrap_or(NIGHTS)
}

fn shuffle(random: &mut Rand64, tallies: &mut [Tally]) {
    for at in (1..tallies.len()).rev() {
        tallies.swap(at, random.rand_range(0..at as u64 + 1) as usize);
    }
}

/// Hard findings while the night goes on, in any order, and at its end; and the pairs of units that state the same.
fn hard_findings(kind: &Kind, seed: u128) -> (usize, usize) {
    let mut random = Rand64::new(seed);
    let (mut found, mut same) = (0, 0);
    for _ in 0..nights() {
        let Night { world, mut tallies } = night(kind, &mut random);
        let facts = world.facts();
        let mut vectors: BTreeMap<Vec<u64>, usize> = BTreeMap::new();
        for tally in tallies.iter().filter(|tally| tally.votes().0 > 0) {
            let units =
                vectors.entry(tally.lists.values().map(|list| tally.votes_of(list).0).collect()).or_default();
            same += *units;
            *units += 1;
        }
        let at_the_end = check_set(&facts, &tallies);
        shuffle(&mut random, &mut tallies);
        let mut history = History::new(&facts);
        let mut findings = at_the_end;
        for tally in &tallies {
            findings.extend(history.apply(minute(0), tally));
            findings.extend(check_tally(&facts, tally));
        }
        found += findings.iter().filter(|finding| finding.class == Class::Hard).count();
    }
    (found, same)
}

#[test]
fn ordinary_nights_have_no_hard_finding() {
    let kinds = [
        ("11 lists, sizes like Slovenia", slovenia()),
        ("20 lists, sizes like the Netherlands", netherlands()),
        ("11 lists, neighbours in pairs with equal shares and registers", Kind { twins: true, ..slovenia() }),
        ("uncontested, 430 precincts", precincts(1, 430)),
        ("race of two, 430 precincts", precincts(2, 430)),
        ("race of two, 12 precincts", precincts(2, 12)),
        ("race of three, 430 precincts", precincts(3, 430)),
        ("race of four, 430 precincts in pairs", Kind { twins: true, ..precincts(4, 430) }),
        ("race of two, 3000 precincts", precincts(2, 3000)),
    ];
    for (seed, (name, kind)) in kinds.iter().enumerate() {
        let (found, same) = hard_findings(kind, 20_240_609 + seed as u128);
        println!(
            "{name}: {found} hard findings in {} nights; {same} pairs of units state the same",
            nights()
        );
        assert_eq!(found, 0, "{name}");
    }
}

/// Sizes of units of which copies are planted.
const SIZES: [(u64, u64); 7] =
    [(20, 40), (40, 60), (60, 80), (80, 120), (120, 200), (200, 400), (400, u64::MAX)];

/// Plants copies, one for twenty units, and counts how many are found, by the votes of the unit that is copied.
fn planted(kind: &Kind, seed: u128, siblings: bool) -> String {
    let mut random = Rand64::new(seed);
    let mut counts = [(0, 0); SIZES.len()];
    for _ in 0..nights() {
        let Night { world, tallies } = night(kind, &mut random);
        let mut set = tallies.clone();
        let mut planted = BTreeMap::new();
        for _ in 0..kind.units / 20 {
            let from = random.rand_range(0..kind.units as u64) as usize;
            let district = from / kind.units_in_district * kind.units_in_district;
            let near = district + random.rand_range(0..kind.units_in_district as u64) as usize;
            let to = if siblings { near } else { (near + kind.units_in_district) % kind.units };
            let touched = |at: usize| planted.values().any(|&(a, b, _)| a == at || b == at);
            let votes = tallies[from].votes().0;
            let size = SIZES.iter().position(|&(least, below)| (least..below).contains(&votes));
            let Some(size) = size.filter(|_| to != from && to < kind.units && !touched(from) && !touched(to))
            else {
                continue;
            };
            set[to].lists = tallies[from].lists.clone();
            planted.insert(planted.len(), (from, to, size));
        }
        let findings = check_set(&world.facts(), &set);
        let found: std::collections::BTreeSet<&UnitId> =
            findings.iter().filter(|f| f.code == "duplicate-vector").map(|f| &f.unit).collect();
        for &(from, to, size) in planted.values() {
            let either = found.contains(&set[from].unit) || found.contains(&set[to].unit);
            counts[size].0 += usize::from(either);
            counts[size].1 += 1;
        }
    }
    counts.iter().map(|(found, of)| format!("{:>9}", format!("{found}/{of}"))).collect()
}

#[test]
fn planted_copies_are_found_from_some_number_of_votes_on() {
    let mut text = format!("{:22}", "votes of the unit");
    text += &SIZES.map(|(least, _)| format!("{:>9}", format!("{least}.."))).concat();
    let kinds = [
        ("11 lists, neighbours", Kind { units: 1000, ..slovenia() }, true),
        ("11 lists, far apart", Kind { units: 1000, ..slovenia() }, false),
        ("20 lists, far apart", Kind { units: 1000, votes: (5.0, 0.85), ..netherlands() }, false),
        ("4 lists, far apart", Kind { units: 1000, votes: (5.0, 0.85), ..precincts(4, 430) }, false),
        ("2 lists, far apart", Kind { units: 1000, votes: (5.0, 0.85), ..precincts(2, 430) }, false),
    ];
    for (seed, (name, kind, siblings)) in kinds.iter().enumerate() {
        text += &format!("\n{name:22}{}", planted(kind, 77 + seed as u128, *siblings));
    }
    println!("{text}");
    if nights() == NIGHTS {
        insta::assert_snapshot!(text, @r"
        votes of the unit          20..     40..     60..     80..    120..    200..    400..
        11 lists, neighbours       0/13     4/16      6/9    33/34    38/38    42/42    21/21
        11 lists, far apart        0/11     0/15     1/15    13/29    34/42    40/43    26/26
        20 lists, far apart        1/13     6/14    12/13    32/34    42/42    40/40    23/23
        4 lists, far apart          0/9     0/10     0/22     0/24     0/35     0/46     1/27
        2 lists, far apart          0/7     0/18     0/17     0/32     0/42     0/41     0/24
        ");
    }
}

/// Two contests on one ballot paper: the second vote of a voter follows the first, but for one in six, which moves to
/// another list by shares of its own.
fn two_votes(kind: &Kind, random: &mut Rand64) -> Night {
    let Night { mut world, mut tallies } = night(kind, random);
    let lists: Vec<ListId> = tallies[0].lists.keys().cloned().collect();
    world.contest("d", "n", 1, &lists.iter().map(ListId::as_str).collect::<Vec<_>>());
    let contest = ContestId::new("d").expect("an id");
    let second: Vec<Tally> = tallies
        .iter()
        .map(|first| {
            let loyal: Vec<u64> = first.lists.values().map(|list| first.votes_of(list).0 * 5 / 6).collect();
            let others = first.votes().0 - loyal.iter().sum::<u64>();
            let shares = dirichlet(random, &kind.shares.iter().rev().copied().collect::<Vec<_>>(), 40.0);
            let moved = ballots(random, &shares, others);
            let counts: Vec<u64> = loyal.iter().zip(moved).map(|(loyal, moved)| loyal + moved).collect();
            tally(&contest, first.unit.clone(), &lists, &counts)
        })
        .collect();
    tallies.extend(second);
    Night { world, tallies }
}

/// How often `contest-mix-up` speaks of ordinary nights with two votes, and how many planted exchanges it finds.
#[test]
fn exchanged_votes_are_found_and_ordinary_ones_are_not() {
    let mut random = Rand64::new(1949);
    let kind = Kind { units: 1000, shares: vec![0.3, 0.25, 0.15, 0.12, 0.1, 0.08], ..slovenia() };
    let (mut ordinary, mut units) = (0, 0);
    let mut exchanged = [(0, 0); SIZES.len()];
    for _ in 0..nights() {
        let Night { world, mut tallies } = two_votes(&kind, &mut random);
        let raised = |tallies: &[Tally]| {
            let mut findings = check_set(&world.facts(), tallies);
            findings.retain(|f| f.code == "contest-mix-up");
            findings
        };
        ordinary += raised(&tallies).len();
        units += kind.units;
        let planted: Vec<usize> = (0..20).map(|nth| nth * 50 + 7).collect();
        for &at in &planted {
            let first = std::mem::take(&mut tallies[at].lists);
            tallies[at].lists = std::mem::replace(&mut tallies[kind.units + at].lists, first);
        }
        let found = raised(&tallies);
        for &at in &planted {
            let votes = tallies[at].votes().0;
            let Some(size) = SIZES.iter().position(|&(least, below)| (least..below).contains(&votes)) else {
                continue;
            };
            exchanged[size].0 += usize::from(found.iter().any(|f| f.unit == tallies[at].unit));
            exchanged[size].1 += 1;
        }
    }
    println!("ordinary: {ordinary} of {units} units; exchanged by votes: {exchanged:?}");
    if nights() == NIGHTS {
        insta::assert_snapshot!(format!("ordinary: {ordinary} of {units} units; exchanged by votes: {exchanged:?}"), @"ordinary: 0 of 4000 units; exchanged by votes: [(0, 5), (0, 7), (0, 5), (0, 15), (6, 22), (18, 21), (4, 4)]");
    }
}
