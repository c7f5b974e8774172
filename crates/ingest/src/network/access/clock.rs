//! Times in the form of access logs, `10/Oct/2000:13:55:36 -0700`.

use crate::problems::Reason;
use crate::time::Bounds;

/// Reads times; remembers the last minute, since lines come in order and nearly all share it with the one
/// before.
#[derive(Debug)]
pub(super) struct Clock {
    bounds: Bounds,
    /// `10/Oct/2000:13:55:`.
    minute: [u8; 18],
    /// ` -0700`.
    zone: [u8; 6],
    /// Milliseconds since the epoch at the start of that minute.
    start: i64,
}

impl Clock {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, minute: [0; 18], zone: [0; 6], start: 0 }
    }

    /// Milliseconds since the epoch. Also reads ISO times and epoch seconds, which some logs have instead.
    pub(super) fn read(&mut self, text: &[u8]) -> Result<(i64, bool), Reason> {
        if text.len() == 26
            && text[..18] == self.minute
            && text[20..] == self.zone
            && let Some(second) = two(&text[18..20])
        {
            return self.bounds.check(self.start + second * 1000).map(|millis| (millis, false));
        }
        match minute(text) {
            Some((start, seconds, zone)) => {
                if text.len() == 26 {
                    self.minute.copy_from_slice(&text[..18]);
                    self.zone.copy_from_slice(&text[20..]);
                    self.start = start;
                }
                Ok((self.bounds.check(start + seconds)?, !zone))
            }
            None => self.bounds.read(text).map(|read| (read.millis, read.zone_missing)),
        }
    }
}

/// True for what may be a time in the form of access logs.
pub(super) fn looks_like_time(text: &[u8]) -> bool {
    text.len() >= 20 && text[2] == b'/' && text[6] == b'/' && text[11] == b':' && text[0].is_ascii_digit()
}

/// The start of the minute in milliseconds since the epoch, milliseconds into it, and whether a zone is
/// there.
fn minute(text: &[u8]) -> Option<(i64, i64, bool)> {
    if !looks_like_time(text) || text[14] != b':' || text[17] != b':' {
        return None;
    }
    let year = two(&text[7..9])? * 100 + two(&text[9..11])?;
    let days = days(year, month(&text[3..6])?, two(&text[..2])?)?;
    let (hour, minute) = (two(&text[12..14])?, two(&text[15..17])?);
    // 60 is a leap second.
    let second = two(&text[18..20])?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (mut millis, mut rest) = (second * 1000, &text[20..]);
    if let [b'.' | b',', fraction @ ..] = rest {
        let end = fraction.iter().position(|b| !b.is_ascii_digit()).unwrap_or(fraction.len());
        let mut unit = 100;
        for &digit in &fraction[..end] {
            millis += i64::from(digit - b'0') * unit;
            unit /= 10;
        }
        rest = &fraction[end..];
    }
    let start = ((days * 24 + hour) * 60 + minute) * 60_000;
    match rest.trim_ascii() {
        [] => Some((start, millis, false)),
        b"Z" => Some((start, millis, true)),
        [sign @ (b'+' | b'-'), zone @ ..] => {
            let (hours, minutes) = match zone {
                [_, _, _, _] => (two(&zone[..2])?, two(&zone[2..])?),
                [_, _, b':', _, _] => (two(&zone[..2])?, two(&zone[3..])?),
                _ => return None,
            };
            let offset = (hours * 60 + minutes) * 60_000;
            Some((if *sign == b'+' { start - offset } else { start + offset }, millis, true))
        }
        _ => None,
    }
}

/// Days since the epoch of a date that exists.
pub(crate) fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = LENGTHS.get(usize::try_from(month - 1).ok()?)? + i64::from(leap && month == 2);
    if day < 1 || day > length {
        return None;
    }
    // Years that begin in March have the leap day at their end, and months of 153 days in five.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * m + 2) / 5 + day - 1;
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// The number of a month by its English name, 1 to 12; servers write it so whatever their locale.
pub(crate) fn month(name: &[u8]) -> Option<i64> {
    let name = [name[0].to_ascii_lowercase(), name[1].to_ascii_lowercase(), name[2].to_ascii_lowercase()];
    Some(match &name {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    })
}

/// A number of two digits.
pub(crate) fn two(text: &[u8]) -> Option<i64> {
    match text {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(i64::from(a - b'0') * 10 + i64::from(b - b'0')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str) -> String {
        match Clock::new(Bounds::new(Timestamp(i64::MAX / 2))).read(text.as_bytes()) {
            Ok((millis, missing)) => format!("{}{}", Timestamp(millis), if missing { " taken" } else { "" }),
            Err(reason) => reason.to_string(),
        }
    }

    #[test]
    fn times_of_every_server_are_read() {
        assert_eq!(check("10/Oct/2000:13:55:36 -0700"), "2000-10-10T20:55:36Z");
        assert_eq!(check("29/Feb/2024:23:59:60 +0545"), "2024-02-29T18:15:00Z");
        assert_eq!(check("01/Jan/1995:00:00:00 +0000"), "1995-01-01T00:00:00Z");
        assert_eq!(check("10/Oct/2000:13:55:36.25 +02:00"), "2000-10-10T11:55:36.25Z");
        assert_eq!(check("10/Oct/2000:13:55:36"), "2000-10-10T13:55:36Z taken");
        assert_eq!(check("2021-08-04T12:00:00+02:00"), "2021-08-04T10:00:00Z");
        assert_eq!(check("1628071200.5"), "2021-08-04T10:00:00.5Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["", "31/Feb/2024:00:00:00 +0000", "10/Okt/2000:13:55:36 -0700", "10/Oct/2000:25:55:36 -0700"]
        {
            assert!(check(text).starts_with("no time") || check(text).starts_with("time is"), "{text}");
        }
        assert_eq!(check("01/Jan/1960:00:00:00 +0000"), "before 1970");
    }

    proptest! {
        #[test]
        fn a_clock_that_remembers_says_what_a_fresh_one_says(
            seconds in proptest::collection::vec((0_i64..4_000_000_000, -14_i64..14), 1..20)
        ) {
            let mut clock = Clock::new(Bounds::new(Timestamp(i64::MAX / 2)));
            for (second, hours) in seconds {
                let local = jiff::Timestamp::from_second(second).expect("in range");
                let zone = jiff::tz::Offset::from_hours(hours as i8).expect("in range").to_time_zone();
                let text = local.to_zoned(zone).strftime("%d/%b/%Y:%H:%M:%S %z").to_string();
                prop_assert_eq!(clock.read(text.as_bytes()).map_err(Reason::text), Ok((second * 1000, false)));
            }
        }
    }
}
