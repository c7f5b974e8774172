//! Amounts of memory as people write them.

/// Bytes of `512MB`, `2GiB`, `1.5G` or `1000000`. `k`, `M`, `G` are powers of 1000; `Ki`, `Mi`, `Gi`
/// are powers of 1024; the `B` may be left out, and small letters will do.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let fault = || format!("`{text}` is not an amount of memory such as 512MB or 2GiB");
    let number: f64 = number.parse().map_err(|_| fault())?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().trim_end_matches('b') {
        "" => 1,
        "k" => 1_000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        _ => return Err(fault()),
    };
    let bytes = number * factor as f64;
    if bytes < LEAST as f64 || bytes > u64::MAX as f64 {
        return Err(format!("`{text}` is too little or too much: give at least 16MB"));
    }
    Ok(bytes as u64)
}

/// Below this the work would spend its time on moving rows to scratch space and back.
const LEAST: u64 = 16_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_as_written() {
        assert_eq!(parse("512MB"), Ok(512_000_000));
        assert_eq!(parse("2 GiB"), Ok(2 << 30));
        assert_eq!(parse("1.5g"), Ok(1_500_000_000));
        assert_eq!(parse("20000000"), Ok(20_000_000));
        for bad in ["", "MB", "12 apples", "-5MB", "1.2.3M", "1kB", "1e30GB"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
