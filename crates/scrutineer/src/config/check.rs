//! From the text of a configuration to values of the kinds that the table of keys asks for, with every
//! fault and its line.

use std::collections::BTreeMap;

use domain::{Prefix, Timestamp};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{Key, Kind, ROOT, Section};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    /// Line of the file, from 1.
    pub(crate) line: usize,
    /// What is wrong, as a phrase in lower case.
    pub(crate) what: String,
    /// What to write instead.
    pub(crate) remedy: String,
}

/// A section whose keys are known and whose values are of their kinds.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Where it begins.
    pub(super) line: usize,
    values: BTreeMap<&'static str, (usize, Value)>,
}

#[derive(Debug)]
enum Value {
    Text(String),
    Texts(Vec<String>),
    Prefixes(Vec<Prefix>),
    Time(Timestamp),
    Tables(Vec<Table>),
}

impl Table {
    /// Line of a key; of the section where it has none.
    pub(super) fn line_of(&self, key: &str) -> usize {
        self.values.get(key).map_or(self.line, |(line, _)| *line)
    }

    /// True where the key was read, though perhaps not all of its values.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some((_, Value::Text(text))) => Some(text),
            _ => None,
        }
    }

    pub(super) fn time(&self, key: &str) -> Option<Timestamp> {
        match self.values.get(key) {
            Some((_, Value::Time(time))) => Some(*time),
            _ => None,
        }
    }

    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        match self.values.get(key) {
            Some((_, Value::Texts(texts))) => texts.clone(),
            _ => Vec::new(),
        }
    }

    pub(super) fn prefixes(&self, key: &str) -> Vec<Prefix> {
        match self.values.get(key) {
            Some((_, Value::Prefixes(prefixes))) => prefixes.clone(),
            _ => Vec::new(),
        }
    }

    /// The sections of that name; one or none where there can be only one.
    pub(super) fn tables(&self, key: &str) -> &[Table] {
        match self.values.get(key) {
            Some((_, Value::Tables(tables))) => tables,
            _ => &[],
        }
    }
}

/// Reads the text. What is of its kind stands in the table; what is not is a fault.
pub(super) fn check(text: &str) -> (Table, Vec<Fault>) {
    let lines = LineStarts::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // After a fault of syntax the rest is a guess, and a guess would be blamed for more faults.
        let faults = errors.iter().map(|error| Fault {
            line: error.span().map_or(1, |span| lines.line_of(span.start)),
            what: error.message().trim().replace('\n', ", "),
            remedy: "write it as TOML: `key = \"text\"`, `key = [\"a\", \"b\"]`, `[section]`".to_owned(),
        });
        return (Table::default(), faults.collect());
    }
    let mut checking = Checking { lines, faults: Vec::new() };
    let table = checking.section(&ROOT, table.get_ref(), 1);
    (table, checking.faults)
}

struct Checking {
    lines: LineStarts,
    faults: Vec<Fault>,
}

impl Checking {
    fn fault(&mut self, line: usize, what: impl Into<String>, remedy: impl Into<String>) {
        self.faults.push(Fault { line, what: what.into(), remedy: remedy.into() });
    }

    fn section(&mut self, section: &'static Section, table: &DeTable<'_>, line: usize) -> Table {
        let mut checked = Table { line, values: BTreeMap::new() };
        for (name, value) in table {
            let line = self.lines.line_of(name.span().start);
            let Some(key) = section.keys.iter().find(|key| key.name == name.get_ref().as_ref()) else {
                self.unknown(section, name.get_ref(), line);
                continue;
            };
            if let Some(value) = self.value(section, key, value, line) {
                checked.values.insert(key.name, (line, value));
            }
        }
        for key in section.keys.iter().filter(|key| key.needed) {
            if !table.keys().any(|name| name.get_ref().as_ref() == key.name) {
                let remedy = format!("add a line such as `{} = {}`", key.name, key.example);
                self.fault(line, format!("{} has no `{}`", place(section), key.name), remedy);
            }
        }
        checked
    }

    fn unknown(&mut self, section: &Section, name: &str, line: usize) {
        let what = format!("{} has no key `{name}`", place_of_keys(section));
        let elsewhere = ROOT.keys.iter().find(|key| key.name == name);
        let remedy = match elsewhere.map(|key| key.kind) {
            Some(Kind::Section(there) | Kind::Sections(there)) => {
                format!("begin it with a line `{}`", there.title)
            }
            Some(_) => format!("move `{name}` to the top of the file, before the first section"),
            None => {
                if let Some(key) = nearest(name, section.keys.iter().map(|key| key.name)) {
                    format!("did you mean `{key}`?")
                } else {
                    let keys: Vec<String> =
                        section.keys.iter().map(|key| format!("`{}`", key.name)).collect();
                    format!("its keys are {}", keys.join(", "))
                }
            }
        };
        self.fault(line, what, remedy);
    }

    fn value(
        &mut self,
        section: &Section,
        key: &Key,
        value: &Spanned<DeValue<'_>>,
        line: usize,
    ) -> Option<Value> {
        let taken = match (key.kind, value.get_ref()) {
            (Kind::Section(inner), DeValue::Table(table)) => {
                Value::Tables(vec![self.section(inner, table, line)])
            }
            (Kind::Sections(inner), DeValue::Array(items)) => {
                let mut tables = Vec::new();
                for item in items {
                    let line = self.lines.line_of(item.span().start);
                    match item.get_ref() {
                        DeValue::Table(table) => tables.push(self.section(inner, table, line)),
                        _ => self.fault(
                            line,
                            format!("`{}` holds something that is no section", key.name),
                            format!("begin each with a line `{}`", inner.title),
                        ),
                    }
                }
                Value::Tables(tables)
            }
            (Kind::Section(inner) | Kind::Sections(inner), _) => {
                let what = format!("`{}` is not written as a section", key.name);
                self.fault(line, what, format!("begin it with a line `{}`", inner.title));
                return None;
            }
            (Kind::Text | Kind::File, DeValue::String(text)) if !text.trim().is_empty() => {
                Value::Text(text.trim().to_owned())
            }
            (Kind::Id | Kind::AssetId, DeValue::String(text)) if is_id(text) => Value::Text(text.to_string()),
            (Kind::Time, DeValue::Datetime(time)) => self.time(&time.to_string(), key, line)?,
            (Kind::Time, DeValue::String(text)) => self.time(text, key, line)?,
            (Kind::Prefixes, DeValue::Array(_)) => {
                let parts = self.list(key, value)?;
                Value::Prefixes(
                    parts.iter().filter_map(|(line, text)| self.taken(*line, prefix(text))).collect(),
                )
            }
            (Kind::Hosts, DeValue::Array(_)) => {
                let parts = self.list(key, value)?;
                Value::Texts(parts.iter().filter_map(|(line, text)| self.taken(*line, host(text))).collect())
            }
            (Kind::Paths, DeValue::Array(_)) => {
                let parts = self.list(key, value)?;
                Value::Texts(parts.iter().filter_map(|(line, text)| self.taken(*line, path(text))).collect())
            }
            _ => {
                let what = format!("`{}` in {} is not a {}", key.name, place(section), key.kind.words());
                self.fault(line, what, format!("write it as in `{} = {}`", key.name, key.example));
                return None;
            }
        };
        Some(taken)
    }

    /// The texts of a list with their lines.
    fn list(&mut self, key: &Key, value: &Spanned<DeValue<'_>>) -> Option<Vec<(usize, String)>> {
        let items = value.get_ref().as_array()?;
        let mut parts = Vec::new();
        for item in items {
            let line = self.lines.line_of(item.span().start);
            match item.get_ref() {
                DeValue::String(text) => parts.push((line, text.trim().to_owned())),
                _ => self.fault(
                    line,
                    format!("`{}` holds something that is no text", key.name),
                    format!("write it as in `{} = {}`", key.name, key.example),
                ),
            }
        }
        if items.is_empty() {
            let line = self.lines.line_of(value.span().start);
            self.fault(line, format!("`{}` is empty", key.name), "fill it, or leave the line out");
        }
        Some(parts)
    }

    fn taken<T>(&mut self, line: usize, read: Result<T, (String, String)>) -> Option<T> {
        read.map_err(|(what, remedy)| self.fault(line, what, remedy)).ok()
    }

    fn time(&mut self, text: &str, key: &Key, line: usize) -> Option<Value> {
        let time = Timestamp::parse(text.trim());
        if time.is_none() {
            self.fault(
                line,
                format!("`{}` is not a date and time with its zone", key.name),
                format!("write it as in `{} = {}`", key.name, key.example),
            );
        }
        time.map(Value::Time)
    }
}

fn place(section: &Section) -> String {
    if section.title.is_empty() { "the file".to_owned() } else { format!("`{}`", section.title) }
}

fn place_of_keys(section: &Section) -> String {
    if section.title.is_empty() { "the top of the file".to_owned() } else { format!("`{}`", section.title) }
}

/// The name that somebody may have meant: at most a letter in four is another.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|known| (strsim::damerau_levenshtein(known, &name.to_lowercase()), known))
        .min()
        .filter(|(letters, known)| *letters <= 1 + known.len() / 4)
        .map(|(_, known)| known)
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// What was read, or what is wrong with it and what to write instead.
type Read<T> = Result<T, (String, String)>;

fn prefix(text: &str) -> Read<Prefix> {
    let Some(prefix) = Prefix::parse(text) else {
        return Err((
            format!("`{text}` is neither an address nor a network"),
            "write an address, or a network such as `192.0.2.0/24` or `2001:db8::/32`".to_owned(),
        ));
    };
    if prefix.bits() == 0 {
        return Err((
            format!("`{text}` is every address there is"),
            "name the networks that are meant".to_owned(),
        ));
    }
    let written = text.split('/').next().unwrap_or_default().trim();
    if written.parse() != Ok(prefix.net()) {
        return Err((
            format!("`{text}` is an address inside of `{prefix}`"),
            format!("write `{prefix}` for the network, or `{written}` for the one address"),
        ));
    }
    Ok(prefix)
}

fn host(text: &str) -> Read<String> {
    let wrong = |remedy: &str| Err((format!("`{text}` is not a host name"), remedy.to_owned()));
    if text.contains("://") || text.contains('/') {
        return wrong("write the name alone, without scheme and path: `results.example`");
    }
    if text.contains('*') {
        return wrong("name each host; patterns are not read");
    }
    if text.contains(':') && text.parse::<std::net::Ipv6Addr>().is_err() {
        return wrong("leave the port out");
    }
    let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    if text.is_empty() || text.len() > 253 || !text.chars().all(good) {
        return wrong("write the name alone: `results.example`");
    }
    Ok(text.trim_end_matches('.').to_lowercase())
}

fn path(text: &str) -> Read<String> {
    let wrong = |remedy: &str| Err((format!("`{text}` is not a path"), remedy.to_owned()));
    if text.contains("://") {
        return wrong("write the part after the host: `/results`");
    }
    if text.contains(['*', '?', '#']) {
        return wrong("write each path whole; there are no patterns, and queries are passed over");
    }
    if !text.starts_with('/') {
        return wrong("begin it with `/`");
    }
    Ok(text.to_owned())
}

/// Where the lines of a text begin.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    fn line_of(&self, byte: usize) -> usize {
        self.0.partition_point(|start| *start <= byte)
    }
}
