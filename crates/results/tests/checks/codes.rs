//! Each rule under its code: a hit, and a near miss that must stay silent.

use std::collections::{BTreeMap, BTreeSet};

use results::checks::{Class, DecidedBy, Facts, History, RULES, check_set, check_sums, check_tally};

use crate::support::{World, codes, lines, minute, small, tallies, tally, unit_id};

/// The findings of one tally of the small world with this code, as lines.
fn said(code: &str, text: &str) -> String {
    let world = small();
    let mut findings = check_tally(&world.facts(), &tally(text));
    findings.retain(|f| f.code == code);
    lines(&findings)
}

/// The hit speaks once, the near misses do not speak.
fn check(code: &str, hit: &str, near: &[&str]) -> String {
    for near in near {
        assert_eq!(said(code, near), "", "near miss of {code}: {near}");
    }
    said(code, hit)
}

#[test]
fn f_201() {
    let near =
        ["m1 c polling-cards=90 proxies=10 voter-cards=1 admitted=101", "m1 c polling-cards=90 admitted=100"];
    let hit = check("F.201", "m1 c polling-cards=90 proxies=10 voter-cards=1 admitted=100", &near);
    insta::assert_snapshot!(hit, @"F.201 hard m1 admitted: Polling cards, proxies and voter cards (A 90, B 10, C 1) add to 101, while 100 voters were admitted (D).");
    assert_ne!(said("F.201", "m1 c polling-cards=90 proxies=10 admitted=101"), "", "no voter cards are none");
}

#[test]
fn f_202() {
    let near = ["m1 c valid=30 A=10 B=10 C=10", "m1 c valid=0 A=10", "m1 c A=10", "m1 c valid=30"];
    insta::assert_snapshot!(check("F.202", "m1 c valid=31 A=10 B=10 C=10", &near), @"F.202 hard m1 valid: The lists' votes add to 30, while 31 valid ballots (E) are stated.");
    let mut world = small();
    world.contest("c", "n", 2, &["A", "B", "C"]);
    let findings = check_tally(&world.facts(), &tally("m1 c valid=31 A=10 B=10 C=10"));
    assert_eq!(lines(&findings), "", "a ballot of two votes may be used by half");
}

#[test]
fn f_203() {
    let near = [
        "m1 c valid=30 blank=1 invalid=2 cast=33",
        "m1 c valid=31 invalid=2 cast=33",
        "m1 c valid=30 blank=1 cast=33",
        "m1 c valid=0 A=10 invalid=1 cast=11",
    ];
    insta::assert_snapshot!(check("F.203", "m1 c valid=30 blank=1 invalid=2 cast=34", &near), @"F.203 hard m1 cast: Valid, blank and invalid ballots (E 30, F 1, G 2) add to 33, while 34 ballots were cast (H).");
}

#[test]
fn f_204() {
    let near = ["m1 c valid=0 A=0", "m1 c valid=1 A=163", "m1 c A=163", "m1 c valid=0"];
    insta::assert_snapshot!(check("F.204", "m1 c valid=0 cast=0 A=100 B=63", &near), @"F.204 hard m1 valid: The lists have 163 votes together, while the valid ballots (E) are stated as 0.");
}

#[test]
fn f_305() {
    let near =
        ["m1 c admitted=9 cast=9 excess=0 shortfall=0", "m1 c admitted=9 cast=9", "m1 c cast=9 excess=1"];
    insta::assert_snapshot!(check("F.305", "m1 c admitted=9 cast=9 excess=1 shortfall=1", &near), @r"
    F.305 hard m1 excess: 9 voters were admitted (D) and 9 ballots cast (H), while a difference of 1 is stated (I).
    F.305 hard m1 shortfall: 9 voters were admitted (D) and 9 ballots cast (H), while a difference of 1 is stated (J).
    ");
}

#[test]
fn f_306() {
    let near =
        ["m1 c admitted=9 cast=11 excess=2", "m1 c admitted=9 cast=11", "m1 c admitted=9 cast=9 excess=1"];
    insta::assert_snapshot!(check("F.306", "m1 c admitted=9 cast=11 excess=0", &near), @"F.306 hard m1 excess: 9 voters were admitted (D) and 11 ballots cast (H), 2 more, while 0 more are stated (I).");
}

#[test]
fn f_307() {
    let near = ["m1 c admitted=9 cast=11 excess=2 shortfall=0", "m1 c admitted=11 cast=9 shortfall=2"];
    insta::assert_snapshot!(check("F.307", "m1 c admitted=9 cast=11 excess=2 shortfall=2", &near), @"F.307 hard m1 shortfall: 9 voters were admitted (D) and 11 ballots cast (H), 2 more, while 2 fewer are stated (J).");
}

#[test]
fn f_308() {
    let near = [
        "m1 c admitted=11 cast=9 shortfall=2",
        "m1 c admitted=11 cast=9",
        "m1 c admitted=9 cast=9 shortfall=2",
    ];
    insta::assert_snapshot!(check("F.308", "m1 c admitted=11 cast=9 shortfall=3", &near), @"F.308 hard m1 shortfall: 11 voters were admitted (D) and 9 ballots cast (H), 2 fewer, while 3 fewer are stated (J).");
}

#[test]
fn f_309() {
    let near = ["m1 c admitted=11 cast=9 excess=0 shortfall=2", "m1 c admitted=9 cast=11 excess=2"];
    insta::assert_snapshot!(check("F.309", "m1 c admitted=11 cast=9 excess=2 shortfall=2", &near), @"F.309 hard m1 excess: 11 voters were admitted (D) and 9 ballots cast (H), 2 fewer, while 2 more are stated (I).");
}

#[test]
fn f_312() {
    let near = [
        "m c admitted=100 cast=101 excess=4 shortfall=3",
        "m c admitted=100 cast=101 excess=4",
        "m1 c admitted=100 cast=101 excess=4 shortfall=4",
    ];
    insta::assert_snapshot!(check("F.312", "m c admitted=100 cast=101 excess=4 shortfall=4", &near), @"F.312 hard m admitted: 101 ballots (H) less 4 in excess (I) and with 4 short (J) make 101, while 100 voters were admitted (D).");
    let both = "m c admitted=100 cast=101 excess=4 shortfall=3";
    assert_eq!(said("F.307", both), "", "totals of stations may have both");
}

#[test]
fn f_401() {
    let near = ["m1 c A=0 A/1=0", "m1 c A/1=5", "m1 c A=1 A/1=5", "m1 c A=0"];
    insta::assert_snapshot!(check("F.401", "m1 c A=0 A/1=5", &near), @"F.401 hard m1 list A: The candidates of list A have 5 votes, while the list's total is stated as 0.");
}

#[test]
fn f_402() {
    let near = [
        "m1 c A=12 A/1=5 A/2=7",
        "m1 c A=12",
        "m1 c A/1=5",
        "m1 c A=0 A/1=5",
        "m1 c A=14 A/1=5 A/2=7 A/only=2",
    ];
    insta::assert_snapshot!(check("F.402", "m1 c A=13 A/1=5 A/2=7", &near), @"F.402 hard m1 list A: The candidates of list A have 12 votes, while its total is stated as 13.");
    insta::assert_snapshot!(said("F.402", "m1 c A=13 A/1=5 A/2=7 A/only=2"), @"F.402 hard m1 list A: The candidates of list A have 12 votes and the list alone 2, while its total is stated as 13.");
}

#[test]
fn w_201() {
    let near = ["m1 c blank=2 cast=100", "m1 c blank=0 cast=0", "m c blank=3 cast=100", "m1 c blank=3"];
    insta::assert_snapshot!(check("W.201", "m1 c blank=3 cast=100", &near), @"W.201 triage m1 blank: 3 of 100 ballots are blank (F), 3 % or more.");
}

#[test]
fn w_202() {
    let near = ["m1 c invalid=2 cast=100", "m1 c invalid=0 cast=0", "m c invalid=3 cast=100"];
    insta::assert_snapshot!(check("W.202", "m1 c invalid=3 cast=100", &near), @"W.202 triage m1 invalid: 3 of 100 ballots are invalid (G), 3 % or more.");
}

#[test]
fn w_203() {
    // 15 or more, or 2 % of the ballots or more: not both.
    let near = ["m1 c admitted=1014 cast=1000", "m1 c admitted=99 cast=100", "m1 c admitted=0 cast=0"];
    insta::assert_snapshot!(check("W.203", "m1 c admitted=1015 cast=1000", &near), @"W.203 triage m1 cast: 1015 voters were admitted (D) and 1000 ballots cast (H): they differ by 15, 15 or 2 % or more.");
    insta::assert_snapshot!(said("W.203", "m1 c admitted=98 cast=100"), @"W.203 triage m1 cast: 98 voters were admitted (D) and 100 ballots cast (H): they differ by 2, 15 or 2 % or more.");
    // Two are 2 % of 100 ballots and less than 2 % of 102 voters; H decides.
    assert_ne!(said("W.203", "m1 c admitted=102 cast=100"), "");
    assert_eq!(said("W.203", "m1 c admitted=100 cast=102"), "");
}

#[test]
fn w_204() {
    insta::assert_snapshot!(check("W.204", "m1 c cast=0", &["m1 c cast=1", "m1 c valid=0"]), @"W.204 triage m1 cast: The ballots cast (H) are stated as 0.");
}

#[test]
fn w_205() {
    insta::assert_snapshot!(check("W.205", "m c eligible=0", &["m c eligible=1", "m1 c eligible=0", "m c cast=5"]), @"W.205 triage m eligible: The people who may vote are stated as 0.");
}

#[test]
fn w_206() {
    let near = ["m c eligible=9 polling-cards=9", "m1 c eligible=8 polling-cards=9", "m c polling-cards=9"];
    insta::assert_snapshot!(check("W.206", "m c eligible=8 polling-cards=9", &near), @"W.206 triage m eligible: 8 people may vote, while 9 polling cards were handed in (A).");
}

#[test]
fn unknown_contest() {
    insta::assert_snapshot!(check("unknown-contest", "m1 mayor A=1", &["m1 c A=1"]), @"unknown-contest hard m1 contest: The definition has no contest mayor.");
}

#[test]
fn unknown_unit() {
    insta::assert_snapshot!(check("unknown-unit", "m5 c A=1", &["m4 c A=1"]), @"unknown-unit hard m5 unit: The definition has no unit m5.");
}

#[test]
fn unit_not_in_contest() {
    let mut world = small();
    world.contest("council", "k", 1, &["A"]);
    let said = |text| {
        let findings = check_tally(&world.facts(), &tally(text));
        lines(&findings.into_iter().filter(|f| f.code == "unit-not-in-contest").collect::<Vec<_>>())
    };
    insta::assert_snapshot!(said("m1 council A=1"), @"unit-not-in-contest hard m1 unit: Unit m1 does not vote in contest council, which is of k.");
    for near in ["k1 council A=1", "k council A=1", "m1 c A=1"] {
        assert_eq!(said(near), "");
    }
}

#[test]
fn unit_in_a_circle_of_parents_is_in_no_contest() {
    let world = World::read("unit n nation\nunit a district b\nunit b district a\ncontest c n 1 A");
    assert_eq!(codes(&check_tally(&world.facts(), &tally("a c A=1"))), ["unit-not-in-contest"]);
}

#[test]
fn unknown_list() {
    insta::assert_snapshot!(check("unknown-list", "m1 c A=1 D=1 D/7=1", &["m1 c A=1 B/1=1"]), @"unknown-list hard m1 list D: Contest c has no list D.");
    assert_ne!(said("unknown-list", "m1 c D@post=1"), "", "ways of voting are read too");
}

#[test]
fn unknown_candidate() {
    insta::assert_snapshot!(check("unknown-candidate", "m1 c A=1 A/4=1", &["m1 c A=1 A/3=1", "m1 c D/4=1"]), @"unknown-candidate hard m1 list A candidate 4: List A of contest c has no candidate 4.");
}

#[test]
fn turnout_bound() {
    // 1,000 people may vote at each station.
    let near = ["m1 c cast=1000", "m1 c eligible=1001 cast=1001", "m c cast=5000"];
    insta::assert_snapshot!(check("turnout-bound", "m1 c cast=1001", &near), @"turnout-bound hard m1 cast: 1001 ballots were cast (H), while 1000 people may vote here.");
    assert_ne!(said("turnout-bound", "m1 c eligible=3 cast=4"), "");
    for kind in ["early-voting", "postal", "mobile", "special", "abroad"] {
        let world = World::read(&format!("unit n nation\nunit x {kind} n\ncontest c n 1 A"));
        assert_eq!(codes(&check_tally(&world.facts(), &tally("x c eligible=3 cast=4"))), [""; 0], "{kind}");
    }
}

#[test]
fn votes_bound() {
    let mut world = small();
    world.contest("c", "n", 2, &["A", "B"]);
    let said = |text| lines(&check_tally(&world.facts(), &tally(text)));
    insta::assert_snapshot!(said("m1 c valid=10 A=11 B=10"), @"votes-bound hard m1 votes: The lists have 21 votes together, while 10 ballots with 2 votes each have 20 at most.");
    assert_eq!(said("m1 c valid=10 A=10 B=10"), "");
    assert_ne!(said("m1 c cast=10 A=11 B=10"), "");
    assert_eq!(check("votes-bound", "m1 c cast=10 A=10", &["m1 c valid=5 cast=9 A=10"]), "");
    assert_ne!(check("votes-bound", "m1 c cast=9 A=10", &[]), "");
}

#[test]
fn mode_sum() {
    let near =
        ["m1 c A=10 A@day=7 A@post=3", "m1 c A=10 A/1=4 A/1@day=4", "m1 c B@day=3", "m1 c A=10 A/2@day=1"];
    insta::assert_snapshot!(check("mode-sum", "m1 c A=10 A@day=7 A@post=4", &near), @"mode-sum hard m1 list A: The votes of list A by way of voting add to 11, while 10 are stated.");
    insta::assert_snapshot!(said("mode-sum", "m1 c A=10 A/1=4 A/1@day=5"), @"mode-sum hard m1 list A candidate 1: The votes of list A candidate 1 by way of voting add to 5, while 4 are stated.");
}

fn many() -> World {
    let mut world = small();
    world.contest("c", "n", 1, &["A", "B", "C", "D", "E", "F", "G", "H"]);
    world
}

#[test]
fn duplicate_vector() {
    let world = many();
    let said = |text| {
        let mut findings = check_set(&world.facts(), &tallies(text));
        findings.retain(|f| f.code == "duplicate-vector");
        lines(&findings)
    };
    let both =
        said("m1 c A=90 B=80 C=70 D=60 E=50 F=40 G=30 H=20\nm2 c A=90 B=80 C=70 D=60 E=50 F=40 G=30 H=20");
    insta::assert_snapshot!(both, @"duplicate-vector hard m2 votes: Unit m2 states exactly the votes of unit m1: 440 votes on 8 lists; chance would give fewer than 6e-10 such pairs in the whole contest.");
    assert_eq!(
        said("m1 c A=90 B=80 C=70 D=60 E=50 F=40 G=30 H=20\nm2 c A=90 B=80 C=70 D=60 E=50 F=40 G=31 H=19"),
        ""
    );
    assert_eq!(said("m1 c A=3 B=2 C=1\nm2 c A=3 B=2 C=1"), "", "small numbers coincide");
    assert_eq!(said("m1 c A=500\nm2 c A=500"), "", "an uncontested race");
    assert_eq!(said("m1 c A=250 B=200\nm2 c A=250 B=200"), "", "a race of two");
    assert_eq!(said("m1 c A=0 B=0\nm2 c A=0 B=0"), "", "not counted yet");
    let upper =
        said("m c A=90 B=80 C=70 D=60 E=50 F=40 G=30 H=20\nm2 c A=90 B=80 C=70 D=60 E=50 F=40 G=30 H=20");
    assert_eq!(upper, "", "a municipality of which one station is counted");
}

#[test]
fn duplicate_vector_of_candidates_needs_fewer_votes() {
    let mut world = small();
    world.contest("c", "n", 1, &["A:20"]);
    let votes: String = (1..=20).map(|number| format!(" A/{number}={}", 3 + number % 4)).collect();
    let text = format!("m1 c A=90{votes}\nm2 c A=90{votes}");
    let world_findings = check_set(&world.facts(), &tallies(&text));
    assert_eq!(codes(&world_findings), ["duplicate-vector"]);
    let other = text.replacen("A/1=4 A/2=5", "A/1=5 A/2=4", 1);
    assert_eq!(codes(&check_set(&world.facts(), &tallies(&other))), [""; 0]);
}

/// Statements `MINUTE UNIT CONTEST ...` in their order; findings with one of the codes.
fn told(world: &World, wanted: &[&str], text: &str) -> String {
    let mut history = History::new(&world.facts());
    let mut findings = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (at, line) = line.split_once(' ').expect("a minute");
        findings.extend(history.apply(minute(at.parse().expect("a number")), &tally(line)));
    }
    findings.retain(|f| wanted.contains(&f.code));
    lines(&findings)
}

const X: &str = "A=90 B=80 C=70 D=60 E=50 F=40 G=30 H=20";
const Y: &str = "A=95 B=70 C=75 D=50 E=60 F=30 G=40 H=20";

#[test]
fn duplicate_vector_in_the_history() {
    let world = many();
    let said = |text: &str| told(&world, &["duplicate-vector"], text);
    insta::assert_snapshot!(said(&format!("1 m1 c {X}\n2 m2 c {X}\n3 m2 c {X} invalid=3")), @"duplicate-vector hard m2 votes: Unit m2 states exactly the votes of unit m1: 440 votes on 8 lists; chance would give fewer than 6e-10 such pairs in the whole contest.");
    assert_eq!(said(&format!("1 m1 c {X}\n2 m1 c {Y}\n3 m2 c {X}")), "", "never at one time");
    let mut history = History::new(&world.facts());
    history.apply_all(minute(1), &tallies(&format!("m1 c {X}\nm2 c {Y}")));
    let exchanged = history.apply_all(minute(2), &tallies(&format!("m1 c {Y}\nm2 c {X}")));
    assert_eq!(codes(&exchanged), ["moved-vector", "moved-vector"]);
}

#[test]
fn moved_vector() {
    let world = many();
    let said = |text: &str| told(&world, &["moved-vector"], text);
    insta::assert_snapshot!(said(&format!("1 m1 c {X}\n2 m1 c {Y}\n3 m2 c {X}")), @"moved-vector triage m2 votes: Unit m2 states the votes that unit m1 stated until 2024-06-09T00:02:00Z: 440 votes on 8 lists; chance would give fewer than 2e-9 such pairs among all statements of the contest.");
    assert_eq!(said(&format!("1 m1 c {X}\n2 m2 c {X}")), "", "a copy, not a move");
    assert_eq!(said(&format!("1 m1 c {X}\n2 m1 c {Y}\n3 m1 c {X}")), "", "back to its own");
    assert_eq!(said("1 m1 c A=3 B=2\n2 m1 c A=4 B=2\n3 m2 c A=3 B=2"), "", "small numbers coincide");
}

#[test]
fn returned_to_earlier() {
    let world = many();
    let said = |text: &str| told(&world, &["returned-to-earlier"], text);
    insta::assert_snapshot!(said(&format!("1 m1 c {X}\n2 m1 c {Y}\n3 m1 c {X}")), @"returned-to-earlier triage m1 all: Unit m1 states again what it stated at 2024-06-09T00:01:00Z, after something else.");
    assert_eq!(said(&format!("1 m1 c {X}\n2 m1 c {X}\n3 m1 c {Y}\n4 m2 c {X}")), "");
    assert_eq!(said(&format!("1 m1 c {X} cast=440\n2 m1 c {Y} cast=440\n3 m1 c {X} cast=441")), "");
}

#[test]
fn vanished() {
    let said = |text: &str| told(&many(), &["vanished"], text);
    insta::assert_snapshot!(said("1 m1 c valid=163 cast=173 A=163\n2 m1 c valid=0 cast=0 A=163"), @"vanished triage m1 cast, valid: At unit m1, ballots cast (H) were 173 and are now stated as 0, valid ballots (E) were 163 and are now stated as 0.");
    assert_eq!(said("1 m1 c valid=0 cast=0\n2 m1 c valid=163 cast=173\n3 m1 c valid=1 cast=1"), "");
}

#[test]
fn vanish_and_return() {
    let said = |text: &str| told(&many(), &["vanish-and-return", "returned-to-earlier"], text);
    insta::assert_snapshot!(said("1 m1 c cast=173 A=163\n2 m1 c cast=0 A=163\n3 m1 c cast=174 A=163"), @"vanish-and-return triage m1 cast: At unit m1, ballots cast (H) were 173, then 0, and are now 174.");
    assert_eq!(said("1 m1 c cast=0\n2 m1 c cast=173\n3 m1 c cast=174"), "", "nothing was stated before");
    let same = said("1 m1 c cast=173 A=163\n2 m1 c cast=0 A=163\n3 m1 c cast=173 A=163");
    assert!(same.starts_with("returned-to-earlier") && same.lines().count() == 1, "{same}");
}

#[test]
fn fallen_count() {
    let said = |text: &str| told(&many(), &["fallen-count", "fallen-total"], text);
    insta::assert_snapshot!(said("1 m1 c cast=173 A=163\n2 m1 c cast=170 A=164"), @"fallen-count triage m1 cast: At unit m1, ballots cast (H) fell from 173 to 170.");
    assert_eq!(said("1 m1 c cast=173 A=100 B=63\n2 m1 c cast=173 A=63 B=100"), "");
}

#[test]
fn fallen_total() {
    let said = |text: &str| told(&many(), &["fallen-count", "fallen-total"], text);
    insta::assert_snapshot!(said("1 n c cast=5000 A=4900\n2 n c cast=4827 A=4900"), @"fallen-total triage n cast: At unit n, ballots cast (H) fell from 5000 to 4827.");
    assert_eq!(said("1 n c cast=5000\n2 n c cast=5000\n3 n c cast=6000"), "");
}

#[test]
fn sum_differs() {
    let world = small();
    let leaves = tallies("m1 c A=10 A/1=4\nm2 c A=20 A/1=5\nm3 c A=30 A/1=0\nm4 c A=40 A/1=1");
    let said = |stated| lines(&check_sums(&world.facts(), &tallies(stated), &leaves));
    insta::assert_snapshot!(said("m c A=101 A/1=10"), @"sum-differs hard m list A: Unit m states 101 for list A, while the units below it add to 100 (4 units).");
    assert_eq!(said("m c A=100 A/1=10"), "");
    // The other municipality's stations are missing: the sum is a lower bound.
    assert_eq!(said("n c A=500"), "");
    insta::assert_snapshot!(said("n c A=99"), @"sum-differs hard n list A: Unit n states 99 for list A, while some of the units below it add to 100 (4 units).");
    // Both municipalities state totals, so the nation has a sum.
    insta::assert_snapshot!(said("m c A=100\nk c A=50\nn c A=151"), @"sum-differs hard n list A: Unit n states 151 for list A, while the units below it add to 150 (2 units).");
    assert_eq!(said("m c A=100\nk c A=50\nn c A=150"), "");
}

#[test]
fn sum_eligible() {
    let world = small();
    let leaves = tallies("m1 c eligible=10\nm2 c eligible=10\nm3 c eligible=10\nm4 c eligible=10");
    let said = |stated| lines(&check_sums(&world.facts(), &tallies(stated), &leaves));
    insta::assert_snapshot!(said("m c eligible=10"), @"sum-eligible triage m eligible: Unit m states 10 for eligible, while the units below it add to 40 (4 units).");
    assert_eq!(said("m c eligible=40"), "");
}

fn said_of_set(world: &World, code: &str, text: &str) -> String {
    let mut findings = check_set(&world.facts(), &tallies(text));
    findings.retain(|f| f.code == code);
    lines(&findings)
}

#[test]
fn party_share() {
    let said = |text| said_of_set(&small(), "party-share", text);
    insta::assert_snapshot!(said("m1 c A=75 B=25\nm2 c A=25 B=75\nk1 c A=10"), @r"
    party-share triage m1 list A: List A has 75 of 100 votes of unit m1, and 25 of 100 in the other units below the same: the shares are 50 percentage points or more apart.
    party-share triage m1 list B: List B has 25 of 100 votes of unit m1, and 75 of 100 in the other units below the same: the shares are 50 percentage points or more apart.
    party-share triage m2 list A: List A has 25 of 100 votes of unit m2, and 75 of 100 in the other units below the same: the shares are 50 percentage points or more apart.
    party-share triage m2 list B: List B has 75 of 100 votes of unit m2, and 25 of 100 in the other units below the same: the shares are 50 percentage points or more apart.
    ");
    assert_eq!(said("m1 c A=74 B=26\nm2 c A=25 B=75"), "");
    assert_eq!(said("m1 c A=100\nk1 c B=100"), "", "no other unit below the same parent");
}

/// A nation of 1,200 stations in districts of 40, each with the votes that a rule gives it.
fn nation(votes: impl Fn(usize) -> [u64; 4]) -> (World, String) {
    let mut world = World::read("unit n nation\ncontest c n 1 A B C D");
    let mut text = String::new();
    for station in 0..1200 {
        let (district, id) = (format!("d{}", station / 40), format!("s{station:04}"));
        world.unit(&district, results::definition::UnitKind::District, Some("n"), None);
        world.unit(&id, results::definition::UnitKind::PollingStation, Some(&district), None);
        let [a, b, c, d] = votes(station);
        text += &format!("{id} c A={a} B={b} C={c} D={d}\n");
    }
    (world, text)
}

#[test]
fn local_deviation() {
    let usual = |station: usize| {
        let wiggle = (station * 7 % 11) as u64;
        [100 + wiggle, 80 - wiggle, 60 + wiggle / 2, 40]
    };
    let (world, text) = nation(|station| if station == 500 { [80, 100, 40, 60] } else { usual(station) });
    insta::assert_snapshot!(said_of_set(&world, "local-deviation", &text), @"local-deviation triage s0500 votes: The votes of unit s0500 are among the 1 of 1200 units least like those of their neighbours (chi-square 10.5 for each degree of freedom, 280 votes).");
    // One in a thousand is named, so of fewer none.
    let fewer: String = text.lines().take(900).map(|line| format!("{line}\n")).collect();
    assert_eq!(said_of_set(&world, "local-deviation", &fewer), "");
}

/// Two candidates of list A exchanged at m1. The neighbours are the whole municipality.
#[test]
fn switched_candidates() {
    let world = small();
    let others = "m2 c A/1=200 A/2=12 A/3=30\nm3 c A/1=190 A/2=10 A/3=28\nm4 c A/1=210 A/2=9 A/3=33";
    let said = |text: &str| said_of_set(&world, "switched-candidates", text);
    insta::assert_snapshot!(said(&format!("m1 c A/1=11 A/2=195 A/3=31\n{others}")), @"switched-candidates triage m1 list A: On list A of unit m1, candidate 2 has 195 votes where 10 are expected, while candidate 1 has 11 votes where 196 are expected, by the shares of the other units of the municipality; two lines may have been exchanged.");
    assert_eq!(said(&format!("m1 c A/1=195 A/2=11 A/3=31\n{others}")), "");
    // A village's own candidate: one up, nobody down to a fifth.
    assert_eq!(said(&format!("m1 c A/1=100 A/2=95 A/3=31\n{others}")), "");
    assert_eq!(said("m1 c A/1=11 A/2=195 A/3=31"), "", "nobody to compare with");
}

/// In the village of m1 to k1 the second candidate is at home: compared with it, m1 is ordinary.
#[test]
fn switched_candidates_by_neighbourhood() {
    let world = small();
    let village = ["m1", "m2", "k1", "k2", "k3"];
    let neighbourhoods: BTreeMap<_, _> =
        village.iter().map(|id| (unit_id(id), "village".to_owned())).collect();
    let mut text = village.map(|id| format!("{id} c A/1=11 A/2=195 A/3=31\n")).concat();
    text += "m3 c A/1=900 A/2=10 A/3=28\nm4 c A/1=910 A/2=9 A/3=33";
    let tallies = tallies(&text);
    let of =
        |facts: &Facts| check_set(facts, &tallies).iter().filter(|f| f.code == "switched-candidates").count();
    assert_eq!(of(&world.facts()), 2, "m1 and m2 by the municipality");
    assert_eq!(of(&Facts { neighbourhoods: Some(&neighbourhoods), ..world.facts() }), 0);
    let few = neighbourhoods.iter().take(4).map(|(id, name)| (id.clone(), name.clone())).collect();
    assert_eq!(of(&Facts { neighbourhoods: Some(&few), ..world.facts() }), 2, "four are no neighbourhood");
}

#[test]
fn contest_mix_up() {
    let mut world = World::read(
        "unit n nation\nunit d district n\ncontest first n 1 A B C D\ncontest second n 1 A B C D",
    );
    for station in 0..12 {
        world.unit(&format!("s{station:02}"), results::definition::UnitKind::PollingStation, Some("d"), None);
    }
    let usual = |station: u64| {
        let w = station * 5 % 7;
        let first = format!("A={} B={} C={} D={}", 150 + w, 120 - w, 20 + w / 2, 30);
        let second = format!("A={} B={} C={} D={}", 120 + w, 110 - w, 50 + w / 2, 38);
        (first, second)
    };
    let said = |how: &dyn Fn(u64, (String, String)) -> (String, String)| {
        let text: String = (0..12)
            .map(|station| {
                let (first, second) = how(station, usual(station));
                format!("s{station:02} first {first}\ns{station:02} second {second}\n")
            })
            .collect();
        said_of_set(&world, "contest-mix-up", &text)
    };
    insta::assert_snapshot!(said(&|station, (first, second)| if station == 5 { (second, first) } else { (first, second) }), @"contest-mix-up triage s05 votes: The votes of unit s05 differ between contests first and second in the opposite way to its neighbours' (slope -1.0 where 1 is usual); they may have been exchanged.");
    insta::assert_snapshot!(said(&|station, (first, second)| {
        if station == 5 { (first.clone(), first) } else { (first, second) }
    }), @"contest-mix-up triage s05 votes: Unit s05 states the same votes in contests first and second, which its neighbours do not.");
    assert_eq!(said(&|_, votes| votes), "");
    // A place of its own kind, whose second votes leave the first as elsewhere.
    assert_eq!(
        said(&|station, votes| {
            let own = ("A=40 B=200 C=10 D=60".to_owned(), "A=32 B=180 C=26 D=72".to_owned());
            if station == 5 { own } else { votes }
        }),
        ""
    );
}

/// The table is complete: the Dutch codes without gap, each code once, and a test for each that a file decides.
#[test]
fn the_table_has_all_codes() {
    let dutch = "F.101 F.102 F.111 F.112 F.121 F.122 F.131 F.132 F.133 F.134 F.201 F.202 F.203 F.204 F.301 F.302 F.303 \
                 F.304 F.305 F.306 F.307 F.308 F.309 F.310 F.311 F.312 F.401 F.402 F.403 W.001 W.002 W.201 W.202 W.203 \
                 W.204 W.205 W.206";
    let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
    let of_forms: Vec<&str> = codes.iter().copied().filter(|code| code.starts_with(['F', 'W'])).collect();
    assert_eq!(of_forms, dutch.split_whitespace().collect::<Vec<_>>());
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    let source = include_str!("codes.rs");
    for rule in RULES {
        let test = format!("fn {}() {{", rule.code.to_lowercase().replace(['.', '-'], "_"));
        match rule.decided_by {
            DecidedBy::Form(why) => assert!(!why.is_empty() && !source.contains(&test), "{}", rule.code),
            _ => assert!(source.contains(&test), "no test {test}"),
        }
        // A triage rule says how often it speaks where all is well.
        let computable = !matches!(rule.decided_by, DecidedBy::Form(_));
        assert_eq!(computable && rule.class == Class::Triage, rule.base_rate.is_some(), "{}", rule.code);
    }
}
