//! `slow-flood`.

use oorandom::Rand64;
use traffic::flow::{Flow, State};
use traffic::request::{self, Request};
use traffic::{Address, Kind};

use crate::common::{
    DAY_MS, MINUTE_MS, VICTIM, address, anybody, flood, flow, lines, names, on_flows, on_rows, ordinary_hour,
};

/// Connections of two minutes in which a line of headers comes every ten seconds.
fn held(start: i64, n: i64, mut client: impl FnMut(i64) -> Address) -> Vec<Flow> {
    flood(start, 10_000, n, |at| Flow {
        src_port: 20_000 + at as i32,
        dst_port: 80,
        proto: 6,
        duration: 120_000,
        packets: 15,
        bytes: 15 * 60 + 400,
        back_packets: 14,
        back_bytes: 14 * 54,
        flags: 2 | 16 | 8 | 1,
        state: State::Closed.code(),
        ..flow(client(at), address(VICTIM))
    })
}

fn on_requests(rows: &[Request]) -> Vec<domain::Finding> {
    on_rows("slow-flood", Kind::Request, rows, request::batch, names)
}

#[test]
fn connections_that_are_held_by_one_client_or_by_many() {
    let start = DAY_MS + 40 * MINUTE_MS;
    let one = |_: i64| address("198.51.100.7");
    let random = &mut Rand64::new(1);
    let mut rows = ordinary_hour(DAY_MS, random);
    rows.extend(held(start, 800, one));
    assert_eq!(
        lines(&on_flows("slow-flood", &rows)),
        "medium 2024-11-05T00:40:00Z: 800 connections to 192.0.2.10 port 80 held open at once with hardly any data\n"
    );
    assert_eq!(on_flows("slow-flood", &held(start, 800, |_| anybody(random))).len(), 1);
}

#[test]
fn near_misses_are_silent() {
    let silent = |rows: &[Flow]| assert_eq!(lines(&on_flows("slow-flood", rows)), "");
    let random = &mut Rand64::new(2);
    // Too few to fill a pool.
    silent(&held(DAY_MS, 90, |_| anybody(random)));
    let rows = held(DAY_MS, 800, |_| anybody(random));
    // Browsers that keep the connection after they were served.
    silent(&rows.iter().map(|row| Flow { back_bytes: row.back_bytes + 20_000, ..*row }).collect::<Vec<_>>());
    // Keep-alive of a proxy in front, which got a redirect and idles until the server's time-out.
    let kept = |row: &Flow| Flow {
        packets: 7,
        bytes: 677,
        back_packets: 7,
        back_bytes: 701,
        duration: 65_000,
        ..*row
    };
    silent(&rows.iter().map(kept).collect::<Vec<_>>());
    silent(&held(DAY_MS, 800, |_| address("198.51.100.7")).iter().map(kept).collect::<Vec<_>>());
    // A pool of connections to a database.
    silent(&rows.iter().map(|row| Flow { dst_port: 5432, ..*row }).collect::<Vec<_>>());
    // Connections that began before the recording.
    silent(
        &rows.iter().map(|row| Flow { flags: 16 | 8, state: State::Open.code(), ..*row }).collect::<Vec<_>>(),
    );
}

/// Slow readers: the answer goes out in crumbs.
#[test]
fn slow_readers_of_one_client() {
    let rows: Vec<Flow> = held(DAY_MS, 400, |_| address("198.51.100.7"))
        .into_iter()
        .map(|row| Flow { packets: 60, bytes: 60 * 54 + 200, back_packets: 70, back_bytes: 70 * 74, ..row })
        .collect();
    assert_eq!(
        lines(&on_flows("slow-flood", &rows)),
        "medium 2024-11-05T00:00:00Z: 400 connections to 192.0.2.10 port 80 held open at once with hardly any data\n"
    );
}

#[test]
fn a_log_full_of_time_outs() {
    let client = address("198.51.100.7");
    let timed_out = |n: i64, status: i32, duration: i32| Request {
        peer_hi: client.hi,
        peer_lo: client.lo,
        time: DAY_MS + 130_000 + n * 10,
        status,
        duration,
        bytes: 0,
        ..Request::EMPTY
    };
    let visitor = |n: i64| Request {
        peer_lo: address("203.0.113.5").lo,
        time: DAY_MS + n * 1000,
        status: 200,
        bytes: 5000,
        duration: 30,
        ..Request::EMPTY
    };
    let mut rows: Vec<Request> = (0..600).map(visitor).collect();
    assert_eq!(lines(&on_requests(&rows)), "");
    for (status, duration) in [(408, -1), (408, 60_000), (400, 60_000), (200, 45_000)] {
        let mut attacked = rows.clone();
        attacked.extend((0..500).map(|n| timed_out(n, status, duration)));
        assert_eq!(
            lines(&on_requests(&attacked)),
            "medium 2024-11-05T00:02:10Z: 500 requests to the server of this log were held until they timed out\n"
        );
    }
    // Browsers that connect in advance, and a slow page.
    rows.extend((0..80).map(|n| timed_out(n, 408, -1)));
    rows.extend((0..200).map(|n| Request { bytes: 90_000, ..timed_out(n, 200, 25_000) }));
    assert_eq!(lines(&on_requests(&rows)), "");
}

#[test]
fn an_ordinary_day_is_silent() {
    let mut random = Rand64::new(3);
    let rows: Vec<Flow> =
        (0..24).flat_map(|hour| ordinary_hour(DAY_MS + hour * 60 * MINUTE_MS, &mut random)).collect();
    assert_eq!(lines(&on_flows("slow-flood", &rows)), "");
}
