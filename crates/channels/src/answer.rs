//! What became of a document, as it goes over the wire: a status of HTTP and a line of JSON.

use results::lines::{hex, parse_hex};
use serde_json::{Value, json};
use tlog::Hash;

/// What became of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is durable.
    Logged {
        /// Where it stands.
        index: u64,
        /// Its leaf hash.
        leaf: Hash,
        /// The log's signed promise to publish it, where the log gives any.
        receipt: Option<String>,
    },
    /// It stood in the log already.
    Known {
        /// Where.
        index: u64,
        /// The leaf hash of what was handed in.
        leaf: Hash,
    },
    /// It may not stand in the log. Sending it again changes nothing.
    Refused {
        /// The word for machines.
        code: String,
        /// Why.
        message: String,
    },
    /// The log could not take it; it may be sent again.
    NotTaken {
        /// Why.
        message: String,
    },
}

/// Codes that say that something is no document.
const NO_ENTRY: [&str; 2] = ["no-entry", "unknown-kind"];

/// Codes that say that whoever signed may not say this, or has not signed it.
const NOT_ALLOWED: [&str; 7] = [
    "bad-signature",
    "revoked-key",
    "signatures",
    "too-few-signatures",
    "unauthorised-unit",
    "unknown-key",
    "wrong-role",
];

/// Codes that say that something else stands where the document should.
const CONFLICTS: [&str; 4] = ["conflict", "equivocation", "revision", "sequence"];

/// The word for machines of an answer that asks to come again.
pub(crate) const NOT_TAKEN: &str = "not-taken";

impl Answer {
    /// The status of HTTP.
    pub fn status(&self) -> u16 {
        match self {
            Self::Logged { .. } | Self::Known { .. } => 200,
            Self::NotTaken { .. } => 503,
            Self::Refused { code, .. } => {
                let is_in = |codes: &[&str]| codes.contains(&code.as_str());
                if is_in(&NO_ENTRY) {
                    400
                } else if is_in(&NOT_ALLOWED) {
                    403
                } else if is_in(&CONFLICTS) {
                    409
                } else {
                    422
                }
            }
        }
    }

    /// The body: one line of JSON.
    pub fn to_json(&self) -> String {
        let value = match self {
            Self::Logged { index, leaf, receipt } => {
                json!({ "outcome": "logged", "index": index, "leaf": hex(leaf), "receipt": receipt })
            }
            Self::Known { index, leaf } => json!({ "outcome": "known", "index": index, "leaf": hex(leaf) }),
            Self::Refused { code, message } => json!({ "code": code, "message": message }),
            Self::NotTaken { message } => json!({ "code": NOT_TAKEN, "message": message }),
        };
        format!("{value}\n")
    }

    /// Reads an answer; nothing where it makes no sense as one.
    pub fn read(status: u16, body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        if status != 200 {
            let (code, message) = (text("code")?, text("message")?);
            return match status {
                503 => Some(Self::NotTaken { message }),
                400 | 403 | 409 | 413 | 415 | 422 => Some(Self::Refused { code, message }),
                _ => None,
            };
        }
        let (index, leaf) = (value["index"].as_u64()?, parse_hex(&text("leaf")?)?);
        match value["outcome"].as_str()? {
            "logged" => Some(Self::Logged { index, leaf, receipt: text("receipt") }),
            "known" => Some(Self::Known { index, leaf }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> Answer {
        Answer::Refused { code: code.to_owned(), message: "why".to_owned() }
    }

    #[test]
    fn what_is_written_is_read() {
        let leaf = Hash::leaf(b"a");
        let answers = [
            Answer::Logged { index: 7, leaf, receipt: Some("log\n\n— x\n".to_owned()) },
            Answer::Logged { index: 7, leaf, receipt: None },
            Answer::Known { index: 0, leaf },
            refused("no-entry"),
            refused("bad-signature"),
            refused("equivocation"),
            refused("embargo"),
            Answer::NotTaken { message: "no disk".to_owned() },
        ];
        for answer in &answers {
            assert_eq!(Answer::read(answer.status(), answer.to_json().as_bytes()).as_ref(), Some(answer));
        }
        let statuses = answers.map(|answer| answer.status());
        assert_eq!(statuses, [200, 200, 200, 400, 403, 409, 422, 503]);
    }

    #[test]
    fn what_makes_no_sense_is_no_answer() {
        let logged = Answer::Logged { index: 7, leaf: Hash::leaf(b"a"), receipt: None }.to_json();
        for (status, body) in [
            (200, "{}"),
            (200, "logged"),
            (200, "{\"outcome\":\"logged\",\"index\":7,\"leaf\":\"00\"}"),
            (200, "{\"code\":\"embargo\",\"message\":\"no\"}"),
            (301, logged.as_str()),
            (422, logged.as_str()),
            (503, "<html>"),
        ] {
            assert_eq!(Answer::read(status, body.as_bytes()), None, "{status} {body}");
        }
    }
}
