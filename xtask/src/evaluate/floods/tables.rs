//! The tables of an evaluation.

use std::fmt::Write as _;

use detect::detectors::availability::application_flood::Group;
use domain::Verdict;
use exercise::web::{FloodKind, Label, Source};

use super::super::page::{grouped, rate, table};
use super::figures::{self, FIGURES};
use super::run::{Outcome, WINDOWS_S};
use super::sites::Site;
use super::stress::Case;

/// A name for each row of a table, and which outcomes belong to it.
type Split<'a> = (String, Box<dyn Fn(&Outcome) -> bool + 'a>);

/// Columns of verdicts.
const VERDICTS: [(&str, Option<Verdict>); 5] = [
    ("no rise", None),
    ("crowd", Some(Verdict::FlashCrowd)),
    ("unsure", Some(Verdict::Unsure)),
    ("mixed", Some(Verdict::Mixed)),
    ("attack", Some(Verdict::Attack)),
];

const LABELS: [Label; 3] = [Label::Crowd, Label::Mixed, Label::Attack];

/// Outcomes without those of floods that nothing tells from people.
fn plain(outcomes: &[Outcome]) -> Vec<&Outcome> {
    outcomes.iter().filter(|outcome| !outcome.is_smart_human()).collect()
}

fn ratio(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

fn percent(part: usize, of: usize) -> String {
    ratio(part, of).map_or("–".to_owned(), |share| format!("{:.3} %", share * 100.0))
}

/// Truth by verdict, smart-human apart.
pub(super) fn confusion(outcomes: &[Outcome]) -> String {
    let mut rows = Vec::new();
    let mut add = |name: String, of: Vec<&Outcome>| {
        let mut row = vec![name, of.len().to_string()];
        row.extend(
            VERDICTS
                .iter()
                .map(|(_, verdict)| of.iter().filter(|one| one.verdict == *verdict).count().to_string()),
        );
        rows.push(row);
    };
    for label in LABELS {
        let of = plain(outcomes).into_iter().filter(|outcome| outcome.plan.label == label);
        add(label.name().to_owned(), of.collect());
    }
    for label in [Label::Mixed, Label::Attack] {
        let of = outcomes.iter().filter(|one| one.is_smart_human() && one.plan.label == label);
        add(format!("smart-human, {}", label.name()), of.collect());
    }
    let header: Vec<&str> = ["truth", "mixes"].into_iter().chain(VERDICTS.map(|(name, _)| name)).collect();
    table(&header, rows)
}

/// The figures of one row: of windows with a rise, decided; of those, right.
fn quality<'a>(
    outcomes: impl Iterator<Item = &'a Outcome> + Clone,
    verdict: impl Fn(&Outcome) -> Option<Verdict>,
) -> Vec<String> {
    let all = outcomes.clone().count();
    let risen = outcomes.clone().filter(|one| verdict(one).is_some()).count();
    let decided = outcomes.clone().filter(|one| Outcome::decided(verdict(one))).count();
    let right = outcomes.clone().filter(|one| one.right(verdict(one))).count();
    let any = outcomes.clone().filter(|one| one.right_on_any_flood(verdict(one))).count();
    let alarms = outcomes.filter(|one| one.false_alarm(verdict(one))).count();
    vec![
        all.to_string(),
        risen.to_string(),
        rate(ratio(decided, risen)),
        rate(ratio(right, decided)),
        rate(ratio(any, decided)),
        alarms.to_string(),
    ]
}

const QUALITY: [&str; 6] = [
    "mixes",
    "with a rise",
    "decided",
    "of these right",
    "right on any flood",
    "crowds called attack or mixed",
];

fn quality_table(first: &str, rows: Vec<(String, Vec<String>)>) -> String {
    let header: Vec<&str> = std::iter::once(first).chain(QUALITY).collect();
    let join = |(name, mut cells): (String, Vec<String>)| {
        cells.insert(0, name);
        cells
    };
    table(&header, rows.into_iter().map(join))
}

/// All of them, then by site, history, load.
pub(super) fn overall(outcomes: &[Outcome], sites: &[Site]) -> String {
    let all = plain(outcomes);
    let mut splits: Vec<Split<'_>> = vec![("all".to_owned(), Box::new(|_| true))];
    for (number, site) in sites.iter().enumerate() {
        splits.push((site.name.to_owned(), Box::new(move |one| one.site == number)));
    }
    splits.push(("first day of the log".to_owned(), Box::new(|one| one.plan.base.earlier_days == 0)));
    splits.push(("earlier days known".to_owned(), Box::new(|one| one.plan.base.earlier_days > 0)));
    for (from, to) in LOADS {
        let within = move |one: &Outcome| (from..to).contains(&one.plan.load);
        splits.push((format!("{from} to {to} times the usual"), Box::new(within)));
    }
    let rows = splits
        .into_iter()
        .map(|(name, of)| (name, quality(all.iter().copied().filter(|one| of(one)), |one| one.verdict)));
    quality_table("", rows.collect())
}

const LOADS: [(f64, f64); 4] = [(3.0, 6.0), (6.0, 12.0), (12.0, 25.0), (25.0, 50.0)];

/// By length of the window.
pub(super) fn windows(outcomes: &[Outcome]) -> String {
    let all = plain(outcomes);
    let rows = WINDOWS_S
        .iter()
        .enumerate()
        .map(|(at, seconds)| (format!("{seconds} s"), quality(all.iter().copied(), |one| one.windows[at])));
    quality_table("window", rows.collect())
}

/// Verdicts and blocked requests by kind and source of the flood.
pub(super) fn floods(outcomes: &[Outcome]) -> String {
    let mut splits: Vec<Split<'_>> = Vec::new();
    for kind in FloodKind::ALL {
        splits.push((kind.name().to_owned(), Box::new(move |one| one.plan.flood.kind == kind)));
    }
    for source in Source::ALL {
        let of = move |one: &Outcome| one.plan.flood.source == source && !one.is_smart_human();
        splits.push((source.name().to_owned(), Box::new(of)));
    }
    let seen = |one: &Outcome| one.plan.flood.seen_address >= 0.1;
    let names = ["fewer than 6 % of addresses seen before", "10 to 50 % of addresses seen before"];
    for (name, many) in names.into_iter().zip([false, true]) {
        let of = move |one: &Outcome| seen(one) == many && !one.is_smart_human();
        splits.push((name.to_owned(), Box::new(of)));
    }
    splits.push(("all but smart-human".to_owned(), Box::new(|one| !one.is_smart_human())));
    let rows = splits.into_iter().map(|(name, of)| {
        let of: Vec<&Outcome> = outcomes.iter().filter(|one| one.plan.has_flood() && of(one)).collect();
        let verdicts = |label: Label| {
            let of = of.iter().filter(|one| one.plan.label == label);
            let counts = VERDICTS.map(|(_, verdict)| of.clone().filter(|one| one.verdict == verdict).count());
            counts.map(|n| n.to_string()).join("/")
        };
        let named = |one: &&&Outcome| matches!(one.verdict, Some(Verdict::Attack | Verdict::Mixed));
        let sum = |of: &mut dyn Iterator<Item = &&Outcome>| {
            of.fold((0, 0, 0), |sum, one| {
                let b = one.blocked;
                (sum.0 + b.flood, sum.1 + b.flood_by_address, sum.2 + b.flood_by_any)
            })
        };
        let all = sum(&mut of.iter());
        let found = sum(&mut of.iter().filter(named));
        vec![
            name,
            of.len().to_string(),
            verdicts(Label::Attack),
            verdicts(Label::Mixed),
            grouped(all.0),
            rate(ratio(all.1, all.0)),
            rate(ratio(all.2, all.0)),
            rate(ratio(found.1, found.0)),
            rate(ratio(found.2, found.0)),
        ]
    });
    table(
        &[
            "flood",
            "mixes",
            "attack alone: no rise/crowd/unsure/mixed/attack",
            "with a crowd: the same",
            "requests",
            "blocked by address",
            "with rules",
            "where it was named: by address",
            "with rules",
        ],
        rows,
    )
}

/// Whom a block would hit.
pub(super) fn hits(outcomes: &[Outcome]) -> String {
    let mut sum = super::run::Blocked::default();
    for one in outcomes {
        let b = one.blocked;
        sum.people += b.people;
        sum.people_by_address += b.people_by_address;
        sum.people_by_any += b.people_by_any;
        sum.shared += b.shared;
        sum.shared_by_any += b.shared_by_any;
        sum.nats += b.nats;
        sum.nats_by_any += b.nats_by_any;
        sum.quiet_nats += b.quiet_nats;
        sum.quiet_nats_by_any += b.quiet_nats_by_any;
        sum.programs += b.programs;
        sum.programs_by_any += b.programs_by_any;
    }
    let row = |name: &str, of: usize, address: Option<usize>, any: usize| {
        let address = address.map_or("–".to_owned(), |n| format!("{n} ({})", percent(n, of)));
        vec![name.to_owned(), grouped(of), address, format!("{any} ({})", percent(any, of))]
    };
    table(
        &["who", "clients", "hit by address", "hit by address or rule"],
        [
            row("people", sum.people, Some(sum.people_by_address), sum.people_by_any),
            row("addresses of many, four agents or more within the window", sum.nats, None, sum.nats_by_any),
            row("addresses of many, fewer agents", sum.quiet_nats, None, sum.quiet_nats_by_any),
            row("people whose address a part of the flood uses too", sum.shared, None, sum.shared_by_any),
            row("newsrooms' programs, undeclared", sum.programs, None, sum.programs_by_any),
        ],
    )
}

/// What each group of signs is worth: without it, and alone.
pub(super) fn ablation(outcomes: &[Outcome]) -> String {
    let all: Vec<&Outcome> =
        plain(outcomes).into_iter().filter(|one| one.without.len() == Group::ALL.len()).collect();
    let mut rows = vec![("all groups".to_owned(), quality(all.iter().copied(), |one| one.verdict))];
    for (at, group) in Group::ALL.iter().enumerate() {
        let cells = quality(all.iter().copied(), |one| one.without[at]);
        rows.push((format!("without {}", group.name()), cells));
    }
    quality_table("", rows)
}

/// How well each group of signs, and each plain figure, alone tells floods from crowds.
pub(super) fn areas(outcomes: &[Outcome]) -> String {
    let all = plain(outcomes);
    let of = |wanted: &dyn Fn(&Outcome) -> bool, value: &dyn Fn(&Outcome) -> Option<f64>| -> Vec<f64> {
        all.iter().filter(|one| wanted(one)).filter_map(|one| value(one)).collect()
    };
    let flood = |one: &Outcome| one.plan.label == Label::Attack;
    let dull = |one: &Outcome| flood(one) && one.plan.flood.kind != FloodKind::SmartFast;
    let row = |name: String, value: &dyn Fn(&Outcome) -> Option<f64>| {
        let crowds = of(&|one| one.plan.label == Label::Crowd, value);
        let area = figures::area(&crowds, &of(&flood, value));
        // A figure that is lower in floods tells as much as one that is higher.
        let either = |area: Option<f64>| rate(area.map(|area| area.max(1.0 - area)));
        vec![name, rate(area), either(area), either(figures::area(&crowds, &of(&dull, value)))]
    };
    let mut rows = Vec::new();
    for (at, name) in FIGURES.iter().enumerate() {
        rows.push(row((*name).to_owned(), &|one| Some(one.figures[at])));
    }
    for (at, group) in Group::ALL.iter().enumerate() {
        rows.push(row(format!("signs of {} alone", group.name()), &|one| one.alone.get(at).copied()));
    }
    rows.push(row("all signs together".to_owned(), &|one| one.phi.is_finite().then_some(one.phi)));
    table(&["figure", "area, flood above crowd", "either way", "floods that replay no visits"], rows)
}

/// Rises before the event, where nothing happens.
pub(super) fn before(outcomes: &[Outcome]) -> String {
    let verdicts: Vec<Verdict> = outcomes.iter().flat_map(|one| one.before.iter().copied()).collect();
    let count = |verdict: Verdict| verdicts.iter().filter(|other| **other == verdict).count().to_string();
    let rows = [vec![
        grouped(outcomes.iter().map(|one| one.rows).sum()),
        verdicts.len().to_string(),
        count(Verdict::FlashCrowd),
        count(Verdict::Unsure),
        count(Verdict::Mixed),
        count(Verdict::Attack),
    ]];
    table(&["requests in all", "rises before the event", "crowd", "unsure", "mixed", "attack"], rows)
}

/// What a siege mode would do against floods that replay visits.
pub(super) fn siege(outcomes: &[Outcome]) -> String {
    let mut rows = Vec::new();
    for (kind, name) in [(FloodKind::SmartHuman, "smart-human"), (FloodKind::SmartFast, "smart-fast")] {
        for source in Source::ALL {
            let of: Vec<_> = outcomes
                .iter()
                .filter(|one| {
                    one.plan.label == Label::Attack
                        && one.plan.flood.kind == kind
                        && one.plan.flood.source == source
                })
                .filter_map(|one| one.siege)
                .collect();
            let mean = |value: &dyn Fn(&super::siege::Siege) -> f64| {
                rate((!of.is_empty()).then(|| of.iter().map(value).sum::<f64>() / of.len() as f64))
            };
            rows.push(vec![
                format!("{name}, {}", source.name()),
                of.len().to_string(),
                mean(&|siege| siege.nothing),
                mean(&|siege| siege.fair),
                mean(&|siege| siege.copies),
            ]);
        }
    }
    table(&["flood", "mixes", "first come", "fair shares", "fair shares and copies"], rows)
}

/// Verdicts on hard nights.
pub(super) fn stress(cases: &[(&Case, Vec<Outcome>)]) -> String {
    let rows = cases.iter().map(|(case, outcomes)| {
        let mut row = vec![case.name.to_owned(), case.label.name().to_owned(), outcomes.len().to_string()];
        row.extend(
            VERDICTS
                .map(|(_, verdict)| outcomes.iter().filter(|one| one.verdict == verdict).count().to_string()),
        );
        let (people, hit) = outcomes
            .iter()
            .fold((0, 0), |sum, one| (sum.0 + one.blocked.people, sum.1 + one.blocked.people_by_any));
        row.push(percent(hit, people));
        row
    });
    let header: Vec<&str> = ["night", "truth", "mixes"]
        .into_iter()
        .chain(VERDICTS.map(|(name, _)| name))
        .chain(["people blocked"])
        .collect();
    table(&header, rows)
}

/// Every outcome that is wrong, for whoever looks for the reason: seeds, and what was drawn.
pub(super) fn wrong(outcomes: &[Outcome]) -> String {
    let wrong =
        plain(outcomes).into_iter().filter(|one| Outcome::decided(one.verdict) && !one.right(one.verdict));
    let rows = wrong.map(|one| {
        let flood = if one.plan.has_flood() {
            format!("{}, {}", one.plan.flood.kind.name(), one.plan.flood.source.name())
        } else {
            "–".to_owned()
        };
        vec![
            one.plan.seed.to_string(),
            one.plan.label.name().to_owned(),
            one.verdict.map_or("–", Verdict::name).to_owned(),
            format!("{:.3}", one.phi),
            format!("{:.1}", one.plan.load),
            flood,
        ]
    });
    table(&["seed", "truth", "verdict", "machine share", "load", "flood"], rows)
}

/// One line a mix, with what was drawn, what came of it and its figures, for whoever looks for reasons.
pub(super) fn csv(outcomes: &[Outcome]) -> String {
    let mut text =
        "seed,site,label,kind,source,per_address,seen_address,agents,referers,rhythm,load,days,errors,\
                    verdict,w60,w120,w300,machine_share,flood,by_address,by_any,people,people_hit"
            .to_owned();
    for name in FIGURES {
        let _ = write!(text, ",\"{name}\"");
    }
    text.push('\n');
    let name = |verdict: Option<Verdict>| verdict.map_or("none", Verdict::name);
    for one in outcomes {
        let (plan, flood, blocked) = (&one.plan, &one.plan.flood, &one.blocked);
        let _ = write!(
            text,
            "{},{},{},{},{},{:.1},{:.2},{:?},{:?},{:?},{:.1},{},{:.2},{},{},{},{},{:.4},{},{},{},{},{}",
            plan.seed,
            one.site,
            plan.label.name(),
            if plan.has_flood() { flood.kind.name() } else { "none" },
            flood.source.name(),
            flood.per_address,
            flood.seen_address,
            flood.agents,
            flood.referers,
            flood.rhythm,
            plan.load,
            plan.base.earlier_days,
            plan.errors,
            name(one.verdict),
            name(one.windows[0]),
            name(one.windows[1]),
            name(one.windows[2]),
            one.phi,
            blocked.flood,
            blocked.flood_by_address,
            blocked.flood_by_any,
            blocked.people,
            blocked.people_by_any,
        );
        for figure in one.figures {
            let _ = write!(text, ",{figure:.4}");
        }
        text.push('\n');
    }
    text
}
