//! c2sp.org/tlog-witness, "add-checkpoint": a witness may log validly signed checkpoints that fail, because they might prove
//! that a log misbehaved. This one keeps them, with the checkpoint that it had recorded.
//!
//! ```text
//! tlog-witness evidence v1⏎
//! kind fork⏎
//! time 1700000000⏎              when it was seen, by the witness's clock
//! recorded 301⏎                 bytes of the recorded checkpoint; 0 for none
//! request 420⏎                  bytes of the request
//! ⏎
//! example.com/behind-the-sofa⏎  the recorded checkpoint, then the request, as they were
//! …
//! ```
//!
//! What is kept shows only what the log's own key has signed. The proof lines of a request are signed by nobody: whoever
//! can reach the witness can send a true checkpoint with a broken proof, so [`Kind::Unproven`] alone accuses no one.

use std::fmt::{self, Write as _};

use tlog::Hash;
use tlog::hash::sha256;
use tlog::storage::Cause;

/// What a kept checkpoint may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Two roots of one size, or a root that a tree of no leaves cannot have: the two signatures alone prove it.
    Fork,
    /// A larger tree, sent with a proof that does not lead to it: a split view, or a client's mistake. The log's own tiles
    /// tell which.
    Unproven,
    /// A smaller tree than the recorded one: a replay, a log that was restored from a backup, or the far end of a fork. The
    /// log's own tiles tell which.
    Smaller,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Fork, Self::Unproven, Self::Smaller];

    /// One word, in lower case.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Unproven => "unproven",
            Self::Smaller => "smaller",
        }
    }

    /// The same for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Fork => "its key has signed two trees of one size",
            Self::Unproven => "a larger tree that was not shown to contain the recorded one",
            Self::Smaller => "a smaller tree than the recorded one",
        }
    }
}

/// One kept request.
#[derive(Clone, PartialEq, Eq)]
pub struct Exhibit {
    /// Hexadecimal SHA-256 of the log's origin.
    pub log: String,
    /// What it may show.
    pub kind: Kind,
    /// SHA-256 of the text that the log signed. The same text with other proofs or other signatures is the same exhibit, so that
    /// sending it again and again fills nothing.
    pub id: Hash,
    /// When the witness saw it, seconds since the epoch.
    pub time: u64,
    /// The checkpoint that the witness had recorded, with its cosignatures.
    pub recorded: Option<Vec<u8>>,
    /// The whole request.
    pub request: Vec<u8>,
}

impl Exhibit {
    /// A request whose checkpoint has the text `signed`.
    pub fn new(
        log: &str,
        kind: Kind,
        time: u64,
        signed: &str,
        recorded: Option<&[u8]>,
        request: &[u8],
    ) -> Self {
        let id = sha256(signed.as_bytes());
        let (recorded, request) = (recorded.map(<[u8]>::to_vec), request.to_vec());
        Self { log: log.to_owned(), kind, id, time, recorded, request }
    }

    /// A name that tells exhibits of one log apart.
    pub fn name(&self) -> String {
        format!("{}-{}", self.kind.word(), hex(&self.id.0[..16]))
    }

    /// The bytes to keep.
    pub fn to_bytes(&self) -> Vec<u8> {
        let recorded = self.recorded.as_deref().unwrap_or_default();
        let head = format!(
            "{TITLE}\nkind {}\ntime {}\nrecorded {}\nrequest {}\n\n",
            self.kind.word(),
            self.time,
            recorded.len(),
            self.request.len()
        );
        [head.as_bytes(), recorded, &self.request].concat()
    }

    /// Takes kept bytes apart. `None` where they are no evidence.
    pub fn parse(bytes: &[u8]) -> Option<Parts<'_>> {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n")?;
        let (head, rest) = (std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 2..]);
        let mut lines = head.split('\n');
        if lines.next()? != TITLE {
            return None;
        }
        let mut value = |key: &str| lines.next()?.strip_prefix(key)?.strip_prefix(' ');
        let word = value("kind")?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word)?;
        let time = value("time")?.parse().ok()?;
        let n_recorded: usize = value("recorded")?.parse().ok()?;
        let n_request: usize = value("request")?.parse().ok()?;
        let (recorded, request) = rest.split_at_checked(n_recorded)?;
        let whole = lines.next().is_none() && request.len() == n_request;
        let recorded = (n_recorded > 0).then_some(recorded);
        whole.then_some(Parts { kind, time, recorded, request })
    }
}

/// What stands in kept bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'b> {
    /// What it may show.
    pub kind: Kind,
    /// When the witness saw it, seconds since the epoch.
    pub time: u64,
    /// The checkpoint that the witness had recorded, with its cosignatures.
    pub recorded: Option<&'b [u8]>,
    /// The whole request.
    pub request: &'b [u8],
}

const TITLE: &str = "tlog-witness evidence v1";

impl fmt::Debug for Exhibit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.log, self.name())
    }
}

/// What became of an exhibit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is kept, and durable. There is room for so many more of the same log and kind.
    New {
        /// How many more.
        room: usize,
    },
    /// It is kept already.
    Known,
    /// There is no more room for this log and kind. The first ones are kept, because later ones add little, and because a log
    /// that has been caught could otherwise push the proof out.
    Full,
}

/// Where evidence is kept.
pub trait Evidence: Send {
    /// Keeps an exhibit.
    ///
    /// # Errors
    /// Where it could not be kept.
    fn keep(&mut self, exhibit: &Exhibit) -> Result<Kept, Cause>;
}

/// Keeps nothing.
impl Evidence for () {
    fn keep(&mut self, _: &Exhibit) -> Result<Kept, Cause> {
        Ok(Kept::Full)
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("internal error: writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_reads_as_it_was_written() {
        for recorded in [None, Some(&b"a checkpoint\n\nwith lines\n"[..])] {
            let exhibit = Exhibit::new("ab", Kind::Unproven, 17, "text\n", recorded, b"old 3\n\nrest\n");
            let parts = Parts { kind: Kind::Unproven, time: 17, recorded, request: b"old 3\n\nrest\n" };
            let bytes = exhibit.to_bytes();
            assert_eq!(Exhibit::parse(&bytes), Some(parts));
            assert_eq!(Exhibit::parse(&bytes[..bytes.len() - 1]), None, "cut short");
            assert_eq!(Exhibit::parse(&[&bytes[..], b"\n"].concat()), None, "too long");
        }
        assert_eq!(Exhibit::parse(b""), None);
    }

    #[test]
    fn the_name_depends_on_what_was_signed_and_not_on_the_proof() {
        let of = |signed, request| Exhibit::new("ab", Kind::Fork, 17, signed, None, request).name();
        assert_eq!(of("text\n", b"a"), of("text\n", b"b"));
        assert_ne!(of("text\n", b"a"), of("another text\n", b"a"));
        assert_eq!(of("text\n", b"a").len(), "fork-".len() + 32);
    }
}
