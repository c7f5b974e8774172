//! Names by which documents refer to things. Each is a word without space, so that a line of a document splits in one way.

use std::fmt;

/// The most bytes of an id.
pub const MAX_ID_BYTES: usize = 64;

/// Whether a text may be an id: 1 to 64 ASCII letters, digits and `. _ : / + -`.
///
/// `=`, `,` and space separate the parts of a line, and `*` stands for "any" in a centre's units; none may be in an id.
pub fn is_id(text: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'/' | b'+' | b'-'))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes a text that [`is_id`] allows.
            pub fn new(text: &str) -> Option<Self> {
                is_id(text).then(|| Self(text.into()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// An election: `EP2024-SI`.
    ElectionId
);
id!(
    /// A contest of an election: `ep`, `first-votes`. One ballot question, one set of lists.
    ContestId
);
id!(
    /// A unit that is counted or summed: a polling station, a municipality, the nation.
    UnitId
);
id!(
    /// A list, party or, in contests between persons, a candidate.
    ListId
);
id!(
    /// A count centre: who signs returns.
    CentreId
);

/// A candidate's number on a list, from 1.
pub type CandidateNumber = u32;
