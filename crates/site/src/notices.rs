//! What the duty officer has to say: that publication is on hold, and what was put right. A small text file, one line each.
//!
//! ```text
//! scrutineer-notices v1
//! hold 2024-06-09T21:40:00Z Station 3007/007 is being checked with its count centre.
//! lift 2024-06-09T22:05:00Z
//! correction 2024-06-09T22:05:00Z Station 3007/007 had shown the numbers of station 3007/005.
//! ```

use domain::Timestamp;
use thiserror::Error;

/// First line of the file.
pub const NOTICES: &str = "scrutineer-notices v1";

/// The most characters of a notice.
pub const MAX_NOTICE: usize = 600;

/// The most notices.
pub const MAX_NOTICES: usize = 40;

/// All that was said, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// The hold that stands, if one does.
    pub hold: Option<(Timestamp, String)>,
    /// What was put right.
    pub corrections: Vec<(Timestamp, String)>,
}

/// Why a file has no notices.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoticesError {
    /// The first line is another one.
    #[error("line 1 is not `{NOTICES}`")]
    Kind,
    /// A line cannot be read.
    #[error("line {0} is not `hold TIME TEXT`, `lift TIME` or `correction TIME TEXT`")]
    Line(usize),
    /// A text is too long.
    #[error("line {0} has more than {MAX_NOTICE} characters")]
    Long(usize),
    /// Too much was said.
    #[error("there are more than {MAX_NOTICES} corrections")]
    Many,
}

impl Notices {
    /// Reads the file.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, NoticesError> {
        let mut notices = Self::default();
        let mut lines = (1..).zip(text.lines());
        if lines.next().is_none_or(|(_, line)| line != NOTICES) {
            return Err(NoticesError::Kind);
        }
        for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = || NoticesError::Line(number);
            let (kind, rest) = line.split_once(' ').ok_or_else(wrong)?;
            let (time, said) = rest.split_once(' ').unwrap_or((rest, ""));
            let time = Timestamp::parse(time).ok_or_else(wrong)?;
            if said.chars().count() > MAX_NOTICE {
                return Err(NoticesError::Long(number));
            }
            match (kind, said.trim()) {
                ("lift", "") => notices.hold = None,
                ("hold", said) if !said.is_empty() => notices.hold = Some((time, said.to_owned())),
                ("correction", said) if !said.is_empty() => notices.corrections.push((time, said.to_owned())),
                _ => return Err(wrong()),
            }
            if notices.corrections.len() > MAX_NOTICES {
                return Err(NoticesError::Many);
            }
        }
        Ok(notices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hold_stands_until_it_is_lifted() {
        let text = format!("{NOTICES}\nhold 2024-06-09T21:40:00Z One.\nhold 2024-06-09T21:50:00Z Two.\n");
        let notices = Notices::parse(&text).expect("notices");
        assert_eq!(notices.hold.map(|(_, said)| said).as_deref(), Some("Two."));
        let text = format!("{text}lift 2024-06-09T22:00:00Z\ncorrection 2024-06-09T22:00:00Z Done.\n");
        let notices = Notices::parse(&text).expect("notices");
        assert_eq!((notices.hold, notices.corrections.len()), (None, 1));
    }

    #[test]
    fn the_first_wrong_line_is_named() {
        let say =
            |line: &str| Notices::parse(&format!("{NOTICES}\n{line}\n")).expect_err("wrong").to_string();
        assert_eq!(Notices::parse("hello\n"), Err(NoticesError::Kind));
        for wrong in
            ["hold", "hold now because", "hold 2024-06-09T21:40:00Z", "lift 2024-06-09T21:40:00Z no", "x y z"]
        {
            assert!(say(wrong).starts_with("line 2 is not"), "{wrong}");
        }
        assert!(say(&format!("hold 2024-06-09T21:40:00Z {}", "a".repeat(601))).contains("more than 600"));
    }
}
