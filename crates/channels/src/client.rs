//! Hands documents in over HTTP. To hand one in twice does no harm: it stands in the log once.

use std::time::Duration;

use thiserror::Error;
use tlog::Hash;

use crate::answer::Answer;

/// Hands documents in, and keeps its connections alive.
#[derive(Clone, Debug)]
pub struct Client {
    agent: ureq::Agent,
}

/// Why nobody knows what became of a document. It may be sent again, and may have been taken the first time.
#[derive(Debug, Error)]
pub enum SubmitError {
    /// Not an address.
    #[error("`{0}` is no address: it begins with `http://` or `https://`")]
    Address(String),
    /// No answer came.
    #[error("no answer from `{url}`: {reason}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// What answered is no desk of a log.
    #[error("`{url}` answered {status} with something that is no answer of a log")]
    Answer {
        /// Where.
        url: String,
        /// The status of HTTP.
        status: u16,
    },
    /// The answer speaks of another document.
    #[error("`{url}` answered about a document that was not sent")]
    OtherDocument {
        /// Where.
        url: String,
    },
}

impl SubmitError {
    /// Whether another try may fare better.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            // A proxy before the desk says so while the desk is restarted.
            Self::Answer { status, .. } => matches!(status, 408 | 429 | 500..=599),
            Self::Address(_) | Self::OtherDocument { .. } => false,
        }
    }
}

/// 30 seconds: a desk answers within 20, or says that it cannot.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// An answer is JSON of some 500 bytes.
const MAX_ANSWER_BYTES: u64 = 64 << 10;
const MAX_HEAD_BYTES: usize = 16 << 10;

/// Hands one document in at the address of a desk.
///
/// # Errors
/// [`SubmitError`].
pub fn submit(url: &str, document: &[u8]) -> Result<Answer, SubmitError> {
    Client::new(TIMEOUT).submit(url, document)
}

impl Client {
    /// A client that waits so long for each answer.
    pub fn new(timeout: Duration) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .max_redirects(0)
            .http_status_as_error(false)
            .max_response_header_size(MAX_HEAD_BYTES)
            .build()
            .into();
        Self { agent }
    }

    /// Hands one document in at the address of a desk, such as `https://desk.example.org/2026`.
    ///
    /// # Errors
    /// [`SubmitError`]. Trying again is left to the caller.
    pub fn submit(&self, url: &str, document: &[u8]) -> Result<Answer, SubmitError> {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(SubmitError::Address(url.to_owned()));
        }
        let lost =
            |error: ureq::Error| SubmitError::Unreachable { url: url.to_owned(), reason: error.to_string() };
        let address = format!("{}/submit", url.trim_end_matches('/'));
        let sent = self.agent.post(&address).content_type("text/plain; charset=utf-8").send(document);
        let mut response = sent.map_err(lost)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec().map_err(lost)?;
        let answer =
            Answer::read(status, &body).ok_or_else(|| SubmitError::Answer { url: url.to_owned(), status })?;
        match &answer {
            Answer::Logged { leaf, .. } | Answer::Known { leaf, .. } if *leaf != Hash::leaf(document) => {
                Err(SubmitError::OtherDocument { url: url.to_owned() })
            }
            _ => Ok(answer),
        }
    }
}
