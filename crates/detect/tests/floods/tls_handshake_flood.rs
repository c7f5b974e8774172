//! `tls-handshake-flood`.

use domain::Severity;
use oorandom::Rand64;
use traffic::flow::{Flow, Service, State};
use traffic::tls::{self, Tls};
use traffic::{Address, Kind};

use crate::common::{
    DAY_MS, MINUTE_MS, VICTIM, address, anybody, flood, flow, lines, names, on_flows, on_rows,
};

fn detect(rows: &[Tls]) -> Vec<domain::Finding> {
    on_rows("tls-handshake-flood", Kind::Tls, rows, tls::batch, names)
}

fn handshake(client: Address, time: i64, fingerprint: i64, established: i32) -> Tls {
    let server = address(VICTIM);
    Tls {
        client_hi: client.hi,
        client_lo: client.lo,
        server_hi: server.hi,
        server_lo: server.lo,
        server_port: 443,
        time,
        name: -1,
        fingerprint,
        version: 0x0304,
        established,
        issuer: -1,
    }
}

/// An hour of visitors: ten handshakes a second, one in fifty not finished.
fn ordinary_hour(start: i64, random: &mut Rand64) -> Vec<Tls> {
    (0..36_000)
        .map(|n| {
            let established = i32::from(n % 50 != 0);
            handshake(anybody(random), start + n * 100, random.rand_range(0..40) as i64, established)
        })
        .collect()
}

#[test]
fn handshakes_that_are_never_finished() {
    let mut random = Rand64::new(1);
    let mut rows = ordinary_hour(DAY_MS, &mut random);
    let bots: Vec<Address> = (0..50).map(|_| anybody(&mut random)).collect();
    let start = DAY_MS + 40 * MINUTE_MS;
    rows.extend((0..30_000).map(|n| handshake(bots[n as usize % 50], start + n * 2, 7777, 0)));
    assert_eq!(
        lines(&detect(&rows)),
        "high 2024-11-05T00:40:00Z: 30,012 TLS handshakes with 192.0.2.10 port 443 were not finished: up to 501 a \
         second from 62 clients\n"
    );
}

#[test]
fn handshakes_without_data_in_flows() {
    let mut random = Rand64::new(2);
    let bots: Vec<Address> = (0..20).map(|_| anybody(&mut random)).collect();
    let rows = flood(DAY_MS, 50_000, 5000, |n| Flow {
        src_port: 50_000,
        dst_port: 443,
        proto: 6,
        duration: 80,
        packets: 7,
        bytes: 900,
        back_packets: 6,
        back_bytes: 4100,
        flags: 2 | 16 | 8 | 1,
        state: State::Closed.code(),
        service: Service::Tls.code(),
        ..flow(bots[n as usize % 20], address(VICTIM))
    });
    let findings = on_flows("tls-handshake-flood", &rows);
    assert_eq!(
        lines(&findings),
        "medium 2024-11-05T00:00:00Z: 5,000 TLS handshakes with 192.0.2.10 port 443 ended without data: up to 100 a \
         second from 20 clients\n"
    );
    assert_eq!(findings[0].severity, Severity::Medium);
    // The same with an answer after the handshake is a matter of requests.
    let served: Vec<Flow> = rows.iter().map(|row| Flow { back_bytes: 30_000, ..*row }).collect();
    assert_eq!(lines(&on_flows("tls-handshake-flood", &served)), "");
}

/// All visitors refuse the certificate: they are of many kinds, and each tries a few times.
#[test]
fn an_expired_certificate_is_silent() {
    let mut random = Rand64::new(3);
    let rows: Vec<Tls> = (0..20_000)
        .map(|n| handshake(anybody(&mut random), DAY_MS + n * 3, random.rand_range(0..40) as i64, 0))
        .collect();
    assert_eq!(lines(&detect(&rows)), "");
}

#[test]
fn an_ordinary_day_is_silent() {
    let mut random = Rand64::new(4);
    let rows: Vec<Tls> =
        (0..24).flat_map(|hour| ordinary_hour(DAY_MS + hour * 60 * MINUTE_MS, &mut random)).collect();
    assert_eq!(lines(&detect(&rows)), "");
}
