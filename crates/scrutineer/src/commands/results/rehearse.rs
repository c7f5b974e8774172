//! `scrutineer results rehearse`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::{Args, ValueHint};
use domain::Timestamp;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use results::checks::{self, Class, Facts, Finding, History};
use results::definition::Definition;
use results::entry::Part;
use results::id::{ContestId, UnitId};
use results::lines::hex;
use results::privacy;
use results::read::{Mapping, Read};
use results::returns::{Reason, Return, SourceFile, Status};
use results::setup::Setup;
use results::signing::{Occasion, Previous, cosign, next_return};
use results::statement::Adoption;
use results::tally::Tally;
use results::verify::{self, Trust, Verdict};
use store::registrar::{Outcome, Registrar, load};
use store::sequencer::{Sequencer, Settings};
use store::{FileLog, PublicFolder};
use tlog::add_checkpoint::{AddCheckpoint, parse_cosignatures};
use tlog::key::KeyKind;
use tlog::memory::Memory;
use tlog::note::Signature;
use tlog::writer::{WriteError, Writer};
use tlog::{Hash, SignerKey, reader};
use witness::answer::Answer;
use witness::witness::Witness;

use super::super::{CommandError, Done, put, say};
use super::seats::Allocation;
use super::{ResultsError, check, init, place, source, totals, write};
use crate::words::{counted, thousands};

/// Arguments of `scrutineer results rehearse`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results rehearse examples/slovenia-ep2024 --out night
  scrutineer results verify night/log --fingerprint \"$(cat night/fingerprint)\" --any-age
  scrutineer results verify night/log --fingerprint \"$(cat night/fingerprint)\" --any-age --unit 6001/002 --number 'list 107700'

EXAMPLE has election.toml, events.csv with the changes of the night, and official.csv with the totals that the authority
stated. Keys are made for the rehearsal and named so; nothing leaves the machine. Exit code 3 where a check found something
hard, as it does in the real night of the example; 1 where the verdict at the end is not ok.")]
pub(super) struct Rehearse {
    /// Folder of the example
    #[arg(value_name = "EXAMPLE", value_hint = ValueHint::DirPath)]
    example: PathBuf,
    /// Where the night goes: log/, returns/, definition.txt, findings.jsonl, fingerprint
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Mapping of events.csv
    #[arg(long, value_name = "NAME|FILE", default_value = "slovenia-ep2024-events")]
    events_mapping: String,
}

/// The origin of a rehearsal's log: nobody can take it for a real one.
const ORIGIN: &str = "rehearsal.scrutineer.example/log";
/// The finding that a corrected unit had shown another one's numbers.
const MOVED: &str = "moved-vector";
/// Two witnesses cosign.
const WITNESSES: [&str; 2] = ["witness-1.rehearsal.example", "witness-2.rehearsal.example"];

impl Rehearse {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        if self.out.join("log").exists() {
            let reason = "there is a night already; choose another --out".to_owned();
            return Err(ResultsError::Document { file: self.out.clone(), reason }.into());
        }
        let mut night = Night::begin(&self.example, &self.out)?;
        let mapping = source::mapping(&self.events_mapping)?;
        let events = source::sources(&self.example.join("events.csv"), Some(&mapping))?.swap_remove(0);
        let from =
            SourceFile { sha256: tlog::hash::sha256(&events.bytes), media_type: "text/csv".to_owned() };
        night.play(&events.read, &from)?;
        let official = official(&self.example)?;
        // The log is closed, and what follows sees only what it has published.
        if let Some(registrar) = night.registrar.take() {
            registrar.close();
        }
        let (text, is_ok) = night.end(official.as_ref(), &self.out)?;
        put(&text)?;
        if !is_ok {
            let reason = "the verdict at the end is not ok".to_owned();
            return Err(ResultsError::Document { file: self.out.join("log"), reason }.into());
        }
        Ok(if night.hard.is_empty() { Done::Quiet } else { Done::Found })
    }
}

/// What the authority stated at the end, where the example says.
fn official(example: &Path) -> Result<Option<Tally>, ResultsError> {
    let (file, mapping) = (example.join("official.csv"), example.join("official.toml"));
    if !file.is_file() {
        return Ok(None);
    }
    let mapping: Mapping = source::mapping(&mapping.display().to_string())?;
    let read = source::sources(&file, Some(&mapping))?.swap_remove(0).read;
    Ok(read.stated.last().or(read.tallies.last()).cloned())
}

/// Keys of a rehearsal, made as they are asked for.
#[derive(Default)]
struct KeyRing {
    by_file: BTreeMap<String, SignerKey>,
}

impl KeyRing {
    /// The public key of a file that the setup names.
    fn verifier(&mut self, file: &str) -> Result<String, String> {
        if !self.by_file.contains_key(file) {
            let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let key = new_key(&format!("{stem}.rehearsal.example"), KeyKind::Ed25519)?;
            self.by_file.insert(file.to_owned(), key);
        }
        Ok(self.by_file[file].verifier().to_string())
    }
}

fn new_key(name: &str, kind: KeyKind) -> Result<SignerKey, String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
    SignerKey::from_seed(name, kind, &seed).map_err(|error| error.to_string())
}

struct Night {
    definition: Definition,
    fingerprint: Hash,
    keys: BTreeMap<String, SignerKey>,
    /// Nothing once the night is over.
    registrar: Option<Registrar>,
    /// The time of the night, in seconds; witnesses take it for the present.
    now: Arc<AtomicU64>,
    /// What stations say, before small ones are merged.
    state: BTreeMap<(ContestId, UnitId), Tally>,
    previous: BTreeMap<(ContestId, UnitId), Previous>,
    earlier: BTreeMap<(ContestId, UnitId), Vec<Return>>,
    returns: PathBuf,
    logged: u64,
    held: u64,
    findings: Vec<Finding>,
    hard: Vec<Finding>,
}

impl Night {
    /// Makes keys, definition, log and witnesses, and adopts the definition.
    fn begin(example: &Path, out: &Path) -> Result<Self, CommandError> {
        let setup_file = example.join("election.toml");
        let wrong = |reason: String| ResultsError::Document { file: setup_file.clone(), reason };
        let log_key = new_key(ORIGIN, KeyKind::Ed25519).map_err(wrong)?;
        let mut witnesses = Vec::new();
        let mut policy = format!("log {}\n", log_key.verifier());
        for (n, name) in (1..).zip(WITNESSES) {
            let key = new_key(name, KeyKind::CosignatureV1).map_err(wrong)?;
            policy.push_str(&format!("witness w{n} {}\n", key.verifier()));
            let witness = Witness::new(vec![key], [log_key.verifier().clone()], Memory::default(), ());
            witnesses.push(witness.map_err(|error| wrong(error.to_string()))?);
        }
        policy.push_str("group witnesses all w1 w2\nquorum witnesses\n");
        let ring = RefCell::new(KeyRing::default());
        let load = |setup: &Setup, name: &str| {
            if name == setup.policy() {
                return Ok(policy.as_bytes().to_vec());
            }
            Ok(format!("{}\n", ring.borrow_mut().verifier(name)?).into_bytes())
        };
        let definition = init::definition_with(&setup_file, &load)?;
        let fingerprint = definition.fingerprint();
        let closes = u64::try_from(definition.closes.0 / 1000).unwrap_or(0);
        let now = Arc::new(AtomicU64::new(closes));
        let registrar = open_log(&out.join("log"), log_key, witnesses, now.clone())?;
        write(&out.join("definition.txt"), definition.to_string().as_bytes())?;
        write(&out.join("fingerprint"), format!("{}\n", hex(&fingerprint)).as_bytes())?;
        let keys: BTreeMap<String, SignerKey> = ring.into_inner().by_file;
        let night = Self {
            fingerprint,
            keys: keys.into_values().map(|key| (key.verifier().name().to_owned(), key)).collect(),
            definition,
            registrar: Some(registrar),
            now,
            state: BTreeMap::new(),
            previous: BTreeMap::new(),
            earlier: BTreeMap::new(),
            returns: out.join("returns"),
            logged: 0,
            held: 0,
            findings: Vec::new(),
            hard: Vec::new(),
        };
        night.adopt()?;
        Ok(night)
    }

    fn registrar(&self) -> &Registrar {
        self.registrar.as_ref().expect("internal error: the night is not over")
    }

    fn adopt(&self) -> Result<(), CommandError> {
        for part in Part::cut(self.definition.to_string().as_bytes()) {
            taken(&self.registrar().take(part))?;
        }
        let (election, definition) = (self.definition.election.clone(), self.fingerprint);
        let text = Adoption { election, definition, time: self.definition.closes }.to_string();
        let mut note = None;
        for key in self.definition.authority.iter().take(self.definition.authority_threshold) {
            note = Some(cosign(note.as_ref(), &text, &self.keys[key.name()]));
        }
        let note = note.expect("internal error: an audited definition has an authority");
        taken(&self.registrar().take(note.to_string().into_bytes()))
    }

    /// Plays all events by time: check, merge what is small, sign, log.
    fn play(&mut self, read: &Read, from: &SourceFile) -> Result<(), CommandError> {
        let definition = self.definition.clone();
        let facts = Facts::new(&definition.units, &definition.contests);
        let mut history = History::new(&facts);
        let bar = bar(read.events.len() as u64);
        for events in read.events.chunk_by(|a, b| a.0 == b.0) {
            let at = events[0].0.unwrap_or(definition.closes);
            self.now.store(u64::try_from(at.0 / 1000).unwrap_or(0), Ordering::Relaxed);
            let tallies: Vec<Tally> = events.iter().map(|(_, tally)| tally.clone()).collect();
            let found = self.check(&facts, &mut history, at, &tallies);
            let logged = self.log(at, &tallies, from)?;
            self.registrar().publish();
            bar.inc(tallies.len() as u64);
            let said = |line: &str| bar.suspend(|| say(line));
            said(&format!("{at}  {:>5} changes, {logged:>5} returns logged", tallies.len()));
            for finding in &found {
                said(&format!("{at}  {}: {}", finding.code, finding.message));
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// What the rules find at this time; returns what is told at once: hard findings about more than a unit's own arithmetic, and moves.
    fn check(
        &mut self,
        facts: &Facts<'_>,
        history: &mut History,
        at: Timestamp,
        tallies: &[Tally],
    ) -> Vec<Finding> {
        let own = tallies.iter().flat_map(|tally| checks::check_tally(facts, tally));
        let own: Vec<Finding> = own.map(|finding| Finding { at: Some(at), ..finding }).collect();
        let told: Vec<Finding> = history.apply_all(at, tallies);
        let is_hard = |finding: &&Finding| finding.class == Class::Hard;
        self.hard.extend(own.iter().chain(&told).filter(is_hard).cloned());
        // A move can only be seen afterwards; it is told although nothing is wrong by then.
        let is_told = |finding: &&Finding| finding.class == Class::Hard || finding.code == MOVED;
        let shown = told.iter().filter(is_told).cloned().collect();
        self.findings.extend(own.into_iter().chain(told));
        shown
    }

    fn log(&mut self, at: Timestamp, tallies: &[Tally], from: &SourceFile) -> Result<u64, CommandError> {
        let mut touched = BTreeSet::new();
        for tally in tallies {
            let unit = self.definition.merged_above(&tally.unit).unwrap_or(&tally.unit).clone();
            touched.insert((tally.contest.clone(), unit));
            self.state.insert((tally.contest.clone(), tally.unit.clone()), tally.clone());
        }
        let mut waiting = Vec::new();
        for place in touched {
            if let Some(note) = self.sign(at, &place, from)? {
                waiting.push(self.registrar().submit(note));
            }
        }
        let logged = waiting.len() as u64;
        for submitted in waiting {
            taken(&self.registrar().wait(submitted))?;
        }
        self.logged += logged;
        Ok(logged)
    }

    /// The next return of a reporting unit, signed by the centre of its district; nothing where it says nothing new, or must not be
    /// said yet.
    fn sign(
        &mut self,
        at: Timestamp,
        place: &(ContestId, UnitId),
        from: &SourceFile,
    ) -> Result<Option<Vec<u8>>, CommandError> {
        let Some(tally) = self.tally(place) else {
            self.held += 1;
            return Ok(None);
        };
        let facts = Facts::new(&self.definition.units, &self.definition.contests);
        let flags = checks::check_tally(&facts, &tally);
        let flags = flags.iter().filter(|it| it.class == Class::Hard).map(|it| it.code.into()).collect();
        let occasion = Occasion {
            election: self.definition.election.clone(),
            definition: self.fingerprint,
            time: at,
            status: Status::Provisional,
            reason: Reason::Completion,
            source: Some(from.clone()),
        };
        let previous = self.previous.get(place);
        let Some(it) = next_return(&occasion, previous, tally, flags) else { return Ok(None) };
        let earlier = self.earlier.entry(place.clone()).or_default();
        if privacy::judge(&self.definition, &it, earlier.iter()).is_err() {
            self.held += 1;
            return Ok(None);
        }
        earlier.push(it.clone());
        let centres = &self.definition.centres;
        let centre = centres.iter().find(|(id, _)| self.definition.may_report(id, &place.1));
        let (_, centre) = centre.expect("internal error: an audited definition has a centre for each unit");
        let note = it.sign(&self.keys[centre.keys[0].name()]).to_string().into_bytes();
        let name = format!("{}-r{}.return", place.1.as_str().replace('/', "_"), it.revision);
        write(&self.returns.join(place.0.as_str()).join(name), &note)?;
        let previous = Previous { revision: it.revision, leaf: Hash::leaf(&note), content: Some(it) };
        self.previous.insert(place.clone(), previous);
        Ok(Some(note))
    }

    /// What a reporting unit says now. A merged unit says nothing before all below it have.
    fn tally(&self, place: &(ContestId, UnitId)) -> Option<Tally> {
        let (contest, unit) = place;
        if !self.definition.merged.contains(unit) {
            return self.state.get(place).cloned();
        }
        let below = self.definition.units.iter().filter(|(_, it)| it.parent.as_ref() == Some(unit));
        let tallies: Option<Vec<Tally>> =
            below.map(|(below, _)| self.state.get(&(contest.clone(), below.clone())).cloned()).collect();
        privacy::merge(&self.definition, tallies?).pop()
    }

    /// Verifies what is public as a reader would, and tells the night.
    fn end(&mut self, official: Option<&Tally>, out: &Path) -> Result<(String, bool), CommandError> {
        let lines: String =
            self.findings.iter().map(|finding| format!("{}\n", check::json(finding))).collect();
        write(&out.join("findings.jsonl"), lines.as_bytes())?;
        let log = out.join("log");
        let published = results::bundle::Published::of(&PublicFolder::of(&log));
        let now = Some(self.now.load(Ordering::Relaxed));
        let trust = Trust { fingerprint: Some(self.fingerprint), now, ..Trust::default() };
        let report = verify::verify(&published, &trust);
        let place = log.display().to_string();
        let election = place::election(&report.board, &place)?;
        let contest = place::contest(&election.definition, None)?;
        let mut text = format!(
            "{}: {} of the night, {} returns logged and cosigned by {} witnesses.\n\n",
            election.definition.title,
            counted(self.findings.len() as u64, "finding", "findings"),
            thousands(self.logged),
            report.cosigned.len()
        );
        text.push_str(&self.told());
        let sums = results::totals::totals(election);
        let top = &election.definition.contests[contest].unit;
        let sum = &sums[&(contest.clone(), top.clone())];
        let missing: Vec<UnitId> = results::totals::missing(election, contest).into_iter().collect();
        text.push_str(&format!("\n{}", totals::text(election, contest, top, sum, &missing)));
        let mut uncovered = None;
        if let Some(official) = official {
            let coverage = results::totals::coverage(official, &sum.tally);
            uncovered = Some(coverage.uncovered.0);
            text.push('\n');
            text.push_str(&totals::coverage_text(&coverage));
        }
        let allocation = Allocation::of(election, contest, uncovered)
            .map_err(|reason| ResultsError::Argument { text: reason, what: "distribution of seats" })?;
        text.push_str(&format!("\n{}", allocation.text()));
        text.push_str(&format!(
            "\nVerdict: {}. Verify it yourself:\n  scrutineer results verify {place} --fingerprint {} --any-age\n",
            report.verdict.name(),
            hex(&self.fingerprint)
        ));
        for reason in &report.reasons {
            text.push_str(&format!("  {} ({}): {}\n", reason.verdict.name(), reason.code, reason.message));
        }
        Ok((text, report.verdict == Verdict::Ok))
    }

    /// Hard findings by code, those that are about two units in full.
    fn told(&self) -> String {
        let mut by_code: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        let moved = self.findings.iter().filter(|finding| finding.code == MOVED);
        for finding in self.hard.iter().chain(moved) {
            by_code.entry(finding.code).or_default().push(finding);
        }
        let mut text = String::new();
        for (code, findings) in by_code {
            text.push_str(&format!("{code}, {}\n", counted(findings.len() as u64, "time", "times")));
            for finding in findings.iter().filter(|finding| finding.other.is_some()) {
                let at = finding.at.map(|at| at.to_string()).unwrap_or_default();
                text.push_str(&format!("  {at}  {}\n", finding.message));
            }
        }
        if self.held > 0 {
            let n = counted(self.held, "return was", "returns were");
            text.push_str(&format!("{n} held back until nobody's vote could be read from it\n"));
        }
        text
    }
}

fn bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} changes  {eta} left");
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    bar.with_style(style.expect("internal error: the template is fixed"))
}

fn taken(outcome: &Outcome) -> Result<(), CommandError> {
    let reason = match outcome {
        Outcome::Accepted(_) | Outcome::Known(_) => return Ok(()),
        Outcome::Refused { message, .. } => message.clone(),
        Outcome::NotTaken(reason) => reason.to_string(),
    };
    Err(ResultsError::Document { file: "the log".into(), reason }.into())
}

/// Begins the log of the night. Its checkpoints are published once both witnesses have cosigned.
fn open_log(
    folder: &Path,
    key: SignerKey,
    witnesses: Vec<Witness<Memory>>,
    now: Arc<AtomicU64>,
) -> Result<Registrar, CommandError> {
    let failed = |source: WriteError| ResultsError::Open {
        folder: folder.to_owned(),
        source: store::registrar::OpenError::Log(Box::new(source)),
    };
    let open = {
        let (folder, secret) = (folder.to_owned(), key.to_secret_text());
        move || {
            let storage = FileLog::open(&folder).map_err(|error| WriteError::Load(Box::new(error)))?;
            let key = SignerKey::parse(&secret).map_err(|error| WriteError::Load(Box::new(error)))?;
            Writer::open(storage, key)
        }
    };
    fs::create_dir_all(folder).map_err(|source| ResultsError::Write { file: folder.to_owned(), source })?;
    let storage =
        FileLog::open(folder).map_err(|source| ResultsError::Write { file: folder.to_owned(), source })?;
    write(&folder.join("log.vkey"), format!("{}\n", key.verifier()).as_bytes())?;
    drop(Writer::create(storage, key).map_err(failed)?);
    let witnesses = Arc::new(witnesses);
    let evidence = folder.join("evidence");
    let start = Box::new(move || {
        let writer = open().map_err(|error| store::registrar::OpenError::Log(Box::new(error)))?;
        let board = load(writer.storage(), writer.signed().size)?;
        let (witnesses, now) = (witnesses.clone(), now.clone());
        let settings = Settings {
            reopen: store::registrar::never_again(),
            publish: Box::new(move |writer| {
                let mut cosignatures = Vec::new();
                for witness in witnesses.iter() {
                    cosignatures.extend(ask(witness, writer, now.load(Ordering::Relaxed)));
                }
                writer.publish(&cosignatures)
            }),
            promises: None,
        };
        Ok((board, Sequencer::start(writer, settings)))
    });
    let opened = Registrar::open(start, &evidence);
    Ok(opened.map_err(|source| ResultsError::Open { folder: folder.to_owned(), source })?)
}

/// Asks a witness of this process to cosign what the log has signed.
fn ask(witness: &Witness<Memory>, writer: &Writer<FileLog>, now: u64) -> Vec<Signature> {
    let old =
        witness.records().first().and_then(|(_, size)| size.as_ref().ok().copied().flatten()).unwrap_or(0);
    let proof = reader::prove_consistency(writer.storage(), writer.signed(), old).unwrap_or_default();
    let request = AddCheckpoint { old, proof, checkpoint: writer.signed_note() };
    match witness.add_checkpoint(request.to_string().as_bytes(), now) {
        answer @ Answer::Cosigned { .. } => parse_cosignatures(answer.body().as_bytes()).unwrap_or_default(),
        answer => {
            say(&format!("warning: a witness does not cosign: {}", answer.body()));
            Vec::new()
        }
    }
}
