//! The Dutch rules on the numbers of one form, under their own codes.

use std::cmp::Ordering;

use super::{Facts, Finding, states_totals};
use crate::tally::{Count, Tally};

/// Numbers are compared as `i128`, in which no sum or product of stated numbers wraps.
pub(super) fn check(facts: &Facts, tally: &Tally, findings: &mut Vec<Finding>) {
    let totals = facts.kind(&tally.unit).is_some_and(states_totals);
    let one_vote = facts.contests.get(&tally.contest).is_some_and(|contest| contest.votes_per_ballot == 1);
    let numbers = Numbers::of(tally);
    admitted(tally, &numbers, findings);
    ballots(tally, &numbers, one_vote, findings);
    if totals {
        difference_of_totals(tally, &numbers, findings);
        eligible_of_totals(tally, &numbers, findings);
    } else {
        difference(tally, &numbers, findings);
        unusual(tally, &numbers, findings);
    }
    if numbers.h == Some(0) {
        let message = "The ballots cast (H) are stated as 0.".to_owned();
        findings.push(Finding::new("W.204", tally, "cast", message));
    }
    lists(tally, findings);
}

/// The form's letters, where stated.
struct Numbers {
    eligible: Option<i128>,
    a: Option<i128>,
    b: Option<i128>,
    c: Option<i128>,
    d: Option<i128>,
    e: Option<i128>,
    f: Option<i128>,
    g: Option<i128>,
    h: Option<i128>,
    i: Option<i128>,
    j: Option<i128>,
}

impl Numbers {
    fn of(tally: &Tally) -> Self {
        let read = |count: Count| tally.count(&count).map(|votes| i128::from(votes.0));
        Self {
            eligible: read(Count::Eligible),
            a: read(Count::PollingCards),
            b: read(Count::Proxies),
            c: read(Count::VoterCards),
            d: read(Count::Admitted),
            e: read(Count::Valid),
            f: read(Count::Blank),
            g: read(Count::Invalid),
            h: read(Count::Cast),
            i: read(Count::Excess),
            j: read(Count::Shortfall),
        }
    }
}

/// F.201. Voter cards (C) exist in some elections only; where they are not stated there are none.
fn admitted(tally: &Tally, n: &Numbers, findings: &mut Vec<Finding>) {
    let (Some(a), Some(b), Some(d)) = (n.a, n.b, n.d) else { return };
    let c = n.c.unwrap_or(0);
    if a + b + c != d {
        let message = format!(
            "Polling cards, proxies and voter cards (A {a}, B {b}, C {c}) add to {}, while {d} voters were admitted (D).",
            a + b + c
        );
        findings.push(Finding::new("F.201", tally, "admitted", message));
    }
}

/// F.202, F.203 and F.204. Where blank ballots are not stated, the source counts them as invalid.
fn ballots(tally: &Tally, n: &Numbers, one_vote: bool, findings: &mut Vec<Finding>) {
    let Some(e) = n.e else { return };
    if one_vote && !tally.lists.is_empty() {
        let sum = i128::from(tally.votes().0);
        if sum > 0 && e == 0 {
            let message =
                format!("The lists have {sum} votes together, while the valid ballots (E) are stated as 0.");
            findings.push(Finding::new("F.204", tally, "valid", message));
            return;
        }
        if sum != e {
            let message = format!("The lists' votes add to {sum}, while {e} valid ballots (E) are stated.");
            findings.push(Finding::new("F.202", tally, "valid", message));
        }
    }
    let (Some(g), Some(h)) = (n.g, n.h) else { return };
    let f = n.f.unwrap_or(0);
    if e + f + g != h {
        let message = format!(
            "Valid, blank and invalid ballots (E {e}, F {f}, G {g}) add to {}, while {h} ballots were cast (H).",
            e + f + g
        );
        findings.push(Finding::new("F.203", tally, "cast", message));
    }
}

/// F.305 to F.309: how ballots (H) and voters (D) of a station differ, and what it states about that (I, J).
fn difference(tally: &Tally, n: &Numbers, findings: &mut Vec<Finding>) {
    let (Some(d), Some(h)) = (n.d, n.h) else { return };
    let filled = |number: Option<i128>| number.filter(|&number| number != 0);
    let mut raise = |code, field: &str, message| findings.push(Finding::new(code, tally, field, message));
    let base = format!("{d} voters were admitted (D) and {h} ballots cast (H)");
    match h.cmp(&d) {
        Ordering::Equal => {
            for (letter, field, number) in [("I", "excess", n.i), ("J", "shortfall", n.j)] {
                if let Some(number) = filled(number) {
                    raise(
                        "F.305",
                        field,
                        format!("{base}, while a difference of {number} is stated ({letter})."),
                    );
                }
            }
        }
        Ordering::Greater => {
            if let Some(i) = n.i.filter(|&i| i != h - d) {
                raise("F.306", "excess", format!("{base}, {} more, while {i} more are stated (I).", h - d));
            }
            if let Some(j) = filled(n.j) {
                raise(
                    "F.307",
                    "shortfall",
                    format!("{base}, {} more, while {j} fewer are stated (J).", h - d),
                );
            }
        }
        Ordering::Less => {
            if let Some(j) = n.j.filter(|&j| j != d - h) {
                raise(
                    "F.308",
                    "shortfall",
                    format!("{base}, {} fewer, while {j} fewer are stated (J).", d - h),
                );
            }
            if let Some(i) = filled(n.i) {
                raise("F.309", "excess", format!("{base}, {} fewer, while {i} more are stated (I).", d - h));
            }
        }
    }
}

/// F.312: on a form of totals both I and J may be filled in.
fn difference_of_totals(tally: &Tally, n: &Numbers, findings: &mut Vec<Finding>) {
    let (Some(d), Some(h), Some(i), Some(j)) = (n.d, n.h, n.i, n.j) else { return };
    if d != h - i + j {
        let message = format!(
            "{h} ballots (H) less {i} in excess (I) and with {j} short (J) make {}, while {d} voters were admitted (D).",
            h - i + j
        );
        findings.push(Finding::new("F.312", tally, "admitted", message));
    }
}

/// W.205 and W.206.
fn eligible_of_totals(tally: &Tally, n: &Numbers, findings: &mut Vec<Finding>) {
    let Some(eligible) = n.eligible else { return };
    if eligible == 0 {
        let message = "The people who may vote are stated as 0.".to_owned();
        findings.push(Finding::new("W.205", tally, "eligible", message));
    }
    if let Some(a) = n.a.filter(|&a| eligible < a) {
        let message = format!("{eligible} people may vote, while {a} polling cards were handed in (A).");
        findings.push(Finding::new("W.206", tally, "eligible", message));
    }
}

/// W.201 to W.203.
fn unusual(tally: &Tally, n: &Numbers, findings: &mut Vec<Finding>) {
    let Some(h) = n.h else { return };
    for (code, letter, field, what, number) in
        [("W.201", "F", "blank", "blank", n.f), ("W.202", "G", "invalid", "invalid", n.g)]
    {
        if let Some(number) = number.filter(|&number| number > 0 && number * 100 >= h * 3) {
            let message = format!("{number} of {h} ballots are {what} ({letter}), 3 % or more.");
            findings.push(Finding::new(code, tally, field, message));
        }
    }
    let Some(d) = n.d else { return };
    let apart = (d - h).abs();
    if apart >= 15 || (apart > 0 && apart * 100 >= h * 2) {
        let message = format!(
            "{d} voters were admitted (D) and {h} ballots cast (H): they differ by {apart}, 15 or 2 % or more."
        );
        findings.push(Finding::new("W.203", tally, "cast", message));
    }
}

/// F.401 and F.402.
fn lists(tally: &Tally, findings: &mut Vec<Finding>) {
    for (id, list) in &tally.lists {
        let Some(total) = list.total.map(|total| i128::from(total.0)) else { continue };
        if list.candidates.is_empty() {
            continue;
        }
        let only = list.list_only.map_or(0, |votes| i128::from(votes.0));
        let sum = list.candidates.values().map(|votes| i128::from(votes.0)).sum::<i128>() + only;
        if total == 0 && sum > 0 {
            let message = format!(
                "The candidates of list {id} have {sum} votes, while the list's total is stated as 0."
            );
            findings.push(Finding::new("F.401", tally, format!("list {id}"), message));
        } else if total != sum {
            let message = match list.list_only {
                Some(_) => format!(
                    "The candidates of list {id} have {} votes and the list alone {only}, while its total is stated as {total}.",
                    sum - only
                ),
                None => format!(
                    "The candidates of list {id} have {sum} votes, while its total is stated as {total}."
                ),
            };
            findings.push(Finding::new("F.402", tally, format!("list {id}"), message));
        }
    }
}
