//! The revisions of one unit in one contest.

use domain::Timestamp;
use tlog::Hash;

use super::Refusal;
use crate::returns::{Reason, Retraction, Return};

/// All revisions, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    links: Vec<Link>,
}

/// One revision.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where it stands in the log.
    pub index: u64,
    /// Its leaf hash.
    pub leaf: Hash,
    /// Its number.
    pub revision: u32,
    /// Why it was made.
    pub reason: Reason,
    /// When, as its centre wrote.
    pub time: Timestamp,
    /// The name of the key that signed it.
    pub signer: String,
    /// What it says; nothing for a retraction.
    pub content: Option<Box<Return>>,
    /// Its key was revoked, and this may not be its owner's word.
    pub is_in_question: bool,
}

impl Link {
    pub(super) fn of_return(it: Return, index: u64, leaf: Hash, signer: String) -> Self {
        let Return { revision, reason, time, .. } = it;
        let content = Some(Box::new(it));
        Self { index, leaf, revision, reason, time, signer, content, is_in_question: false }
    }

    pub(super) fn of_retraction(it: &Retraction, index: u64, leaf: Hash, signer: String) -> Self {
        let Retraction { revision, reason, time, .. } = *it;
        Self { index, leaf, revision, reason, time, signer, content: None, is_in_question: false }
    }
}

impl Chain {
    pub(super) fn push(&mut self, link: Link) {
        self.links.push(link);
    }

    /// All revisions, the oldest first.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The revision that counts: the last one that is not in question. It may be a retraction.
    pub fn current(&self) -> Option<&Link> {
        self.links.iter().rev().find(|link| !link.is_in_question)
    }

    /// What counts, if anything does.
    pub fn content(&self) -> Option<&Return> {
        self.current()?.content.as_deref()
    }

    /// Whether the last word is in question, so that an older one counts or none.
    pub fn is_in_question(&self) -> bool {
        self.links.last().is_some_and(|link| link.is_in_question)
    }

    pub(super) fn distrust(&mut self, signer: &str, from: u64) {
        for link in self.links.iter_mut().filter(|link| link.signer == signer && link.index >= from) {
            link.is_in_question = true;
        }
    }
}

/// Whether a revision that is none of these may come next.
pub(super) fn judge(
    links: &[Link],
    revision: u32,
    supersedes: Option<&Hash>,
    signer: &str,
) -> Result<(), Refusal> {
    if let Some(other) = links.iter().find(|link| link.revision == revision) {
        return Err(if other.signer == signer {
            Refusal::Equivocation { key: signer.to_owned(), other: other.index }
        } else {
            Refusal::Conflict { revision, other: other.index }
        });
    }
    let last = links.last();
    if revision != last.map_or(1, |last| last.revision + 1) || supersedes != last.map(|last| &last.leaf) {
        return Err(Refusal::Revision { revision, last: last.map_or(0, |last| last.revision) });
    }
    Ok(())
}
