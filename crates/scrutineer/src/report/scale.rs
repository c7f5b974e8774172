//! Axes of seconds.

/// Steps at which an axis of seconds may be marked.
const STEPS: [f64; 21] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0,
    21_600.0, 43_200.0, 86_400.0, 172_800.0, 345_600.0, 604_800.0,
];

/// From seconds to a coordinate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// Coordinate of 0 s.
    pub(super) from: f64,
    /// Coordinate of `max_s`.
    pub(super) to: f64,
    /// The last second on the axis.
    pub(super) max_s: f64,
    /// True where the seconds near zero get more room: `ln(1 + s)`.
    pub(super) stretched: bool,
}

impl Axis {
    /// The coordinate of a lag; what is no lag, or off the axis, lies on its nearest end.
    pub(super) fn at(&self, seconds: f64) -> f64 {
        let s = lag(seconds).min(self.max_s);
        let share = if self.stretched { s.ln_1p() / self.max_s.ln_1p() } else { s / self.max_s };
        self.from + share * (self.to - self.from)
    }

    /// Marks that leave at least `gap` between each other, 0 first.
    pub(super) fn marks(&self, gap: f64) -> Vec<f64> {
        let mut marks = vec![0.0];
        let candidates: Vec<f64> = if self.stretched {
            STEPS.to_vec()
        } else {
            let least = gap * self.max_s / (self.to - self.from);
            let step = STEPS.into_iter().find(|step| *step >= least).unwrap_or(self.max_s);
            (1_u32..50).map(|n| f64::from(n) * step).collect()
        };
        let mut last = self.from;
        for mark in candidates {
            if mark <= self.max_s * 1.000_001 && self.at(mark) - last >= gap {
                marks.push(mark);
                last = self.at(mark);
            }
        }
        marks
    }
}

/// The first round number of seconds at or above `s`.
pub(super) fn round_up(s: f64) -> f64 {
    let s = lag(s).max(1.0);
    STEPS.into_iter().find(|step| *step >= s).unwrap_or(s)
}

/// A lag that can be drawn: broken ones count as 0.
pub(super) fn lag(seconds: f64) -> f64 {
    if seconds.is_finite() { seconds.max(0.0) } else { 0.0 }
}

/// A coordinate with as many digits as can be seen.
pub(super) fn px(x: f64) -> String {
    let text = format!("{x:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_keep_their_distance() {
        let axis = Axis { from: 0.0, to: 300.0, max_s: 60.0, stretched: false };
        assert_eq!(axis.marks(48.0), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
        let axis = Axis { stretched: true, ..axis };
        assert_eq!(axis.marks(40.0), [0.0, 1.0, 5.0, 10.0, 20.0, 60.0]);
    }

    #[test]
    fn broken_lags_lie_on_the_axis() {
        let axis = Axis { from: 10.0, to: 20.0, max_s: 4.0, stretched: false };
        assert_eq!(
            [f64::NAN, -1e300, f64::INFINITY, 2.0, 9e99].map(|s| axis.at(s)),
            [10.0, 10.0, 10.0, 15.0, 20.0]
        );
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([3.0, 3.17].map(px), ["3", "3.2"]);
        assert_eq!(round_up(13.0), 20.0);
    }
}
