//! False-discovery control over a family of tests.

/// Which p-values Benjamini and Hochberg (1995) reject at level `alpha`, the family having `family`
/// tests: those not listed have p = 1. Gives the q-value of each, in the order given.
pub fn benjamini_hochberg(p_values: &[f64], family: usize) -> Vec<f64> {
    let family = family.max(p_values.len()) as f64;
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut q_values = vec![1.0; p_values.len()];
    let mut least: f64 = 1.0;
    for (rank, &at) in order.iter().enumerate().rev() {
        least = least.min(p_values[at] * family / (rank + 1) as f64);
        q_values[at] = least;
    }
    q_values
}

/// The e-BH procedure of Wang and Ramdas (2022): false-discovery control under *any* dependence
/// between the tests. Takes natural logarithms of e-values (an e-value has mean ≤ 1 where there is
/// nothing to find), the family having `family` tests. Gives the q-value of each: the smallest
/// level at which it is rejected.
pub fn e_bh(log_e_values: &[f64], family: usize) -> Vec<f64> {
    let inverse: Vec<f64> = log_e_values.iter().map(|log_e| (-log_e).exp()).collect();
    // Rejecting e ≥ family / (rank · alpha) is Benjamini–Hochberg on 1/e.
    benjamini_hochberg(&inverse, family)
}

/// False-discovery rates of accounts of which some unknown part are members (Efron's two groups;
/// Sun and Cai 2007): takes each one's likelihood ratio of being a member to not being one, learns
/// the part that are by expectation and maximisation, and gives for each the mean chance of being
/// none among those at least as likely.
pub fn local(ratios: &[f64]) -> Vec<f64> {
    let mut part = 0.5;
    let none = |part: f64, ratio: f64| (1.0 - part) / (1.0 - part + part * ratio);
    for _ in 0..50 {
        let mean =
            ratios.iter().map(|&ratio| 1.0 - none(part, ratio)).sum::<f64>() / ratios.len().max(1) as f64;
        part = mean.clamp(0.001, 0.95);
    }
    let mut order: Vec<usize> = (0..ratios.len()).collect();
    order.sort_by(|&a, &b| ratios[b].total_cmp(&ratios[a]));
    let mut q_values = vec![1.0; ratios.len()];
    let mut sum = 0.0;
    for (rank, at) in order.into_iter().enumerate() {
        sum += none(part, ratios[at]);
        q_values[at] = sum / (rank + 1) as f64;
    }
    q_values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_values_of_the_textbook_example() {
        let q = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005], 4);
        let expected = [0.02, 0.04, 0.04, 0.02];
        for (got, want) in q.iter().zip(expected) {
            assert!((got - want).abs() < 1e-12, "{q:?}");
        }
    }

    #[test]
    fn tests_not_listed_count_in_the_family() {
        assert!((benjamini_hochberg(&[0.001], 100)[0] - 0.1).abs() < 1e-12);
    }

    #[test]
    fn more_evidence_is_a_smaller_q() {
        let q = e_bh(&[20.0, 3.0, 20.0], 1000);
        assert!(q[0] < 1e-5 && (q[0] - q[2]).abs() < 1e-18 && q[1] > 0.5);
    }
}
