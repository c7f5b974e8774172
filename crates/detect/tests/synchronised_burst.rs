//! `synchronised-burst`: accounts that act in the same seconds are found; crowds, schedules and
//! coarse clocks are not.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use detect::{AllowedNetwork, Engine, Names, Outcome, Settings};
use domain::{Finding, Severity, Timestamp};
use oorandom::Rand64;
use traffic::post::{self, Action, Platform, Post, Trace};
use traffic::{AccountNames, Batch, Kind, ObjectNames, Part};

/// Monday, 30 August 2021, midnight UTC.
const START_S: i64 = 1_630_281_600;
const DAY_S: i64 = 86_400;
const HOUR_S: i64 = 3600;

fn row(account: i32, action: Action, object: i64, millis: i64) -> Post {
    Post {
        account,
        object,
        trace: Trace::Object,
        action,
        time: millis,
        post: -1,
        platform: Platform::Unknown,
        author: -1,
    }
}

/// An ordinary fortnight: 2,000 accounts, some of them busy, that post 30,000 times, most in the
/// evening, and delete one post in twenty later on.
fn fortnight(random: &mut Rand64) -> Vec<Post> {
    let mut rows = Vec::new();
    for n in 0..30_000 {
        let account = (2000.0 * random.rand_float().powi(2)) as i32;
        let hour = (6.0 + 18.0 * random.rand_float().max(random.rand_float())) as i64;
        let day = random.rand_range(0..14) as i64;
        let at = (START_S + day * DAY_S + hour * HOUR_S) * 1000 + random.rand_range(0..3_600_000) as i64;
        rows.push(row(account, Action::Post, n, at));
        if n % 20 == 0 {
            rows.push(row(account, Action::Delete, n, at + random.rand_range(60_000..86_400_000) as i64));
        }
    }
    rows
}

/// Each of the accounts acts once within `span_s` of the moment.
fn burst(
    rows: &mut Vec<Post>,
    accounts: std::ops::Range<i32>,
    action: Action,
    start_s: i64,
    span_s: u64,
    random: &mut Rand64,
) {
    for account in accounts {
        let at = start_s * 1000 + random.rand_range(0..span_s * 1000) as i64;
        rows.push(row(account, action, 1_000_000 + at % 1_000_000 + i64::from(account), at));
    }
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

fn run(rows: &[Post], threads: usize, settings: &Settings, names: Names) -> Outcome {
    let batches: Vec<_> =
        rows.chunks(4096).map(|rows| Ok(Batch::new(Kind::Post, post::batch(rows)))).collect();
    let parts: Vec<Part> = vec![Box::new(batches.into_iter())];
    let detector = detect::catalogue::find("synchronised-burst").expect("it is in the catalogue");
    let engine = Engine::new(threads, usize::MAX, Arc::new(NoScratch));
    let mut names = Some(names);
    detect::run(&[detector], parts, &mut || names.take().expect("asked once"), settings, &engine)
        .expect("the run succeeds")
}

fn names(accounts: AccountNames, objects: ObjectNames) -> Names {
    Names {
        accounts,
        objects,
        texts: traffic::Texts::default(),
        sources: vec!["test".to_owned()],
        rows_read: 0,
        rows_refused: 0,
    }
}

fn numbers() -> Names {
    names(AccountNames::numbers(), ObjectNames::numbers())
}

fn detect(rows: &[Post]) -> Vec<Finding> {
    run(rows, 2, &Settings::default(), numbers()).findings
}

/// One line a finding, as a reader would see it.
fn lines(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let techniques: Vec<&str> = finding.techniques.iter().map(|t| t.0.as_str()).collect();
        format!(
            "{}: {} [{}; {}]\n",
            finding.severity,
            finding.title,
            finding.benign_causes[0].name,
            techniques.join(" ")
        )
    };
    findings.iter().map(line).collect()
}

#[test]
fn sixty_accounts_that_delete_within_five_seconds() {
    let mut random = Rand64::new(1);
    let mut rows = fortnight(&mut random);
    burst(&mut rows, 500..560, Action::Delete, START_S + 9 * DAY_S + 15 * HOUR_S + 1234, 5, &mut random);
    let findings = detect(&rows);
    assert_eq!(
        lines(&findings),
        "high: 60 accounts deleted posts within 5 s [platform-maintenance; DISARM:T0129.007]\n"
    );
    let finding = &findings[0];
    assert_eq!(finding.first_seen.to_string()[..19], *"2021-09-08T15:20:34");
    assert_eq!((finding.subjects.len(), finding.evidence.members.len()), (60, 60));
    assert_eq!(finding.evidence.samples.len(), 60);
    assert!(finding.evidence.q_value.expect("it was tested") < 1e-6);
    assert_eq!(finding.evidence.window_s, Some(10));
    // Every second of a fortnight, for posts and for deletions.
    assert!((2.0 * 14.0 * 86_400.0 - finding.evidence.counts["windows_tested"]).abs() < 2.5 * 86_400.0);
    assert!(finding.evidence.expected.contains("windows were looked at"), "{}", finding.evidence.expected);
}

#[test]
fn dormant_accounts_that_wake_together_three_times_are_one_finding() {
    for nights in [[2, 3, 4], [2, 5, 11]] {
        let mut random = Rand64::new(2);
        let mut rows = fortnight(&mut random);
        for night in nights {
            burst(&mut rows, 3000..3040, Action::Post, START_S + night * DAY_S + 3 * HOUR_S, 10, &mut random);
        }
        let findings = detect(&rows);
        assert_eq!(findings.len(), 1, "{}", lines(&findings));
        assert_eq!(findings[0].severity, Severity::Medium);
        assert_eq!(findings[0].evidence.counts["occasions"], 3.0);
        assert_eq!(findings[0].evidence.members.len(), 40);
        assert!(findings[0].title.ends_with("on 3 occasions"), "{}", findings[0].title);
    }
}

#[test]
fn a_burst_of_ten_seconds_is_seen_wherever_it_begins() {
    for offset in 0..10 {
        let mut random = Rand64::new(3);
        let mut rows = fortnight(&mut random);
        burst(&mut rows, 0..40, Action::Share, START_S + 5 * DAY_S + 11 * HOUR_S + offset, 10, &mut random);
        assert_eq!(detect(&rows).len(), 1, "offset {offset}");
    }
}

/// People who react to something: none before it, most half a minute later, fewer and fewer then.
fn live_event(rows: &mut Vec<Post>, accounts: std::ops::Range<i32>, start_s: i64, random: &mut Rand64) {
    for account in accounts {
        // A sum of two waiting times of 15 s each: the peak comes after 15 s, half are in after 25 s.
        let delay = -15_000.0 * ((1.0 - random.rand_float()) * (1.0 - random.rand_float())).ln();
        rows.push(row(account, Action::Post, 77, start_s * 1000 + delay as i64));
    }
}

#[test]
fn a_live_event_is_no_burst() {
    for people in [20, 60, 200, 2000] {
        for seed in 0..5 {
            let mut random = Rand64::new(seed);
            let mut rows = fortnight(&mut random);
            for evening in 0..3 {
                live_event(
                    &mut rows,
                    0..people,
                    START_S + (evening * 4 + 2) * DAY_S + 19 * HOUR_S,
                    &mut random,
                );
            }
            assert_eq!(lines(&detect(&rows)), "", "{people} people, seed {seed}");
        }
    }
}

#[test]
fn tools_on_the_hour_are_no_burst() {
    let mut random = Rand64::new(5);
    // The same strangers at nine every day …
    let mut daily = fortnight(&mut random);
    for day in 0..14 {
        burst(&mut daily, 3000..3050, Action::Post, START_S + day * DAY_S + 9 * HOUR_S, 6, &mut random);
    }
    assert_eq!(lines(&detect(&daily)), "");

    // … on working days …
    let mut working_days = fortnight(&mut random);
    for day in (0..14).filter(|day| day % 7 < 5) {
        let nine = START_S + day * DAY_S + 9 * HOUR_S;
        burst(&mut working_days, 3000..3050, Action::Post, nine, 6, &mut random);
    }
    assert_eq!(lines(&detect(&working_days)), "");

    // … each at some whole hours of the day, within one day.
    let mut hourly = Vec::new();
    for account in 0..600 {
        for _ in 0..3 {
            let hour = START_S + random.rand_range(7..23) as i64 * HOUR_S;
            hourly.push(row(
                account,
                Action::Post,
                account.into(),
                hour * 1000 + random.rand_range(0..4000) as i64,
            ));
        }
        let other = START_S * 1000 + random.rand_range(0..86_400_000) as i64;
        hourly.push(row(account, Action::Post, account.into(), other));
    }
    assert_eq!(lines(&detect(&hourly)), "");
}

#[test]
fn one_account_that_acts_many_times_is_no_burst() {
    let mut random = Rand64::new(6);
    let mut rows = fortnight(&mut random);
    for n in 0..5000 {
        let at = (START_S + 6 * DAY_S) * 1000 + random.rand_range(0..8000) as i64;
        rows.push(row(7, if n % 2 == 0 { Action::Post } else { Action::Delete }, n, at));
    }
    assert_eq!(lines(&detect(&rows)), "");
}

#[test]
fn whole_minutes_silence_it_and_say_so() {
    let mut random = Rand64::new(7);
    let mut rows = fortnight(&mut random);
    burst(&mut rows, 500..560, Action::Delete, START_S + 9 * DAY_S, 5, &mut random);
    live_event(&mut rows, 0..300, START_S + 6 * DAY_S + 19 * HOUR_S, &mut random);
    for row in &mut rows {
        row.time -= row.time.rem_euclid(60_000);
    }
    let outcome = run(&rows, 2, &Settings::default(), numbers());
    assert_eq!(lines(&outcome.findings), "");
    let notes = outcome.notes.join("\n");
    assert!(notes.contains(&format!("{} rows refused: most times are whole minutes", rows.len())), "{notes}");
}

#[test]
fn an_audience_of_one_off_accounts_is_no_burst_unless_it_deletes() {
    let planted = |action, objects: i64| {
        let mut random = Rand64::new(8);
        let mut rows = fortnight(&mut random);
        for account in 5000..5040 {
            let at = (START_S + 4 * DAY_S + 12 * HOUR_S) * 1000 + random.rand_range(0..9000) as i64;
            rows.push(row(account, action, i64::from(account) % objects, at));
        }
        detect(&rows)
    };
    assert_eq!(lines(&planted(Action::Share, 1)), "");
    assert_eq!(planted(Action::Delete, 1).len(), 1);
    let scattered = planted(Action::Share, 40);
    assert_eq!(scattered.len(), 1);
    assert_eq!(scattered[0].severity, Severity::Low);
    assert!(scattered[0].evidence.expected.contains("40 of the accounts act fewer than three times"));
}

#[test]
fn a_declared_network_counts_as_one_account() {
    let mut random = Rand64::new(9);
    let mut rows = fortnight(&mut random);
    burst(&mut rows, 3000..3040, Action::Post, START_S + 3 * DAY_S + 1000, 5, &mut random);
    burst(&mut rows, 3000..3040, Action::Post, START_S + 5 * DAY_S + 5000, 5, &mut random);
    assert_eq!(detect(&rows).len(), 1);
    let allowed = AllowedNetwork {
        name: "The Daily Example".to_owned(),
        accounts: (3000..3040).map(|account| account.to_string()).collect(),
    };
    let settings = Settings { allowed: vec![allowed], ..Settings::default() };
    assert_eq!(lines(&run(&rows, 2, &settings, numbers()).findings), "");
}

#[test]
fn neither_order_nor_threads_change_a_finding() {
    let mut random = Rand64::new(10);
    let mut rows = fortnight(&mut random);
    burst(&mut rows, 500..560, Action::Delete, START_S + 9 * DAY_S + 7200, 5, &mut random);
    for night in [1, 6] {
        burst(
            &mut rows,
            300..340,
            Action::Post,
            START_S + night * DAY_S + 3 * HOUR_S + night,
            8,
            &mut random,
        );
    }
    // Ids by order of appearance, as from a file.
    let read = |rows: &[Post], threads| {
        let (mut accounts, mut objects) = (AccountNames::plain(), ObjectNames::new());
        let rows: Vec<Post> = rows
            .iter()
            .map(|row| Post {
                account: accounts.intern(row.account.to_string().as_bytes()),
                object: objects.intern(row.trace, row.object.to_string().as_bytes()),
                ..*row
            })
            .collect();
        run(&rows, threads, &Settings::default(), names(accounts, objects)).findings
    };
    let calm = read(&rows, 1);
    assert_eq!(calm.len(), 2, "{}", lines(&calm));
    for at in (1..rows.len()).rev() {
        rows.swap(at, random.rand_range(0..at as u64 + 1) as usize);
    }
    assert_eq!(calm, read(&rows, 3));
}

/// The file below the folder of test data that the repository may not carry; `None` where it is missing.
fn shared(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    file.exists().then_some(file)
}

/// Numbers in order of appearance.
#[derive(Default)]
struct Numbers(BTreeMap<String, i64>);

impl Numbers {
    fn of(&mut self, name: &str) -> i64 {
        let next = self.0.len() as i64;
        *self.0.entry(name.to_owned()).or_insert(next)
    }
}

#[test]
fn an_ordinary_day_of_an_election_has_no_findings() {
    let Some(file) = shared("coordination/german_elections.csv") else {
        println!("skipped: there is no ../shared/data/coordination/german_elections.csv");
        return;
    };
    let text = std::fs::read_to_string(file).expect("it can be read");
    let (mut accounts, mut objects) = (Numbers::default(), Numbers::default());
    let day = Timestamp::parse("2021-09-01T00:00:00Z").expect("a time").millis();
    let mut rows = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let time = fields[6].parse::<i64>().expect("seconds") * 1000;
        if (day..day + DAY_S * 1000).contains(&time) {
            let account = accounts.of(fields[0]) as i32;
            rows.push(row(account, Action::Share, objects.of(fields[1]), time));
        }
    }
    assert!(rows.len() > 2000, "{} rows", rows.len());
    assert_eq!(lines(&detect(&rows)), "");
}

#[test]
fn organic_cascades_of_a_million_people_have_no_findings() {
    let Some(file) = shared("coordination/control/weibo_ced_reposts.csv.gz") else {
        println!("skipped: there is no ../shared/data/coordination/control/weibo_ced_reposts.csv.gz");
        return;
    };
    let mut text = String::new();
    let packed = std::fs::File::open(file).expect("it can be opened");
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).expect("it can be unpacked");
    let rows: Vec<Post> = text
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let number = |field: &str| field[1..].parse::<i64>().expect("a letter and a number");
            let time = fields[3].parse::<i64>().expect("seconds") * 1000;
            row(number(fields[1]) as i32, Action::Share, number(fields[0]), time)
        })
        .collect();
    assert_eq!(rows.len(), 1_275_106);
    assert_eq!(lines(&detect(&rows)), "");
    let accounts: BTreeSet<i32> = rows.iter().map(|row| row.account).collect();
    assert!(accounts.len() > 1_000_000);
}
