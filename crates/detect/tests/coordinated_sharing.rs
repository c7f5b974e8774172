//! `coordinated-sharing`: groups that act in step are found, crowds and habits are not.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use detect::{AllowedNetwork, Engine, Names, Outcome, Settings};
use domain::{Finding, Severity, Subject};
use exercise::coordination::{Background, Kind, Plan, Planted, Share};
use traffic::post::{self, Action, Platform, Post, Trace};
use traffic::{AccountNames, Batch, ObjectNames, Part};

const SEED: u64 = 7;

/// An audience of its own kind: 40 objects by Zipf's law, 3,000 accounts, two weeks, evenings busier.
fn background() -> Background {
    let mut random = oorandom::Rand64::new(SEED.into());
    let mut shares = Vec::new();
    for object in 0..40_i64 {
        let start = 1_630_000_000_000 + random.rand_range(0..14 * 86_400) as i64 * 1000;
        for _ in 0..(1200 / (object + 3)) {
            let delay = -(1.0 - random.rand_float()).ln() * 20_000.0;
            shares.push(Share {
                account: random.rand_range(0..3000) as i32,
                object,
                time: start + delay as i64 * 1000,
            });
        }
    }
    Background::new(shares)
}

fn posts(shares: &[Share]) -> Vec<Post> {
    shares
        .iter()
        .map(|share| Post {
            account: share.account,
            object: share.object,
            trace: Trace::Object,
            action: Action::Share,
            time: share.time,
            post: -1,
            platform: Platform::Unknown,
            author: -1,
        })
        .collect()
}

fn run(shares: &[Share], threads: usize, settings: &Settings) -> Outcome {
    let batches: Vec<_> = posts(shares)
        .chunks(4096)
        .map(|rows| Ok(Batch::new(traffic::Kind::Post, post::batch(rows))))
        .collect();
    let parts: Vec<Part> = vec![Box::new(batches.into_iter())];
    let detector = detect::catalogue::find("coordinated-sharing").expect("it is in the catalogue");
    let engine = Engine::new(threads, usize::MAX, Arc::new(NoScratch));
    let mut names = || Names {
        accounts: AccountNames::numbers(),
        objects: ObjectNames::numbers(),
        texts: traffic::Texts::default(),
        sources: vec!["test".to_owned()],
        rows_read: shares.len() as u64,
        rows_refused: 0,
    };
    detect::run(&[detector], parts, &mut names, settings, &engine).expect("the run succeeds")
}

struct NoScratch;

impl traffic::Scratch for NoScratch {
    fn append(&self, _: &[u8]) -> std::io::Result<traffic::Extent> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> std::io::Result<()> {
        Err(std::io::ErrorKind::UnexpectedEof.into())
    }
}

fn detect(background: &Background, planted: &[&Planted]) -> Vec<Finding> {
    let mut shares = background.shares.clone();
    for plant in planted {
        shares.extend(&plant.shares);
    }
    run(&shares, 2, &Settings::default()).findings
}

fn accounts(findings: &[Finding]) -> BTreeSet<i32> {
    findings
        .iter()
        .flat_map(|finding| &finding.subjects)
        .map(|subject| match subject {
            Subject::Account(name) => name.parse().expect("accounts are numbers here"),
            other => panic!("not an account: {other}"),
        })
        .collect()
}

#[test]
fn a_group_in_step_on_popular_objects_is_found_whole() {
    let mut background = background();
    let plan = Plan { size: 8, objects: 10, participation: 0.9, jitter_s: 20, kind: Kind::Popular };
    let group = background.plant(&plan, SEED);
    let findings = detect(&background, &[&group]);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(accounts(&findings), group.accounts.iter().copied().collect());
    let finding = &findings[0];
    assert!(finding.evidence.q_value.is_some_and(|q| q < 0.001));
    assert!(finding.evidence.objects.len() == 10 && finding.evidence.members.len() == 8);
    assert!(finding.evidence.sensitivity.len() == 4 && !finding.benign_causes.is_empty());
}

#[test]
fn a_large_group_that_takes_turns_is_found() {
    let mut background = background();
    let plan = Plan { size: 30, objects: 12, participation: 0.35, jitter_s: 20, kind: Kind::Own };
    let group = background.plant(&plan, SEED);
    let found = accounts(&detect(&background, &[&group]));
    assert!(found.len() >= 24, "only {} of 30", found.len());
    assert!(found.is_subset(&group.accounts.iter().copied().collect()));
}

#[test]
fn an_ordinary_fortnight_is_quiet() {
    assert_eq!(detect(&background(), &[]), Vec::new());
}

#[test]
fn a_live_event_is_no_finding() {
    let mut background = background();
    let crowd = background.live_event(600, 10, 0.5, 60, SEED);
    assert_eq!(detect(&background, &[&crowd]), Vec::new());
}

#[test]
fn fans_are_no_finding() {
    let mut background = background();
    let club = background.fan_club(50, 10, SEED);
    let alerted = background.notified_fans(40, 10, 300.0, SEED);
    assert_eq!(detect(&background, &[&club, &alerted]), Vec::new());
}

#[test]
fn tools_that_post_on_the_quarter_hour_are_no_finding() {
    let mut background = background();
    let tools = background.schedulers(50, 12, SEED);
    assert_eq!(detect(&background, &[&tools]), Vec::new());
}

#[test]
fn one_occasion_is_never_enough() {
    let mut background = background();
    // Five objects within the hour, by the same people: a match, a debate.
    let community = background.live_event(20, 5, 0.8, 60, SEED);
    assert_eq!(detect(&background, &[&community]), Vec::new());
}

#[test]
fn a_syndication_network_is_told_as_such_and_can_be_allowed() {
    let mut background = background();
    let network = background.syndication(12, 30, SEED);
    let findings = detect(&background, &[&network]);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].benign_causes[0].name, "automated-syndication");
    assert_eq!(findings[0].severity, Severity::Low);

    let mut shares = background.shares.clone();
    shares.extend(&network.shares);
    let allowed = AllowedNetwork {
        name: "Example Wire".to_owned(),
        accounts: network.accounts.iter().map(ToString::to_string).collect(),
    };
    let settings = Settings { allowed: vec![allowed], ..Settings::default() };
    assert_eq!(run(&shares, 2, &settings).findings, Vec::new());
}

#[test]
fn a_newsroom_is_told_as_such() {
    let mut background = background();
    let newsroom = background.newsroom(5, 40, 600, SEED);
    let findings = detect(&background, &[&newsroom]);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].benign_causes[0].name, "newsroom");
}

#[test]
fn order_of_input_and_threads_do_not_show() {
    let mut background = background();
    let plan = Plan { size: 6, objects: 8, participation: 0.8, jitter_s: 30, kind: Kind::Popular };
    let group = background.plant(&plan, SEED);
    let mut shares = background.shares.clone();
    shares.extend(&group.shares);
    let lines = |shares: &[Share], threads| -> Vec<String> {
        let findings = run(shares, threads, &Settings::default()).findings;
        findings.iter().map(domain::wire::to_json_line).collect()
    };
    let calm = lines(&shares, 1);
    assert_eq!(calm.len(), 1);
    shares.reverse();
    assert_eq!(calm, lines(&shares, 2));
    shares.rotate_left(1234);
    assert_eq!(calm, lines(&shares, 3));
}

#[test]
fn an_account_that_floods_its_own_objects_changes_nothing() {
    let mut background = background();
    let plan = Plan { size: 6, objects: 8, participation: 0.8, jitter_s: 30, kind: Kind::Popular };
    let group = background.plant(&plan, SEED);
    let clean = detect(&background, &[&group]);
    let flood = Planted {
        shares: (0..100_000)
            .map(|i| Share {
                account: 999_999,
                object: 1_000_000 + i / 10,
                time: 1_630_000_000_000 + i * 1000,
            })
            .collect(),
        accounts: vec![999_999],
    };
    let mut flooded = detect(&background, &[&group, &flood]);
    for finding in &mut flooded {
        finding.provenance = clean[0].provenance.clone();
    }
    assert_eq!(clean, flooded);
}

/// 1,275,106 reposts of natural cascades: people who pass on what is popular, and no more.
#[test]
fn organic_virality_is_quiet() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/coordination/control/weibo_ced_reposts.csv.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        eprintln!("skipped: the control of organic cascades is not on this machine");
        return;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("the control is gzip");
    let number = |field: &str| field[1..].parse::<i64>().expect("m1, u1");
    let shares: Vec<Share> = text
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split(',');
            let object = number(fields.next().expect("object"));
            let account = number(fields.next().expect("account")) as i32;
            let time = fields.nth(1).expect("time").parse::<i64>().expect("seconds") * 1000;
            Share { account, object, time }
        })
        .collect();
    assert_eq!(shares.len(), 1_275_106);
    assert_eq!(run(&shares, 2, &Settings::default()).findings, Vec::new());
}

#[test]
fn a_group_is_found_where_everybody_knows_everybody() {
    // 300 people, 40 shares each, of 300 things: no two are strangers.
    let mut random = oorandom::Rand64::new(SEED.into());
    let crowd: Vec<Share> = (0..300 * 40)
        .map(|at| Share {
            account: at / 40,
            object: random.rand_range(0..300) as i64,
            time: 1_630_000_000_000 + random.rand_range(0..14 * 86_400) as i64 * 1000,
        })
        .collect();
    let mut background = Background::new(crowd);
    assert_eq!(detect(&background, &[]), Vec::new());
    let plan = Plan { size: 8, objects: 20, participation: 1.0, jitter_s: 8, kind: Kind::Own };
    let group = background.plant(&plan, SEED);
    assert_eq!(accounts(&detect(&background, &[&group])), group.accounts.iter().copied().collect());
    let plan = Plan { size: 5, objects: 12, participation: 1.0, jitter_s: 8, kind: Kind::Popular };
    let group = background.plant(&plan, SEED);
    assert_eq!(accounts(&detect(&background, &[&group])), group.accounts.iter().copied().collect());
}
