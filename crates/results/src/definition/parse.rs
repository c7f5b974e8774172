//! Reading a definition's text.

use std::collections::{BTreeMap, BTreeSet};

use tlog::{Policy, VerifierKey};

use super::audit::DefinitionError;
use super::{
    Centre, Channel, ChannelKind, Contest, DEFINITION, Definition, Embargo, List, MAX_DEFINITION_BYTES,
    Method, Reach, Standing, Unit, UnitKind, Validator,
};
use crate::id::{CentreId, ContestId, ElectionId, ListId, UnitId, is_id};
use crate::lines::{DocumentError, Lines, parse_time, parse_u32};
use crate::votes::Votes;

/// Reads the text; what its parts say about each other is left to the audit.
pub(super) fn definition(bytes: &[u8]) -> Result<Definition, DefinitionError> {
    if bytes.len() > MAX_DEFINITION_BYTES {
        return Err(DefinitionError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| DefinitionError::NotUtf8)?;
    let mut lines = Lines::of(text, DEFINITION)?;
    let election = lines.parse("election", ElectionId::new)?;
    let title = lines.one("title")?.to_owned();
    let day = lines
        .parse("day", |day| (day.parse::<jiff::civil::Date>().ok()?.to_string() == day).then_some(day))?;
    let zone = lines.parse("zone", |zone| is_id(zone).then_some(zone))?;
    let closes = lines.parse("closes", parse_time)?;
    let embargo = lines.parse("embargo", embargo)?;
    let least_cast = lines.parse("least-cast", Votes::parse)?.0;
    let fresh_for = lines.parse("fresh-for", Votes::parse)?.0;
    let authority_threshold = lines.parse("threshold", parse_u32)? as usize;
    let authority = keys(&mut lines, "authority")?;
    let release = keys(&mut lines, "release")?;
    let mut policy_lines = Vec::new();
    while let Some(line) = lines.maybe("policy")? {
        policy_lines.push(line.to_owned());
    }
    let policy =
        Policy::parse(policy_lines.iter().map(|line| format!("{line}\n")).collect::<String>().as_bytes())
            .map_err(DefinitionError::Policy)?;
    let log = log(&mut lines)?;
    let channels = channels(&mut lines)?;
    let validators = validators(&mut lines)?;
    let units = units(&mut lines)?;
    let mut merged = BTreeSet::new();
    while let Some(unit) = lines.maybe("merged")? {
        ascending(&lines, merged.last().map(UnitId::as_str), unit)?;
        merged.insert(id(&lines, unit, UnitId::new)?);
    }
    let (contests, scopes) = contests(&mut lines)?;
    let centres = centres(&mut lines)?;
    lines.end()?;
    Ok(Definition {
        election,
        title,
        day: day.to_owned(),
        zone: zone.to_owned(),
        closes,
        embargo,
        least_cast,
        fresh_for,
        authority_threshold,
        authority,
        release,
        policy_lines,
        policy,
        log,
        channels,
        validators,
        units,
        merged,
        contests,
        scopes,
        centres,
    })
}

#[expect(
    clippy::option_option,
    reason = "the outer one is whether the text is right, the inner whether there is an embargo"
)]
fn embargo(text: &str) -> Option<Option<Embargo>> {
    if text == "none" {
        return Some(None);
    }
    let [publish_from, first_slot, every, slots] = words(text)?;
    let embargo = Embargo {
        publish_from: parse_time(publish_from)?,
        first_slot: parse_time(first_slot)?,
        every: parse_u32(every).filter(|n| *n > 0)?,
        slots: parse_u32(slots)?,
    };
    Some(Some(embargo))
}

/// Exactly so many words.
fn words<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split(' ').collect::<Vec<_>>().try_into().ok()
}

/// So many words, and the rest of the line as a name.
fn words_and_name<const N: usize>(text: &str) -> Option<([&str; N], &str)> {
    let mut parts = text.splitn(N + 1, ' ');
    let mut found = [""; N];
    for word in &mut found {
        *word = parts.next()?;
    }
    Some((found, parts.next()?))
}

/// Keys, ascending by name.
fn keys(lines: &mut Lines<'_>, word: &str) -> Result<Vec<VerifierKey>, DocumentError> {
    let mut keys: Vec<VerifierKey> = Vec::new();
    while let Some(text) = lines.maybe(word)? {
        let key = one_key(lines, text)?;
        ascending(lines, keys.last().map(VerifierKey::name), key.name())?;
        keys.push(key);
    }
    Ok(keys)
}

fn one_key(lines: &Lines<'_>, text: &str) -> Result<VerifierKey, DocumentError> {
    let key = VerifierKey::parse(text).map_err(|reason| lines.before(reason.to_string()))?;
    if key.to_string() != text {
        return Err(lines.before(format!("key `{}` has a second spelling", key.name())));
    }
    Ok(key)
}

fn ascending(lines: &Lines<'_>, last: Option<&str>, next: &str) -> Result<(), DocumentError> {
    if last.is_some_and(|last| last >= next) {
        return Err(lines.before(format!("`{next}` stands twice or out of order")));
    }
    Ok(())
}

fn id<T>(lines: &Lines<'_>, text: &str, new: impl FnOnce(&str) -> Option<T>) -> Result<T, DocumentError> {
    new(text)
        .ok_or_else(|| lines.before(format!("`{text}` is no id: letters, digits and `._:/+-`, 64 at most")))
}

fn channels(lines: &mut Lines<'_>) -> Result<Vec<Channel>, DocumentError> {
    let mut channels: Vec<Channel> = Vec::new();
    while let Some(text) = lines.maybe("channel")? {
        let read = words(text).and_then(|[id, kind, operator, supplier, address]: [&str; 5]| {
            let kind = ChannelKind::parse(kind)?;
            [id, operator, supplier].iter().all(|id| is_id(id)).then(|| Channel {
                id: id.to_owned(),
                kind,
                operator: operator.to_owned(),
                supplier: supplier.to_owned(),
                address: address.to_owned(),
                reach: Reach::default(),
            })
        });
        let mut channel = read.ok_or_else(|| {
            lines.before(
                "a channel is `id official|mirror|validator|broadcast operator supplier address`".to_owned(),
            )
        })?;
        ascending(lines, channels.last().map(|last| last.id.as_str()), &channel.id)?;
        channel.reach = reach(lines)?;
        channels.push(channel);
    }
    Ok(channels)
}

/// `network ID` and `dns ID`, each where it is said.
fn reach(lines: &mut Lines<'_>) -> Result<Reach, DocumentError> {
    let mut one = |key: &str| match lines.maybe(key)? {
        None => Ok(None),
        Some(text) if is_id(text) => Ok(Some(text.to_owned())),
        Some(text) => Err(lines.before(format!("`{text}` is no id"))),
    };
    Ok(Reach { network: one("network")?, dns: one("dns")? })
}

fn log(lines: &mut Lines<'_>) -> Result<Option<Standing>, DocumentError> {
    let Some(text) = lines.maybe("log")? else { return Ok(None) };
    let ids = words(text).filter(|ids: &[&str; 2]| ids.iter().all(|id| is_id(id)));
    let [operator, supplier] = ids.ok_or_else(|| lines.before("a log is `operator supplier`".to_owned()))?;
    let (operator, supplier) = (operator.to_owned(), supplier.to_owned());
    Ok(Some(Standing { operator, supplier, reach: reach(lines)? }))
}

fn validators(lines: &mut Lines<'_>) -> Result<BTreeMap<String, Validator>, DocumentError> {
    let mut validators: BTreeMap<String, Validator> = BTreeMap::new();
    while let Some(text) = lines.maybe("validator")? {
        let ids = words(text).filter(|[ids @ .., _]: &[&str; 4]| ids.iter().all(|id| is_id(id)));
        let [id, operator, supplier, key] =
            ids.ok_or_else(|| lines.before("a validator is `id operator supplier key`".to_owned()))?;
        ascending(lines, validators.last_key_value().map(|(last, _)| last.as_str()), id)?;
        let key = one_key(lines, key)?;
        let (operator, supplier) = (operator.to_owned(), supplier.to_owned());
        let standing = Standing { operator, supplier, reach: reach(lines)? };
        validators.insert(id.to_owned(), Validator { standing, key });
    }
    Ok(validators)
}

/// Whether a text may be a number to call: `+` and 5 to 15 digits, as in ITU-T E.164.
pub(crate) fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn units(lines: &mut Lines<'_>) -> Result<BTreeMap<UnitId, Unit>, DocumentError> {
    let mut units: BTreeMap<UnitId, Unit> = BTreeMap::new();
    while let Some(text) = lines.maybe("unit")? {
        let read = words_and_name(text).and_then(|([id, kind, parent, eligible], name): ([&str; 4], _)| {
            let parent = if parent == "-" { None } else { Some(UnitId::new(parent)?) };
            let eligible = if eligible == "-" { None } else { Some(Votes::parse(eligible)?.0) };
            let kind = UnitKind::parse(kind)?;
            // `-` stands for no unit, so no unit can have that name.
            Some((
                UnitId::new(id).filter(|_| id != "-")?,
                Unit { kind, parent, eligible, name: name.to_owned() },
            ))
        });
        let (id, unit) =
            read.ok_or_else(|| lines.before("a unit is `id kind parent|- eligible|- name`".to_owned()))?;
        ascending(lines, units.last_key_value().map(|(last, _)| last.as_str()), id.as_str())?;
        units.insert(id, unit);
    }
    Ok(units)
}

type Contests = (BTreeMap<ContestId, Contest>, BTreeMap<ContestId, BTreeSet<UnitId>>);

fn contests(lines: &mut Lines<'_>) -> Result<Contests, DocumentError> {
    let mut contests: BTreeMap<ContestId, Contest> = BTreeMap::new();
    let mut scopes = BTreeMap::new();
    while let Some(text) = lines.maybe("contest")? {
        let read = words_and_name(text).and_then(|(words, title): ([&str; 6], _)| {
            let [id, unit, method, seats, threshold, votes] = words;
            let contest = Contest {
                unit: UnitId::new(unit)?,
                title: title.to_owned(),
                seats: parse_u32(seats)?,
                method: Method::parse(method)?,
                threshold: parse_u32(threshold).filter(|n| *n <= 10_000)?,
                votes_per_ballot: parse_u32(votes).filter(|n| *n > 0)?,
                lists: BTreeMap::new(),
            };
            Some((ContestId::new(id)?, contest))
        });
        let (contest_id, mut contest) = read.ok_or_else(|| {
            lines.before("a contest is `id unit method seats threshold votes-per-ballot title`".to_owned())
        })?;
        ascending(lines, contests.last_key_value().map(|(last, _)| last.as_str()), contest_id.as_str())?;
        let mut scope = BTreeSet::new();
        while let Some(unit) = lines.maybe("scope")? {
            ascending(lines, scope.last().map(UnitId::as_str), unit)?;
            scope.insert(id(lines, unit, UnitId::new)?);
        }
        if !scope.is_empty() {
            scopes.insert(contest_id.clone(), scope);
        }
        contest.lists = lists(lines)?;
        contests.insert(contest_id, contest);
    }
    Ok((contests, scopes))
}

fn lists(lines: &mut Lines<'_>) -> Result<BTreeMap<ListId, List>, DocumentError> {
    let mut lists: BTreeMap<ListId, List> = BTreeMap::new();
    while let Some(text) = lines.maybe("list")? {
        let Some(([name_id], name)) = words_and_name(text) else {
            return Err(lines.before("a list is `id name`".to_owned()));
        };
        ascending(lines, lists.last_key_value().map(|(last, _)| last.as_str()), name_id)?;
        let list_id = id(lines, name_id, ListId::new)?;
        let connection = lines.maybe("connection")?.map(str::to_owned);
        let sub_connection = lines.maybe("sub-connection")?.map(str::to_owned);
        let mut candidates = BTreeMap::new();
        while let Some(text) = lines.maybe("candidate")? {
            let read = words_and_name(text).and_then(|([number], name)| Some((parse_u32(number)?, name)));
            let (number, name) =
                read.ok_or_else(|| lines.before("a candidate is `number name`".to_owned()))?;
            if candidates.last_key_value().is_some_and(|(last, _)| *last >= number) {
                return Err(lines.before(format!("candidate {number} stands twice or out of order")));
            }
            candidates.insert(number, name.to_owned());
        }
        lists.insert(list_id, List { name: name.to_owned(), connection, sub_connection, candidates });
    }
    Ok(lists)
}

fn centres(lines: &mut Lines<'_>) -> Result<BTreeMap<CentreId, Centre>, DocumentError> {
    let mut centres: BTreeMap<CentreId, Centre> = BTreeMap::new();
    while let Some(text) = lines.maybe("centre")? {
        let Some(([name_id], name)) = words_and_name(text) else {
            return Err(lines.before("a centre is `id name`".to_owned()));
        };
        ascending(lines, centres.last_key_value().map(|(last, _)| last.as_str()), name_id)?;
        let centre_id = id(lines, name_id, CentreId::new)?;
        let mut units = BTreeSet::new();
        while let Some(unit) = lines.maybe("may")? {
            ascending(lines, units.last().map(UnitId::as_str), unit)?;
            units.insert(id(lines, unit, UnitId::new)?);
        }
        let mut phones = BTreeSet::new();
        while let Some(phone) = lines.maybe("phone")? {
            ascending(lines, phones.last().map(String::as_str), phone)?;
            if !is_phone(phone) {
                return Err(lines.before(format!("`{phone}` is no number like +38615551234")));
            }
            phones.insert(phone.to_owned());
        }
        let keys = keys(lines, "key")?;
        centres.insert(centre_id, Centre { name: name.to_owned(), units, phones, keys });
    }
    Ok(centres)
}
