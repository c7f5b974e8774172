//! What the line formats of C2SP share: numbers and lines with one spelling each.

/// A decimal number without sign, space or leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    if text.is_empty()
        || !text.bytes().all(|byte| byte.is_ascii_digit())
        || (text.len() > 1 && text.starts_with('0'))
    {
        return None;
    }
    text.parse().ok()
}

/// Takes the first line, without its newline, off the text. `None` where no newline is left.
pub(crate) fn line<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let (line, after) = rest.split_once('\n')?;
    *rest = after;
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "18446744073709551616", "٣"] {
            assert_eq!(decimal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn lines_end_in_a_newline_or_are_no_lines() {
        let mut rest = "a\n\nb";
        assert_eq!(line(&mut rest), Some("a"));
        assert_eq!(line(&mut rest), Some(""));
        assert_eq!(line(&mut rest), None);
        assert_eq!(rest, "b");
    }
}
