//! What a rate usually is at this time: a median and a spread that a few odd minutes do not move.

/// Minutes of a week.
const WEEK: i64 = 7 * 24 * 60;
/// Minutes of a day.
const DAY: i64 = 24 * 60;

/// What is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Base {
    /// The middle of the values.
    pub median: f64,
    /// Spread in units of a standard deviation: 1.4826 times the median absolute deviation, at least
    /// the square root of the median, which is what chance alone makes of counts.
    pub sigma: f64,
    /// What it was learnt from.
    pub from: Season,
}

/// What a base was learnt from, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Season {
    /// The same half hours of the week, in at least two of the last four weeks.
    Weeks(u32),
    /// The same hours of the day, on at least two of the last seven days.
    Days(u32),
    /// The hour before, without the last five minutes; so many minutes of it.
    Minutes(u32),
    /// Nothing: the recording is too short.
    Nothing,
}

/// Fewest minutes from which the hour before is taken for usual.
const LEAST_MINUTES: i64 = 20;
/// Minutes just before that may already belong to a slow rise.
const GUARD: i64 = 5;

impl Base {
    /// The base of one minute of a series. `value` gives the value of any minute from `first` on, which
    /// is the first minute of the recording.
    ///
    /// ```
    /// use detect::stats::base::{Base, Season};
    /// let base = Base::at(100, 0, |minute| if minute % 10 == 0 { 90.0 } else { 20.0 });
    /// assert_eq!((base.median, base.from), (20.0, Season::Minutes(56)));
    /// ```
    pub fn at(minute: i64, first: i64, value: impl Fn(i64) -> f64) -> Self {
        let weeks = windows(minute, first, WEEK, 4, 30);
        if weeks.len() >= 2 {
            return Self::of(&weeks, value, Season::Weeks(weeks.len() as u32));
        }
        let days = windows(minute, first, DAY, 7, 60);
        if days.len() >= 2 {
            return Self::of(&days, value, Season::Days(days.len() as u32));
        }
        let (from, until) = ((minute - 60 - 1).max(first), minute - GUARD);
        if until - from < LEAST_MINUTES {
            return Self { median: 0.0, sigma: 0.0, from: Season::Nothing };
        }
        Self::of(&[(from, until)], value, Season::Minutes((until - from) as u32))
    }

    fn of(windows: &[(i64, i64)], value: impl Fn(i64) -> f64, from: Season) -> Self {
        let mut values: Vec<f64> =
            windows.iter().flat_map(|&(from, until)| (from..until).map(&value).collect::<Vec<_>>()).collect();
        let median = median(&mut values);
        Self { median, sigma: spread(&values, median).max(median.max(0.0).sqrt()), from }
    }

    /// Median and `k` spreads.
    pub fn above(&self, k: f64) -> f64 {
        self.median + k * self.sigma
    }

    /// True where something was learnt.
    pub fn is_known(&self) -> bool {
        self.from != Season::Nothing
    }
}

impl std::fmt::Display for Season {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Weeks(n) => write!(f, "the same half hours of {n} weeks"),
            Self::Days(n) => write!(f, "the same hours of {n} days"),
            Self::Minutes(n) => write!(f, "the {n} minutes before"),
            Self::Nothing => write!(f, "nothing"),
        }
    }
}

/// Ranges of minutes around the same place of earlier periods that lie wholly in the recording.
fn windows(minute: i64, first: i64, period: i64, most: i64, around: i64) -> Vec<(i64, i64)> {
    (1..=most)
        .map(|n| (minute - n * period - around, minute - n * period + around + 1))
        .filter(|&(from, _)| from >= first)
        .collect()
}

/// The middle of the values, which are sorted; the mean of the two middle ones where their number is
/// even, 0 of none.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => 0.0,
        _ if n % 2 == 1 => values[n / 2],
        _ => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// Median absolute deviation from `middle`, times 1.4826: the standard deviation if the values were
/// normal (Rousseeuw and Croux 1993).
pub fn spread(values: &[f64], middle: f64) -> f64 {
    let mut off: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    1.4826 * median(&mut off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_spreads_of_the_textbook() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&mut []), 0.0);
        assert!((spread(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0], 2.0) - 1.4826).abs() < 1e-12);
    }

    #[test]
    fn the_best_season_that_the_recording_has() {
        let by_hour = |minute: i64| if minute.rem_euclid(DAY) / 60 == 20 { 500.0 } else { 9.0 };
        let evening = 20 * 60 + 30;
        let at = |minute, first| Base::at(minute, first, by_hour);
        assert_eq!(at(3 * WEEK + evening, 0).from, Season::Weeks(3));
        assert_eq!(at(3 * WEEK + evening, 0).median, 500.0);
        assert_eq!(at(3 * DAY + evening, 0).from, Season::Days(3));
        assert_eq!(at(evening, 0).from, Season::Minutes(56));
        assert_eq!((at(evening, 0).median, at(evening, 0).sigma), (9.0, 3.0));
        assert_eq!(at(12, 0).from, Season::Nothing);
    }
}
