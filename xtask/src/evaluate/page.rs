//! The page: parts that are written anew, between parts that a person wrote and that stay.

use std::fmt::Write as _;

/// A part that is written anew.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Its name in the comments round it.
    pub(super) name: &'static str,
    /// Markdown.
    pub(super) text: String,
}

/// The page of a project that has none yet.
pub(super) const FIRST: &str = "\
# Evaluation of `coordinated-sharing`

<!-- generated: about -->
<!-- end generated -->

<!-- generated: grid -->
<!-- end generated -->

<!-- generated: control -->
<!-- end generated -->

<!-- generated: curves -->
<!-- end generated -->

<!-- generated: lookalikes -->
<!-- end generated -->

<!-- generated: real -->
<!-- end generated -->

## Findings that a person looked at

<!-- by hand -->
Nobody has looked at them yet.
<!-- end by hand -->

<!-- generated: limits -->
<!-- end generated -->
";

/// The page with these parts in their places. All else stays as it is, above all what was written
/// by hand. A part that has no place yet is put at the end.
pub(super) fn rewritten(page: &str, parts: &[Part]) -> String {
    let mut page = page.to_owned();
    for part in parts {
        let (open, text) = (opening(part.name), part.text.trim());
        let place = page.find(&open).and_then(|at| {
            let from = at + open.len();
            page[from..].find(CLOSING).map(|length| from..from + length)
        });
        match place {
            Some(place) => page.replace_range(place, &format!("\n{text}\n")),
            None => {
                let _ = write!(page, "\n{open}\n{text}\n{CLOSING}\n");
            }
        }
    }
    page
}

const CLOSING: &str = "<!-- end generated -->";

fn opening(name: &str) -> String {
    format!("<!-- generated: {name} -->")
}

/// A Markdown table.
pub(super) fn table<S: AsRef<str>>(header: &[&str], rows: impl IntoIterator<Item = Vec<S>>) -> String {
    let mut text = format!("| {} |\n|{}\n", header.join(" | "), "---|".repeat(header.len()));
    for row in rows {
        let cells: Vec<&str> = row.iter().map(AsRef::as_ref).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

/// A rate in tables: `–` where there is none.
pub(super) fn rate(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.3}"))
}

/// A count with a comma at every thousand.
pub(super) fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_by_hand_survives() {
        let hand = "<!-- by hand -->\nThe largest is a party's own pages.\n<!-- end by hand -->";
        let old = format!(
            "# Title\n\n<!-- generated: grid -->\nold\n<!-- end generated -->\n\n{hand}\n\nA remark.\n"
        );
        let parts = [
            Part { name: "grid", text: "new\n".to_owned() },
            Part { name: "real", text: "a table".to_owned() },
        ];
        let new = rewritten(&old, &parts);
        assert_eq!(
            new,
            format!(
                "# Title\n\n<!-- generated: grid -->\nnew\n<!-- end generated -->\n\n{hand}\n\nA remark.\n\n\
                 <!-- generated: real -->\na table\n<!-- end generated -->\n"
            )
        );
        assert_eq!(rewritten(&new, &parts), new);
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([7, 999, 1_000, 1_234_567].map(grouped), ["7", "999", "1,000", "1,234,567"]);
    }
}
