//! Things that look like coordination and are not, or are openly so, each planted alone.

use std::collections::BTreeSet;

use exercise::coordination::{Background, Planted};

use super::EvaluateError;
use super::count::Flagged;
use super::grid::touched;
use super::methods::{Methods, flagged, members};
use super::page::{grouped, table};

type Make = Box<dyn Fn(&mut Background, u64) -> Planted>;

/// A case: what it is, and how it is planted.
pub(super) struct Lookalike {
    name: String,
    make: Make,
}

/// All cases. The live events come first.
pub(super) fn all() -> Vec<Lookalike> {
    let mut cases = Vec::new();
    let mut add = |name: String, make: Make| cases.push(Lookalike { name, make });
    for (people, moments, chance, spread_s) in [
        (2000, 10, 0.5, 60),
        (2000, 3, 0.7, 60),
        (2000, 3, 0.33, 60),
        (200, 5, 0.5, 120),
        (100, 5, 0.6, 120),
        (60, 5, 0.6, 120),
        (40, 5, 0.6, 120),
        (20, 5, 0.6, 120),
    ] {
        add(
            format!("live event: {people} people, {moments} moments, each with {:.0} %", chance * 100.0),
            Box::new(move |background, seed| background.live_event(people, moments, chance, spread_s, seed)),
        );
    }
    add("fan club: 50 fans, 10 popular objects, at any time".into(), Box::new(|b, s| b.fan_club(50, 10, s)));
    for fans in [20, 50, 100, 200] {
        for posts in [3, 4, 10, 20] {
            add(
                format!("fans with alerts: {fans} fans, {posts} posts, 5 min on average"),
                Box::new(move |background, seed| background.notified_fans(fans, posts, 300.0, seed)),
            );
        }
    }
    add(
        "fans with alerts: 30 fans, 20 posts, 1 min on average".into(),
        Box::new(|b, s| b.notified_fans(30, 20, 60.0, s)),
    );
    add("schedulers: 50 accounts on the quarter hour".into(), Box::new(|b, s| b.schedulers(50, 20, s)));
    add("aggregators: 5 accounts with 30 % of everything".into(), Box::new(|b, s| b.aggregators(5, 0.3, s)));
    add("newsroom: 5 accounts, 40 articles, 10 min".into(), Box::new(|b, s| b.newsroom(5, 40, 600, s)));
    add("syndication: 20 accounts, 60 items, same second".into(), Box::new(|b, s| b.syndication(20, 60, s)));
    cases
}

/// What was flagged of one case on one seed.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    members: usize,
    flagged: usize,
    others: usize,
    pairs: usize,
    /// Of the finding with the most members of the case.
    cause: Option<String>,
    /// Pairs and accounts by "4 within 60 s", "5 within 600 s" and both.
    thresholds: [(usize, usize); 3],
}

/// Plants each case alone into the background, which must be without coordination.
pub(super) fn look(
    methods: &Methods,
    background: &Background,
    cases: &[Lookalike],
    seed: u64,
    say: &mut dyn FnMut(&str),
) -> Result<Vec<Seen>, EvaluateError> {
    let without = flagged(&methods.findings(&background.shares)?);
    let mut all = Vec::new();
    for case in cases {
        say(&case.name);
        let planted = (case.make)(&mut background.clone(), seed);
        let mut shares = background.shares.clone();
        shares.extend(&planted.shares);
        let findings = methods.findings(&shares)?;
        let ours = flagged(&findings);
        let accounts: BTreeSet<i32> = planted.accounts.iter().copied().collect();
        let of_case = |finding: &domain::Finding| {
            members(finding).iter().filter(|account| accounts.contains(account)).count()
        };
        let holder = findings.iter().max_by_key(|finding| of_case(finding)).filter(|f| of_case(f) > 0);
        let meetings = methods.meetings(&touched(&shares, &planted.shares))?.with_any_of(&accounts);
        let counted =
            |flagged: &Flagged| (flagged.n_pairs_among(&planted.accounts), flagged.found(&planted.accounts));
        all.push(Seen {
            members: planted.accounts.len(),
            flagged: ours.found(&planted.accounts),
            others: ours.n_other_accounts(&[&planted.accounts], &without),
            pairs: ours.n_pairs_among(&planted.accounts),
            cause: holder.and_then(|f| f.benign_causes.first()).map(|cause| cause.name.clone()),
            thresholds: [
                counted(&meetings.at_least(0, 4)),
                counted(&meetings.at_least(1, 5)),
                counted(&meetings.quiet()),
            ],
        });
    }
    Ok(all)
}

/// One row a case; the seeds beside each other.
pub(super) fn rows(cases: &[Lookalike], by_seed: &[Vec<Seen>]) -> String {
    let rows =
        cases.iter().enumerate().filter(|(at, _)| by_seed.iter().any(|s| s.len() > *at)).map(|(at, case)| {
            let seen: Vec<&Seen> = by_seed.iter().filter_map(|seen| seen.get(at)).collect();
            let each = |value: &dyn Fn(&Seen) -> String| {
                seen.iter().map(|seen| value(seen)).collect::<Vec<_>>().join(" / ")
            };
            vec![
                case.name.clone(),
                each(&|seen| format!("{} of {}", seen.flagged, seen.members)),
                each(&|seen| seen.others.to_string()),
                each(&|seen| grouped(seen.pairs)),
                each(&|seen| seen.cause.clone().unwrap_or_else(|| "–".to_owned())),
                each(&|seen| grouped(seen.thresholds[0].0)),
                each(&|seen| grouped(seen.thresholds[1].0)),
                each(&|seen| grouped(seen.thresholds[2].1)),
            ]
        });
    table(
        &[
            "case",
            "members flagged",
            "others flagged",
            "pairs",
            "first benign cause",
            "4 within 60 s: pairs",
            "5 within 600 s: pairs",
            "either threshold: members flagged",
        ],
        rows,
    )
}
