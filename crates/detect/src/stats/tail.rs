//! Upper tails of counts.

/// P(X ≥ `at_least`) where X is the number of successes of independent trials with these
/// probabilities (Poisson binomial), exactly, by dynamic programming in O(n · at_least).
///
/// Probabilities outside 0..1 are clipped. `at_least` of 0 gives 1.
pub fn poisson_binomial(probabilities: &[f64], at_least: usize) -> f64 {
    if at_least == 0 {
        return 1.0;
    }
    if at_least > probabilities.len() {
        return 0.0;
    }
    // below[j] = P(exactly j successes so far), j < at_least; what leaves the end has succeeded.
    let mut below = vec![0.0; at_least];
    below[0] = 1.0;
    let mut reached = 0.0;
    for &p in probabilities {
        let p = p.clamp(0.0, 1.0);
        reached += below[at_least - 1] * p;
        for j in (1..at_least).rev() {
            below[j] = below[j] * (1.0 - p) + below[j - 1] * p;
        }
        below[0] *= 1.0 - p;
    }
    reached.min(1.0)
}

/// P(X ≥ `at_least`) where X is Poisson with this mean.
///
/// Sums terms from `at_least` upward, which keeps relative precision in the far tail.
pub fn poisson(mean: f64, at_least: u64) -> f64 {
    if at_least == 0 {
        return 1.0;
    }
    if mean <= 0.0 {
        return 0.0;
    }
    let k = at_least as f64;
    if k <= mean {
        // The tail is large: one minus the sum below is precise enough.
        let (mut term, mut sum) = ((-mean).exp(), 0.0);
        for j in 0..at_least {
            sum += term;
            term *= mean / (j + 1) as f64;
        }
        return (1.0 - sum).clamp(0.0, 1.0);
    }
    let log_first = k * mean.ln() - mean - ln_factorial(at_least);
    let (mut term, mut sum, mut j) = (1.0, 1.0, k);
    while term > sum * 1e-16 {
        j += 1.0;
        term *= mean / j;
        sum += term;
    }
    (log_first.exp() * sum).min(1.0)
}

/// P(X ≥ `at_least`) where X is negative binomial with this mean and variance
/// mean + `dispersion` · mean². A dispersion of 0 is Poisson.
pub fn negative_binomial(mean: f64, dispersion: f64, at_least: u64) -> f64 {
    if at_least == 0 {
        return 1.0;
    }
    if mean <= 0.0 || dispersion * mean < 1e-9 {
        return poisson(mean, at_least);
    }
    // P(k) = Γ(k + r) / (Γ(r) k!) · (1 − q)^r · q^k with r = 1 / dispersion.
    let r = 1.0 / dispersion;
    let q = dispersion * mean / (1.0 + dispersion * mean);
    let k = at_least as f64;
    let log_rising: f64 = (0..at_least).map(|j| (r + j as f64).ln()).sum();
    let log_first = log_rising - ln_factorial(at_least) - r * (dispersion * mean).ln_1p() + k * q.ln();
    let (mut term, mut sum, mut j) = (1.0, 1.0, k);
    // Terms grow up to the mode, which lies below the mean.
    while j < mean || term > sum * 1e-16 {
        term *= (j + r) / (j + 1.0) * q;
        sum += term;
        j += 1.0;
    }
    (log_first.exp() * sum).min(1.0)
}

/// ln(n!), by Stirling's series above 32 (error below 1e-12).
pub fn ln_factorial(n: u64) -> f64 {
    if n < 32 {
        return (2..=n).map(|i| (i as f64).ln()).sum();
    }
    let x = n as f64 + 1.0;
    let inverse = 1.0 / (x * x);
    (x - 0.5) * x.ln() - x
        + 0.918_938_533_204_672_8
        + (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse / 1260.0)) / x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-300), "{a} is not {b}");
    }

    #[test]
    fn poisson_binomial_of_equal_trials_is_binomial() {
        close(poisson_binomial(&[0.5; 4], 3), 5.0 / 16.0);
        close(poisson_binomial(&[0.1; 3], 3), 1e-3);
        close(poisson_binomial(&[0.2, 0.3], 1), 1.0 - 0.8 * 0.7);
        close(poisson_binomial(&[0.2], 0), 1.0);
        assert_eq!(poisson_binomial(&[0.2], 2), 0.0);
    }

    #[test]
    fn poisson_tails_match_tables() {
        close(poisson(1.0, 1), 1.0 - (-1.0_f64).exp());
        // P(X >= 3; 0.1) = 1 - e^-0.1 (1 + 0.1 + 0.005), by hand.
        assert!((poisson(0.1, 3) - 1.546_530_7e-4).abs() < 1e-10);
        assert!(poisson(0.001, 10) > 0.0 && poisson(0.001, 10) < 1e-35);
    }

    #[test]
    fn negative_binomial_tails_match_the_geometric_one() {
        // With dispersion 1 it is geometric: P(X >= k) = q^k, q = mean / (1 + mean).
        close(negative_binomial(3.0, 1.0, 5), 0.75_f64.powi(5));
        close(negative_binomial(3.0, 1.0, 2), 0.75_f64.powi(2));
        close(negative_binomial(0.1, 1e-12, 3), poisson(0.1, 3));
        assert!((negative_binomial(2.0, 1e-7, 9) / poisson(2.0, 9) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn ln_factorial_is_continuous_at_the_change_of_method() {
        let direct: f64 = (2..=40_u64).map(|i| (i as f64).ln()).sum();
        assert!((ln_factorial(40) - direct).abs() < 1e-10);
    }
}
