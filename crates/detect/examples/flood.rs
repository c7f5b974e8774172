use detect::{Engine, Names, Settings};
use oorandom::Rand64;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use traffic::flow::{self, Flow, State};
use traffic::{AccountNames, Address, Batch, Kind, ObjectNames, Part};

struct Disk(std::fs::File, AtomicU64);
impl traffic::Scratch for Disk {
    fn append(&self, b: &[u8]) -> std::io::Result<traffic::Extent> {
        let at = self.1.fetch_add(b.len() as u64, Ordering::SeqCst);
        self.0.write_all_at(b, at)?;
        Ok(traffic::Extent { offset: at, len: b.len() as u64 })
    }
    fn read_at(&self, at: u64, b: &mut [u8]) -> std::io::Result<()> {
        self.0.read_exact_at(b, at)
    }
}
fn row(kind: &str, n: i64, r: &mut Rand64) -> Flow {
    let me = Address::v4(0xc000_020a);
    let any = Address::v4(0x0b00_0000 + r.rand_range(0..0xb000_0000) as u32);
    let t = 1_730_764_800_000;
    if kind == "flood" || kind == "spread" {
        let dst = if kind == "spread" { Address::v4(0xc633_6400 + r.rand_range(0..1024) as u32) } else { me };
        return Flow {
            src_hi: any.hi,
            src_lo: any.lo,
            dst_hi: dst.hi,
            dst_lo: dst.lo,
            src_port: r.rand_range(1024..65000) as i32,
            dst_port: 80,
            proto: 6,
            time: t + n / 100,
            packets: 1,
            bytes: 40,
            back_packets: 0,
            back_bytes: 0,
            flags: 2,
            state: 1,
            ..Flow::EMPTY
        };
    }
    let server = Address::v4(0xc000_0200 + r.rand_range(0..64) as u32);
    let time = t + n / 5;
    let p = 4 + r.rand_range(0..40) as i64;
    let client = Address::v4(0x0b00_0000 + (r.rand_range(0..200_000) * 7919) as u32);
    match r.rand_range(0..10) {
        0..=5 => Flow {
            src_hi: client.hi,
            src_lo: client.lo,
            dst_hi: server.hi,
            dst_lo: server.lo,
            src_port: 50000,
            dst_port: 443,
            proto: 6,
            time,
            duration: r.rand_range(10..60000) as i64,
            packets: p,
            bytes: p * 300,
            back_packets: p + 3,
            back_bytes: p * 1000,
            flags: 27,
            state: State::Closed.code(),
            service: 3,
            ..Flow::EMPTY
        },
        6..=8 => Flow {
            src_hi: server.hi,
            src_lo: server.lo,
            dst_hi: client.hi,
            dst_lo: client.lo,
            src_port: 40000,
            dst_port: 53,
            proto: 17,
            time,
            duration: 20,
            packets: 1,
            bytes: 70,
            back_packets: 1,
            back_bytes: 180,
            state: 2,
            ..Flow::EMPTY
        },
        _ => Flow {
            src_hi: any.hi,
            src_lo: any.lo,
            dst_hi: server.hi,
            dst_lo: server.lo,
            src_port: 40000,
            dst_port: r.rand_range(1..60000) as i32,
            proto: 6,
            time,
            packets: 1,
            bytes: 44,
            back_packets: 0,
            back_bytes: 0,
            flags: 2,
            state: 1,
            ..Flow::EMPTY
        },
    }
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (kind, rows, mem) =
        (args[1].clone(), args[2].parse::<i64>().unwrap(), args[3].parse::<usize>().unwrap());
    let only: Vec<&str> = args[4..].iter().map(String::as_str).collect();
    let part = |lo: i64, hi: i64| -> Part {
        let kind = kind.clone();
        let mut at = lo;
        let mut r = Rand64::new(lo as u128 + 5);
        Box::new(std::iter::from_fn(move || {
            if at >= hi {
                return None;
            }
            let mut b = flow::Builder::default();
            let until = (at + 65_536).min(hi);
            for n in at..until {
                b.push(&row(&kind, n, &mut r));
            }
            at = until;
            Some(Ok(Batch::new(Kind::Flow, b.finish())))
        }))
    };
    let parts = || vec![part(0, rows / 2), part(rows / 2, rows)];
    let t = Instant::now();
    let n: usize = std::thread::scope(|s| {
        parts()
            .into_iter()
            .map(|p| s.spawn(move || p.map(|b: Result<Batch, _>| b.unwrap().rows.num_rows()).sum::<usize>()))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|h| h.join().unwrap())
            .sum()
    });
    let make = t.elapsed().as_secs_f64();
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open("/tmp/volumetric/scratch")
        .unwrap();
    let engine = Engine::new(2, mem << 20, Arc::new(Disk(file, AtomicU64::new(0))));
    let detectors: Vec<_> = detect::catalogue::all().iter().filter(|d| only.contains(&d.name)).collect();
    let t = Instant::now();
    let mut names = || Names {
        accounts: AccountNames::numbers(),
        objects: ObjectNames::numbers(),
        texts: Default::default(),
        sources: vec![],
        rows_read: 0,
        rows_refused: 0,
    };
    let out = detect::run(&detectors, parts(), &mut names, &Settings::default(), &engine).unwrap();
    let all = t.elapsed().as_secs_f64();
    for f in &out.findings {
        println!(
            "{} {} {} det {:?}",
            f.severity,
            f.first_seen,
            f.title,
            f.evidence.counts.get("detected_after_s")
        );
    }
    let hwm = std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .unwrap()
        .to_owned();
    println!(
        "{kind} rows {n} make {make:.2}s run {all:.2}s net {:.0} ns/row on two threads; {hwm}",
        (all - make) * 1e9 / n as f64
    );
    std::fs::remove_file("/tmp/volumetric/scratch").unwrap();
}
