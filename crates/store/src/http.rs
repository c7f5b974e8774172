//! A log on somebody's web server, to read.

use std::io::Read as _;
use std::time::Duration;

use tlog::storage::{Cause, Source};

/// 16.8 MB: a full bundle of 256 entries of 65,535 bytes, the largest file that a log serves.
const MAX_FILE_BYTES: u64 = 256 * (2 + 65_535);

/// The files below a URL. Connections are kept alive, and nothing else is remembered.
pub struct HttpLog {
    agent: ureq::Agent,
    prefix: String,
}

impl HttpLog {
    /// The log below a prefix that begins with `http://` or `https://`. Each file has so much time to come.
    pub fn new(prefix: &str, timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("scrutineer/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.new_agent(), prefix: prefix.trim_end_matches('/').to_owned() }
    }
}

impl Source for HttpLog {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Cause> {
        let mut answer = self.agent.get(format!("{}/{path}", self.prefix)).call()?;
        match answer.status().as_u16() {
            200 => {}
            404 | 410 => return Ok(None),
            status => return Err(format!("the server answered with status {status}").into()),
        }
        let mut bytes = Vec::new();
        // One byte more than may be tells that it was too much.
        answer.body_mut().as_reader().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(format!("the file has more than {MAX_FILE_BYTES} bytes").into());
        }
        Ok(Some(bytes))
    }
}
