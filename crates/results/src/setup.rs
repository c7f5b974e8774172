//! An election's setup: the TOML file from which `results init` makes a definition, together with what files of the authority say of
//! units and lists.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use serde::Deserialize;
use thiserror::Error;
use tlog::{Policy, VerifierKey};

use crate::definition::{
    Centre, Channel, ChannelKind, Contest, Definition, DefinitionError, Embargo, List, Method, Unit,
    UnitKind, tidy,
};
use crate::id::{CandidateNumber, CentreId, ContestId, ElectionId, ListId, UnitId, is_id};
use crate::read::Draft;

mod standing;

use standing::{StandingSetup, ValidatorSetup, reach};

/// Why a setup makes no definition.
#[derive(Debug, Error)]
pub enum SetupError {
    /// It is no TOML, or has other keys.
    #[error("{0}")]
    Toml(Box<toml::de::Error>),
    /// A value cannot be used.
    #[error("`{key}`: {problem}")]
    Value {
        /// Where.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// A file that it names cannot be used.
    #[error("file `{file}`: {problem}")]
    File {
        /// Which.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// Its parts do not fit together.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
}

/// The setup as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setup {
    election: Option<String>,
    title: Option<String>,
    day: Option<String>,
    zone: String,
    closes: String,
    #[serde(default)]
    least_cast: u32,
    #[serde(default = "fresh_for")]
    fresh_for: u32,
    authority: Authority,
    #[serde(default)]
    release: Release,
    embargo: Option<EmbargoSetup>,
    /// Lines of c2sp.org/tlog-policy, in a file.
    policy: String,
    log: Option<StandingSetup>,
    #[serde(default)]
    channel: Vec<ChannelSetup>,
    #[serde(default)]
    validator: Vec<ValidatorSetup>,
    /// Files that say which units and lists there are.
    #[serde(default)]
    pub source: Vec<SourceSetup>,
    #[serde(default)]
    unit: Vec<UnitSetup>,
    #[serde(default)]
    merge: Vec<MergeSetup>,
    #[serde(default)]
    contest: Vec<ContestSetup>,
    #[serde(default)]
    centre: Vec<CentreSetup>,
    centres: Option<CentresSetup>,
}

/// 15 minutes: three of the slowest usual rhythms of cosigning (five minutes).
fn fresh_for() -> u32 {
    900
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Authority {
    threshold: u32,
    /// Files with a verifier key each.
    keys: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    keys: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct EmbargoSetup {
    publish_from: String,
    first_slot: String,
    every: u32,
    slots: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelSetup {
    id: String,
    kind: String,
    operator: String,
    supplier: String,
    address: String,
    network: Option<String>,
    dns: Option<String>,
}

/// A file that says which units and lists there are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSetup {
    /// Where it is, from the setup's folder.
    pub file: String,
    /// A built-in mapping's name, or a file with one.
    pub mapping: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitSetup {
    id: String,
    kind: String,
    parent: Option<String>,
    eligible: Option<u32>,
    name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MergeSetup {
    into: String,
    #[serde(default = "special")]
    kind: String,
    name: Option<String>,
    units: Vec<String>,
}

fn special() -> String {
    UnitKind::Special.name().to_owned()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ContestSetup {
    id: String,
    unit: Option<String>,
    title: Option<String>,
    seats: Option<u32>,
    method: Option<String>,
    threshold: Option<u32>,
    votes_per_ballot: Option<u32>,
    #[serde(default)]
    scope: Vec<String>,
    #[serde(default)]
    list: Vec<ListSetup>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ListSetup {
    id: String,
    name: Option<String>,
    connection: Option<String>,
    sub_connection: Option<String>,
    /// Names by number: `{ 1 = "Ana" }`.
    #[serde(default)]
    candidates: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CentreSetup {
    id: String,
    name: Option<String>,
    units: Vec<String>,
    /// Numbers to call it back.
    #[serde(default)]
    phones: BTreeSet<String>,
    keys: Vec<String>,
}

/// One centre for each unit of a kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CentresSetup {
    each: String,
    /// File of each one's key; `{unit}` stands for the unit's id.
    key: String,
    /// Number of each one to call it back, by unit.
    #[serde(default)]
    phones: BTreeMap<String, String>,
}

/// Reads a file that the setup names, from the setup's folder.
pub type Load<'a> = dyn Fn(&str) -> Result<Vec<u8>, String> + 'a;

impl Setup {
    /// The file with the log's policy.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// Reads a setup.
    ///
    /// # Errors
    /// With line and column.
    pub fn parse(text: &str) -> Result<Self, SetupError> {
        toml::from_str(text).map_err(|error| SetupError::Toml(Box::new(error)))
    }

    /// Makes the definition, of what files say and of what the setup says; the setup has the last word.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn definition(&self, draft: &Draft, load: &Load<'_>) -> Result<Definition, SetupError> {
        let election = self.election.clone().or_else(|| Some(draft.election.as_ref()?.to_string()));
        let election = id("election", &election.unwrap_or_default(), ElectionId::new)?;
        let title = self.title.clone().or_else(|| draft.title.clone()).unwrap_or_default();
        let day = self.day.clone().or_else(|| Some(draft.date?.to_string()));
        let units = self.units(draft)?;
        let (contests, scopes) = self.contests(draft)?;
        let policy_text = text(load, &self.policy)?;
        let policy_lines =
            policy_text.lines().map(tidy).filter(|line| line != "-" && !line.starts_with('#')).collect();
        let policy = Policy::parse(policy_text.as_bytes()).map_err(DefinitionError::Policy)?;
        let mut channels = self.channels()?;
        channels.sort_by(|a, b| a.id.cmp(&b.id));
        let definition = Definition {
            election,
            title: tidy(&title),
            day: day.ok_or_else(|| value("day", "is missing"))?,
            zone: self.zone.clone(),
            closes: time("closes", &self.closes)?,
            embargo: self.embargo.as_ref().map(EmbargoSetup::read).transpose()?,
            least_cast: u64::from(self.least_cast),
            fresh_for: u64::from(self.fresh_for),
            authority_threshold: self.authority.threshold as usize,
            authority: keys(load, &self.authority.keys)?,
            release: keys(load, &self.release.keys)?,
            policy_lines,
            policy,
            log: self.log.as_ref().map(StandingSetup::read).transpose()?,
            channels,
            validators: standing::validators(&self.validator, load)?,
            centres: self.centres(&units, load)?,
            units,
            merged: self
                .merge
                .iter()
                .map(|it| id("merge.into", &it.into, UnitId::new))
                .collect::<Result<_, _>>()?,
            contests,
            scopes,
        };
        // Through its own text: what cannot be read again is not written.
        Ok(Definition::parse(definition.to_string().as_bytes())?)
    }

    fn channels(&self) -> Result<Vec<Channel>, SetupError> {
        let channel = |it: &ChannelSetup| {
            let kind =
                ChannelKind::parse(&it.kind).ok_or_else(|| value("channel.kind", "is no sort of channel"))?;
            for (key, id) in [("id", &it.id), ("operator", &it.operator), ("supplier", &it.supplier)] {
                if !is_id(id) {
                    return Err(value(&format!("channel.{key}"), "is no id"));
                }
            }
            let (id, operator, supplier) = (it.id.clone(), it.operator.clone(), it.supplier.clone());
            let reach = reach("channel", it.network.as_ref(), it.dns.as_ref())?;
            Ok(Channel { id, kind, operator, supplier, address: it.address.clone(), reach })
        };
        self.channel.iter().map(channel).collect()
    }

    fn units(&self, draft: &Draft) -> Result<BTreeMap<UnitId, Unit>, SetupError> {
        let mut units = BTreeMap::new();
        for (unit_id, unit) in &draft.units {
            let name = Some(tidy(&unit.name)).filter(|name| name != "-");
            let name = name.unwrap_or_else(|| unit_id.to_string());
            units.insert(unit_id.clone(), Unit { name, ..unit.clone() });
        }
        for it in &self.unit {
            let unit_id = id("unit.id", &it.id, UnitId::new)?;
            let parent =
                it.parent.as_deref().map(|parent| id("unit.parent", parent, UnitId::new)).transpose()?;
            let unit = Unit {
                kind: kind("unit.kind", &it.kind)?,
                parent,
                eligible: it.eligible.map(u64::from),
                name: tidy(it.name.as_deref().unwrap_or(&it.id)),
            };
            units.insert(unit_id, unit);
        }
        for it in &self.merge {
            merge(it, &mut units)?;
        }
        Ok(units)
    }

    fn contests(&self, draft: &Draft) -> Result<Contests, SetupError> {
        let mut contests = draft.contests.clone();
        let mut scopes = BTreeMap::new();
        for it in &self.contest {
            let contest_id = id("contest.id", &it.id, ContestId::new)?;
            let known = contests.remove(&contest_id);
            let scope: BTreeSet<UnitId> = it
                .scope
                .iter()
                .map(|unit| id("contest.scope", unit, UnitId::new))
                .collect::<Result<_, _>>()?;
            if !scope.is_empty() {
                scopes.insert(contest_id.clone(), scope);
            }
            contests.insert(contest_id, it.read(known)?);
        }
        for contest in contests.values_mut() {
            contest.title = tidy(&contest.title);
            for list in contest.lists.values_mut() {
                list.name = tidy(&list.name);
                list.connection = list.connection.as_deref().map(tidy);
                list.sub_connection = list.sub_connection.as_deref().map(tidy);
                list.candidates.values_mut().for_each(|name| *name = tidy(name));
            }
        }
        Ok((contests, scopes))
    }

    fn centres(
        &self,
        units: &BTreeMap<UnitId, Unit>,
        load: &Load<'_>,
    ) -> Result<BTreeMap<CentreId, Centre>, SetupError> {
        let mut centres = BTreeMap::new();
        if let Some(it) = &self.centres {
            let kind = kind("centres.each", &it.each)?;
            for (unit_id, unit) in units.iter().filter(|(_, unit)| unit.kind == kind) {
                let file = it.key.replace("{unit}", &unit_id.as_str().replace('/', "-"));
                let centre = Centre {
                    name: unit.name.clone(),
                    units: [unit_id.clone()].into(),
                    phones: it.phones.get(unit_id.as_str()).cloned().into_iter().collect(),
                    keys: keys(load, &[file])?,
                };
                centres.insert(id("centres", unit_id.as_str(), CentreId::new)?, centre);
            }
        }
        for it in &self.centre {
            let units = it
                .units
                .iter()
                .map(|unit| id("centre.units", unit, UnitId::new))
                .collect::<Result<_, _>>()?;
            let name = tidy(it.name.as_deref().unwrap_or(&it.id));
            let centre = Centre { name, units, phones: it.phones.clone(), keys: keys(load, &it.keys)? };
            centres.insert(id("centre.id", &it.id, CentreId::new)?, centre);
        }
        Ok(centres)
    }
}

type Contests = (BTreeMap<ContestId, Contest>, BTreeMap<ContestId, BTreeSet<UnitId>>);

/// Puts small units below the unit that reports for them, which takes the place of the first of them.
fn merge(it: &MergeSetup, units: &mut BTreeMap<UnitId, Unit>) -> Result<(), SetupError> {
    let into = id("merge.into", &it.into, UnitId::new)?;
    let members: Vec<UnitId> =
        it.units.iter().map(|unit| id("merge.units", unit, UnitId::new)).collect::<Result<_, _>>()?;
    let mut eligible = Some(0);
    let mut parent = None;
    for member in &members {
        let Some(unit) = units.get_mut(member) else {
            return Err(value("merge.units", &format!("names `{member}`, which is no unit")));
        };
        eligible = eligible.zip(unit.eligible).map(|(sum, n)| sum + n);
        parent = parent.or_else(|| unit.parent.clone());
        unit.parent = Some(into.clone());
    }
    let kind = kind("merge.kind", &it.kind)?;
    let name = tidy(it.name.as_deref().unwrap_or(&it.into));
    units.entry(into).or_insert(Unit { kind, parent, eligible, name });
    Ok(())
}

impl EmbargoSetup {
    fn read(&self) -> Result<Embargo, SetupError> {
        Ok(Embargo {
            publish_from: time("embargo.publish-from", &self.publish_from)?,
            first_slot: time("embargo.first-slot", &self.first_slot)?,
            every: self.every,
            slots: self.slots,
        })
    }
}

impl ContestSetup {
    fn read(&self, known: Option<Contest>) -> Result<Contest, SetupError> {
        let unit = self.unit.as_deref().map(|unit| id("contest.unit", unit, UnitId::new)).transpose()?;
        let method = self.method.as_deref().map(|name| {
            Method::parse(name).ok_or_else(|| value("contest.method", &format!("`{name}` is no method")))
        });
        let method = method.transpose()?;
        let unit = unit.or_else(|| known.as_ref().map(|known| known.unit.clone()));
        let unit = unit.ok_or_else(|| value("contest.unit", "is missing"))?;
        let mut contest = known.unwrap_or_else(|| Contest {
            unit: unit.clone(),
            title: self.id.clone(),
            seats: 0,
            method: Method::None,
            threshold: 0,
            votes_per_ballot: 1,
            lists: BTreeMap::new(),
        });
        contest.unit = unit;
        contest.title = self.title.clone().unwrap_or(contest.title);
        contest.seats = self.seats.unwrap_or(contest.seats);
        contest.method = method.unwrap_or(contest.method);
        contest.threshold = self.threshold.unwrap_or(contest.threshold);
        contest.votes_per_ballot = self.votes_per_ballot.unwrap_or(contest.votes_per_ballot);
        for it in &self.list {
            let list = contest.lists.entry(id("contest.list.id", &it.id, ListId::new)?).or_default();
            it.read(list)?;
        }
        Ok(contest)
    }
}

impl ListSetup {
    fn read(&self, list: &mut List) -> Result<(), SetupError> {
        if let Some(name) = &self.name {
            list.name.clone_from(name);
        }
        list.connection = self.connection.clone().or_else(|| list.connection.take());
        list.sub_connection = self.sub_connection.clone().or_else(|| list.sub_connection.take());
        for (number, name) in &self.candidates {
            let number: CandidateNumber =
                number.parse().map_err(|_| value("contest.list.candidates", "are named by number"))?;
            list.candidates.insert(number, name.clone());
        }
        Ok(())
    }
}

fn value(key: &str, problem: &str) -> SetupError {
    SetupError::Value { key: key.to_owned(), problem: problem.to_owned() }
}

fn id<T>(key: &str, text: &str, new: impl FnOnce(&str) -> Option<T>) -> Result<T, SetupError> {
    new(text).ok_or_else(|| value(key, &format!("`{text}` is no id: 1 to 64 letters, digits and `._:/+-`")))
}

fn kind(key: &str, name: &str) -> Result<UnitKind, SetupError> {
    let all = || UnitKind::ALL.map(UnitKind::name).join(", ");
    UnitKind::parse(name).ok_or_else(|| value(key, &format!("`{name}` is none of {}", all())))
}

fn time(key: &str, text: &str) -> Result<Timestamp, SetupError> {
    Timestamp::parse(text)
        .filter(|time| time.0 % 1000 == 0)
        .ok_or_else(|| value(key, &format!("`{text}` is no time like 2024-06-09T19:00:00+02:00")))
}

fn text(load: &Load<'_>, file: &str) -> Result<String, SetupError> {
    let wrong = |problem| SetupError::File { file: file.to_owned(), problem };
    String::from_utf8(load(file).map_err(wrong)?).map_err(|_| wrong("it is not UTF-8".to_owned()))
}

/// Keys from files, in the order in which definitions have them.
fn keys(load: &Load<'_>, files: &[String]) -> Result<Vec<VerifierKey>, SetupError> {
    let mut keys = Vec::new();
    for file in files {
        let wrong = |problem| SetupError::File { file: file.clone(), problem };
        let key =
            VerifierKey::parse(text(load, file)?.trim_end()).map_err(|error| wrong(error.to_string()))?;
        keys.push(key);
    }
    keys.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(keys)
}
