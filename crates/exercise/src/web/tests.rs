//! What a mix promises.

use std::collections::{BTreeMap, BTreeSet};

use traffic::Seed;
use traffic::request::Resource;

use super::*;

fn sample(n: u64) -> Vec<Mix> {
    let learnt = invented(Seed(7));
    (0..n).map(|seed| mix(&learnt, &Plan::of_seed(seed))).collect()
}

#[test]
fn the_same_seed_makes_the_same_rows() {
    let learnt = invented(Seed(7));
    let [one, again, other] = [3, 3, 4].map(|seed| mix(&learnt, &Plan::of_seed(seed)));
    assert_eq!((one.rows.len(), &one.rows, &one.truth), (again.rows.len(), &again.rows, &again.truth));
    assert_ne!(one.rows, other.rows);
}

#[test]
fn each_label_has_what_it_promises() {
    for mix in sample(40) {
        let plan = &mix.plan;
        let minutes = plan.event_s as f64 / 60.0;
        let usual = plan.base.per_minute * minutes;
        let wanted = ((plan.load - 1.0) * usual).min(plan.most as f64);
        let extra = (mix.extra.0 + mix.extra.1) as f64;
        assert!((0.98..1.25).contains(&(extra / wanted)), "seed {}: {extra} of {wanted}", plan.seed);
        assert!(mix.rows.is_sorted_by_key(|row| row.time));
        assert_eq!(mix.rows.len(), mix.truth.len());
        let bots = mix.truth.iter().filter(|who| **who == Who::Bot).count();
        let people = mix.truth.iter().filter(|who| matches!(who, Who::Person | Who::Nat)).count();
        assert_eq!((bots > 0, people > 0), (plan.has_flood(), plan.has_crowd()), "seed {}", plan.seed);
        let share = mix.extra.1 as f64 / extra;
        match plan.label {
            Label::Calm => unreachable!("no seed is calm"),
            Label::Crowd => assert_eq!(mix.extra.1, 0),
            Label::Mixed => assert!((0.2..0.8).contains(&share), "seed {}: {share}", plan.seed),
            Label::Attack => assert_eq!(mix.extra.0, 0),
        }
        for (row, who) in mix.rows.iter().zip(&mix.truth) {
            assert!(row.time >= mix.history_from - 1000 && row.time < mix.until);
            assert!(*who != Who::Bot || row.time >= mix.onset / 1000 * 1000);
        }
    }
}

#[test]
fn a_calm_night_has_the_usual_alone() {
    let learnt = invented(Seed(7));
    let mix = mix(&learnt, &Plan::of(Label::Calm, 5));
    assert!(mix.truth.iter().all(|who| matches!(who, Who::Usual | Who::Monitor)));
    let event = mix.rows.iter().filter(|row| row.time >= mix.onset).count() as f64;
    let usual = mix.plan.base.per_minute * 5.0;
    assert!((0.5..2.0).contains(&(event / usual)), "{event} where {usual} are usual");
}

#[test]
fn most_of_a_crowd_was_never_here_and_a_flood_was_in_part() {
    for mix in sample(40) {
        let event = |who: fn(Who) -> bool| {
            let clients: BTreeSet<Address> = mix
                .rows
                .iter()
                .zip(&mix.truth)
                .filter(|(row, of)| row.time >= mix.onset && who(**of))
                .map(|(row, _)| mix.client(row))
                .collect();
            clients
        };
        let before: BTreeSet<Address> =
            mix.rows.iter().filter(|row| row.time < mix.onset).map(|row| mix.client(row)).collect();
        let networks: BTreeSet<Address> = before.iter().map(|client| client.network(16, 32)).collect();
        let share = |clients: &BTreeSet<Address>, of: &dyn Fn(&Address) -> bool| {
            clients.iter().filter(|client| of(client)).count() as f64 / clients.len() as f64
        };
        let people = event(|who| who == Who::Person);
        if people.len() > 200 {
            let new = share(&people, &|client| !before.contains(client));
            // More than planned where more came than ever were here.
            assert!((0.2..=1.0).contains(&new), "seed {}: {new}", mix.plan.seed);
        }
        let bots = event(|who| who == Who::Bot);
        if bots.len() > 200 {
            let known = share(&bots, &|client| networks.contains(&client.network(16, 32)));
            assert!((0.15..0.88).contains(&known), "seed {}: {known}", mix.plan.seed);
        }
    }
}

#[test]
fn behind_a_nat_are_many_with_agents_of_their_own() {
    for mix in sample(30).iter().filter(|mix| mix.plan.crowd.nat > 0.1 && mix.extra.0 > 2_000) {
        let mut agents: BTreeMap<Address, BTreeSet<i64>> = BTreeMap::new();
        for (row, _) in mix.rows.iter().zip(&mix.truth).filter(|(_, who)| **who == Who::Nat) {
            agents.entry(mix.client(row)).or_default().insert(row.agent);
        }
        let most = agents.values().map(BTreeSet::len).max().unwrap_or(0);
        assert!(most >= 3, "seed {}: {most} {agents:?} {:?}", mix.plan.seed, mix.plan.crowd);
        assert!(agents.keys().all(|nat| mix.nats.contains(nat)));
    }
}

/// Chance that a random flood has more of a figure than a random crowd has.
fn area_under_curve(crowd: &[f64], flood: &[f64]) -> f64 {
    let mut sum = 0.0;
    for c in crowd {
        for f in flood {
            sum += if f > c { 1.0 } else { 0.5 * f64::from(u8::from(f == c)) };
        }
    }
    sum / (crowd.len() * flood.len()) as f64
}

#[test]
fn no_figure_of_a_window_alone_tells_flood_from_crowd() {
    type Figure = fn(&[&Request], &BTreeSet<Address>, &Mix) -> f64;
    let figures: [(&str, Figure); 7] = [
        ("rows", |rows, _, _| rows.len() as f64),
        ("rows a client", |rows, _, mix| {
            let clients: BTreeSet<Address> = rows.iter().map(|row| mix.client(row)).collect();
            rows.len() as f64 / clients.len() as f64
        }),
        ("seen clients", |rows, before, mix| {
            rows.iter().filter(|row| before.contains(&mix.client(row))).count() as f64 / rows.len() as f64
        }),
        ("no referer", |rows, _, _| {
            rows.iter().filter(|row| row.referer_host < 0).count() as f64 / rows.len() as f64
        }),
        ("agents a client", |rows, _, mix| {
            let clients: BTreeSet<Address> = rows.iter().map(|row| mix.client(row)).collect();
            let agents: BTreeSet<(Address, i64)> =
                rows.iter().map(|row| (mix.client(row), row.agent)).collect();
            agents.len() as f64 / clients.len() as f64
        }),
        ("polls", |rows, _, _| {
            rows.iter().filter(|row| row.resource == Resource::Api.code()).count() as f64 / rows.len() as f64
        }),
        ("most asked for path", |rows, _, _| {
            let mut paths: BTreeMap<i64, usize> = BTreeMap::new();
            for row in rows {
                *paths.entry(row.path).or_default() += 1;
            }
            paths.into_values().max().unwrap_or(0) as f64 / rows.len() as f64
        }),
    ];
    let mixes = sample(60);
    for (name, figure) in figures {
        let (mut crowd, mut flood) = (Vec::new(), Vec::new());
        for mix in &mixes {
            let rows: Vec<&Request> = mix.rows.iter().filter(|row| row.time >= mix.onset).collect();
            let before: BTreeSet<Address> =
                mix.rows.iter().filter(|row| row.time < mix.onset).map(|row| mix.client(row)).collect();
            match mix.plan.label {
                Label::Crowd => crowd.push(figure(&rows, &before, mix)),
                Label::Attack => flood.push(figure(&rows, &before, mix)),
                Label::Calm | Label::Mixed => {}
            }
        }
        let area = area_under_curve(&crowd, &flood);
        println!("{name}: {area:.3}");
        assert!((0.05..0.95).contains(&area), "{name}: {area:.3}");
    }
}

#[test]
fn seeds_cover_every_kind_and_source() {
    let plans: Vec<Plan> = (0..400).map(Plan::of_seed).collect();
    let floods = plans.iter().filter(|plan| plan.has_flood());
    let seen: BTreeSet<_> = floods.map(|plan| (plan.flood.kind, plan.flood.source)).collect();
    assert_eq!(seen.len(), FloodKind::ALL.len() * Source::ALL.len());
    let labels: BTreeSet<_> = plans.iter().map(|plan| plan.label).collect();
    assert_eq!(labels.len(), 3);
}

/// A visit of one client: seconds, path, and whether it is a picture.
fn visit(seed: Seed, texts: &mut Texts, client: u32, requests: &[(i64, &str, bool)]) -> Vec<Request> {
    let mut id = |text: &str| {
        let id = seed.text(text.as_bytes());
        texts.keep(id, text.as_bytes());
        id
    };
    let address = Address::v4(client);
    let row = |&(second, path, picture): &(i64, &str, bool)| Request {
        peer_hi: address.hi,
        peer_lo: address.lo,
        time: second * 1000,
        method: 1,
        path: id(path),
        resource: i32::from(picture),
        status: 200,
        bytes: 100,
        ..Request::EMPTY
    };
    requests.iter().map(row).collect()
}

#[test]
fn a_log_teaches_visits_pages_and_what_they_bring() {
    let (seed, mut texts) = (Seed(7), Texts::default());
    let mut rows = visit(
        seed,
        &mut texts,
        1,
        &[(0, "/", false), (1, "/a.png", true), (40, "/b", false), (5_000, "/", false)],
    );
    rows.extend(visit(seed, &mut texts, 2, &[(7, "/a.png", true)]));
    let learnt = Learnt::new(&rows, &texts, seed).expect("a log with visits");
    // The third page comes more than half an hour later, and the second client asked for no page.
    assert_eq!(learnt.n_visits(), 2);
    let pages: Vec<(String, usize)> =
        learnt.pages.iter().map(|page| (texts.get(page.path), page.assets.len())).collect();
    assert_eq!(pages, [("/".to_owned(), 1), ("/b".to_owned(), 0)]);
    assert_eq!(learnt.visits[0].steps.iter().map(|step| step.pause).collect::<Vec<_>>(), [0, 1_000, 39_000]);
    let nothing = visit(seed, &mut texts, 2, &[(7, "/a.png", true)]);
    assert_eq!(Learnt::new(&nothing, &texts, seed).err(), Some(LearnError::NoVisits));
}

#[test]
fn pauses_and_agents_can_come_from_another_log() {
    let (seed, mut texts) = (Seed(7), Texts::default());
    let slow = visit(seed, &mut texts, 1, &[(0, "/", false), (2, "/a.png", true), (90, "/b", false)]);
    let spoilt = visit(seed, &mut texts, 1, &[(0, "/", false), (0, "/a.png", true), (0, "/b", false)]);
    let slow = Learnt::new(&slow, &texts, seed).expect("visits");
    let mended = Learnt::new(&spoilt, &texts, seed).expect("visits").with_pauses_of(&slow);
    let pauses: Vec<i64> = mended.visits[0].steps.iter().map(|step| step.pause).collect();
    assert_eq!(pauses, [0, 2_000, 88_000]);
    let site = invented(seed);
    assert_eq!(mended.with_agents_of(&site).agents, site.agents);
}
