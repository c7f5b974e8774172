//! What can go wrong before the first row is read.

use std::io;
use std::path::PathBuf;

/// Why a reading could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing to read.
    #[error("no file was named")]
    NoInput,
    /// A path does not exist or may not be looked at.
    #[error("could not look at `{path}`")]
    Look {
        /// As the user named it.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A folder cannot be listed.
    #[error("could not list folder `{path}`")]
    List {
        /// As the user named it.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file cannot be opened.
    #[error("could not open `{path}`")]
    Open {
        /// As the user named it.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The content of a file fits no format.
    #[error("could not read `{path}` as traffic: {}", list(.tried))]
    Unknown {
        /// As the user named it.
        path: PathBuf,
        /// Each format, and why the file does not fit it.
        tried: Vec<(&'static str, String)>,
    },
    /// Folders were named, and no file in them could be read.
    #[error("found no file of traffic in {}", paths_named(.paths))]
    NothingFound {
        /// As the user named them.
        paths: Vec<PathBuf>,
        /// Files that were looked at, each with the reason why it was passed over.
        passed_over: Vec<String>,
    },
}

impl ReadError {
    /// What the user can do about it, for a `hint:` line.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unknown { .. } | Self::NothingFound { .. } => Some(
                "network traffic is read from pcap and pcapng, NetFlow, IPFIX and sFlow datagrams, Zeek logs, access \
                 logs, auth logs, Suricata EVE, Argus binetflow, nfdump output and series of rates; posts from CSV \
                 with the columns object_id, account_id, content_id and timestamp_share, from JSON Lines, and from \
                 JSON of X, Mastodon or Bluesky; both from Parquet; each also as .gz or .zst",
            ),
            Self::NoInput => Some("name one or more files or folders"),
            Self::Look { .. } | Self::List { .. } | Self::Open { .. } => None,
        }
    }
}

fn list(tried: &[(&'static str, String)]) -> String {
    tried.iter().map(|(format, why)| format!("not {format} ({why})")).collect::<Vec<_>>().join("; ")
}

fn paths_named(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| format!("`{}`", p.display())).collect::<Vec<_>>().join(", ")
}
