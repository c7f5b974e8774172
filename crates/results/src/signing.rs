//! Signatures of several people under one statement.

use tlog::{Note, SignerKey};

/// Adds a signature to a note, keeping the signatures ascending by name: the one order in which a log takes them. A key that has
/// signed already changes nothing.
pub fn cosign(note: Option<&Note>, text: &str, key: &SignerKey) -> Note {
    let mut lines: Vec<(String, String)> = Vec::new();
    let signed = Note::sign(text, key);
    let earlier = note.map_or(&[][..], Note::signatures);
    for signature in earlier.iter().chain(signed.signatures()) {
        let line = (signature.name.clone(), signature.to_line());
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.sort();
    let lines: String = lines.into_iter().map(|(_, line)| line).collect();
    Note::parse(format!("{text}\n{lines}").as_bytes()).expect("internal error: lines of notes make a note")
}

#[cfg(test)]
mod tests {
    use tlog::key::KeyKind;

    use super::*;

    #[test]
    fn signatures_stand_in_one_order_whoever_signs_first() {
        let key = |name: &str| {
            SignerKey::from_seed(name, KeyKind::Ed25519, &[name.len() as u8; 32]).expect("a name")
        };
        let (a, b) = (key("a.example"), key("bb.example"));
        let ab = cosign(Some(&cosign(None, "text\n", &a)), "text\n", &b);
        let ba = cosign(Some(&cosign(None, "text\n", &b)), "text\n", &a);
        assert_eq!(ab, ba);
        assert_eq!(cosign(Some(&ab), "text\n", &a), ab);
        assert_eq!(ab.signatures().len(), 2);
    }
}
