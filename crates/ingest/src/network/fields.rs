//! Fields as sensors write them: numbers, times, addresses, protocols.
//!
//! The usual forms are read by hand, because a field is read some ten times a row; the rest goes the
//! way of all other formats.

use memchr::memchr;
use traffic::Address;
use traffic::flow::{self, State};

use crate::problems::Reason;
use crate::time::{Bounds, Read};

/// Digits only, at most eighteen. `None` for anything else, also for nothing.
pub(crate) fn whole(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    let mut number = 0_i64;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(number)
}

/// A count: nothing is 0.
///
/// # Errors
/// It is no number, or one that no counter reaches.
pub(crate) fn count(text: &[u8]) -> Result<i64, Reason> {
    if text.is_empty() { Ok(0) } else { number(text).ok_or(Reason::BadNumber) }
}

/// A count that is -1 where there is nothing.
pub(crate) fn count_or_unknown(text: &[u8]) -> Result<i64, Reason> {
    if text.is_empty() { Ok(-1) } else { number(text).ok_or(Reason::BadNumber) }
}

/// The largest count that is believed: 2^53, up to which floating point is exact. A thousand of them can be
/// added up without an overflow.
pub(crate) const LARGEST: i64 = 1 << 53;

/// Columns that are counts or lengths: neither far below zero nor absurdly large.
pub(crate) fn is_count(name: &str) -> bool {
    matches!(
        name,
        "duration"
            | "packets"
            | "bytes"
            | "back_packets"
            | "back_bytes"
            | "fragments"
            | "sampling"
            | "answers"
            | "step"
            | "count"
            | "label_len"
            | "label_entropy"
    )
}

/// Also as `12.0` and `1.2e1`, which tools that know only floating point make of counts.
fn number(text: &[u8]) -> Option<i64> {
    let number = whole(text).or_else(|| {
        let number = float(text)?;
        (0.0..1e18).contains(&number).then_some(number as i64)
    })?;
    (number <= LARGEST).then_some(number)
}

/// A port, or a type of ICMP; 0 where there is none.
pub(crate) fn port(text: &[u8]) -> Result<i32, Reason> {
    match count(text)? {
        port @ 0..=65535 => Ok(port as i32),
        _ => Err(Reason::BadNumber),
    }
}

/// A decimal number. `f64` would also accept `inf` and `nan`.
pub(crate) fn float(text: &[u8]) -> Option<f64> {
    let usual = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E');
    if !text.iter().all(usual) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Decimal seconds as milliseconds, rounded. At most eleven digits before the point: more are no seconds.
fn decimal_millis(text: &[u8]) -> Option<i64> {
    let (mut seconds, mut at) = (0_i64, 0);
    while let Some(byte) = text.get(at)
        && byte.is_ascii_digit()
    {
        seconds = seconds * 10 + i64::from(byte - b'0');
        at += 1;
        if at > 11 {
            return None;
        }
    }
    if at == 0 {
        return None;
    }
    let fraction = match text.get(at) {
        None => return Some(seconds * 1000),
        Some(b'.') => &text[at + 1..],
        Some(_) => return None,
    };
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |place: usize| fraction.get(place).map_or(0, |&byte| i64::from(byte - b'0'));
    Some(seconds * 1000 + digit(0) * 100 + digit(1) * 10 + digit(2) + i64::from(digit(3) >= 5))
}

/// Decimal seconds as milliseconds; nothing is 0.
///
/// # Errors
/// It is no number, or one below zero.
pub(crate) fn duration(text: &[u8]) -> Result<i64, Reason> {
    if text.is_empty() {
        return Ok(0);
    }
    if let Some(millis) = decimal_millis(text) {
        return Ok(millis);
    }
    match float(text) {
        // A clock that was set back during a flow: the flow is real, its length is not known.
        Some(seconds) if seconds < 0.0 => Ok(0),
        Some(seconds) if seconds < 1e12 => Ok((seconds * 1000.0).round() as i64),
        _ => Err(Reason::BadNumber),
    }
}

/// A time: epoch seconds with decimals, or a date and time with or without a zone, or whatever else
/// [`Bounds::read`] knows.
pub(crate) fn time(text: &[u8], bounds: Bounds) -> Result<Read, Reason> {
    let read = match decimal_millis(text) {
        Some(millis) => Read { millis, zone_missing: false },
        None => match date_and_time(text) {
            Some(read) => read,
            None => return bounds.read(text),
        },
    };
    bounds.check(read.millis)?;
    Ok(read)
}

/// `2026-09-27T18:00:00.123+0200` and its kin: `/` for `-`, a space for `T`, `Z`, a zone with or without
/// colon, or none, which is taken as UTC. `None` for anything else.
pub(crate) fn date_and_time(text: &[u8]) -> Option<Read> {
    let number = |from: usize, to: usize| whole(text.get(from..to)?);
    let sign = |at: usize, signs: &[u8]| text.get(at).is_some_and(|byte| signs.contains(byte));
    if !(sign(4, b"-/") && sign(7, b"-/") && sign(10, b"T t") && sign(13, b":") && sign(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    // A leap second (60) is the first of the next minute.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = &text[19..];
    let mut millis = 0;
    if let Some(b'.' | b',') = rest.first() {
        let digits = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digit = |place: usize| {
            if place < digits { i64::from(rest[1 + place] - b'0') } else { 0 }
        };
        millis = digit(0) * 100 + digit(1) * 10 + digit(2) + i64::from(digit(3) >= 5);
        rest = &rest[1 + digits..];
    }
    let (offset, zone_missing) = match rest {
        b"" => (0, true),
        b"Z" | b"z" => (0, false),
        [sign @ (b'+' | b'-'), zone @ ..] => {
            let (hours, minutes) = match zone {
                [_, _] => (whole(zone)?, 0),
                [_, _, b':', _, _] => (whole(&zone[..2])?, whole(&zone[3..])?),
                [_, _, _, _] => (whole(&zone[..2])?, whole(&zone[2..])?),
                _ => return None,
            };
            let seconds = hours * 3600 + minutes * 60;
            (if *sign == b'-' { -seconds } else { seconds }, false)
        }
        _ => return None,
    };
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(Read { millis: seconds * 1000 + millis, zone_missing })
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day is
/// the last of a year; 719,468 days lie between 1 March of year 0 and the epoch.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let from_march = (month + 9) % 12;
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// An address, also with a zone (`fe80::1%eth0`), which is left out.
pub(crate) fn address(text: &[u8]) -> Option<Address> {
    if let Some(bits) = v4(text) {
        return Some(Address::v4(bits));
    }
    Address::parse(&text[..memchr(b'%', text).unwrap_or(text.len())])
}

/// Four decimal octets without leading zeros.
fn v4(text: &[u8]) -> Option<u32> {
    if text.len() > 15 {
        return None;
    }
    let (mut bits, mut octet, mut digits, mut dots) = (0_u32, 0_u32, 0, 0);
    for &byte in text {
        if byte == b'.' {
            if digits == 0 || dots == 3 {
                return None;
            }
            bits = bits << 8 | octet;
            (octet, digits, dots) = (0, 0, dots + 1);
            continue;
        }
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 || (digits > 0 && octet == 0) {
            return None;
        }
        octet = octet * 10 + u32::from(digit);
        digits += 1;
        if octet > 255 {
            return None;
        }
    }
    (dots == 3 && digits > 0).then_some(bits << 8 | octet)
}

/// The IP protocol of that name or number (IANA); -1 unknown. ICMP between IPv6 addresses is ICMPv6,
/// which some sensors do not tell apart.
pub(crate) fn protocol(name: &[u8], between_v6: bool) -> i32 {
    let mut lower = [0; 16];
    let Some(lower) = lower.get_mut(..name.len()) else { return -1 };
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    match &*lower {
        b"tcp" => 6,
        b"udp" => 17,
        b"icmp" if between_v6 => 58,
        b"icmp" => 1,
        b"icmp6" | b"icmpv6" | b"ipv6-icmp" => 58,
        b"igmp" => 2,
        b"ipip" | b"ipencap" | b"ipnip" => 4,
        b"ipv6" => 41,
        b"rsvp" => 46,
        b"gre" => 47,
        b"esp" => 50,
        b"ah" => 51,
        b"eigrp" => 88,
        b"ospf" => 89,
        b"pim" => 103,
        b"vrrp" => 112,
        b"sctp" => 132,
        b"udplite" | b"udp-lite" => 136,
        digits => match whole(digits) {
            Some(number @ 0..=255) => number as i32,
            _ => -1,
        },
    }
}

/// How a TCP flow went, by the flags of both sides.
pub(crate) fn tcp_state(out: i32, back: i32, back_packets: i64) -> State {
    if out & flow::SYN == 0 {
        // The answer to a SYN that was not seen, or a flow from its middle.
        State::Partial
    } else if back_packets == 0 {
        State::Attempt
    } else if back & flow::SYN == 0 {
        if back & flow::RST != 0 { State::Rejected } else { State::Partial }
    } else if (out | back) & flow::RST != 0 {
        State::Reset
    } else if out & back & flow::FIN != 0 {
        State::Closed
    } else {
        State::Established
    }
}

/// True for an address that is not mapped from IPv4.
pub(crate) fn is_v6(address: Address) -> bool {
    address.v4_bits().is_none()
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn when(text: &str) -> String {
        match time(text.as_bytes(), Bounds::new(Timestamp(4_000_000_000_000))) {
            Ok(read) => {
                format!("{}{}", Timestamp(read.millis), if read.zone_missing { " taken" } else { "" })
            }
            Err(reason) => reason.text().to_owned(),
        }
    }

    #[test]
    fn times_are_kept_to_the_millisecond() {
        assert_eq!(when("1632679200.123456"), "2021-09-26T18:00:00.123Z");
        assert_eq!(when("1632679200.9996"), "2021-09-26T18:00:01Z");
        assert_eq!(when("1632679200123.4"), "2021-09-26T18:00:00.123Z");
        assert_eq!(when("2021-09-26T20:00:00.123456+0200"), "2021-09-26T18:00:00.123Z");
        assert_eq!(when("2021-09-26T13:30:00-04:30"), "2021-09-26T18:00:00Z");
        assert_eq!(when("2021/09/26 18:00:00.5"), "2021-09-26T18:00:00.5Z taken");
        assert_eq!(when("2020-02-29 00:00:00Z"), "2020-02-29T00:00:00Z");
        assert_eq!(when("22.333203"), "1970-01-01T00:00:22.333Z");
        assert_eq!(when("2021-02-29T00:00:00Z"), "time is neither a number nor RFC 3339");
        assert_eq!(when("2021-09-26T24:00:00Z"), "time is neither a number nor RFC 3339");
        assert_eq!(when(""), "no time");
    }

    #[test]
    fn durations_and_counts_in_whatever_form() {
        assert_eq!(duration(b"0.084044"), Ok(84));
        assert_eq!(duration(b"5e-05"), Ok(0));
        assert_eq!(duration(b"-3"), Ok(0));
        assert_eq!(duration(b"soon"), Err(Reason::BadNumber));
        assert_eq!((count(b""), count(b"7"), count(b"7.0")), (Ok(0), Ok(7), Ok(7)));
        assert_eq!(count(b"18446744073709551615"), Err(Reason::BadNumber));
        assert_eq!(port(b"65536"), Err(Reason::BadNumber));
    }

    #[test]
    fn protocols_by_name_and_number() {
        assert_eq!(
            [protocol(b"tcp", false), protocol(b"ICMP", true), protocol(b"47", false), protocol(b"?", false)],
            [6, 58, 47, -1]
        );
        assert_eq!(protocol(b"a name longer than any protocol's", false), -1);
    }

    proptest! {
        #[test]
        fn addresses_are_read_as_the_standard_library_reads_them(text in "[0-9]{1,3}(\\.[0-9]{1,3}){2,4}|[0-9a-f:.]{0,12}") {
            prop_assert_eq!(address(text.as_bytes()), Address::parse(text.as_bytes()));
        }

        #[test]
        fn dates_are_read_as_the_calendar_library_reads_them(seconds in 0_i64..4_000_000_000) {
            let text = Timestamp::from_seconds(seconds).to_string();
            let read = date_and_time(text.as_bytes()).map(|read| read.millis);
            prop_assert_eq!(read, Some(seconds * 1000));
        }
    }
}
