//! Everything that pages say, once in each language, and figures and times as each language writes them.

use domain::Timestamp;
use jiff::tz::TimeZone;
use results::definition::UnitKind;
use results::returns::Reason;
use results::tally::Count;

mod english;
mod slovenian;

/// The languages of the tree, the first one at its top.
pub(crate) const LANGUAGES: [&Words; 2] = [&english::WORDS, &slovenian::WORDS];

/// What pages say in one language. `{0}`, `{1}` … stand for figures and names.
#[derive(Debug)]
pub(crate) struct Words {
    /// Its code, `en`.
    pub(crate) code: &'static str,
    /// Its name in itself.
    pub(crate) name: &'static str,
    /// Its folder in the tree, with a slash, or nothing.
    pub(crate) folder: &'static str,
    pub(crate) thousands: char,
    pub(crate) decimal: char,
    /// Names of the counts, in the order of [`Count::KNOWN`].
    pub(crate) counts: [&'static str; 11],
    /// Names of the reasons, in the order of [`Reason::ALL`].
    pub(crate) reasons: [&'static str; 7],
    /// Names of sorts of unit, in the order of [`UnitKind::ALL`].
    pub(crate) kinds: [&'static str; 9],
    /// What the rules say whose codes stand in [`FLAGS`], in that order.
    pub(crate) flags: [&'static str; FLAGS.len()],
    pub(crate) t: Texts,
}

/// Codes of rules that a centre may have seen and stands by.
pub(crate) const FLAGS: [&str; 14] = [
    "F.201", "F.202", "F.203", "F.204", "F.305", "F.306", "F.307", "F.308", "F.309", "F.312", "F.401",
    "F.402", "F.403", "eligible",
];

macro_rules! texts {
    ($($name:ident)*) => {
        /// Sentences and labels.
        #[derive(Debug)]
        pub(crate) struct Texts { $(pub(crate) $name: &'static str,)* }

        #[cfg(test)]
        impl Texts {
            fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

texts! {
    skip corrections data  language
    hold hold_since
    counted_of all_counted none_counted leads alone tied_lead no_votes
     progress_label
    list votes share seats candidates candidates_more lists_more
    seats_by last_seat tie unfilled excluded settled may_move may_move_unsure unknown_move no_missing not_final
    numbers turnout turnout_note eligible_note turnout_wait
    missing missing_none missing_more most_votes
    in_question in_question_unit in_question_note
    below unit page_of reported of
    station_lead station_none station_retracted station_question station_none_lead retracted_lead
    statement replaced first_statement
    amended amended_note revision said_at reason entry retracted_cell same_rows earlier_more
    flags flags_lead flag_other
    check check_gazette check_fingerprint check_leaf check_entry check_document check_proof check_place details amended_units check_command check_log
    check_witness check_no_witness check_sum
    corrections_title corrections_lead corrections_none corrections_officer corrections_units corrections_more
    embargo_title embargo_lead embargo_commitments embargo_none
    footer_source
    files_returns files_state files_units files_nist files_feed files_latest files_manifest
     provisional final_ more_values
}

impl Words {
    /// A whole number with thousands marks.
    pub(crate) fn n(&self, n: u64) -> String {
        let digits = n.to_string();
        let mut marked = String::with_capacity(digits.len() + digits.len() / 3);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                marked.push(self.thousands);
            }
            marked.push(digit);
        }
        marked
    }

    /// A share with one digit, rounded to the nearest and never to 0 or 100 where it is neither.
    pub(crate) fn percent(&self, part: u64, whole: u64) -> String {
        let (part, whole) = (u128::from(part), u128::from(whole.max(1)));
        let mut tenths = (part * 2000 / whole).div_ceil(2);
        if tenths == 0 && part > 0 {
            tenths = 1;
        } else if tenths >= 1000 && part < whole {
            tenths = 999;
        }
        format!("{}{}{}\u{a0}%", tenths / 10, self.decimal, tenths % 10)
    }

    /// A time of the day with its date, in the zone of the election.
    pub(crate) fn time(&self, time: Timestamp, zone: &TimeZone) -> String {
        let Ok(at) = jiff::Timestamp::from_millisecond(time.millis()) else { return time.to_string() };
        let at = at.to_zoned(zone.clone());
        let zone = if *zone == TimeZone::UTC { " UTC" } else { "" };
        let pattern = if self.code == "en" { "%-d %b %Y, %H:%M:%S" } else { "%-d. %-m. %Y, %H:%M:%S" };
        format!("{}{zone}", at.strftime(pattern)).replace(' ', "\u{a0}").replace(",\u{a0}", ", ")
    }

    pub(crate) fn count(&self, count: &Count) -> String {
        let place = Count::KNOWN.iter().position(|known| known == count);
        place.map_or_else(|| count.name().replace('-', " "), |at| self.counts[at].to_owned())
    }

    pub(crate) fn reason(&self, reason: Reason) -> &'static str {
        Reason::ALL.iter().position(|each| *each == reason).map_or("", |at| self.reasons[at])
    }

    pub(crate) fn kind(&self, kind: UnitKind) -> &'static str {
        UnitKind::ALL.iter().position(|each| *each == kind).map_or("", |at| self.kinds[at])
    }

    pub(crate) fn flag(&self, code: &str) -> &'static str {
        FLAGS.iter().position(|each| *each == code).map_or(self.t.flag_other, |at| self.flags[at])
    }
}

/// A sentence with its figures and names.
pub(crate) fn fill(template: &str, with: &[&str]) -> String {
    let mut filled = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (number, after) = after.split_once('}').expect("internal error: a template has a brace alone");
        let at: usize = number.parse().expect("internal error: a template names no number");
        filled.push_str(with[at]);
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// Somebody else's words: cut to a number of characters, and without any that could turn, hide or move the line.
pub(crate) fn shown(text: &str, limit: usize) -> String {
    let is_hostile = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            )
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}')
            || matches!(c, '\u{e0000}'..='\u{e007f}')
    };
    let mut safe = String::new();
    let mut weight = 0;
    for (at, c) in text.chars().enumerate() {
        // As many bytes as it takes in a page, where `&` is `&amp;`: a page stays small whatever names are made of.
        weight += if matches!(c, '&' | '<' | '>' | '"') { 5 } else { c.len_utf8() };
        if at >= limit || weight > 2 * limit {
            safe.pop();
            safe.push('…');
            break;
        }
        safe.push(if is_hostile(c) { '\u{fffd}' } else { c });
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_the_language_writes_them() {
        let [en, sl] = LANGUAGES;
        let say = |words: &Words| format!("{} {}", words.n(1_582_806), words.percent(203_963, 663_098));
        assert_eq!(say(en), "1,582,806 30.8\u{a0}%");
        assert_eq!(say(sl), "1.582.806 30,8\u{a0}%");
        assert_eq!(en.percent(1, 1_000_000), "0.1\u{a0}%");
        assert_eq!(en.percent(999_999, 1_000_000), "99.9\u{a0}%");
        assert_eq!(en.percent(5, 5), "100.0\u{a0}%");
        assert_eq!(en.percent(0, 0), "0.0\u{a0}%");
    }

    #[test]
    fn every_language_fills_in_the_same_figures() {
        let [en, sl] = LANGUAGES;
        let holes = |text: &str| -> std::collections::BTreeSet<usize> {
            text.split('{').skip(1).filter_map(|rest| rest.split_once('}')?.0.parse().ok()).collect()
        };
        for ((name, here), (_, there)) in en.t.all().into_iter().zip(sl.t.all()) {
            assert_eq!(holes(here), holes(there), "{name}");
            assert!(!there.trim().is_empty(), "{name}");
        }
    }

    #[test]
    fn names_cannot_turn_the_line() {
        assert_eq!(shown("a\u{202e}b\nc", 9), "a\u{fffd}b\u{fffd}c");
        assert_eq!(shown("abcdef", 4), "abc…");
        assert_eq!(shown("abcd", 4), "abcd");
    }

    #[test]
    fn a_sentence_takes_its_figures_in_any_order() {
        assert_eq!(fill("{1} of {0}.", &["5", "3"]), "3 of 5.");
    }
}
