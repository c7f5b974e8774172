//! Findings for tests: built by arithmetic alone, so that they are the same everywhere.

use std::collections::BTreeMap;

use domain::{
    BenignCause, BlockRule, Blockable, CaseKey, Evidence, Finding, FindingId, Member, Provenance, Reason,
    Sample, Sensitivity, Series, Severity, SharedObject, Spared, Subject, Technique, Tie, Timestamp, Verdict,
};

/// 21 Aug 2021, 14:00:00 UTC.
const START: i64 = 1_629_554_400;

/// A group of `n` accounts, of which the first few lead, with nine links among them.
pub(crate) fn finding(n: usize) -> Finding {
    let mut names: Vec<String> = (0..n).map(pseudonym).collect();
    names.sort();
    let lag = |member: usize, object: usize| -> f64 {
        // Two lead by turns; the others follow, each with a delay of its own.
        let pace = (member * member * 5 + member * 3) % 14;
        let wobble = (member * 7 + object * 3) % 5;
        if member < 2 { ((member + object) % 2) as f64 * 0.8 } else { (pace + wobble) as f64 }
    };
    let objects: Vec<SharedObject> = (0..9)
        .map(|o| SharedObject {
            object: format!("https://news-{o}.example/politik/2021/wahl-{}", 17 * o + 4),
            trace: if o == 4 { "hashtag" } else { "url" }.to_owned(),
            members: n as u32 - (o as u32 % 2).min(n as u32 - 2),
            in_step: n as u32 - (o as u32 % 2).min(n as u32 - 2),
            others: [0, 3, 41, 1_204, 12, 7, 0, 2, 88][o],
            expected_rate: [0.01, 0.02, 0.08, 0.21, 0.04, 0.02, 0.004, 0.01, 0.05][o],
            first: Timestamp::from_seconds(START + 93_000 * o as i64),
            span_s: (0..n).map(|m| lag(m, o)).fold(0.0, f64::max),
            leader: names[o % 2].clone(),
        })
        .collect();
    let samples = objects
        .iter()
        .enumerate()
        .flat_map(|(o, object)| {
            let names = &names;
            (0..object.in_step as usize).map(move |m| Sample {
                time: Timestamp(object.first.0 + (lag(m, o) * 1000.0) as i64),
                account: names[m].clone(),
                action: "share".to_owned(),
                object: object.object.clone(),
                lag_s: lag(m, o),
            })
        })
        .take(200)
        .collect();
    let members: Vec<Member> = names
        .iter()
        .enumerate()
        .map(|(m, name)| Member {
            account: name.clone(),
            platform: (m % 5 != 4).then(|| if m % 2 == 0 { "facebook" } else { "x" }.to_owned()),
            objects: 9,
            in_step: 9 - (m as u32 % 4),
            expected: 0.3 + 0.1 * (m % 5) as f64,
            q_value: 1e-7 * (1 + m) as f64 * (1 + m) as f64,
            median_lag_s: {
                let mut lags: Vec<f64> = (0..9).map(|o| lag(m, o)).collect();
                lags.sort_by(f64::total_cmp);
                lags[4]
            },
            led: if m < 2 { 4 + u32::from(m == 0) } else { 0 },
        })
        .collect();
    let ties = (0..n)
        .flat_map(|a| (a + 1..n).map(move |b| (a, b)))
        .filter(|(a, b)| n < 8 || *a < 2 || (a * 5 + b * 3) % 7 < 3)
        .map(|(a, b)| Tie {
            a: names[a].clone(),
            b: names[b].clone(),
            objects: 9 - ((a * 3 + b) as u32 % 7),
            expected: 0.2,
            median_gap_s: ((a + b) % 9) as f64,
        })
        .collect();
    let subjects: Vec<Subject> = names.iter().cloned().map(Subject::Account).collect();
    let first_seen = Timestamp::from_seconds(START);
    Finding {
        id: FindingId::of("coordinated-sharing", &subjects, first_seen),
        revision: 1,
        ended: None,
        detector: "coordinated-sharing".to_owned(),
        title: format!("{n} accounts shared the same 9 links within 20 s of each other"),
        severity: Severity::High,
        confidence: 0.97,
        first_seen,
        last_seen: Timestamp::from_seconds(START + 93_000 * 9),
        asset: None,
        subjects,
        verdict: None,
        evidence: Evidence {
            observed: format!("{n} accounts shared 9 links, and were in step on 96 occasions within 20 s."),
            expected: "Chance, audience and habit would explain 3.1 such occasions.".to_owned(),
            q_value: Some(0.000_4),
            window_s: Some(20),
            objects,
            samples,
            counts: BTreeMap::from([("in_step".to_owned(), 96.0), ("expected_in_step".to_owned(), 3.1)]),
            members,
            ties,
            sensitivity: [
                (5, 41.0, 0.8, 121.0),
                (20, 96.0, 3.1, 254.6),
                (60, 108.0, 9.7, 190.2),
                (300, 121.0, 44.0, 41.0),
            ]
            .map(|(window_s, observed, expected, log_evidence)| Sensitivity {
                window_s,
                observed,
                expected,
                log_evidence,
            })
            .to_vec(),
            ..Evidence::default()
        },
        benign_causes: vec![
            BenignCause {
                name: "automated-syndication".to_owned(),
                why: "All links lead to five sites, which may belong to one publisher that posts by machine."
                    .to_owned(),
            },
            BenignCause {
                name: "common-trigger".to_owned(),
                why: "Speaks against it: outsiders did not share these links at the same moments.".to_owned(),
            },
        ],
        next_step: "Open the two accounts that led most often and see whether one owner is stated."
            .to_owned(),
        techniques: vec![Technique("DISARM:T0049".to_owned())],
        provenance: provenance(),
    }
}

/// A finding that is about no group of accounts.
pub(crate) fn other_finding() -> Finding {
    let subjects = vec![Subject::Ip("198.51.100.7".to_owned())];
    let seen = Timestamp::from_seconds(START);
    Finding {
        id: FindingId::of("password-spray", &subjects, seen),
        detector: "password-spray".to_owned(),
        title: "312 failed log-ins to 290 accounts from 198.51.100.7 in 5 min".to_owned(),
        severity: Severity::Medium,
        confidence: 0.8,
        subjects,
        techniques: Vec::new(),
        benign_causes: Vec::new(),
        next_step: "Ask the owner of the address.".to_owned(),
        evidence: Evidence {
            observed: "312 log-ins failed.".to_owned(),
            expected: "2 would be usual.".to_owned(),
            ..Evidence::default()
        },
        ..finding(2)
    }
}

/// A flood of packets.
pub(crate) fn flood() -> Finding {
    let subjects = vec![Subject::Ip("192.0.2.10".to_owned())];
    let from = Timestamp::from_seconds(START + 34);
    let values = (0..120).map(|s| match s {
        34..64 => 5_200.0 + f64::from((s * 7_919) % 1_997),
        _ => f64::from(8 + (s * 31) % 9),
    });
    Finding {
        id: FindingId::of("volumetric-ddos", &subjects, from),
        detector: "volumetric-ddos".to_owned(),
        title: "Spoofed SYN flood of 192.0.2.10 on port 443".to_owned(),
        severity: Severity::High,
        confidence: 0.98,
        first_seen: from,
        last_seen: Timestamp::from_seconds(START + 63),
        asset: Some("results-site".to_owned()),
        subjects,
        verdict: Some(Verdict::Attack),
        techniques: vec![Technique("ATTACK:T1498.001".to_owned())],
        evidence: Evidence {
            observed: "186,004 TCP SYN came from 9,639 addresses within 30 s.".to_owned(),
            expected: "12 a second were usual before.".to_owned(),
            series: vec![Series {
                name: "TCP SYN to 192.0.2.10".to_owned(),
                unit: "packets".to_owned(),
                step_s: 1.0,
                start: Timestamp::from_seconds(START),
                values: values.map(|v: f64| v.min(7_197.0)).collect(),
                expected: Some(12.0),
                threshold: Some(1_000.0),
            }],
            reasons: [
                ("9,639 sources send one or two packets each", 0.99),
                ("Fewer than 1 in 20 handshakes is completed", 0.97),
                ("All packets have one length", 1.0),
            ]
            .map(|(what, share)| Reason { what: what.to_owned(), weight: 0.0, share: Some(share) })
            .to_vec(),
            blockable: Some(Blockable {
                sources: [("198.51.100.7", 1_204), ("198.51.100.9", 977)]
                    .map(|(what, rows)| BlockRule { what: what.to_owned(), rows })
                    .to_vec(),
                sources_in_all: 9_639,
                signatures: vec![BlockRule {
                    what: "TCP SYN to port 443 with ECE and CWR".to_owned(),
                    rows: 51_870,
                }],
                share: 0.98,
                bystanders: Some(0.000_2),
                ttl_s: Some(600),
                spare: vec![Spared {
                    what: "203.0.113.0/24".to_owned(),
                    why: "It is one of your own networks.".to_owned(),
                }],
            }),
            ..Evidence::default()
        },
        benign_causes: vec![BenignCause {
            name: "load-test".to_owned(),
            why: "A test of your own would come from few addresses; these are thousands.".to_owned(),
        }],
        next_step: "Turn SYN cookies on, and ask your provider to filter by the signature.".to_owned(),
        ..finding(2)
    }
}

/// A crowd at a web site.
pub(crate) fn crowd() -> Finding {
    let subjects = vec![Subject::Domain("results.example".to_owned())];
    let from = Timestamp::from_seconds(START + 3_600);
    Finding {
        id: FindingId::of("application-flood", &subjects, from),
        detector: "application-flood".to_owned(),
        title: "A crowd of 4,210 clients asks for results.example".to_owned(),
        severity: Severity::Info,
        confidence: 0.93,
        first_seen: from,
        last_seen: Timestamp::from_seconds(START + 5_400),
        asset: Some("results-site".to_owned()),
        subjects,
        verdict: Some(Verdict::FlashCrowd),
        techniques: Vec::new(),
        evidence: Evidence {
            observed: "38,400 requests came from 4,210 clients in 5 min.".to_owned(),
            expected: "96 a minute were usual at this hour.".to_owned(),
            series: vec![Series {
                name: "Requests for results.example".to_owned(),
                unit: "requests".to_owned(),
                step_s: 60.0,
                start: Timestamp::from_seconds(START),
                values: (0..90)
                    .map(|m| match m {
                        60.. => 700.0 + f64::from((m - 60) * 190 % 7_100),
                        _ => f64::from(80 + (m * 37) % 40),
                    })
                    .collect(),
                expected: Some(96.0),
                threshold: Some(310.0),
            }],
            reasons: [
                ("Pages are loaded whole, with pictures and styles", -0.5, 0.71),
                ("Clients were seen on days before", -1.75, 0.3),
                ("Clients send no referer", 0.5, 0.12),
            ]
            .map(|(what, weight, share)| Reason { what: what.to_owned(), weight, share: Some(share) })
            .to_vec(),
            ..Evidence::default()
        },
        benign_causes: vec![BenignCause {
            name: "expected-event".to_owned(),
            why: "Polls closed at the same time.".to_owned(),
        }],
        next_step: "Add capacity or serve results from a cache; block nobody.".to_owned(),
        ..finding(2)
    }
}

/// Every name in it is somebody's attempt to break the page.
pub(crate) fn hostile_finding() -> Finding {
    let bad = "<script>alert('x')</script>\"&\u{202E}gnp.exe\u{1b}[31m";
    let mut finding = finding(3);
    let long = format!("{bad}{}", "Ä".repeat(2_000));
    finding.title = long.clone();
    finding.next_step = long.clone();
    finding.detector = bad.to_owned();
    finding.id = FindingId("\"><script>".to_owned());
    finding.provenance.sources = vec![long.clone()];
    finding.benign_causes[0].name.clone_from(&long);
    for object in &mut finding.evidence.objects {
        object.object = format!("{long}{}", object.object);
        object.leader.clone_from(&long);
        object.trace.clone_from(&long);
        object.expected_rate = f64::NAN;
        object.span_s = f64::INFINITY;
    }
    for member in &mut finding.evidence.members {
        member.account.insert_str(0, &long);
        member.median_lag_s = f64::NAN;
    }
    for tie in &mut finding.evidence.ties {
        tie.a.insert_str(0, &long);
        tie.b.insert_str(0, "nobody");
    }
    for sample in &mut finding.evidence.samples {
        sample.account.insert_str(0, &long);
        sample.lag_s = -1e300;
    }
    finding.subjects = vec![Subject::Account(long)];
    finding.evidence.counts = BTreeMap::from([(bad.to_owned(), f64::INFINITY)]);
    finding
}

/// A flood whose every name is somebody's attempt to break the page, and whose every figure is broken.
pub(crate) fn hostile_flood() -> Finding {
    let mut finding = flood();
    let hostile = hostile_finding();
    let long = hostile.title;
    finding.title.clone_from(&long);
    finding.asset = Some(long.clone());
    finding.subjects = hostile.subjects;
    let series = &mut finding.evidence.series[0];
    series.name.clone_from(&long);
    series.unit.clone_from(&long);
    series.values = vec![f64::NAN, f64::INFINITY, -1.0, 1e300, 3.0];
    series.step_s = f64::NAN;
    series.start = Timestamp(i64::MAX - 7);
    series.expected = Some(f64::NAN);
    series.threshold = Some(f64::INFINITY);
    for reason in &mut finding.evidence.reasons {
        reason.what.clone_from(&long);
        reason.weight = f64::NEG_INFINITY;
        reason.share = Some(f64::NAN);
    }
    let block = finding.evidence.blockable.as_mut().expect("the flood has one");
    for rule in block.sources.iter_mut().chain(&mut block.signatures) {
        rule.what.clone_from(&long);
    }
    block.share = f64::NAN;
    block.spare[0] = Spared { what: long.clone(), why: long };
    finding
}

/// The pseudonym of the i-th account of a test.
pub(crate) fn pseudonym(i: usize) -> String {
    CaseKey::new([1; 32]).pseudonym(format!("account {i}").as_bytes()).to_string()
}

fn provenance() -> Provenance {
    Provenance {
        sources: vec!["german_url.csv".to_owned()],
        rows_read: 218_971,
        rows_refused: 2,
        complete: true,
        incomplete_because: Vec::new(),
    }
}
