//! What counts as the same link, hashtag or text.
//!
//! Records of platforms go through here, so that two accounts that share one thing share one name,
//! whatever a platform's share button added to it.

mod hashtag;
mod html;
mod text;
mod url;

pub use hashtag::{hashtag, sequence};
pub(crate) use html::plain as plain_of_html;
pub use text::{MIN_CHARS, MIN_WORDS, text};
pub(crate) use url::is_tracking;
pub use url::{Link, link};
