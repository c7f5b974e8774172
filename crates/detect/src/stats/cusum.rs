//! Cumulative sums: a rise that is too slow for any single value to stand out (Page 1954).

/// One-sided cumulative sum of standardised values.
#[derive(Clone, Copy, Debug)]
pub struct Cusum {
    drift: f64,
    limit: f64,
    sum: f64,
}

impl Cusum {
    /// `drift` spreads above the median count as usual; an alarm is given when the sum of what goes
    /// beyond passes `limit` spreads. With a drift of a half and a limit of eight, independent normal
    /// values alarm about once in 10,000 (Siegmund's approximation: e^(2·.5·(8 + 1.166)) = 9,570).
    pub fn new(drift: f64, limit: f64) -> Self {
        Self { drift, limit, sum: 0.0 }
    }

    /// Takes the next value and says whether the alarm is on.
    pub fn push(&mut self, value: f64, median: f64, sigma: f64) -> bool {
        let z = (value - median) / sigma.max(1.0);
        // Capped, so that one huge value does not keep the alarm on for hours.
        self.sum = (self.sum + z - self.drift).clamp(0.0, 3.0 * self.limit);
        self.sum > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::Cusum;

    #[test]
    fn a_slow_rise_alarms_and_noise_does_not() {
        let mut calm = Cusum::new(0.5, 8.0);
        assert!((0..1000).all(|n| !calm.push(100.0 + 10.0 * f64::from(n % 3 - 1), 100.0, 10.0)));
        let mut rising = Cusum::new(0.5, 8.0);
        let first = (0..60).find(|&n| rising.push(100.0 + 1.5 * f64::from(n), 100.0, 10.0));
        assert!(first.is_some_and(|n| n < 20), "{first:?}");
    }
}
