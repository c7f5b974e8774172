//! Figures, times and names as a person reads them, the same on paper and on the terminal.

use std::fmt::Write as _;

use domain::Timestamp;

/// A whole number with thousands marks: `1,275,106`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut marked = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            marked.push(',');
        }
        marked.push(digit);
    }
    marked
}

/// A number and what it counts: `1 row`, `1,204 rows`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

/// Words as a list in a sentence: `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(words: &[String]) -> String {
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// A measured number with as many digits as mean something: `1,204`, `40.3`, `3.1`, `0.04`.
pub(crate) fn figure(x: f64) -> String {
    let size = x.abs();
    if !x.is_finite() {
        return "unknown".to_owned();
    }
    if size >= 99.95 || x == x.trunc() {
        let sign = if x <= -0.5 { "−" } else { "" };
        return format!("{sign}{}", thousands(size.round() as u64));
    }
    let text = match size {
        0.995.. => format!("{x:.1}"),
        0.0095.. => format!("{x:.2}"),
        0.00095.. => format!("{x:.3}"),
        _ => return "<0.001".to_owned(),
    };
    text.replace('-', "−")
}

/// A share of one as a percentage that never claims certainty it has not: `97 %`, `<1 %`, `>99 %`.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        p if p <= 0.0 => "0 %".to_owned(),
        p if p < 1.0 => "<1 %".to_owned(),
        p if p >= 100.0 => "100 %".to_owned(),
        p if p > 99.0 => ">99 %".to_owned(),
        p => format!("{p:.0} %"),
    }
}

/// How sure in words, for a confidence of 0 to 1.
pub(crate) fn confidence(share: f64) -> &'static str {
    match share {
        0.99.. => "almost certain",
        0.9.. => "very likely",
        0.7.. => "likely",
        0.5.. => "rather more likely than not",
        _ => "uncertain",
    }
}

/// A q-value as a figure: `0.004`, `<0.001`.
pub(crate) fn q_figure(q: f64) -> String {
    match q {
        0.0995.. => format!("{q:.2}"),
        0.001.. => format!("{q:.3}"),
        _ => "<0.001".to_owned(),
    }
}

/// What a q-value promises, as a sentence.
pub(crate) fn q_words(q: f64) -> String {
    if q >= 0.5 {
        return format!(
            "Half or more of all findings as strong as this one would be chance (q = {}).",
            q_figure(q)
        );
    }
    let one_in = if q < 1e-6 { "a million".to_owned() } else { thousands(two_digits(1.0 / q)) };
    let about = if q < 1e-6 { "fewer than" } else { "about" };
    format!(
        "Of all findings as strong as this one, {about} 1 in {one_in} would be chance (q {}).",
        if q < 0.001 { "below 0.001".to_owned() } else { format!("= {}", q_figure(q)) }
    )
}

/// A duration in the units that a person would use: `0.4 s`, `12 s`, `2 min 5 s`, `3 h 10 min`, `4 d 2 h`.
pub(crate) fn seconds(s: f64) -> String {
    if !s.is_finite() || s < 0.0 {
        return "unknown".to_owned();
    }
    if s < 9.95 && (s - s.round()).abs() >= 0.05 {
        return format!("{s:.1} s");
    }
    let whole = s.round() as u64;
    let (big, small) = match whole {
        0..120 => return format!("{whole} s"),
        120..3_600 => ((whole / 60, "min"), (whole % 60, "s")),
        3_600..172_800 => ((whole / 3_600, "h"), (whole % 3_600 / 60, "min")),
        _ => ((whole / 86_400, "d"), (whole % 86_400 / 3_600, "h")),
    };
    let mut text = format!("{} {}", thousands(big.0), big.1);
    if small.0 > 0 {
        write!(text, " {} {}", small.0, small.1).expect("internal error: writing to a string");
    }
    text
}

/// A time to the second, without its zone, which the caller states: `26 Sep 2021, 18:00:03`.
pub(crate) fn time(t: Timestamp) -> String {
    stamp(t, "%-d %b %Y, %H:%M:%S")
}

/// A day, without the zone: `26 Sep 2021`.
pub(crate) fn day(t: Timestamp) -> String {
    stamp(t, "%-d %b %Y")
}

/// A time to the minute with its zone: `26 Sep 2021, 18:00 UTC`.
pub(crate) fn minute(t: Timestamp) -> String {
    stamp(t, "%-d %b %Y, %H:%M UTC")
}

/// A time of day to the second with its zone: `18:00:03 UTC`.
pub(crate) fn clock(t: Timestamp) -> String {
    stamp(t, "%H:%M:%S UTC")
}

/// A time of day to the minute, without its zone: `18:00`.
pub(crate) fn hour(t: Timestamp) -> String {
    stamp(t, "%H:%M")
}

/// From one time to another, to the second, the day named twice only where there are two:
/// `26 Sep 2021, 18:00:03 to 18:02:10 UTC (2 min 7 s)`, `26 Sep 2021, 18:00:03 UTC`.
pub(crate) fn span(from: Timestamp, until: Timestamp) -> String {
    if time(from) == time(until) {
        return format!("{} UTC", time(from));
    }
    let length = seconds(until.millis().saturating_sub(from.millis()).max(0) as f64 / 1000.0);
    let end = if day(from) == day(until) { stamp(until, "%H:%M:%S") } else { time(until) };
    format!("{} to {end} UTC ({length})", time(from))
}

/// The same to the minute, without its length: `26 Sep 2021, 18:00 to 21:30 UTC`.
pub(crate) fn hours(from: Timestamp, until: Timestamp) -> String {
    let end = if day(from) == day(until) { format!("{} UTC", hour(until)) } else { minute(until) };
    format!("{}, {} to {end}", day(from), hour(from))
}

/// The text with every number held to its unit by a space that does not break.
pub(crate) fn bound(text: &str) -> String {
    const UNITS: [&str; 9] = ["s", "ms", "min", "h", "d", "%", "UTC", "MB", "GB"];
    let mut joined = String::with_capacity(text.len());
    for word in text.split(' ') {
        let unit = word.trim_end_matches(['.', ',', ';', ':', ')']);
        if joined.ends_with(|c: char| c.is_ascii_digit()) && UNITS.contains(&unit) {
            joined.push('\u{A0}');
        } else if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(word);
    }
    joined
}

/// The longest stretch of somebody else's name that is shown whole.
pub(crate) const NAME_LIMIT: usize = 96;

/// Somebody else's name, safe to show: cut with an ellipsis after `limit` characters, and with
/// every character that could move the cursor, turn the line around or hide itself written out.
///
/// The joiners U+200C and U+200D stay: Persian and emoji are not written without them.
pub(crate) fn shown(name: &str, limit: usize) -> String {
    let mut safe = String::with_capacity(name.len().min(4 * limit));
    for (place, letter) in name.chars().enumerate() {
        if place + 1 >= limit && name.chars().nth(limit).is_some() {
            safe.push('…');
            break;
        }
        if is_hostile(letter) {
            write!(safe, "[U+{:04X}]", letter as u32).expect("internal error: writing to a string");
        } else {
            safe.push(letter);
        }
    }
    safe
}

fn two_digits(x: f64) -> u64 {
    let step = 10_f64.powi((x.log10().floor() as i32 - 1).max(0));
    ((x / step).round() * step) as u64
}

fn stamp(t: Timestamp, format: &str) -> String {
    match jiff::Timestamp::from_millisecond(t.millis()) {
        Ok(at) => at.strftime(format).to_string(),
        Err(_) => t.to_string(),
    }
}

/// Controls, line and paragraph separators, marks of direction, tags, and letters without width.
fn is_hostile(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_thousands_marks() {
        assert_eq!([0, 999, 1_000, 1_275_106].map(thousands), ["0", "999", "1,000", "1,275,106"]);
        assert_eq!(counted(1, "row", "rows"), "1 row");
    }

    #[test]
    fn figures_have_digits_that_mean_something() {
        let all = [0.0, 3.0, 0.000_2, 0.041, 3.17, 40.26, 1204.4, -2.5, f64::NAN].map(figure);
        assert_eq!(all, ["0", "3", "<0.001", "0.04", "3.2", "40.3", "1,204", "−2.5", "unknown"]);
    }

    #[test]
    fn certainty_is_never_rounded_up() {
        assert_eq!(
            [0.0, 0.002, 0.5, 0.97, 0.999, 1.0].map(percent),
            ["0 %", "<1 %", "50 %", "97 %", ">99 %", "100 %"]
        );
        assert_eq!(
            [0.0, 0.0004, 0.004, 0.01, 0.2, 1.0].map(q_figure),
            ["<0.001", "<0.001", "0.004", "0.010", "0.20", "1.00"]
        );
    }

    #[test]
    fn a_q_value_is_a_sentence() {
        assert_eq!(
            q_words(0.004),
            "Of all findings as strong as this one, about 1 in 250 would be chance (q = 0.004)."
        );
        assert_eq!(
            q_words(0.000_03),
            "Of all findings as strong as this one, about 1 in 33,000 would be chance (q below 0.001)."
        );
        assert_eq!(
            q_words(0.0),
            "Of all findings as strong as this one, fewer than 1 in a million would be chance (q below 0.001)."
        );
        assert!(q_words(0.8).starts_with("Half or more"));
    }

    #[test]
    fn durations_use_the_units_of_people() {
        assert_eq!(
            [0.0, 0.4, 2.0, 12.3, 119.0, 125.0, 120.0, 3_600.0, 11_400.0, 352_800.0].map(seconds),
            ["0 s", "0.4 s", "2 s", "12 s", "119 s", "2 min 5 s", "2 min", "1 h", "3 h 10 min", "4 d 2 h"]
        );
    }

    #[test]
    fn a_number_keeps_its_unit() {
        assert_eq!(
            bound("9 links within 20 s of 3 h, not 4 so"),
            "9 links within 20\u{A0}s of 3\u{A0}h, not 4 so"
        );
        assert_eq!(bound("s"), "s");
    }

    #[test]
    fn times_are_utc() {
        let t = Timestamp::from_seconds(1_632_679_203);
        assert_eq!(time(t), "26 Sep 2021, 18:00:03");
        assert_eq!(day(t), "26 Sep 2021");
        assert_eq!(minute(t), "26 Sep 2021, 18:00 UTC");
        let later = |s: i64| Timestamp::from_seconds(1_632_679_203 + s);
        assert_eq!(span(t, later(127)), "26 Sep 2021, 18:00:03 to 18:02:10 UTC (2 min 7 s)");
        assert_eq!(span(t, later(86_400)), "26 Sep 2021, 18:00:03 to 27 Sep 2021, 18:00:03 UTC (24 h)");
        assert_eq!(hours(t, later(7_200)), "26 Sep 2021, 18:00 to 20:00 UTC");
        assert_eq!(hours(t, later(86_400)), "26 Sep 2021, 18:00 to 27 Sep 2021, 18:00 UTC");
        assert_eq!(span(t, Timestamp(t.millis() + 7)), "26 Sep 2021, 18:00:03 UTC");
        assert_eq!(minute(Timestamp(i64::MAX)), "9223372036854775807 ms");
    }

    #[test]
    fn a_hostile_name_can_neither_turn_nor_hide_nor_sprawl() {
        assert_eq!(shown("abc\u{202E}def\u{1b}[2J", 40), "abc[U+202E]def[U+001B][2J");
        assert_eq!(shown("abcdef", 6), "abcdef");
        assert_eq!(shown("abcdefg", 6), "abcde…");
        assert_eq!(shown(&"x".repeat(2_000), 10).chars().count(), 10);
        assert_eq!(shown("می\u{200C}شود", 40), "می\u{200C}شود");
    }
}
