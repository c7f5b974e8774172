//! `scrutineer.toml`: what is defended, what is known to be good, and what is expected.
//!
//! It is read whole before any work begins. A file with one fault is not used in part: an asset that is
//! left out would be an attack that is not seen. Detectors apply it to rows; readers never see it.

mod asn;
mod check;
mod keys;
mod reference;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use domain::{Asset, Embed, ExpectedEvent, KnownClient, Site};

pub(crate) use check::Fault;
pub(crate) use reference::page as reference_page;

use crate::words::{counted, listed, thousands};
use check::Table;

/// The one name of the file.
pub(crate) const FILE_NAME: &str = "scrutineer.toml";

/// The longest file, in bytes: thousands of assets fit.
const MAX_BYTES: u64 = 4 << 20;

/// A configuration that is whole.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The file, as the user named it or as it was found.
    pub(crate) file: PathBuf,
    /// What judges may know.
    pub(crate) site: Site,
    /// Files that it names. They are no traffic where they lie among it.
    pub(crate) files: Vec<PathBuf>,
    /// What the reader should know of it, one sentence each.
    pub(crate) notes: Vec<String>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file could not be read.
    #[error("could not read configuration `{file}`")]
    Read { file: PathBuf, source: io::Error },
    /// It is too long to be one.
    #[error("configuration `{file}` is larger than {MAX_BYTES} bytes")]
    TooLarge { file: PathBuf },
    /// The table of networks could not be read.
    #[error("could not read `{table}`, the `asn-table` of `{file}`")]
    Networks { file: PathBuf, table: PathBuf, source: io::Error },
    /// Something in it is wrong.
    #[error("configuration `{file}` has {}", counted(.faults.len() as u64, "fault", "faults"))]
    Faults { file: PathBuf, faults: Vec<Fault> },
}

impl ConfigError {
    /// What the user can do.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } => None,
            Self::TooLarge { .. } => Some("name a file that is written by hand with --config".to_owned()),
            Self::Networks { .. } => Some(
                "name a table of first address, last address, number, country and name, or leave `asn-table` out"
                    .to_owned(),
            ),
            Self::Faults { .. } => {
                Some("`scrutineer config reference` explains every key with an example".to_owned())
            }
        }
    }

    /// The faults, each with its place and its remedy.
    pub(crate) fn details(&self) -> String {
        let Self::Faults { file, faults } = self else { return String::new() };
        let mut text = String::new();
        for Fault { line, what, remedy } in faults {
            write!(text, "\n  {}:{line}: {what}\n      {remedy}", file.display())
                .expect("internal error: writing to a string");
        }
        text
    }
}

/// The configuration for a run that names none: the one in the current folder, else the first that lies
/// in a folder that is read or beside a file that is read.
pub(crate) fn find(inputs: &[PathBuf]) -> Option<PathBuf> {
    let beside = inputs.iter().map(|input| {
        let folder = if input.is_dir() { Some(input.as_path()) } else { input.parent() };
        folder.unwrap_or(Path::new("")).join(FILE_NAME)
    });
    std::iter::once(PathBuf::from(FILE_NAME)).chain(beside).find(|file| file.is_file())
}

/// Reads and checks a configuration with the table that it names.
pub(crate) fn load(file: &Path) -> Result<Config, ConfigError> {
    let read = |source| ConfigError::Read { file: file.to_owned(), source };
    if fs::metadata(file).map_err(read)?.len() > MAX_BYTES {
        return Err(ConfigError::TooLarge { file: file.to_owned() });
    }
    let text = fs::read_to_string(file).map_err(read)?;
    let Parsed { mut site, networks } =
        parse(&text).map_err(|faults| ConfigError::Faults { file: file.to_owned(), faults })?;
    let mut config =
        Config { file: file.to_owned(), site: Site::default(), files: vec![file.to_owned()], notes: vec![] };
    if let Some((line, name)) = networks {
        let table = file.parent().unwrap_or(Path::new("")).join(&name);
        let failed = |source| ConfigError::Networks { file: file.to_owned(), table: table.clone(), source };
        let read =
            ingest::plain(&table).map_err(failed).and_then(|input| asn::read(input).map_err(failed))?;
        if read.table.is_empty() {
            let fault = Fault {
                line,
                what: format!("`{name}` has no line that is a range of addresses with its network"),
                remedy: "its lines are first address, last address, number, country, name".to_owned(),
            };
            return Err(ConfigError::Faults { file: file.to_owned(), faults: vec![fault] });
        }
        if let Some(first) = read.first_bad {
            config.notes.push(format!(
                "{} of `{}` could not be read, the first in line {}; their networks have no name.",
                counted(read.bad, "line", "lines"),
                table.display(),
                thousands(first),
            ));
        }
        site.networks = read.table;
        config.files.push(table);
    }
    config.site = site;
    Ok(config)
}

/// A text that is whole.
#[derive(Debug)]
struct Parsed {
    site: Site,
    /// The table of networks, as it is named, and in which line.
    networks: Option<(usize, String)>,
}

/// What the text says, or every fault in it in order of line.
fn parse(text: &str) -> Result<Parsed, Vec<Fault>> {
    let (root, mut faults) = check::check(text);
    cross_check(&root, &mut faults);
    if !faults.is_empty() {
        faults.sort();
        return Err(faults);
    }
    let networks = root.text("asn-table").map(|name| (root.line_of("asn-table"), name.to_owned()));
    Ok(Parsed { site: site(&root), networks })
}

/// Faults that show only when keys are seen together.
fn cross_check(root: &Table, faults: &mut Vec<Fault>) {
    let mut lines_of: BTreeMap<&str, usize> = BTreeMap::new();
    for asset in root.tables("assets") {
        let Some(id) = asset.text("id") else { continue };
        if let Some(line) = lines_of.insert(id, asset.line_of("id")) {
            faults.push(Fault {
                line: asset.line_of("id"),
                what: format!("two assets have the id `{id}`; the other stands in line {line}"),
                remedy: "give each its own".to_owned(),
            });
        }
        if !["prefixes", "hosts"].iter().any(|key| asset.has(key)) {
            faults.push(Fault {
                line: asset.line,
                what: format!("asset `{id}` has neither `prefixes` nor `hosts`"),
                remedy: "say by which of them its traffic can be told".to_owned(),
            });
        }
    }
    for event in root.tables("events") {
        if let (Some(from), Some(until)) = (event.time("from"), event.time("until"))
            && until <= from
        {
            faults.push(Fault {
                line: event.line_of("until"),
                what: format!("`until` ({until}) is not after `from` ({from})"),
                remedy: "look at the day and at the zone of both".to_owned(),
            });
        }
        if let Some(asset) = event.text("asset")
            && !lines_of.contains_key(asset)
        {
            faults.push(Fault {
                line: event.line_of("asset"),
                what: format!("no asset has the id `{asset}`"),
                remedy: check::nearest(asset, lines_of.keys().copied()).map_or_else(
                    || "name the `id` of one of the `[[assets]]`, or leave the line out".to_owned(),
                    |id| format!("did you mean `{id}`?"),
                ),
            });
        }
    }
}

fn site(root: &Table) -> Site {
    let text = |table: &Table, key| table.text(key).unwrap_or_default().to_owned();
    let good = root.tables("known-good").first();
    let inner = |key| good.map_or(&[][..], |good| good.tables(key));
    Site {
        assets: root
            .tables("assets")
            .iter()
            .map(|asset| Asset {
                id: text(asset, "id"),
                name: asset.text("name").or(asset.text("id")).unwrap_or_default().to_owned(),
                prefixes: asset.prefixes("prefixes"),
                hosts: asset.texts("hosts"),
            })
            .collect(),
        own: good.map(|good| good.prefixes("own")).unwrap_or_default(),
        proxies: good.map(|good| good.prefixes("proxies")).unwrap_or_default(),
        known: inner("clients")
            .iter()
            .map(|known| KnownClient { name: text(known, "name"), prefixes: known.prefixes("prefixes") })
            .collect(),
        embeds: inner("embeds")
            .iter()
            .map(|embed| Embed {
                name: text(embed, "name"),
                hosts: embed.texts("hosts"),
                paths: embed.texts("paths"),
            })
            .collect(),
        events: root
            .tables("events")
            .iter()
            .filter_map(|event| {
                Some(ExpectedEvent {
                    name: text(event, "name"),
                    from: event.time("from")?,
                    until: event.time("until")?,
                    asset: event.text("asset").map(str::to_owned),
                })
            })
            .collect(),
        networks: domain::AsnTable::default(),
    }
}

/// What a configuration holds, as a phrase.
pub(crate) fn contents(site: &Site) -> String {
    let parts: Vec<String> = [
        (site.assets.len(), "asset", "assets"),
        (site.own.len(), "own network", "own networks"),
        (site.proxies.len(), "proxy", "proxies"),
        (site.known.len(), "known client", "known clients"),
        (site.embeds.len(), "embed", "embeds"),
        (site.events.len(), "expected event", "expected events"),
        (
            site.networks.len(),
            "range of addresses with its network",
            "ranges of addresses with their networks",
        ),
    ]
    .into_iter()
    .filter(|(n, ..)| *n > 0)
    .map(|(n, one, many)| counted(n as u64, one, many))
    .collect();
    if parts.is_empty() { "nothing".to_owned() } else { listed(&parts) }
}

#[cfg(test)]
mod tests;
