//! Names that were asked for in DNS.

use crate::rows::Rows;

/// The columns of a lookup that come from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LookupName {
    /// Text id of the name in lower case, without the last dot.
    pub(crate) name: i64,
    /// Text id of the registrable domain (Public Suffix List); of the name where it has none.
    pub(crate) domain: i64,
    /// Characters before the registrable domain, without dots.
    pub(crate) label_len: i32,
    /// Entropy of those characters, thousandths of a bit a character.
    pub(crate) label_entropy: i32,
}

/// Takes a name apart. The root is written as `.`, and bytes that are no text count one character each.
pub(crate) fn lookup_name(rows: &mut Rows, qname: &[u8]) -> LookupName {
    let name = qname.trim_ascii().to_ascii_lowercase();
    let end = name.iter().rposition(|&b| b != b'.').map_or(0, |at| at + 1);
    let name = if end == 0 { b"." } else { &name[..end] };
    let domain = registrable(name);
    let before = &name[..name.len() - domain.len()];
    let (label_len, label_entropy) = entropy(before);
    LookupName { name: rows.text(name), domain: rows.text(domain), label_len, label_entropy }
}

/// The registrable domain at the end of a name, or the whole name.
fn registrable(name: &[u8]) -> &[u8] {
    match psl::domain(name) {
        // What is returned is a part of the name and ends where it ends; a list that says otherwise is not used.
        Some(domain) if name.ends_with(domain.as_bytes()) && !domain.as_bytes().starts_with(b".") => {
            domain.as_bytes()
        }
        _ => name,
    }
}

/// Number of characters, dots left out, and their Shannon entropy in thousandths of a bit a character.
fn entropy(text: &[u8]) -> (i32, i32) {
    let mut counts = [0_u32; 256];
    let mut total = 0_u32;
    for &byte in text.iter().filter(|&&byte| byte != b'.') {
        counts[usize::from(byte)] += 1;
        total += 1;
    }
    if total < 2 {
        return (total as i32, 0);
    }
    // H = log2 n - (1/n) Σ c log2 c: one term for each distinct character.
    let n = f64::from(total);
    let sum: f64 = counts.iter().filter(|&&c| c > 1).map(|&c| f64::from(c) * f64::from(c).log2()).sum();
    (total as i32, ((n.log2() - sum / n) * 1000.0).round() as i32)
}

#[cfg(test)]
mod tests {
    use traffic::Seed;

    use super::*;

    fn check(name: &str) -> String {
        let mut rows = Rows::new(Seed(0), None);
        let found = lookup_name(&mut rows, name.as_bytes());
        format!(
            "{} at {}, {} characters of {} mbit",
            rows.texts.get(found.name),
            rows.texts.get(found.domain),
            found.label_len,
            found.label_entropy
        )
    }

    #[test]
    fn a_name_is_taken_apart_at_its_registrable_domain() {
        assert_eq!(check("WWW.Example.org."), "www.example.org at example.org, 3 characters of 0 mbit");
        assert_eq!(
            check("abab.cd.example.co.uk"),
            "abab.cd.example.co.uk at example.co.uk, 6 characters of 1918 mbit"
        );
        assert_eq!(
            check("q7xk2m9p.example.org"),
            "q7xk2m9p.example.org at example.org, 8 characters of 3000 mbit"
        );
        assert_eq!(
            check("7.2.0.192.in-addr.arpa"),
            "7.2.0.192.in-addr.arpa at 192.in-addr.arpa, 3 characters of 1585 mbit"
        );
    }

    #[test]
    fn a_name_without_a_registrable_domain_is_its_own() {
        assert_eq!(check("localhost"), "localhost at localhost, 0 characters of 0 mbit");
        assert_eq!(check("org"), "org at org, 0 characters of 0 mbit");
        assert_eq!(check("."), ". at ., 0 characters of 0 mbit");
        assert_eq!(check(""), ". at ., 0 characters of 0 mbit");
        assert_eq!(check("..a"), "..a at ..a, 0 characters of 0 mbit");
        assert_eq!(check("a..example.org"), "a..example.org at example.org, 1 characters of 0 mbit");
    }
}
