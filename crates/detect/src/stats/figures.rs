//! Figures as a finding shows them.

/// Four significant digits: more would be pretence. What is not finite becomes the largest number,
/// since JSON has no other word for it.
pub fn rounded(value: f64) -> f64 {
    if !value.is_finite() {
        return f64::MAX;
    }
    if value == 0.0 {
        return 0.0;
    }
    let scale = 10_f64.powf(3.0 - value.abs().log10().floor());
    if scale.is_finite() && scale > 0.0 { (value * scale).round() / scale } else { value }
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn four_digits_stay() {
        assert_eq!([0.0, 1234.56, 0.012_345_6, -9.9999].map(rounded), [0.0, 1235.0, 0.012_35, -10.0]);
        assert_eq!(rounded(f64::INFINITY), f64::MAX);
        assert!(rounded(1e-310) > 0.0);
    }
}
