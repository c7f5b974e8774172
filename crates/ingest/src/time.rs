//! Times as files write them.

use domain::Timestamp;

use crate::problems::Reason;

/// A clock that is a day ahead is wrong but usual; more is refused.
const AHEAD_MS: i64 = 24 * 3600 * 1000;

/// A time, and whether it had to be taken as UTC for want of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) millis: i64,
    pub(crate) zone_missing: bool,
}

/// What times are allowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    latest: i64,
}

impl Bounds {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { latest: now.0.saturating_add(AHEAD_MS) }
    }

    /// The last millisecond that is allowed. The first is 0.
    pub(crate) fn latest(self) -> i64 {
        self.latest
    }

    pub(crate) fn check(self, millis: i64) -> Result<i64, Reason> {
        if millis < 0 {
            Err(Reason::BeforeEpoch)
        } else if millis > self.latest {
            Err(Reason::Future)
        } else {
            Ok(millis)
        }
    }

    /// Parses and checks.
    pub(crate) fn read(self, field: &[u8]) -> Result<Read, Reason> {
        let read = parse(field)?;
        self.check(read.millis)?;
        Ok(read)
    }
}

/// Epoch seconds, also with decimals; epoch milliseconds, microseconds or nanoseconds, told by
/// their size; RFC 3339; or a date and time without a zone.
fn parse(field: &[u8]) -> Result<Read, Reason> {
    if let Some(number) = whole(field) {
        return Ok(Read { millis: from_number(number), zone_missing: false });
    }
    let text = std::str::from_utf8(field).map_err(|_| Reason::BadTime)?.trim();
    if text.is_empty() {
        return Err(Reason::NoTime);
    }
    // `f64` would also accept `inf` and `nan`.
    if text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'))
        && let Ok(number) = text.parse::<f64>()
    {
        return Ok(Read { millis: from_float(number), zone_missing: false });
    }
    if let Some(time) = Timestamp::parse(text) {
        return Ok(Read { millis: time.0, zone_missing: false });
    }
    let civil: jiff::civil::DateTime = text.parse().map_err(|_| Reason::BadTime)?;
    let time = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| Reason::BadTime)?;
    Ok(Read { millis: time.timestamp().as_millisecond(), zone_missing: true })
}

/// Up to 18 digits, which is what nearly every row has.
fn whole(field: &[u8]) -> Option<i64> {
    if field.is_empty() || field.len() > 18 {
        return None;
    }
    let mut number = 0_i64;
    for &b in field {
        if !b.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(b - b'0');
    }
    Some(number)
}

/// Seconds stay below 10^11 until the year 5138, and milliseconds have been above it since 1973;
/// so likewise for microseconds and nanoseconds.
pub(crate) fn from_number(number: i64) -> i64 {
    match number.unsigned_abs() {
        0..100_000_000_000 => number * 1000,
        100_000_000_000..100_000_000_000_000 => number,
        100_000_000_000_000..100_000_000_000_000_000 => number / 1000,
        _ => number / 1_000_000,
    }
}

/// As [`from_number`], with decimals.
pub(crate) fn from_float(number: f64) -> i64 {
    if number.abs() < 1e11 { (number * 1000.0).round() as i64 } else { from_number(number as i64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(field: &str) -> String {
        match parse(field.as_bytes()) {
            Ok(read) => {
                format!("{}{}", Timestamp(read.millis), if read.zone_missing { " taken" } else { "" })
            }
            Err(reason) => reason.text().to_owned(),
        }
    }

    #[test]
    fn every_usual_way_to_write_a_time_is_read() {
        for field in [
            "1632679200",
            "1632679200.0",
            "1.6326792e9",
            "1632679200000",
            "1632679200000000",
            "1632679200000000000",
            "2021-09-26T18:00:00Z",
            "2021-09-26T20:00:00+02:00",
            "2021-09-26 18:00:00Z",
        ] {
            assert_eq!(check(field), "2021-09-26T18:00:00Z", "{field}");
        }
        assert_eq!(check("1632679200.25"), "2021-09-26T18:00:00.25Z");
        assert_eq!(check("2021-09-26 18:00:00"), "2021-09-26T18:00:00Z taken");
    }

    #[test]
    fn what_is_no_time_is_refused_by_reason() {
        assert_eq!(check(""), "no time");
        for field in ["yesterday", "nan", "inf", "12:00", "1632679200s", "--", "\u{0661}"] {
            assert_eq!(check(field), "time is neither a number nor RFC 3339", "{field}");
        }
    }

    #[test]
    fn a_clock_may_be_a_day_ahead_and_no_more() {
        let bounds = Bounds::new(Timestamp::from_seconds(1000));
        assert!(bounds.read(b"87400").is_ok());
        assert_eq!(bounds.read(b"87401"), Err(Reason::Future));
        assert_eq!(bounds.read(b"-1"), Err(Reason::BeforeEpoch));
    }
}
