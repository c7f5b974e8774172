//! The three small notations of a mapping: a column, a text with columns in it, a pattern of headings.

use std::fmt;

use serde::Deserialize;

/// A column by its heading; after `|` other headings, of which the first counts that the table has and, in a row, is not
/// empty.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Column {
    /// The headings.
    pub(crate) names: Vec<String>,
}

impl TryFrom<String> for Column {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let names: Vec<String> = text.split('|').map(|name| name.trim().to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err(format!("`{text}` names no column"));
        }
        Ok(Self { names })
    }
}

/// A text with columns in it: `{district}/{station}`. A part in brackets is left out where a column in it is empty:
/// `{office}[/{district}]`. Where one outside brackets is empty, there is no text.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Template {
    parts: Vec<Vec<Piece>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Column(Column),
}

impl TryFrom<String> for Template {
    type Error = String;

    /// Even parts are outside brackets, odd ones inside.
    fn try_from(text: String) -> Result<Self, String> {
        let fail = |what: &str| Err(format!("`{text}` {what}"));
        let mut parts = vec![Vec::new()];
        let mut literal = String::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            let inside = parts.len() % 2 == 0;
            match letter {
                '[' if inside => return fail("has brackets in brackets"),
                ']' if !inside => return fail("closes a bracket that is not open"),
                '{' | '[' | ']' => {
                    let last = parts.last_mut().expect("internal error: there is always a part");
                    if !literal.is_empty() {
                        last.push(Piece::Text(std::mem::take(&mut literal)));
                    }
                    if letter == '{' {
                        let rest = letters.as_str();
                        let Some(end) = rest.find('}') else { return fail("has a `{` without `}`") };
                        last.push(Piece::Column(Column::try_from(rest[..end].to_owned())?));
                        letters = rest[end + 1..].chars();
                    } else {
                        parts.push(Vec::new());
                    }
                }
                '}' => return fail("has a `}` without `{`"),
                _ => literal.push(letter),
            }
        }
        if parts.len() % 2 == 0 {
            return fail("has an open bracket");
        }
        if !literal.is_empty() {
            parts.last_mut().expect("internal error: there is always a part").push(Piece::Text(literal));
        }
        Ok(Self { parts })
    }
}

impl Template {
    /// Its columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.parts.iter().flatten().filter_map(|piece| match piece {
            Piece::Column(column) => Some(column),
            Piece::Text(_) => None,
        })
    }

    /// The text for a row whose cells `cell` gives and `form` writes.
    pub(crate) fn fill<'c>(
        &self,
        cell: impl Fn(&Column) -> &'c str,
        form: impl Fn(&str) -> String,
    ) -> Option<String> {
        let mut out = String::new();
        for (at, part) in self.parts.iter().enumerate() {
            let before = out.len();
            for piece in part {
                match piece {
                    Piece::Text(text) => out.push_str(text),
                    Piece::Column(column) => {
                        let value = cell(column);
                        if value.is_empty() && at % 2 == 0 {
                            return None;
                        }
                        if value.is_empty() {
                            out.truncate(before);
                            break;
                        }
                        out.push_str(&form(value));
                    }
                }
            }
        }
        (!out.is_empty()).then_some(out)
    }
}

/// A pattern of headings, in which `{list}` and `{candidate}` stand for a number each: `F{list}_{candidate}`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Pattern {
    /// What is before the list's number.
    before: String,
    /// What is between it and the candidate's, and after that; nothing where there is no candidate.
    candidate: Option<String>,
    /// What is at the end.
    after: String,
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (before, rest) =
            text.split_once("{list}").ok_or_else(|| format!("`{text}` has no `{{list}}`"))?;
        let (candidate, after) = match rest.split_once("{candidate}") {
            Some((between, after)) if !between.is_empty() => (Some(between.to_owned()), after),
            Some(_) => return Err(format!("`{text}` has nothing between `{{list}}` and `{{candidate}}`")),
            None => (None, rest),
        };
        if format!("{before}{}{after}", candidate.as_deref().unwrap_or_default()).contains(['{', '}']) {
            return Err(format!("`{text}` has more in braces than `{{list}}` and then `{{candidate}}`"));
        }
        Ok(Self { before: before.to_owned(), candidate, after: after.to_owned() })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{{list}}", self.before)?;
        if let Some(between) = &self.candidate {
            write!(f, "{between}{{candidate}}")?;
        }
        f.write_str(&self.after)
    }
}

impl Pattern {
    /// Whether it has a candidate.
    pub(crate) fn has_candidate(&self) -> bool {
        self.candidate.is_some()
    }

    /// The list's and the candidate's number of a heading that fits.
    pub(crate) fn fit<'h>(&self, heading: &'h str) -> Option<(&'h str, Option<&'h str>)> {
        let rest = heading.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str())?;
        let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let (list, candidate) = match &self.candidate {
            Some(between) => {
                let (list, candidate) = rest.split_once(between.as_str())?;
                (list, Some(candidate))
            }
            None => (rest, None),
        };
        (number(list) && candidate.is_none_or(number)).then_some((list, candidate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_takes_cells_and_leaves_out_brackets() {
        let cell = |column: &Column| match column.names[0].as_str() {
            "a" => "New Castle",
            "b" => "7",
            _ => "",
        };
        let fill = |text: &str| match Template::try_from(text.to_owned()) {
            Ok(template) => template.fill(cell, str::to_lowercase).unwrap_or_else(|| "nothing".to_owned()),
            Err(error) => error,
        };
        let cases = [
            "{a}/{b}",
            "{a}[/{empty}]",
            "{a}[/{b}]x",
            "{a}/{empty}",
            "x",
            "",
            "[{empty}]",
            "{a",
            "a}",
            "[a",
            "a]",
            "[[",
            "{}",
        ];
        let out = cases.map(|case| format!("{case} = {}", fill(case))).join("\n");
        insta::assert_snapshot!(out, @"
        {a}/{b} = new castle/7
        {a}[/{empty}] = new castle
        {a}[/{b}]x = new castle/7x
        {a}/{empty} = nothing
        x = x
         = nothing
        [{empty}] = nothing
        {a = `{a` has a `{` without `}`
        a} = `a}` has a `}` without `{`
        [a = `[a` has an open bracket
        a] = `a]` closes a bracket that is not open
        [[ = `[[` has brackets in brackets
        {} = `` names no column
        ");
    }

    #[test]
    fn a_pattern_fits_whole_headings_only() {
        let pattern = |text: &str| Pattern::try_from(text.to_owned()).expect("a pattern");
        assert_eq!(pattern("list_{list}").fit("list_107648"), Some(("107648", None)));
        assert_eq!(pattern("D{list}").fit("Datum"), None);
        assert_eq!(pattern("F{list}").fit("F1_2"), None);
        assert_eq!(pattern("F{list}_{candidate}").fit("F1_02"), Some(("1", Some("02"))));
        assert_eq!(pattern("F{list}_{candidate}").fit("F1"), None);
        assert_eq!(pattern("{list} votes").fit("12 votes"), Some(("12", None)));
        for wrong in ["x", "{list}{candidate}", "{candidate}_{list}", "{list}_{list}"] {
            assert!(Pattern::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
