//! The text of a post that comes as HTML.

/// The text without its tags. Block tags and line breaks become a space, tags inside a line nothing,
/// so that a mention or link in several tags stays one word. Not for display: nothing is made safe.
pub(crate) fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('<') {
            let Some(end) = rest.find('>') else { return out };
            let name = rest[1..end].trim_start_matches('/');
            let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            if matches!(
                name.to_ascii_lowercase().as_str(),
                "br" | "p" | "div" | "li" | "ul" | "ol" | "blockquote"
            ) {
                out.push(' ');
            }
            rest = &rest[end + 1..];
        } else {
            let (c, len) = entity(rest).unwrap_or(('&', 1));
            out.push(c);
            rest = &rest[len..];
        }
    }
    out.push_str(rest);
    out
}

/// The character of an entity at the start of the text, and the entity's length in bytes.
fn entity(text: &str) -> Option<(char, usize)> {
    // The longest that counts is `&#x10ffff;`.
    let end = text.bytes().take(12).position(|b| b == b';')?;
    let c = match &text[1..end] {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        number => {
            let number = number.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((c, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_words_stay_apart() {
        assert_eq!(
            plain("<p>Vote &amp; tell<br>all: <a href=\"x\">#<span>now</span></a></p><p>&#39;ok&#x21;"),
            " Vote & tell all: #now  'ok!"
        );
        assert_eq!(plain("a < b"), "a ");
        assert_eq!(plain("&nosuch; &"), "&nosuch; &");
        assert_eq!(plain("&ä;"), "&ä;");
    }
}
