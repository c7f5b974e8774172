//! c2sp.org/tlog-witness, "add-checkpoint", from the client's side: one conversation with one witness.
//!
//! ```text
//! client                                  witness
//! old = what it had last, or 0  ────────>
//!                               <────────  200, cosignature        the end
//!                               <────────  409, "<size>"           once:
//! old = <size>, fresh proof     ────────>
//!                               <────────  200, cosignature
//! ```
//!
//! A witness is a stranger's server. Whatever it answers ends in a cosignature that verifies or in a [`Reason`]; how long it
//! takes and how much it sends is bounded.

use std::time::Duration;

use thiserror::Error;
use tlog::add_checkpoint::{self, AddCheckpoint, MAX_REQUEST_BYTES, MessageError, SIZE_CONTENT_TYPE};
use tlog::cosignature;
use tlog::key::KeyKind;
use tlog::note::Signature;
use tlog::{Hash, Note, VerifierKey};

/// 8 KiB of headers; four lines would do.
const MAX_HEAD_BYTES: usize = 8 << 10;

/// How much of a refusal's body is repeated to people.
const MAX_SAID: usize = 160;

/// Why a witness gave no cosignature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reason {
    /// The policy does not say where to reach it.
    #[error("the policy gives no address")]
    NoAddress,
    /// An address that is not one of the web.
    #[error("`{0}` is no address that begins with `http://` or `https://`")]
    Address(String),
    /// Its key is of ML-DSA-44.
    #[error("its key is of a kind that is not verified here")]
    Key,
    /// No connection, or it broke.
    #[error("could not reach it: {0}")]
    Unreachable(String),
    /// It did not answer in time.
    #[error("it did not answer in time")]
    TooSlow,
    /// It sent too much.
    #[error("its answer has too many bytes")]
    TooLong,
    /// It sent us elsewhere. Nobody follows: the policy names where a witness is.
    #[error("it redirects, which nobody follows")]
    Redirected,
    /// It refused.
    #[error("it refused with status {status}: {said}")]
    Refused {
        /// The status code of HTTP.
        status: u16,
        /// The beginning of its body.
        said: String,
    },
    /// Its answer is in no form of the specification.
    #[error("its answer cannot be read: {0}")]
    Garbage(MessageError),
    /// It answered with signatures, none of which is by its key.
    #[error("its answer has no cosignature by its key")]
    NoCosignature,
    /// A cosignature under its name and key id does not verify.
    #[error("its cosignature does not verify")]
    WrongCosignature,
    /// It has recorded a larger tree than the one that was submitted: the log has lost entries, or has two heads.
    #[error("it has recorded a larger tree, of {size} leaves")]
    Ahead {
        /// Leaves of that tree.
        size: u64,
    },
    /// It named a size, and named another one when asked again.
    #[error("it changed its mind about what it has recorded, lastly {size} leaves")]
    Conflict {
        /// What it said last.
        size: u64,
    },
    /// The log could not prove.
    #[error("could not make the consistency proof from {old} leaves: {cause}")]
    Proof {
        /// From which size.
        old: u64,
        /// Why not.
        cause: String,
    },
    /// Nobody waits for it any more.
    #[error("the submission has ended")]
    Ended,
}

/// A connection pool for conversations. Clones share it.
pub(crate) fn agent(timeout: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .max_redirects(0)
        .http_status_as_error(false)
        .max_response_header_size(MAX_HEAD_BYTES)
        // Where a witness is reached is for the policy to say, not for the environment.
        .proxy(None)
        .build()
        .into()
}

/// What to submit to a witness, and how to tell that it has cosigned.
pub(crate) struct Exchange<'x> {
    pub(crate) agent: &'x ureq::Agent,
    pub(crate) key: &'x VerifierKey,
    pub(crate) url: Option<&'x str>,
    pub(crate) note: &'x Note,
    pub(crate) size: u64,
}

/// What a witness said, where it makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Cosigned(Signature, u64),
    Has(u64),
}

impl Exchange<'_> {
    /// Asks for a cosignature, twice if need be. Returns it with its time in seconds since the epoch. `old` is what the
    /// witness is believed to have; `prove` gives a proof from a size that is not above the submitted one; `learn` hears
    /// what the witness has.
    pub(crate) fn hold(
        &self,
        old: u64,
        mut prove: impl FnMut(u64) -> Result<Vec<Hash>, Reason>,
        mut learn: impl FnMut(u64),
    ) -> Result<(Signature, u64), Reason> {
        if self.key.kind() != KeyKind::CosignatureV1 {
            return Err(Reason::Key);
        }
        let url = submission(self.url.ok_or(Reason::NoAddress)?)?;
        // If the witness was once known to have more than this, its present size must be asked for.
        let mut old = if old > self.size { 0 } else { old };
        for last in [false, true] {
            // No hashes lead from nothing, or from a tree to itself.
            let proof = if old == 0 || old == self.size { Vec::new() } else { prove(old)? };
            match self.ask(&url, &AddCheckpoint { old, proof, checkpoint: self.note.clone() })? {
                Said::Cosigned(signature, time) => {
                    learn(self.size);
                    return Ok((signature, time));
                }
                Said::Has(size) => {
                    learn(size);
                    if size > self.size {
                        return Err(Reason::Ahead { size });
                    }
                    if last {
                        return Err(Reason::Conflict { size });
                    }
                    old = size;
                }
            }
        }
        unreachable!("internal error: the second round returns")
    }

    fn ask(&self, url: &str, request: &AddCheckpoint) -> Result<Said, Reason> {
        let sent = self.agent.post(url).content_type("text/plain; charset=utf-8").send(request.to_string());
        let mut response = sent.map_err(|error| unreachable_or(&error))?;
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let body = response.body_mut().with_config().limit(MAX_REQUEST_BYTES as u64 + 1).read_to_vec();
        let body = body.map_err(|error| unreachable_or(&error))?;
        read(status, &content_type, &body, self.note.unverified_text(), self.key)
    }
}

/// The address of a submission prefix.
fn submission(prefix: &str) -> Result<String, Reason> {
    if !prefix.starts_with("http://") && !prefix.starts_with("https://") {
        return Err(Reason::Address(prefix.to_owned()));
    }
    Ok(format!("{}/add-checkpoint", prefix.trim_end_matches('/')))
}

fn unreachable_or(error: &ureq::Error) -> Reason {
    match error {
        ureq::Error::Timeout(_) => Reason::TooSlow,
        ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => Reason::TooLong,
        other => Reason::Unreachable(other.to_string()),
    }
}

/// What an answer says. Signatures of unknown keys are ignored; one that claims to be of the witness's key and is not fells the
/// answer.
fn read(status: u16, content_type: &str, body: &[u8], text: &str, key: &VerifierKey) -> Result<Said, Reason> {
    match status {
        200 => {
            let lines = add_checkpoint::parse_cosignatures(body).map_err(Reason::Garbage)?;
            let mut newest = None;
            for line in lines.into_iter().filter(|line| line.is_of(key)) {
                // "The timestamp MUST NOT be zero."
                let time = cosignature::verify(text, &line, key).filter(|time| *time > 0);
                let time = time.ok_or(Reason::WrongCosignature)?;
                if newest.as_ref().is_none_or(|(_, newest)| time > *newest) {
                    newest = Some((line, time));
                }
            }
            let (line, time) = newest.ok_or(Reason::NoCosignature)?;
            Ok(Said::Cosigned(line, time))
        }
        // Older witnesses answer 409 without a size where roots differ.
        409 if content_type.split(';').next().is_some_and(|kind| kind.trim() == SIZE_CONTENT_TYPE) => {
            add_checkpoint::parse_size(body).map(Said::Has).map_err(Reason::Garbage)
        }
        300..=399 => Err(Reason::Redirected),
        _ => {
            let said = String::from_utf8_lossy(body);
            let said = said.trim().chars().take(MAX_SAID).flat_map(char::escape_debug).collect();
            Err(Reason::Refused { status, said })
        }
    }
}

#[cfg(test)]
mod tests {
    use tlog::{Checkpoint, SignerKey};

    use super::*;

    fn key(name: &str, kind: KeyKind) -> SignerKey {
        SignerKey::from_seed(name, kind, &[name.len() as u8; 32]).expect("a name")
    }

    #[test]
    fn the_cosignature_of_the_known_key_is_found_among_others() {
        let (ours, other) =
            (key("w1.example", KeyKind::CosignatureV1), key("other.example", KeyKind::CosignatureV1));
        let checkpoint = Checkpoint::new("log.example", 5, Hash::leaf(b""));
        let text = checkpoint.to_string();
        let line = |key: &SignerKey, time| cosignature::cosign(&checkpoint, key, time).to_line();
        let say = |body: &str| read(200, "", body.as_bytes(), &text, ours.verifier());
        let time = |said: Result<Said, Reason>| match said {
            Ok(Said::Cosigned(_, time)) => Ok(time),
            Ok(Said::Has(_)) => Ok(0),
            Err(reason) => Err(reason),
        };
        assert_eq!(time(say(&format!("{}{}", line(&other, 7), line(&ours, 8)))), Ok(8));
        assert_eq!(time(say(&format!("{}{}", line(&ours, 9), line(&ours, 8)))), Ok(9));
        assert_eq!(time(say(&line(&other, 7))), Err(Reason::NoCosignature));
        assert_eq!(time(say(&line(&ours, 0))), Err(Reason::WrongCosignature));
        let elsewhere = Checkpoint::new("log.example", 6, Hash::leaf(b""));
        let wrong = cosignature::cosign(&elsewhere, &ours, 8).to_line();
        assert_eq!(time(say(&format!("{}{wrong}", line(&ours, 8)))), Err(Reason::WrongCosignature));
    }

    #[test]
    fn other_answers_say_why() {
        let ours = key("w1.example", KeyKind::CosignatureV1);
        let say = |status, kind: &str, body: &[u8]| match read(status, kind, body, "text\n", ours.verifier())
        {
            Ok(said) => format!("{said:?}"),
            Err(reason) => reason.to_string(),
        };
        let said = [
            say(409, SIZE_CONTENT_TYPE, b"17\n"),
            say(409, "text/x.tlog.size; charset=utf-8", b"17\n"),
            say(409, SIZE_CONTENT_TYPE, b"seventeen\n"),
            say(409, "text/plain", b"17\n"),
            say(422, "", b"no\x1b[31m such proof\n"),
            say(302, "", b""),
            say(200, "", b"<html>"),
            say(500, "", &[b'a'; 5000]).chars().take(60).collect(),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        Has(17)
        Has(17)
        its answer cannot be read: the answer is no tree size
        it refused with status 409: 17
        it refused with status 422: no\u{1b}[31m such proof
        it redirects, which nobody follows
        its answer cannot be read: the answer has no signature, or more than 64
        it refused with status 500: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        ");
    }

    #[test]
    fn an_address_is_of_the_web() {
        assert_eq!(submission("https://w.example/p/"), Ok("https://w.example/p/add-checkpoint".into()));
        assert_eq!(submission("file:///etc"), Err(Reason::Address("file:///etc".into())));
    }
}
