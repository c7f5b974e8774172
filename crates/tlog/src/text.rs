//! What the line formats of C2SP share: numbers, bytes and lines with one spelling each.

use data_encoding::BASE64;

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

/// The standard base64 of RFC 4648, section 4, with its padding and without stray bits.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    // The library also reads several encodings one behind the other, each with its padding, which would give the same bytes many
    // spellings and is refused by other implementations.
    let is_one = !text.trim_end_matches('=').contains('=');
    is_one.then(|| BASE64.decode(text.as_bytes()).ok())?
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
    fn bytes_have_one_spelling() {
        assert_eq!(base64(""), Some(Vec::new()));
        assert_eq!(base64("AQID"), Some(vec![1, 2, 3]));
        assert_eq!(base64("AQI="), Some(vec![1, 2]));
        for bad in [
            "AQ", "AQI", "AQ==AQ==", "AQI=AQI=", "AQI=AQID", "AQJ=", "AQ-_", "AQID\n", " AQID", "AQ=",
            "====", "AQI==",
        ] {
            assert_eq!(base64(bad), None, "{bad:?}");
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
