//! How findings of floods show numbers.

/// Numbers with their shares: `443 (80 %), 53 (5 %)`.
pub(super) fn listed(list: &[(i64, i64)], packets: i64) -> String {
    let share = |n: i64| 100.0 * n as f64 / packets.max(1) as f64;
    let main: Vec<String> = list
        .iter()
        .filter(|(_, n)| share(*n) >= 5.0)
        .map(|(v, n)| format!("{v} ({:.0} %)", share(*n)))
        .collect();
    if main.is_empty() { "spread".to_owned() } else { main.join(", ") }
}

/// A whole number with its thousands apart.
pub(super) fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.round());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
