//! Texts of posts. Only their digest leaves this module.

use traffic::names::digest;

/// The fewest characters of a normalised text: shorter ones are written twice by chance.
pub const MIN_CHARS: usize = 20;

/// The fewest words of a normalised text.
pub const MIN_WORDS: usize = 4;

/// The digest of a text in 16 hexadecimal digits. Letter case, white space, invisible characters,
/// links, mentions and the mark of a manual repost make no difference. `None` where what is left is
/// too short to say anything.
pub fn text(text: &str) -> Option<String> {
    let visible: String = text.chars().filter(|&c| !is_invisible(c)).collect();
    let mut normal = String::with_capacity(visible.len());
    let mut n_words = 0;
    for (i, word) in visible.split_whitespace().enumerate() {
        let word = word.to_lowercase();
        if is_link(&word) || is_mention(&word) || (i == 0 && word == "rt") {
            continue;
        }
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.push_str(&word);
        n_words += 1;
    }
    if n_words < MIN_WORDS || normal.chars().count() < MIN_CHARS {
        return None;
    }
    Some(format!("{:016x}", digest(normal.as_bytes())))
}

/// Characters that nobody sees, put into copies so that they are not equal.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn is_link(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    word.starts_with("http://") || word.starts_with("https://") || word.starts_with("www.")
}

fn is_mention(word: &str) -> bool {
    let word = word.trim_start_matches(['.', '(', '"', '\'']);
    word.len() > 1 && word.starts_with(['@', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_with_small_changes_are_one_text() {
        let one = text("The count is closed, tell everyone you know");
        assert!(one.is_some());
        for copy in [
            "the  COUNT is\nclosed, tell everyone you know https://example.org/1",
            "@ana @eva the count is closed, tell everyone you know",
            "RT @ana: The count is closed, tell everyone you know (https://example.org/2)",
            "The co\u{200b}unt is closed, tell every\u{ad}one you know www.example.org",
        ] {
            assert_eq!(text(copy), one, "{copy}");
        }
        assert_ne!(text("The count is open, tell everyone you know"), one);
    }

    #[test]
    fn a_short_text_says_nothing() {
        assert_eq!(text("good morning to you"), None);
        assert_eq!(text("congratulations everybody!"), None);
        assert_eq!(text("vote @ana @eva https://example.org/a/long/address"), None);
    }
}
