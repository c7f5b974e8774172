//! c2sp.org/tlog-policy: whom to believe about a log.
//!
//! ```text
//! log <vkey> [<url>]
//! witness X1 <vkey> [<url>]
//! witness X2 <vkey>
//! witness Y1 <vkey>
//! group X any X1 X2
//! group X-and-Y all X Y1
//! quorum X-and-Y
//! ```

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::cosignature;
use crate::key::{KeyKind, VerifierKey};
use crate::note::Note;

/// 1 MiB: 32 logs and 32 witnesses with keys of ML-DSA-44 (1.8 KiB each) take an eighth of it.
pub const MAX_POLICY_BYTES: usize = 1 << 20;

/// Logs, witnesses, and how many of them must agree.
#[derive(Clone, Debug)]
pub struct Policy {
    logs: Vec<Party>,
    witnesses: Vec<Party>,
    /// Groups in the order of their lines; members stand on earlier lines.
    groups: Vec<Group>,
    quorum: Option<Member>,
}

/// A log or a witness of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The name by which the policy calls a witness; for a log, the name of its key.
    pub name: String,
    /// Its key.
    pub key: VerifierKey,
    /// Where to reach it.
    pub url: Option<String>,
}

#[derive(Clone, Debug)]
struct Group {
    needs: usize,
    members: Vec<Member>,
}

#[derive(Clone, Copy, Debug)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// Why a policy could not be read, and on which line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct PolicyError {
    /// Counted from 1; the last line where something is missing.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

/// A valid cosignature of a witness of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The witness, as the policy calls it.
    pub witness: String,
    /// When it cosigned: seconds since the epoch.
    pub time: u64,
}

/// Why a policy does not accept a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("the policy knows no log `{0}`")]
    UnknownLog(String),
    #[error("the quorum is not reached: {}", seen(.0))]
    Quorum(Vec<Cosigned>),
}

fn seen(cosigned: &[Cosigned]) -> String {
    if cosigned.is_empty() {
        return "no witness of the policy has cosigned".to_owned();
    }
    let names: Vec<String> = cosigned.iter().map(|cosigned| format!("`{}`", cosigned.witness)).collect();
    format!("only {} cosigned", names.join(", "))
}

impl Policy {
    /// One log, and no witness asked for.
    pub fn of_log(key: VerifierKey) -> Self {
        let log = Party { name: key.name().to_owned(), key, url: None };
        Self { logs: vec![log], witnesses: Vec::new(), groups: Vec::new(), quorum: None }
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        Reader::default().read(bytes)
    }

    /// The logs.
    pub fn logs(&self) -> &[Party] {
        &self.logs
    }

    /// The witnesses.
    pub fn witnesses(&self) -> &[Party] {
        &self.witnesses
    }

    /// Believes a checkpoint if a log of the policy has signed it and enough witnesses have cosigned it; says which have.
    ///
    /// # Errors
    /// Why not.
    pub fn verify(&self, note: &Note) -> Result<(Checkpoint, Vec<Cosigned>), Refusal> {
        let (checkpoint, cosigned) = self.cosigned(note)?;
        if self.is_quorum(&cosigned) { Ok((checkpoint, cosigned)) } else { Err(Refusal::Quorum(cosigned)) }
    }

    /// Believes a checkpoint if a log of the policy has signed it; says which witnesses have cosigned, enough or not.
    ///
    /// # Errors
    /// Why not.
    pub fn cosigned(&self, note: &Note) -> Result<(Checkpoint, Vec<Cosigned>), Refusal> {
        let checkpoint = Checkpoint::parse(note.unverified_text())?;
        let origin = &checkpoint.origin;
        let logs: Vec<VerifierKey> =
            self.logs.iter().map(|log| &log.key).filter(|key| key.name() == origin).cloned().collect();
        if logs.is_empty() {
            return Err(Refusal::UnknownLog(origin.clone()));
        }
        let believe = |keys: &[VerifierKey]| {
            let refuse = |reason| CheckpointError::Verify { origin: origin.clone(), reason };
            note.verify(keys).map_err(refuse)?;
            Ok::<(), Refusal>(())
        };
        believe(&logs)?;
        // A known witness whose cosignature fails fells the note as a log's own does.
        let everybody: Vec<VerifierKey> =
            logs.into_iter().chain(self.witnesses.iter().map(|witness| witness.key.clone())).collect();
        believe(&everybody)?;
        if checkpoint.size == 0 && checkpoint.root != crate::hash::Hash::EMPTY_ROOT {
            return Err(CheckpointError::EmptyRoot.into());
        }
        let times = |witness: &Party| {
            let lines = note.signatures().iter();
            let time = lines
                .filter_map(|line| cosignature::verify(note.unverified_text(), line, &witness.key))
                .max()?;
            Some(Cosigned { witness: witness.name.clone(), time })
        };
        let cosigned = self.witnesses.iter().filter_map(times).collect();
        Ok((checkpoint, cosigned))
    }

    /// Whether these witnesses are enough.
    pub fn is_quorum(&self, cosigned: &[Cosigned]) -> bool {
        let Some(quorum) = self.quorum else { return true };
        let names: BTreeSet<&str> = cosigned.iter().map(|cosigned| cosigned.witness.as_str()).collect();
        self.holds(quorum, &names)
    }

    /// Groups name earlier groups only, and each name once, so this visits each at most once.
    fn holds(&self, member: Member, names: &BTreeSet<&str>) -> bool {
        match member {
            Member::Witness(at) => names.contains(self.witnesses[at].name.as_str()),
            Member::Group(at) => {
                let group = &self.groups[at];
                group.members.iter().filter(|member| self.holds(**member, names)).count() >= group.needs
            }
        }
    }
}

/// A policy while it is read.
#[derive(Default)]
struct Reader {
    logs: Vec<Party>,
    witnesses: Vec<Party>,
    groups: Vec<Group>,
    /// Witnesses and groups share one space of names. Names are octets; what is no UTF-8 is kept apart by its bytes.
    names: BTreeMap<Vec<u8>, Member>,
    members: BTreeSet<Vec<u8>>,
    /// `Some(None)` is `quorum none`.
    quorum: Option<Option<Member>>,
}

impl Reader {
    fn read(mut self, bytes: &[u8]) -> Result<Policy, PolicyError> {
        if bytes.len() > MAX_POLICY_BYTES {
            return Err(PolicyError {
                line: 1,
                problem: format!("a policy has at most {MAX_POLICY_BYTES} bytes"),
            });
        }
        let mut last = 1;
        for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            last = line;
            self.line(text).map_err(|problem| PolicyError { line, problem })?;
        }
        let missing = || PolicyError { line: last, problem: "the policy has no `quorum` line".to_owned() };
        let quorum = self.quorum.ok_or_else(missing)?;
        Ok(Policy { logs: self.logs, witnesses: self.witnesses, groups: self.groups, quorum })
    }

    fn line(&mut self, text: &[u8]) -> Result<(), String> {
        if let Some(byte) = text.iter().find(|byte| (**byte < 0x20 && **byte != b'\t') || **byte == 0x7f) {
            return Err(format!("a control character, {byte:#04x}"));
        }
        let words: Vec<&[u8]> =
            text.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
        let Some((keyword, rest)) = words.split_first() else { return Ok(()) };
        if keyword.starts_with(b"#") {
            return Ok(());
        }
        match (*keyword, rest) {
            (b"log", [key]) => self.log(key, None),
            (b"log", [key, url]) => self.log(key, Some(url)),
            (b"witness", [name, key]) => self.witness(name, key, None),
            (b"witness", [name, key, url]) => self.witness(name, key, Some(url)),
            (b"group", [name, needs, members @ ..]) if !members.is_empty() => {
                self.group(name, needs, members)
            }
            (b"quorum", [name]) => self.quorum(name),
            (b"log", _) => Err("a log reads `log <vkey> [<url>]`".to_owned()),
            (b"witness", _) => Err("a witness reads `witness <name> <vkey> [<url>]`".to_owned()),
            (b"group", _) => Err("a group reads `group <name> all|any|<k> <name>...`".to_owned()),
            (b"quorum", _) => Err("a quorum reads `quorum <name>`".to_owned()),
            _ => Err(format!("`{}` begins no line of a policy", show(keyword))),
        }
    }

    fn log(&mut self, key: &[u8], url: Option<&&[u8]>) -> Result<(), String> {
        let key = read_key(key, &[KeyKind::Ed25519, KeyKind::MlDsa44])?;
        if self.logs.iter().any(|log| log.key.public_bytes() == key.public_bytes()) {
            return Err(format!("the key of log `{}` stands on an earlier line", key.name()));
        }
        self.logs.push(Party { name: key.name().to_owned(), key, url: url.map(|url| show(url)) });
        Ok(())
    }

    fn witness(&mut self, name: &[u8], key: &[u8], url: Option<&&[u8]>) -> Result<(), String> {
        let key = read_key(key, &[KeyKind::CosignatureV1, KeyKind::MlDsa44])?;
        if self.witnesses.iter().any(|witness| witness.key.public_bytes() == key.public_bytes()) {
            return Err(format!("the key of witness `{}` stands on an earlier line", show(name)));
        }
        self.define(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push(Party { name: show(name), key, url: url.map(|url| show(url)) });
        Ok(())
    }

    fn group(&mut self, name: &[u8], needs: &[u8], members: &[&[u8]]) -> Result<(), String> {
        let n = members.len();
        let needs = match needs {
            b"all" => n,
            b"any" => 1,
            digits => std::str::from_utf8(digits)
                .ok()
                .and_then(crate::text::decimal)
                .and_then(|needs| usize::try_from(needs).ok())
                .filter(|needs| (1..=n).contains(needs))
                .ok_or_else(|| format!("a group of {n} needs `all`, `any`, or 1 to {n} of them"))?,
        };
        let mut found = Vec::with_capacity(n);
        for member in members {
            found.push(self.find(member)?);
            if !self.members.insert(member.to_vec()) {
                return Err(format!("`{}` is a member already; each name counts once", show(member)));
            }
        }
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { needs, members: found });
        Ok(())
    }

    fn quorum(&mut self, name: &[u8]) -> Result<(), String> {
        if self.quorum.is_some() {
            return Err("a second `quorum` line".to_owned());
        }
        self.quorum = Some(if name == b"none" { None } else { Some(self.find(name)?) });
        Ok(())
    }

    fn define(&mut self, name: &[u8], member: Member) -> Result<(), String> {
        if name == b"none" {
            return Err("`none` is no name: it stands for no quorum".to_owned());
        }
        match self.names.insert(name.to_vec(), member) {
            None => Ok(()),
            Some(_) => Err(format!("`{}` stands on an earlier line", show(name))),
        }
    }

    fn find(&self, name: &[u8]) -> Result<Member, String> {
        let unknown = || format!("no earlier line defines `{}`", show(name));
        self.names.get(name).copied().ok_or_else(unknown)
    }
}

fn read_key(text: &[u8], kinds: &[KeyKind]) -> Result<VerifierKey, String> {
    let text = std::str::from_utf8(text).map_err(|_| "the key is not UTF-8".to_owned())?;
    let key = VerifierKey::parse(text).map_err(|error| error.to_string())?;
    if kinds.contains(&key.kind()) {
        return Ok(key);
    }
    Err(format!(
        "key `{}` has type {:#04x}, which does not belong on this line",
        key.name(),
        key.kind().byte()
    ))
}

/// Octets for people to read: what is no UTF-8 as `\xff`, a backslash doubled. No two names look the same.
fn show(octets: &[u8]) -> String {
    octets.utf8_chunks().fold(String::new(), |mut text, chunk| {
        text.push_str(&chunk.valid().replace('\\', r"\\"));
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;
    use crate::key::SignerKey;

    fn log() -> SignerKey {
        SignerKey::from_seed("log.example", KeyKind::Ed25519, &[1; 32]).expect("a name")
    }

    fn witness(n: u8) -> SignerKey {
        SignerKey::from_seed(&format!("w{n}.example"), KeyKind::CosignatureV1, &[n; 32]).expect("a name")
    }

    fn lines(lines: &str) -> String {
        let mut text = format!("log {}\n", log().verifier());
        for n in 2..=5 {
            text.push_str(&format!("witness w{n} {}\n", witness(n).verifier()));
        }
        text + lines
    }

    fn signed_by(witnesses: &[u8]) -> Note {
        let checkpoint = Checkpoint::new("log.example", 3, Hash::leaf(b""));
        let mut note = checkpoint.sign(&log());
        for n in witnesses {
            note.add(cosignature::cosign(&checkpoint, &witness(*n), 100 + u64::from(*n)));
        }
        note
    }

    #[test]
    fn a_quorum_of_groups_counts_as_the_specification_says() {
        let text = lines("group a 2 w2 w3 w4\ngroup b all a w5\nquorum b");
        let policy = Policy::parse(text.as_bytes()).expect("a policy");
        for (witnesses, enough) in [
            (&[][..], false),
            (&[5], false),
            (&[2, 5], false),
            (&[2, 3], false),
            (&[2, 3, 5], true),
            (&[2, 3, 4, 5], true),
        ] {
            assert_eq!(policy.verify(&signed_by(witnesses)).is_ok(), enough, "{witnesses:?}");
        }
        let refused = policy.verify(&signed_by(&[2, 5])).expect_err("too few");
        assert_eq!(refused.to_string(), "the quorum is not reached: only `w2`, `w5` cosigned");
    }

    #[test]
    fn one_witness_or_none_may_be_the_quorum() {
        let one = Policy::parse(lines("quorum w3\n").as_bytes()).expect("a policy");
        assert!(one.verify(&signed_by(&[2])).is_err());
        let (_, cosigned) = one.verify(&signed_by(&[3])).expect("enough");
        assert_eq!(cosigned, [Cosigned { witness: "w3".into(), time: 103 }]);
        let none = Policy::parse(lines("quorum none\n").as_bytes()).expect("a policy");
        assert!(none.verify(&signed_by(&[])).is_ok());
    }

    #[test]
    fn a_witness_never_stands_in_for_the_log() {
        let policy = Policy::parse(lines("quorum w2\n").as_bytes()).expect("a policy");
        let checkpoint = Checkpoint::new("log.example", 3, Hash::leaf(b""));
        let other = SignerKey::from_seed("log.example", KeyKind::Ed25519, &[9; 32]).expect("a name");
        let mut note = checkpoint.sign(&other);
        note.add(cosignature::cosign(&checkpoint, &witness(2), 100));
        assert!(matches!(policy.verify(&note), Err(Refusal::Checkpoint(CheckpointError::Verify { .. }))));
        let elsewhere = Checkpoint::new("other.example", 3, Hash::leaf(b"")).sign(&log());
        assert_eq!(policy.verify(&elsewhere), Err(Refusal::UnknownLog("other.example".into())));
    }

    #[test]
    fn a_known_witness_that_fails_fells_the_checkpoint() {
        let policy = Policy::parse(lines("quorum w2\n").as_bytes()).expect("a policy");
        let mut note = signed_by(&[2]);
        let mut bad = signed_by(&[3]).signatures()[1].clone();
        bad.bytes[40] ^= 1;
        note.add(bad);
        assert!(policy.verify(&note).is_err());
    }

    #[test]
    fn spaces_tabs_comments_and_octets_are_allowed() {
        let mut text = b"# caf\xff\n \t\n\tlog  ".to_vec();
        text.extend(log().verifier().to_string().bytes());
        text.extend(b" https://log.example/\t\n  witness \xe2\x84\xaa ");
        text.extend(witness(2).verifier().to_string().bytes());
        text.extend(b"\n#quorum none\nquorum \xe2\x84\xaa");
        let policy = Policy::parse(&text).expect("a policy");
        assert_eq!(policy.logs()[0].url.as_deref(), Some("https://log.example/"));
        assert!(policy.verify(&signed_by(&[2])).is_ok());
    }

    #[test]
    fn thirty_two_of_each_are_read() {
        let mut text = String::new();
        for n in 0..32 {
            let log =
                SignerKey::from_seed(&format!("l{n}.example"), KeyKind::Ed25519, &[n; 32]).expect("a name");
            text.push_str(&format!(
                "log {}\nwitness w{n} {}\ngroup g{n} any w{n}\n",
                log.verifier(),
                witness(n + 100).verifier()
            ));
        }
        text.push_str("quorum g31\n");
        let policy = Policy::parse(text.as_bytes()).expect("a policy");
        assert_eq!((policy.logs().len(), policy.witnesses().len()), (32, 32));
    }

    #[test]
    fn the_first_wrong_line_is_named_with_its_reason() {
        let w2 = witness(2);
        let again = SignerKey::from_seed("other.example", KeyKind::CosignatureV1, &[2; 32]).expect("a name");
        let cases = [
            String::new(),
            "quorum none\nquorum none\n".to_owned(),
            "quorum w9\n".to_owned(),
            "log x\n".to_owned(),
            format!("log {}\n", w2.verifier()),
            format!("witness none {}\n", w2.verifier()),
            format!("witness a {}\nwitness b {}\n", w2.verifier(), again.verifier()),
            format!("witness a {}\nwitness a {}\n", w2.verifier(), witness(3).verifier()),
            lines("group g all\n"),
            lines("group g 3 w2 w3\n"),
            lines("group g 0 w2 w3\n"),
            lines("group g any none\n"),
            lines("group g any h\ngroup h any w2\n"),
            lines("group g any w2\ngroup h any w2\n"),
            lines("group g any w2 w2\n"),
            lines("group w2 any w2\n"),
            lines("quorom w2\n"),
            lines("quorum\u{a0}w2\n"),
            "quorum none\r\n".to_owned(),
        ];
        let say = |text: &String| Policy::parse(text.as_bytes()).expect_err(text).to_string();
        insta::assert_snapshot!(cases.iter().map(say).collect::<Vec<_>>().join("\n"));
    }
}
