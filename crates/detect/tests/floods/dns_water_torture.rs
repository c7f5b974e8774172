//! `dns-water-torture`.

use domain::Severity;
use oorandom::Rand64;
use traffic::lookup::{self, Lookup};
use traffic::{Address, Kind, Seed, Texts};

use crate::common::{DAY_MS, MINUTE_MS, address, anybody, lines, names, on_rows};

/// Lookups, and the texts behind their ids.
#[derive(Default)]
struct Case {
    rows: Vec<Lookup>,
    texts: Vec<String>,
}

impl Case {
    fn ask(&mut self, time: i64, client: Address, label: &str, domain: &str, rcode: i32) {
        let name = format!("{label}.{domain}");
        let counts: Vec<f64> = {
            let mut counts = std::collections::BTreeMap::new();
            label.bytes().for_each(|byte| *counts.entry(byte).or_insert(0.0) += 1.0);
            counts.into_values().collect()
        };
        let n = label.len() as f64;
        let bits: f64 = counts.iter().map(|c| -c / n * (c / n).log2()).sum();
        let server = address("192.0.2.53");
        self.rows.push(Lookup {
            client_hi: client.hi,
            client_lo: client.lo,
            server_hi: server.hi,
            server_lo: server.lo,
            time,
            name: Seed::default().text(name.as_bytes()),
            domain: Seed::default().text(domain.as_bytes()),
            label_len: label.len() as i32,
            label_entropy: (bits * 1000.0) as i32,
            qtype: 1,
            rcode,
            answers: i32::from(rcode == 0),
            answer_hi: -1,
            answer_lo: -1,
            bytes: 100,
        });
        self.texts.extend([name, domain.to_owned()]);
    }

    fn found(&self) -> Vec<domain::Finding> {
        let names = || {
            let mut texts = Texts::default();
            for text in &self.texts {
                texts.keep(Seed::default().text(text.as_bytes()), text.as_bytes());
            }
            detect::Names { texts, ..names() }
        };
        on_rows("dns-water-torture", Kind::Lookup, &self.rows, lookup::batch, names)
    }
}

fn random_label(random: &mut Rand64) -> String {
    (0..12).map(|_| char::from(b'a' + random.rand_range(0..26) as u8)).collect()
}

/// So many resolvers ask for random names, `n` in all, spread over the time.
fn torture(case: &mut Case, start: i64, span_ms: i64, n: i64, clients: u64, rcode: i32, random: &mut Rand64) {
    let resolvers: Vec<Address> = (0..clients).map(|_| anybody(random)).collect();
    for at in 0..n {
        let resolver = resolvers[random.rand_range(0..clients) as usize];
        case.ask(start + span_ms * at / n, resolver, &random_label(random), "results.example", rcode);
    }
}

/// A day's ordinary lookups: few names, many times, and some mistakes.
fn ordinary_hours(case: &mut Case, hours: i64, random: &mut Rand64) {
    for at in 0..hours * 3600 {
        let label = ["www", "mail", "api", "cdn", "wwww"][random.rand_range(0..5) as usize];
        let rcode = if label == "wwww" { 3 } else { 0 };
        case.ask(DAY_MS + at * 1000, anybody(random), label, "results.example", rcode);
    }
}

#[test]
fn random_names_from_many_resolvers() {
    let mut random = Rand64::new(1);
    let mut case = Case::default();
    ordinary_hours(&mut case, 2, &mut random);
    torture(&mut case, DAY_MS + 100 * MINUTE_MS, 100_000, 20_000, 300, 3, &mut random);
    let findings = case.found();
    // One mistyped name of the ordinary clients fails in the same five minutes.
    assert_eq!(
        lines(&findings),
        "high 2024-11-05T01:40:00Z: 20,001 random names under results.example asked for by 351 clients, up to 201 a \
         second\n"
    );
    assert!(findings[0].evidence.samples[0].object.ends_with(".results.example"));
    // No answer at all, because the servers are down.
    let mut down = Case::default();
    torture(&mut down, DAY_MS, 100_000, 2000, 60, -1, &mut random);
    let findings = down.found();
    assert_eq!((findings.len(), findings[0].severity), (1, Severity::Medium));
    assert!(findings[0].evidence.expected.contains("cold start"));
}

#[test]
fn near_misses_are_silent() {
    let silent = |case: Case| assert_eq!(lines(&case.found()), "");
    let mut random = Rand64::new(2);
    // One infected client.
    let mut one = Case::default();
    torture(&mut one, DAY_MS, 100_000, 5000, 1, 3, &mut random);
    silent(one);
    // Names that exist: a CDN, a reputation service.
    let mut cdn = Case::default();
    torture(&mut cdn, DAY_MS, 100_000, 5000, 300, 0, &mut random);
    silent(cdn);
    // A few made-up names of each browser in the morning.
    let mut browsers = Case::default();
    torture(&mut browsers, DAY_MS, 200_000, 2000, 700, 3, &mut random);
    silent(browsers);
    // Block lists and reverse lookups.
    let mut lists = Case::default();
    for at in 0..5000 {
        let label: Vec<String> = (0..4).map(|_| random.rand_range(0..256).to_string()).collect();
        let domain = if at % 2 == 0 { "list.example" } else { "in-addr.arpa" };
        let mailer = Address::v4(0xcb00_7100 + random.rand_range(0..60) as u32);
        lists.ask(DAY_MS + at * 20, mailer, &label.join("."), domain, 3);
    }
    silent(lists);
}

#[test]
fn an_ordinary_day_is_silent() {
    let mut case = Case::default();
    ordinary_hours(&mut case, 24, &mut Rand64::new(3));
    assert_eq!(lines(&case.found()), "");
}
