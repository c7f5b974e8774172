//! Packets a second: a large capture made of recorded packets, read by one thread, beside softflowd and
//! Suricata.
//!
//! The scratch capture repeats the packets of the recordings with shifted times, and with addresses shifted too
//! where a repetition should bring new hosts, so that the table of flows is as full as it would be of so much
//! real traffic. A flood from forged addresses is measured apart: every packet is a flow of its own.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::BenchError;

/// Measures the reader of packets.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Pcap {
    /// The folder of recordings, with `stopddos` and `zeek-traces` in it
    #[arg(long, value_name = "FOLDER", default_value = "../shared/data/network")]
    recordings: PathBuf,
    /// Packets of the scratch captures
    #[arg(long, default_value_t = 5_000_000)]
    packets: usize,
    /// Runs of each measurement; the one in the middle is shown
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Read this capture once and print figures as one line of JSON
    #[arg(long, value_name = "PATH", hide = true)]
    one: Option<PathBuf>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) packets: u64,
    pub(super) flows: u64,
    pub(super) wall_s: f64,
    pub(super) cpu_s: f64,
    pub(super) peak_mb: f64,
}

/// What the recordings are.
const RECORDINGS: [&str; 14] = [
    "stopddos/amp.TCP.reflection.SYNACK.pcap",
    "stopddos/amp.TCP.syn.optionallyACK.optionallysamePort.pcapng",
    "stopddos/amp.UDP.isakmp.pcap",
    "stopddos/amp.UDP.snmp.src161.pcapng",
    "stopddos/pkt.TCP.DOMINATE.syn.ecn.cwr.pcapng",
    "stopddos/pkt.TCP.synflood.spoofed.pcap",
    "zeek-traces/dns-edns-ecs.pcap",
    "zeek-traces/ftp/bruteforce.pcap",
    "zeek-traces/http/bro.org.pcap",
    "zeek-traces/http/methods.pcap",
    "zeek-traces/http/pipelined-requests.pcap",
    "zeek-traces/ssh/ssh.pcap",
    "zeek-traces/ssh/sshguess.pcap",
    "zeek-traces/tcp/ssh-dups.pcap",
];

#[expect(clippy::print_stdout, reason = "the figures are the result")]
pub(super) fn main(args: &Pcap) -> Result<(), BenchError> {
    if let Some(path) = &args.one {
        println!("{}", serde_json::to_string(&measure(path)?)?);
        return Ok(());
    }
    if cfg!(debug_assertions) {
        return Err(
            "figures of a debug build mean nothing: cargo run --release -p xtask -- bench pcap".into()
        );
    }
    let folder = std::env::temp_dir().join(format!("bench-pcap-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = compare(args, &folder);
    std::fs::remove_dir_all(&folder)?;
    done
}

#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn compare(args: &Pcap, folder: &Path) -> Result<(), BenchError> {
    let recorded = recorded(&args.recordings)?;
    println!("{} packets of {} recordings, repeated to {}\n", recorded.len(), RECORDINGS.len(), args.packets);
    println!(
        "| capture | MB | reader | packets | rows of flows | wall s | CPU s | packets/CPU s | peak MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let conversations: Vec<_> = recorded.iter().filter(|frame| !frame.is_flood).cloned().collect();
    let forged: Vec<Frame> = vec![Frame::syn()];
    for (name, frames) in [
        ("as recorded", &recorded),
        ("zeek-traces only", &conversations),
        ("SYN from random sources", &forged),
    ] {
        let file = folder.join("packets.pcap");
        let bytes = write(&file, frames, args.packets)?;
        let show = |reader: &str, m: &Measured| {
            println!(
                "| {name} | {:.0} | {reader} | {} | {} | {:.2} | {:.2} | {:.2} M | {:.0} |",
                bytes as f64 / 1e6,
                m.packets,
                m.flows,
                m.wall_s,
                m.cpu_s,
                m.packets as f64 / m.cpu_s / 1e6,
                m.peak_mb,
            );
        };
        let ours = middle(args.runs, || apart(&file))?;
        show("ours", &ours);
        let peers: [(&str, Peer); 2] = [("softflowd", softflowd), ("suricata", suricata)];
        for (peer, run) in peers {
            match middle(args.runs, || run(&file, ours.packets)) {
                Ok(theirs) => show(peer, &theirs),
                Err(error) => println!("| {name} | | {peer}: {error} | | | | | | |"),
            }
        }
    }
    Ok(())
}

/// Another program over a capture of so many packets.
type Peer = fn(&Path, u64) -> Result<Measured, BenchError>;

/// One frame of Ethernet.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// Microseconds after the one before it, at most a second.
    after: u64,
    bytes: Vec<u8>,
    is_flood: bool,
}

impl Frame {
    /// A SYN to 203.0.113.1, whose source is written anew each time.
    pub(super) fn syn() -> Self {
        let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        bytes.extend([0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 0, 0, 0, 0, 203, 0, 113, 1]);
        bytes.extend([0, 0, 1, 187, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0]);
        Self { after: 5, bytes, is_flood: true }
    }
}

/// Frames of all recordings, one after the other.
pub(super) fn recorded(folder: &Path) -> Result<Vec<Frame>, BenchError> {
    let mut frames = Vec::new();
    for name in RECORDINGS {
        let path = folder.join(name);
        // tshark would do as well; what is read here is only what these files are.
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut last = None;
        let mut add = |time: u64, frame: &[u8]| {
            let after = time.saturating_sub(last.unwrap_or(time)).min(1_000_000);
            last = Some(time);
            frames.push(Frame { after, bytes: frame.to_vec(), is_flood: name.starts_with("stopddos") });
        };
        if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            blocks(&bytes, &mut add);
        } else {
            records(&bytes, &mut add);
        }
    }
    Ok(frames)
}

/// Packets of a little-endian pcap file with microseconds.
fn records(bytes: &[u8], add: &mut impl FnMut(u64, &[u8])) {
    let mut at = 24;
    while at + 16 <= bytes.len() {
        let len = word(bytes, at + 8) as usize;
        let Some(frame) = bytes.get(at + 16..at + 16 + len) else { return };
        add(u64::from(word(bytes, at)) * 1_000_000 + u64::from(word(bytes, at + 4)), frame);
        at += 16 + len;
    }
}

/// Packets of a little-endian pcapng file with microseconds.
fn blocks(bytes: &[u8], add: &mut impl FnMut(u64, &[u8])) {
    let mut at = 0;
    while at + 12 <= bytes.len() {
        let (kind, len) = (word(bytes, at), word(bytes, at + 4) as usize);
        if kind == 6 && at + 28 <= bytes.len() {
            let captured = word(bytes, at + 20) as usize;
            let time = u64::from(word(bytes, at + 12)) << 32 | u64::from(word(bytes, at + 16));
            if let Some(frame) = bytes.get(at + 28..at + 28 + captured) {
                add(time, frame);
            }
        }
        at += len.max(12);
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Writes so many packets, and gives the file's length.
pub(super) fn write(path: &Path, frames: &[Frame], packets: usize) -> Result<u64, BenchError> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    out.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0])?;
    let mut time = 1_700_000_000_000_000_u64;
    // SplitMix64, whose constants are those of its authors: sources of a flood, the same each time.
    let mut state = 7_u64;
    let mut random = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let is_syn = frames.len() == 1;
    for number in 0..packets {
        let frame = &frames[number % frames.len()];
        let round = (number / frames.len()) as u8;
        time += frame.after;
        let mut bytes = frame.bytes.clone();
        if is_syn {
            let source = random().to_le_bytes();
            bytes[26..30].copy_from_slice(&source[..4]);
            bytes[34..36].copy_from_slice(&source[4..6]);
        } else if bytes.len() >= 34 && bytes[12..14] == [8, 0] {
            // Other hosts each time round: the third byte of both addresses.
            bytes[28] ^= round;
            bytes[32] ^= round;
        }
        let len = bytes.len() as u32;
        for field in [(time / 1_000_000) as u32, (time % 1_000_000) as u32, len, len] {
            out.write_all(&field.to_le_bytes())?;
        }
        out.write_all(&bytes)?;
    }
    out.flush()?;
    Ok(std::fs::metadata(path)?.len())
}

fn measure(path: &Path) -> Result<Measured, BenchError> {
    let start = Instant::now();
    let options = ingest::Options {
        accounts: ingest::Accounts::Plain,
        now: domain::Timestamp(i64::MAX / 2),
        default_trace: traffic::Trace::Object,
        seed: traffic::Seed(0),
    };
    let mut reading = ingest::open(&[path.to_owned()], options)?;
    let mut flows = 0;
    for part in reading.take_parts() {
        for batch in part {
            let batch = batch?;
            if batch.kind == traffic::Kind::Flow {
                flows += batch.rows.num_rows() as u64;
            }
        }
    }
    let packets = reading.finish().rows_read;
    let (cpu_s, peak_mb) = super::run::usage()?;
    Ok(Measured { packets, flows, wall_s: start.elapsed().as_secs_f64(), cpu_s, peak_mb })
}

pub(super) fn middle(
    runs: usize,
    mut run: impl FnMut() -> Result<Measured, BenchError>,
) -> Result<Measured, BenchError> {
    let mut all = (0..runs.max(1)).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|x, y| x.cpu_s.total_cmp(&y.cpu_s));
    Ok(all.swap_remove(all.len() / 2))
}

/// One run in a process of its own.
fn apart(file: &Path) -> Result<Measured, BenchError> {
    let output =
        Command::new(std::env::current_exe()?).args(["bench", "pcap", "--one"]).arg(file).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// softflowd over the file, with a table as large as ours and its records sent to a port where nobody listens.
fn softflowd(file: &Path, packets: u64) -> Result<Measured, BenchError> {
    let mut command = Command::new("softflowd");
    command.args(["-d", "-m", "262144", "-v", "9", "-n", "127.0.0.1:9", "-r"]).arg(file);
    let (measured, said) = timed(&command)?;
    let flows = said.lines().find_map(|line| line.strip_prefix("Flows expired: "));
    let flows = flows.and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(0);
    Ok(Measured { packets, flows, ..measured })
}

/// Suricata over the file, with no rules, so that it decodes, tracks flows and logs them and what is in them.
fn suricata(file: &Path, packets: u64) -> Result<Measured, BenchError> {
    let folder = file.with_extension("suricata");
    std::fs::create_dir_all(&folder)?;
    let mut command = Command::new("suricata");
    command.args(["-k", "none", "-S", "/dev/null", "-l"]).arg(&folder).arg("-r").arg(file);
    let (measured, _) = timed(&command)?;
    let log = std::fs::read_to_string(folder.join("eve.json")).unwrap_or_default();
    let flows = log.lines().filter(|line| line.contains(r#""event_type":"flow""#)).count() as u64;
    std::fs::remove_dir_all(&folder)?;
    Ok(Measured { packets, flows, ..measured })
}

/// Runs another program under GNU time: what it took, and all that it said.
pub(super) fn timed(command: &Command) -> Result<(Measured, String), BenchError> {
    let output = Command::new("/usr/bin/time")
        .args(["-f", "%e %U %S %M"])
        .arg(command.get_program())
        .args(command.get_args())
        .output()
        .map_err(|error| format!("GNU time is needed: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let figures: Vec<f64> =
        said.lines().last().unwrap_or_default().split(' ').filter_map(|field| field.parse().ok()).collect();
    let ([wall_s, user, system, peak], true) = (&figures[..], output.status.success()) else {
        return Err(said.into());
    };
    let measured =
        Measured { packets: 0, flows: 0, wall_s: *wall_s, cpu_s: user + system, peak_mb: peak / 1000.0 };
    Ok((measured, String::from_utf8_lossy(&output.stdout).into_owned() + &said))
}
