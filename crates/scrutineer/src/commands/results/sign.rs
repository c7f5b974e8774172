//! `scrutineer results sign`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use results::checks::{self, Class, Facts, Finding};
use results::definition::Definition;
use results::entry::{Document, Entry};
use results::id::{CentreId, ContestId, UnitId};
use results::privacy;
use results::returns::{RETURN, Reason, Retraction, Return, SourceFile, Status};
use results::signing::{Occasion, Previous, next_return};
use results::tally::Tally;
use tlog::{Hash, SignerKey, VerifierKey};

use super::super::log::keys::read_secret;
use super::super::{CommandError, Done, put, say};
use super::{ResultsError, authority, now, read, seal, source, write};

/// Arguments of `scrutineer results sign`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scrutineer results sign Telling_GR2026.eml.xml --definition definition.txt --key centre.key --out returns/
  scrutineer results sign stations.csv --mapping slovenia-ep2024-stations --definition definition.txt --key 1001.key --out returns/
  scrutineer results sign 1001-034-r1.return.txt --definition definition.txt --key 1001.key --out returns/
  scrutineer results sign --retract ep=1001/034 --reason mix-up --definition definition.txt --key 1001.key --out returns/

Reads EML_NL 510b/510d, eCH-0252, WabstiC, tables by a mapping, and what the double-entry page saves. Signs the units that
the key's centre may report; a unit whose numbers are as they were gets no new revision. --out is the centre's memory of what
it has signed: keep it. A return that breaks a hard rule is not signed unless --accept says that the paper form says exactly
this; then the return carries the rule's code as a flag for everyone to see. A key that the centre got later comes with --change, and
signs anew what the lost one has signed.")]
pub(super) struct Sign {
    /// Files, or folders of them
    #[arg(value_name = "FILE", required_unless_present = "retract", value_hint = ValueHint::AnyPath)]
    files: Vec<PathBuf>,
    /// The definition
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    definition: PathBuf,
    /// The centre's secret key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key: PathBuf,
    /// Folder of what this centre has signed
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// A change of the election that gave the centre this key, signed by the authority
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    change: Vec<PathBuf>,
    /// A built-in mapping, or a file with one
    #[arg(long, value_name = "NAME|FILE")]
    mapping: Option<String>,
    /// The contest, where the file calls it otherwise
    #[arg(long, value_name = "ID")]
    contest: Option<String>,
    /// Why a unit that has a return gets another one
    #[arg(long, value_name = "REASON", default_value = "completion", value_parser = reason)]
    reason: Reason,
    /// The numbers are established, not only counted
    #[arg(long = "final")]
    is_final: bool,
    /// The paper form says exactly this, whatever the rules say
    #[arg(long)]
    accept: bool,
    /// Take back what was said of a unit, without saying anything in its place yet
    #[arg(long, value_name = "CONTEST=UNIT", conflicts_with = "files")]
    retract: Vec<String>,
}

fn reason(name: &str) -> Result<Reason, String> {
    let all = || Reason::ALL.map(Reason::name)[1..].join(", ");
    Reason::parse(name)
        .filter(|reason| *reason != Reason::First)
        .ok_or_else(|| format!("it is one of {}", all()))
}

/// A centre at work: its key, what it may report and what it has said.
struct Desk {
    definition: Definition,
    key: SignerKey,
    centre: CentreId,
    out: PathBuf,
    /// The last thing that it has said of each unit.
    previous: BTreeMap<(ContestId, UnitId), Previous>,
    /// Units whose last word another key of the centre has signed.
    others: BTreeSet<(ContestId, UnitId)>,
    /// All returns of each unit: none of them may give away another by its difference.
    earlier: BTreeMap<(ContestId, UnitId), Vec<Return>>,
}

impl Sign {
    pub(super) fn run(self) -> Result<Done, CommandError> {
        let mut desk = Desk::open(&self.definition, &self.change, &self.key, &self.out)?;
        let mut done = Signed::default();
        for place in &self.retract {
            desk.retract(place, self.reason)?;
            done.signed += 1;
        }
        let mapping = self.mapping.as_deref().map(source::mapping).transpose()?;
        for file in &self.files {
            if file.is_file() && read(file)?.starts_with(RETURN.as_bytes()) {
                self.sign_text(&mut desk, file, &mut done)?;
                continue;
            }
            for source in source::sources(file, mapping.as_ref())? {
                self.sign_source(&mut desk, source, &mut done)?;
            }
        }
        put(&done.sentence(&self.out))?;
        Ok(if done.held > 0 { Done::Found } else { Done::Quiet })
    }

    fn sign_source(
        &self,
        desk: &mut Desk,
        source: source::Source,
        done: &mut Signed,
    ) -> Result<(), CommandError> {
        let media_type = if source.bytes.starts_with(b"<") { "application/xml" } else { "text/csv" };
        let file =
            SourceFile { sha256: tlog::hash::sha256(&source.bytes), media_type: media_type.to_owned() };
        let occasion = self.occasion(desk, Some(file));
        let mut tallies = source.read.tallies;
        for tally in &mut tallies {
            self.name_contest(desk, tally);
        }
        for tally in privacy::merge(&desk.definition, tallies) {
            let place = (tally.contest.clone(), tally.unit.clone());
            if !desk.definition.may_report(&desk.centre, &tally.unit) {
                done.others += 1;
                continue;
            }
            let findings = desk.findings(&tally);
            if !self.may_be_signed(&tally, &findings, done) {
                continue;
            }
            let flags = hard(&findings).map(|finding| finding.code.into()).collect();
            match next_return(&occasion, desk.previous(&place).as_ref(), tally, flags) {
                Some(it) => desk.sign(&it, done)?,
                None => done.unchanged += 1,
            }
        }
        Ok(())
    }

    /// What the double-entry page has saved: a return without a signature.
    fn sign_text(&self, desk: &mut Desk, file: &Path, done: &mut Signed) -> Result<(), CommandError> {
        let text = String::from_utf8_lossy(&read(file)?).into_owned();
        // The printed sheet has the same groups: whoever signs compares them.
        say(&format!("{}: SHA-256 {}", file.display(), seal::groups(&tlog::hash::sha256(text.as_bytes()))));
        let it =
            Return::parse(&text).map_err(|reason| ResultsError::Text { file: file.to_owned(), reason })?;
        let wrong =
            |reason: &str| ResultsError::Document { file: file.to_owned(), reason: reason.to_owned() };
        if it.definition != desk.definition.fingerprint() {
            return Err(wrong("it was made for another definition").into());
        }
        if !desk.definition.may_report(&desk.centre, &it.tally.unit) {
            return Err(wrong("this key's centre may not report the unit").into());
        }
        let place = (it.tally.contest.clone(), it.tally.unit.clone());
        let last = desk.previous.get(&place);
        if it.supersedes != last.map(|last| last.leaf) {
            let expected = last.map_or_else(|| "none".to_owned(), |last| results::lines::hex(&last.leaf));
            return Err(wrong(&format!(
                "the last thing signed of this unit is {expected}, which it does not name"
            ))
            .into());
        }
        let findings = desk.findings(&it.tally);
        let unseen: Vec<&Finding> =
            hard(&findings).filter(|finding| !it.flags.contains(finding.code)).collect();
        if !unseen.is_empty() && !self.may_be_signed(&it.tally, &findings, done) {
            return Ok(());
        }
        desk.sign(&it, done)
    }

    fn occasion(&self, desk: &Desk, source: Option<SourceFile>) -> Occasion {
        Occasion {
            election: desk.definition.election.clone(),
            definition: desk.definition.fingerprint(),
            time: now(),
            status: if self.is_final { Status::Final } else { Status::Provisional },
            reason: self.reason,
            source,
        }
    }

    /// Files name contests in their own way. With --contest, or where there is only one, there is no doubt.
    fn name_contest(&self, desk: &Desk, tally: &mut Tally) {
        let contests = &desk.definition.contests;
        let named = self.contest.as_deref().and_then(|name| contests.get_key_value(name));
        let only = if contests.len() == 1 { contests.first_key_value() } else { None };
        if let Some((id, _)) = named.or_else(|| only.filter(|_| !contests.contains_key(&tally.contest))) {
            tally.contest = id.clone();
        }
    }

    /// Tells what the rules find; a hard finding holds the return back unless it is accepted.
    fn may_be_signed(&self, tally: &Tally, findings: &[Finding], done: &mut Signed) -> bool {
        for finding in findings {
            let what = if finding.class == Class::Hard { "finding" } else { "worth a look" };
            say(&format!("{what}: {} {}: {} ({})", tally.contest, tally.unit, finding.message, finding.code));
        }
        let is_held = hard(findings).next().is_some() && !self.accept;
        done.held += u64::from(is_held);
        !is_held
    }
}

fn hard(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| finding.class == Class::Hard)
}

impl Desk {
    fn open(definition: &Path, changes: &[PathBuf], key: &Path, out: &Path) -> Result<Self, CommandError> {
        let definition = authority::definition(definition)?;
        let mut people = definition.authority.clone();
        let key = read_secret(key)?;
        let mut owners: BTreeMap<String, (CentreId, VerifierKey)> = BTreeMap::new();
        for file in changes {
            let change = authority::signed_change(file, &mut people, definition.authority_threshold)?;
            owners.extend(change.centre_keys);
        }
        let centres = definition.centres.iter();
        let owner = centres.filter(|(_, centre)| centre.keys.contains(key.verifier())).map(|(id, _)| id);
        let mut owner = owner.chain(owners.values().filter(|(_, it)| it == key.verifier()).map(|(id, _)| id));
        let Some(centre) = owner.next().cloned() else {
            let problem = "is of no centre in this definition".to_owned();
            return Err(ResultsError::Key { key: key.verifier().name().to_owned(), problem }.into());
        };
        let mut desk = Self {
            definition,
            key,
            centre,
            out: out.to_owned(),
            previous: BTreeMap::new(),
            earlier: BTreeMap::new(),
            others: BTreeSet::new(),
        };
        desk.remember()?;
        Ok(desk)
    }

    /// Reads what this centre has signed before.
    fn remember(&mut self) -> Result<(), ResultsError> {
        if !self.out.is_dir() {
            return Ok(());
        }
        let (mut files, mut signers) = (Vec::new(), BTreeMap::new());
        super::submission::walk(&self.out, &mut files)?;
        for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == ENDING)) {
            let bytes = read(file)?;
            let leaf = Hash::leaf(&bytes);
            let (place, previous) = match Entry::parse(&bytes) {
                Ok(Entry::Signed(note, Document::Return(it))) => {
                    let place = (it.tally.contest.clone(), it.tally.unit.clone());
                    signers.insert(leaf, note);
                    (place, Previous { revision: it.revision, leaf, content: Some(*it) })
                }
                Ok(Entry::Signed(_, Document::Retraction(it))) => {
                    ((it.contest, it.unit), Previous { revision: it.revision, leaf, content: None })
                }
                _ => {
                    let reason = "it is no signed return; the folder is for those alone".to_owned();
                    return Err(ResultsError::Document { file: file.clone(), reason });
                }
            };
            self.earlier.entry(place.clone()).or_default().extend(previous.content.clone());
            let last = self.previous.get(&place).map_or(0, |last| last.revision);
            if previous.revision > last {
                self.previous.insert(place, previous);
            }
        }
        let is_ours = |last: &Previous| {
            signers
                .get(&last.leaf)
                .is_none_or(|note| note.signatures().iter().all(|it| it.is_of(self.key.verifier())))
        };
        let others = self.previous.iter().filter(|(_, last)| !is_ours(last)).map(|(place, _)| place.clone());
        self.others = others.collect();
        Ok(())
    }

    /// The last thing that was said of a unit. What another key of the centre has signed is said anew, with the same numbers too:
    /// where that key is revoked, its word is in question.
    fn previous(&self, place: &(ContestId, UnitId)) -> Option<Previous> {
        let last = self.previous.get(place)?.clone();
        Some(if self.others.contains(place) { Previous { content: None, ..last } } else { last })
    }

    fn findings(&self, tally: &Tally) -> Vec<Finding> {
        checks::check_tally(&Facts::new(&self.definition.units, &self.definition.contests), tally)
    }

    fn sign(&mut self, it: &Return, done: &mut Signed) -> Result<(), CommandError> {
        let (contest, unit) = (it.tally.contest.clone(), it.tally.unit.clone());
        let earlier = self.earlier.entry((contest.clone(), unit.clone())).or_default();
        if let Err(refusal) = privacy::judge(&self.definition, it, earlier.iter()) {
            say(&format!("held: {contest} {unit}: {refusal} ({})", refusal.code()));
            done.held += 1;
            return Ok(());
        }
        let text = it.sign(&self.key).to_string();
        let previous =
            Previous { revision: it.revision, leaf: Hash::leaf(text.as_bytes()), content: Some(it.clone()) };
        earlier.push(it.clone());
        self.write(&contest, &unit, it.revision, &text)?;
        self.others.remove(&(contest.clone(), unit.clone()));
        self.previous.insert((contest, unit), previous);
        done.signed += 1;
        Ok(())
    }

    fn retract(&mut self, place: &str, reason: Reason) -> Result<(), CommandError> {
        let wrong = || ResultsError::Argument { text: place.to_owned(), what: "CONTEST=UNIT" };
        let (contest, unit) = place.split_once('=').ok_or_else(wrong)?;
        let (contest, unit) = ContestId::new(contest).zip(UnitId::new(unit)).ok_or_else(wrong)?;
        let last = self.previous.get(&(contest.clone(), unit.clone())).filter(|last| last.content.is_some());
        let last = last.ok_or_else(|| ResultsError::Unknown {
            what: "return to take back of",
            name: unit.to_string(),
        })?;
        let retraction = Retraction {
            election: self.definition.election.clone(),
            definition: self.definition.fingerprint(),
            contest: contest.clone(),
            unit: unit.clone(),
            revision: last.revision + 1,
            supersedes: last.leaf,
            reason,
            time: now(),
        };
        let text = retraction.sign(&self.key).to_string();
        self.write(&contest, &unit, retraction.revision, &text)?;
        let leaf = Hash::leaf(text.as_bytes());
        self.previous
            .insert((contest, unit), Previous { revision: retraction.revision, leaf, content: None });
        Ok(())
    }

    /// Never over another file: what was signed once may be in somebody's hands.
    fn write(
        &self,
        contest: &ContestId,
        unit: &UnitId,
        revision: u32,
        text: &str,
    ) -> Result<(), ResultsError> {
        let name = format!("{}-r{revision}.{ENDING}", unit.as_str().replace('/', "_"));
        let file = self.out.join(contest.as_str().replace('/', "_")).join(name);
        if file.exists() {
            let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(ResultsError::Write { file, source });
        }
        // Whole or not at all: half a return would be taken for another one by the next run.
        let part = file.with_extension("part");
        write(&part, text.as_bytes())?;
        fs::rename(&part, &file).map_err(|source| ResultsError::Write { file, source })
    }
}

/// Ending of files with a signed return or retraction.
const ENDING: &str = "return";

#[derive(Default)]
struct Signed {
    signed: u64,
    unchanged: u64,
    held: u64,
    others: u64,
}

impl Signed {
    fn sentence(&self, out: &Path) -> String {
        let mut parts = vec![format!("{} signed into `{}`", self.signed, out.display())];
        if self.unchanged > 0 {
            parts.push(format!("{} unchanged", self.unchanged));
        }
        if self.others > 0 {
            parts.push(format!("{} of other centres left alone", self.others));
        }
        if self.held > 0 {
            parts.push(format!(
                "{} held back: correct them, or say with --accept that the paper says so",
                self.held
            ));
        }
        format!("{}.\n", parts.join(", "))
    }
}
