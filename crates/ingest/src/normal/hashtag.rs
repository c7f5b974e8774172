//! Hashtags.

/// The fewest distinct hashtags that make a sequence. Fewer in one order happen by chance.
const SEQUENCE: usize = 5;

/// A hashtag without its sign, in lower case; `None` where nothing is left.
pub fn hashtag(tag: &str) -> Option<String> {
    let tag = tag.trim().trim_start_matches(['#', '＃']);
    if tag.is_empty() || tag.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    Some(tag.to_lowercase())
}

/// Hashtags of one post, in their order and joined by spaces, where at least five are distinct.
pub fn sequence(tags: &[String]) -> Option<String> {
    let mut distinct: Vec<&str> = Vec::new();
    for tag in tags {
        if !distinct.contains(&tag.as_str()) {
            distinct.push(tag);
        }
    }
    (distinct.len() >= SEQUENCE).then(|| distinct.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hashtag_is_folded() {
        assert_eq!(hashtag("#Wählt"), Some("wählt".to_owned()));
        assert_eq!(hashtag("＃VOTE"), Some("vote".to_owned()));
        assert_eq!(hashtag("#"), None);
        assert_eq!(hashtag("two words"), None);
    }

    #[test]
    fn a_sequence_has_five_distinct_hashtags() {
        let tags = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(sequence(&tags("c a b a d e")), Some("c a b d e".to_owned()));
        assert_eq!(sequence(&tags("c a b a d d")), None);
    }
}
