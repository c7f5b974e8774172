//! What is said inside flows.

use crate::rows::Rows;

/// Conversations that are followed.
#[derive(Debug, Default)]
pub(super) struct Talks {}

impl Talks {
    /// The flow of a conversation is over.
    pub(super) fn end(&mut self, _talk: u32, _two_way: bool, _rows: &mut Rows) {}
}
