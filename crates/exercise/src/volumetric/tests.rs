use std::collections::BTreeSet;

use traffic::{Address, Seed};

use super::*;

#[test]
fn the_same_seed_makes_the_same_flood() {
    let flood = Flood::new(Vector::SpoofedSyn { port: 443 }, 1_000, 500, 100, 1);
    let rows: Vec<_> = flood.rows().collect();
    assert_eq!(rows, flood.rows().collect::<Vec<_>>());
    assert_eq!((rows.len(), rows[0].time, rows[499].time), (500, 1_000, 5_990));
    let sources: BTreeSet<i64> = rows.iter().map(|row| row.src_lo).collect();
    assert!(sources.len() > 495, "{}", sources.len());
    let other = Flood { seed: 2, ..flood };
    assert_ne!(rows, other.rows().collect::<Vec<_>>());
}

#[test]
fn answers_come_from_a_few_servers_and_one_port() {
    let vector = Vector::Reflection { service: 389, bytes: 1_400, servers: 20 };
    let rows: Vec<_> = Flood { sampling: 100, ..Flood::new(vector, 0, 2_000, 1_000, 3) }.rows().collect();
    let sources: BTreeSet<i64> = rows.iter().map(|row| row.src_lo).collect();
    assert_eq!(sources.len(), 20);
    assert!(rows.iter().all(|row| row.src_port == 389 && row.packets == 100 && row.bytes == 140_000));
}

#[test]
fn a_carpet_covers_its_prefix_and_nothing_else() {
    let vector = Vector::CarpetBombing { bits: 24, sources: 50 };
    let rows: Vec<_> = Flood::new(vector, 0, 5_000, 1_000, 3).rows().collect();
    let targets: BTreeSet<Address> =
        rows.iter().map(|row| Address { hi: row.dst_hi, lo: row.dst_lo }).collect();
    assert!(targets.len() > 250);
    assert!(targets.iter().all(|target| target.network(24, 48) == Address::v4(0xc000_0200)));
}

#[test]
fn batches_hold_every_row_once() {
    let busy = |seed| Busy::Site { clients: 300 }.rows(0, 10, 50, seed);
    let flood = Flood::new(Vector::RandomSources, 2_000, 300, 100, 1);
    let n = busy(4).count() + 300;
    let all: Vec<_> = merged(busy(4), flood.rows()).collect();
    assert!(all.len() == n && all.is_sorted_by_key(|row| row.time));
    let sizes: Vec<usize> = batches(all.into_iter(), 256).map(|batch| batch.rows.num_rows()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), n);
    assert!(sizes[..sizes.len() - 1].iter().all(|size| *size == 256));
}

#[test]
fn no_name_is_asked_for_twice() {
    let torture = WaterTorture {
        seed: 1,
        domain: "election.example",
        start: 0,
        seconds: 10,
        per_second: 200,
        resolvers: 40,
        unanswered: 0.2,
        ids: Seed(7),
    };
    let rows: Vec<_> = torture.rows().collect();
    let names: BTreeSet<i64> = rows.iter().map(|row| row.name).collect();
    assert_eq!((rows.len(), names.len()), (2_000, 2_000));
    let lost = rows.iter().filter(|row| row.rcode == -1).count();
    assert!((300..500).contains(&lost) && rows.iter().all(|row| matches!(row.rcode, -1 | 3)));
}

#[test]
fn slow_connections_are_open_at_once() {
    let slow = SlowHeaders { seed: 1, start: 0, connections: 400, opened_s: 60, held_s: 240, clients: 3 };
    let rows: Vec<_> = slow.rows().collect();
    let open = rows.iter().filter(|row| row.time <= 100_000 && row.time + row.duration > 100_000).count();
    assert_eq!(open, 400);
    assert!(rows.iter().all(|row| row.bytes < 3_000));
    let shakes = HandshakeFlood {
        seed: 1,
        start: 0,
        seconds: 5,
        per_second: 100,
        clients: 30,
        finished: 0.1,
        ids: Seed(7),
    };
    let finished = shakes.rows().filter(|row| row.established == 1).count();
    assert!((25..85).contains(&finished), "{finished}");
}
