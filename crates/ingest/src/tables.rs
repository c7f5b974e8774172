//! Tables: what the columns of a CSV or Parquet file mean.
//!
//! Names in a table are kept as they are. An empty field and `NA`, which is how R writes a missing
//! value, are missing.

use traffic::{Action, Platform, Trace};

use crate::problems::Reason;
use crate::records::Context;
use crate::rows::{Draft, ObjectName, Rows};

/// Which column has which role. Columns are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One row, one object: the layout of CooRTweet, and ours.
    Long { account: usize, object: usize, time: usize, optional: Optional },
    /// One row, one post with up to four objects: the layout of `german_elections.csv`.
    Wide { account: usize, time: usize, post: Option<usize>, objects: Vec<(usize, &'static str, Trace)> },
}

/// Columns of the long layout that may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Optional {
    post: Option<usize>,
    trace: Option<usize>,
    action: Option<usize>,
    platform: Option<usize>,
    author: Option<usize>,
}

const ACCOUNT: &[&str] = &["account_id", "account"];
const OBJECT: &[&str] = &["object_id", "object"];
const TIME: &[&str] = &["timestamp_share", "timestamp", "time", "ts"];
const POST: &[&str] = &["content_id", "post_id", "post"];

/// Prefixes that say what kind of object a name is. They stay part of the name.
const PREFIXES: [(&str, Trace); 4] = [
    ("url_", Trace::Url),
    ("domain_", Trace::Domain),
    ("hashtag_", Trace::Hashtag),
    ("phash_", Trace::Media),
];

impl Layout {
    /// The layout that these column names make, or which column is missing.
    pub(crate) fn of(names: &[String]) -> Result<Self, String> {
        let names: Vec<String> = names.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        let find =
            |spellings: &[&str]| spellings.iter().find_map(|s| names.iter().position(|name| name == s));
        let need = |spellings: &[&str]| find(spellings).ok_or_else(|| format!("no column {}", spellings[0]));
        let account = need(ACCOUNT)?;
        let time = need(TIME)?;
        if let Some(object) = find(OBJECT) {
            let optional = Optional {
                post: find(POST),
                trace: find(&["trace"]),
                action: find(&["action"]),
                platform: find(&["platform"]),
                author: find(&["author_id", "author"]),
            };
            return Ok(Self::Long { account, object, time, optional });
        }
        let objects: Vec<_> = PREFIXES
            .iter()
            .filter_map(|&(prefix, trace)| {
                find(&[format!("{prefix}id").as_str()]).map(|column| (column, prefix, trace))
            })
            .collect();
        if objects.is_empty() {
            return Err("no column object_id, url_id, domain_id, hashtag_id or phash_id".to_owned());
        }
        Ok(Self::Wide { account, time, post: find(POST), objects })
    }

    /// Numbers that serve as names: the places of account, object and time.
    pub(crate) fn of_numbers([account, object, time]: [usize; 3]) -> Self {
        Self::Long { account, object, time, optional: Optional::default() }
    }

    /// The columns that are needed, in ascending order.
    pub(crate) fn columns(&self) -> Vec<usize> {
        let mut columns = match self {
            Self::Long { account, object, time, optional: o } => {
                let mut columns = vec![*account, *object, *time];
                columns.extend([o.post, o.trace, o.action, o.platform, o.author].into_iter().flatten());
                columns
            }
            Self::Wide { account, time, post, objects } => {
                let mut columns = vec![*account, *time];
                columns.extend(*post);
                columns.extend(objects.iter().map(|(column, ..)| *column));
                columns
            }
        };
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Reads one row. Gives a reason where something had to be corrected.
    ///
    /// # Errors
    /// The row is refused; nothing of it was taken.
    pub(crate) fn read<'a>(
        &self,
        field: impl Fn(usize) -> &'a [u8],
        context: &Context,
        rows: &mut Rows,
    ) -> Result<Option<Reason>, Reason> {
        let field = |column: usize| present(field(column));
        let maybe = |column: Option<usize>| column.map_or(&[][..], &field);
        let time = |column| context.bounds.read(field(column));
        let corrected = |zone_missing: bool| zone_missing.then_some(Reason::NoZone);
        match self {
            Self::Long { account, object, time: at, optional } => {
                let name = field(*object);
                let time = time(*at)?;
                let account = field(*account);
                let author = maybe(optional.author);
                rows.push(&Draft {
                    account,
                    object: ObjectName::plain(name),
                    trace: match maybe(optional.trace) {
                        [] => trace_of(name).unwrap_or(context.default_trace),
                        trace => parse(trace, Trace::parse).ok_or(Reason::UnknownTrace)?,
                    },
                    action: match maybe(optional.action) {
                        [] => Action::Share,
                        action => parse(action, Action::parse).ok_or(Reason::UnknownAction)?,
                    },
                    time: time.millis,
                    post: maybe(optional.post),
                    platform: match maybe(optional.platform) {
                        [] => platform_of(account),
                        platform => parse(platform, Platform::parse).ok_or(Reason::UnknownPlatform)?,
                    },
                    author: (!author.is_empty()).then_some(author),
                })?;
                Ok(corrected(time.zone_missing))
            }
            Self::Wide { account, time: at, post, objects } => {
                let time = time(*at)?;
                let account = field(*account);
                if account.is_empty() {
                    return Err(Reason::NoAccount);
                }
                let long = |name: &[u8]| name.len() > crate::MAX_NAME;
                if long(account) || objects.iter().any(|(column, ..)| long(field(*column))) {
                    return Err(Reason::NameTooLong);
                }
                for &(column, prefix, trace) in objects {
                    let name = field(column);
                    if name.is_empty() {
                        continue;
                    }
                    rows.push(&Draft {
                        account,
                        object: ObjectName { prefix, account: None, rest: name },
                        trace,
                        action: Action::Share,
                        time: time.millis,
                        post: maybe(*post),
                        platform: platform_of(account),
                        author: None,
                    })?;
                }
                Ok(corrected(time.zone_missing))
            }
        }
    }
}

fn present(field: &[u8]) -> &[u8] {
    match field.trim_ascii() {
        b"NA" => &[],
        field => field,
    }
}

fn parse<T>(field: &[u8], parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    parse(&std::str::from_utf8(field).ok()?.to_ascii_lowercase())
}

/// The trace that an object's prefix states.
fn trace_of(object: &[u8]) -> Option<Trace> {
    PREFIXES.iter().find(|(prefix, _)| object.starts_with(prefix.as_bytes())).map(|&(_, trace)| trace)
}

/// The platform that an account's prefix states.
fn platform_of(account: &[u8]) -> Platform {
    match account {
        [b'f', b'b', b'_', ..] => Platform::Facebook,
        [b't', b'w', b'_', ..] => Platform::X,
        _ => Platform::Unknown,
    }
}
