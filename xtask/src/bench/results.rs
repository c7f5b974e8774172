//! An election of ten thousand stations: how many returns a second are signed, admitted and logged durably, and how long anybody
//! needs to verify all of it on one core.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use domain::Timestamp;
use results::board::Board;
use results::bundle::{self, Published};
use results::definition::Definition;
use results::entry::Part;
use results::replay::admit;
use results::returns::{Reason, Return, Status};
use results::statement::Adoption;
use results::tally::{Count, ListVotes};
use results::verify::{Trust, Verdict, verify};
use results::{ContestId, ListId, Tally, UnitId, Votes, totals};
use store::sequencer::{MAX_BATCH, Sequencer, Settings, Ticket};
use store::{FileLog, PublicFolder};
use tlog::cosignature::cosign;
use tlog::key::KeyKind;
use tlog::writer::{WriteError, Writer};
use tlog::{Hash, Note, SignerKey};

use super::BenchError;
use super::run::usage;

/// Measures the log of an election's results.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Results {
    /// Stations, each of which reports once
    #[arg(long, default_value_t = 10_000)]
    stations: u32,
    /// Folder to work in: the disk that is measured
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Stations of one centre.
const OF_A_CENTRE: u32 = 100;
/// Lists that stand everywhere.
const LISTS: u32 = 12;
/// When everything happens, in seconds since the epoch.
const NOW: i64 = 1_774_206_000;

#[expect(clippy::print_stdout, reason = "the figures are the result")]
pub(super) fn main(args: &Results) -> Result<(), BenchError> {
    if cfg!(debug_assertions) {
        return Err(
            "figures of a debug build mean nothing: cargo run --release -p xtask -- bench results".into()
        );
    }
    let definition = Definition::parse(definition_text(args.stations)?.as_bytes())?;
    let fingerprint = definition.fingerprint();
    let start = Instant::now();
    let sign = |station| signed(&definition, fingerprint, station);
    let returns: Vec<Vec<u8>> = (0..args.stations).map(sign).collect::<Result<_, _>>()?;
    let sign_s = start.elapsed().as_secs_f64();
    println!("{} returns of {LISTS} lists, {} bytes each.", returns.len(), returns[0].len());
    let folder = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = folder.join(format!("bench-results-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = write(&folder, &definition, returns, sign_s).and_then(|()| read(&folder, &definition));
    std::fs::remove_dir_all(&folder)?;
    done
}

fn key(name: &str, kind: KeyKind) -> Result<SignerKey, BenchError> {
    let seed = tlog::hash::sha256(name.as_bytes()).0;
    Ok(SignerKey::from_seed(&format!("{name}.example"), kind, &seed)?)
}

fn text_of(name: &str, kind: KeyKind) -> Result<String, BenchError> {
    Ok(key(name, kind)?.verifier().to_string())
}

fn centre_of(station: u32) -> String {
    format!("c{:04}", station / OF_A_CENTRE)
}

fn definition_text(stations: u32) -> Result<String, BenchError> {
    let at = Timestamp::from_seconds(NOW);
    let mut text = format!(
        "scrutineer-definition v1\nelection bench\ntitle Ten thousand stations\nday 2026-03-22\nzone UTC\ncloses {at}\n\
         embargo none\nleast-cast 10\nfresh-for 900\nthreshold 1\nauthority {}\npolicy log {}\n",
        text_of("authority", KeyKind::Ed25519)?,
        text_of("log", KeyKind::Ed25519)?
    );
    writeln!(text, "policy witness w {}\npolicy quorum w", text_of("w", KeyKind::CosignatureV1)?)?;
    let n_centres = stations.div_ceil(OF_A_CENTRE);
    for district in 0..n_centres {
        writeln!(text, "unit d{district:04} district nation - District {district}")?;
    }
    text.push_str("unit nation nation - - The whole country\n");
    for station in 0..stations {
        let district = station / OF_A_CENTRE;
        writeln!(text, "unit s{station:06} polling-station d{district:04} 1500 Station {station}")?;
    }
    text.push_str("contest main nation dhondt 90 400 1 Parliament\n");
    for list in 0..LISTS {
        writeln!(text, "list l{list:02} List {list}")?;
    }
    for district in 0..n_centres {
        let centre = centre_of(district * OF_A_CENTRE);
        let key = text_of(&centre, KeyKind::Ed25519)?;
        writeln!(text, "centre {centre} Centre of district {district}\nmay d{district:04}\nkey {key}")?;
    }
    Ok(text)
}

fn id<T>(text: &str, new: impl FnOnce(&str) -> Option<T>) -> Result<T, BenchError> {
    new(text).ok_or_else(|| format!("internal error: `{text}` is no id").into())
}

fn signed(definition: &Definition, fingerprint: Hash, station: u32) -> Result<Vec<u8>, BenchError> {
    let unit = id(&format!("s{station:06}"), UnitId::new)?;
    let mut tally = Tally::new(id("main", ContestId::new)?, unit);
    let votes = |list: u32| Votes(u64::from((station * 31 + list * 17) % 120 + 1));
    for list in 0..LISTS {
        let stated = ListVotes { total: Some(votes(list)), ..ListVotes::default() };
        tally.lists.insert(id(&format!("l{list:02}"), ListId::new)?, stated);
    }
    let valid = tally.votes();
    tally.counts =
        [(Count::Valid, valid), (Count::Blank, Votes(3)), (Count::Cast, Votes(valid.0 + 3))].into();
    let it = Return {
        election: definition.election.clone(),
        definition: fingerprint,
        revision: 1,
        supersedes: None,
        reason: Reason::First,
        status: Status::Provisional,
        time: Timestamp::from_seconds(NOW),
        source: None,
        flags: std::collections::BTreeSet::new(),
        tally,
    };
    Ok(it.sign(&key(&centre_of(station), KeyKind::Ed25519)?).to_string().into_bytes())
}

/// Definition, adoption, and all returns, through the board and the sequencer.
#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn write(
    folder: &Path,
    definition: &Definition,
    returns: Vec<Vec<u8>>,
    sign_s: f64,
) -> Result<(), BenchError> {
    let writer = Writer::create(FileLog::open(folder)?, key("log", KeyKind::Ed25519)?)?;
    let witness = key("w", KeyKind::CosignatureV1)?;
    let settings = Settings {
        reopen: Box::new(|| Err(WriteError::NoLog)),
        publish: Box::new(move |writer| {
            let cosignature = cosign(writer.signed(), &witness, NOW as u64);
            writer.publish(&[cosignature])
        }),
        promises: None,
    };
    let sequencer = Sequencer::start(writer, settings);
    let mut board = Board::new();
    let adoption = Adoption {
        election: definition.election.clone(),
        definition: definition.fingerprint(),
        time: Timestamp::from_seconds(NOW),
    };
    let adoption = Note::sign(&adoption.to_string(), &key("authority", KeyKind::Ed25519)?);
    let mut first = Part::cut(definition.to_string().as_bytes());
    first.push(adoption.to_string().into_bytes());
    for bytes in first {
        let (entry, leaf) = admit(&board, &bytes)?;
        board.apply(entry, leaf);
        sequencer.submit(bytes).wait()?;
    }
    let n = returns.len() as f64;
    let (start, mut admit_s) = (Instant::now(), 0.0);
    let mut waiting: VecDeque<Ticket> = VecDeque::new();
    for bytes in returns {
        let before = Instant::now();
        let (entry, leaf) = admit(&board, &bytes)?;
        board.apply(entry, leaf);
        admit_s += before.elapsed().as_secs_f64();
        if waiting.len() == 2 * MAX_BATCH {
            waiting.pop_front().ok_or("internal error: it is full")?.wait()?;
        }
        waiting.push_back(sequencer.submit(bytes));
    }
    waiting.into_iter().try_for_each(|ticket| ticket.wait().map(|_| ()))?;
    let log_s = start.elapsed().as_secs_f64();
    sequencer.close();
    println!(
        "Signed in {sign_s:.2} s; admitted (judged, signature verified) in {admit_s:.2} s; admitted and durable in {log_s:.2} s."
    );
    println!("Signed, admitted and durable: {:.0} returns a second.", n / (sign_s + log_s));
    Ok(())
}

/// What a reader does, who has only the published folder and a fingerprint.
#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn read(folder: &Path, definition: &Definition) -> Result<(), BenchError> {
    let trust = Trust {
        fingerprint: Some(definition.fingerprint()),
        now: Some(NOW as u64),
        seen: Vec::new(),
        coverage: Vec::new(),
    };
    let start = Instant::now();
    let published = Published::of(&PublicFolder::of(folder));
    let load_s = start.elapsed().as_secs_f64();
    let (start, cpu) = (Instant::now(), usage()?.0);
    let report = verify(&published, &trust);
    let (wall_s, cpu_s) = (start.elapsed().as_secs_f64(), usage()?.0 - cpu);
    if report.verdict != Verdict::Ok {
        return Err(format!("the verdict is `{}`: {:?}", report.verdict.name(), report.reasons).into());
    }
    let start = Instant::now();
    let sums = totals::totals(report.election().ok_or("internal error: a verdict of ok has an election")?);
    let total_s = start.elapsed().as_secs_f64();
    println!(
        "Read from the folder in {load_s:.2} s, {} entries verified in {wall_s:.2} s ({cpu_s:.2} s of one core), {} sums in {total_s:.2} s.",
        published.entries.len(),
        sums.len()
    );
    println!(
        "As one file: {:.1} MB. Peak: {:.0} MB.",
        bundle::write(&published).len() as f64 / 1e6,
        usage()?.1
    );
    Ok(())
}
