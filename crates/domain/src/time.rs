//! Points in time, as every record carries them.

use std::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z, signed, the only time that crosses a crate border.
///
/// Signed 64-bit milliseconds agree between Arrow, Parquet and Spark without a time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From whole seconds since the epoch; saturates at the ends of the range.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Parses an RFC 3339 time such as `2021-09-26T18:00:00Z`.
    ///
    /// # Errors
    /// `None` where the text is not an RFC 3339 time.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with milliseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses_rfc3339() {
        let t = Timestamp::from_seconds(1_632_679_200);
        assert_eq!(t.to_string(), "2021-09-26T18:00:00Z");
        assert_eq!(Timestamp::parse("2021-09-26T20:00:00+02:00"), Some(t));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }
}
