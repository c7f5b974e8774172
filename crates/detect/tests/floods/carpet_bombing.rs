//! `carpet-bombing`.

use detect::Settings;
use domain::{Asset, Prefix, Site};
use oorandom::Rand64;
use traffic::flow::{Flow, State};
use traffic::{Address, Batch, Kind};

use crate::common::{
    DAY_MS, MINUTE_MS, amplified, anybody, flood, flow, lines, names, on_flows, ordinary_hour, run,
};

fn detect(rows: &[Flow]) -> Vec<domain::Finding> {
    on_flows("carpet-bombing", rows)
}

/// Answers of NTP servers to all of 198.51.100.0/24 and the next network, 20 packets a second each.
fn carpet(start: i64, seconds: i64, random: &mut Rand64) -> Vec<Flow> {
    flood(start, seconds * 1000, 20 * 512 * seconds, |n| Flow {
        src_port: 123,
        dst_port: 80,
        proto: 17,
        packets: 1,
        bytes: 468,
        back_packets: 0,
        back_bytes: 0,
        state: State::Attempt.code(),
        ..flow(anybody(random), Address::v4(0xc633_6400 + (n * 97 % 512) as u32))
    })
}

#[test]
fn a_flood_over_two_networks_is_one_finding() {
    let start = DAY_MS + 30 * MINUTE_MS + 12_000;
    let mut rows = ordinary_hour(DAY_MS, &mut Rand64::new(1));
    rows.extend(carpet(start, 20, &mut Rand64::new(2)));
    let findings = detect(&rows);
    assert_eq!(
        lines(&findings),
        "high 2024-11-05T00:30:12Z: UDP amplification (ntp/123) spread over 512 addresses of 198.51.100.0/23: up to \
         10,240 packets/s in all\n"
    );
    // No single address is beyond any limit.
    assert_eq!(lines(&on_flows("volumetric-ddos", &rows)), "");
}

#[test]
fn the_asset_is_named_and_its_networks_are_taken_together() {
    let asset = Asset {
        id: "results".to_owned(),
        prefixes: vec![Prefix::parse("198.51.100.0/23").expect("a prefix")],
        ..Asset::default()
    };
    let settings = Settings { site: Site { assets: vec![asset], ..Site::default() }, ..Settings::default() };
    let rows = carpet(DAY_MS, 5, &mut Rand64::new(2));
    let batches = vec![Batch::new(Kind::Flow, traffic::flow::batch(&rows))];
    let findings = run("carpet-bombing", batches, 1, &settings, names());
    assert_eq!((findings.len(), findings[0].asset.as_deref()), (1, Some("results")));
}

#[test]
fn one_address_is_not_a_carpet() {
    let rows = amplified(123, 468, "198.51.100.7", DAY_MS, 2000, 8000, &mut Rand64::new(3));
    assert_eq!(lines(&detect(&rows)), "");
}

#[test]
fn scanners_are_not_a_carpet() {
    let mut random = Rand64::new(4);
    // One that sweeps the network fast.
    let sweep = flood(DAY_MS, 2000, 5120, |n| Flow {
        src_port: 50_000,
        dst_port: 23 + (n % 20) as i32,
        proto: 6,
        packets: 1,
        bytes: 40,
        back_packets: 0,
        flags: 2,
        state: State::Attempt.code(),
        ..flow(Address::v4(0xcb00_7107), Address::v4(0xc633_6400 + (n % 256) as u32))
    });
    assert_eq!(lines(&detect(&sweep)), "");
    // Many that reach every address of a /16 a few times a minute.
    let background = flood(DAY_MS, 60_000, 200_000, |_| Flow {
        src_port: 50_000,
        dst_port: 23,
        proto: 6,
        packets: 1,
        bytes: 40,
        back_packets: 0,
        flags: 2,
        state: State::Attempt.code(),
        ..flow(anybody(&mut random), Address::v4(0xc633_0000 + random.rand_range(0..65_536) as u32))
    });
    assert_eq!(lines(&detect(&background)), "");
}

#[test]
fn an_ordinary_day_is_silent() {
    let mut random = Rand64::new(5);
    let rows: Vec<Flow> =
        (0..24).flat_map(|hour| ordinary_hour(DAY_MS + hour * 60 * MINUTE_MS, &mut random)).collect();
    assert_eq!(lines(&detect(&rows)), "");
}
