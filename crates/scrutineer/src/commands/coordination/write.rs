//! Edges as CSV and as GraphML.

use std::fmt::Write as _;
use std::io::{self, Write};

use detect::coordination::peers::{coortweet, toolkit};
use detect::detectors::influence::coordinated_sharing;
use traffic::AccountNames;

/// The columns of the package's own data frame of edges.
pub(super) fn coortweet(
    out: &mut dyn Write,
    graphml: bool,
    edges: &[coortweet::Edge],
    names: &AccountNames,
) -> io::Result<()> {
    let columns = [
        ("weight", "long"),
        ("avg_time_delta", "double"),
        ("n_content_id", "long"),
        ("n_content_id_y", "long"),
        ("edge_symmetry_score", "double"),
        ("weight_threshold", "long"),
    ];
    let ends = edges.iter().map(|edge| (edge.a, edge.b));
    let mut sheet = Sheet::new(out, graphml, ["account_a", "account_b"], &columns, false);
    sheet.begin(ends, names)?;
    for edge in edges {
        let values = [
            edge.weight.to_string(),
            digits15(edge.avg_time_delta),
            edge.n_content_id.to_string(),
            edge.n_content_id_y.to_string(),
            digits15(edge.symmetry()),
            u8::from(edge.above_threshold).to_string(),
        ];
        sheet.edge(edge.a, edge.b, &values)?;
    }
    sheet.end()
}

/// The columns of the toolkit's own export of edges.
pub(super) fn toolkit(
    out: &mut dyn Write,
    graphml: bool,
    edges: &[toolkit::Edge],
    names: &AccountNames,
) -> io::Result<()> {
    let ends = edges.iter().map(|edge| (edge.a, edge.b));
    let mut sheet = Sheet::new(out, graphml, ["user_1", "user_2"], &[("weight", "long")], true);
    sheet.begin(ends, names)?;
    let mut weight = [String::new()];
    for edge in edges {
        weight[0].clear();
        let _ = write!(weight[0], "{}", edge.weight);
        sheet.edge(edge.a, edge.b, &weight)?;
    }
    sheet.end()
}

/// Our own network: what two accounts share, how often in step, and both p-values.
pub(super) fn ours(
    out: &mut dyn Write,
    graphml: bool,
    edges: &[coordinated_sharing::Edge],
    names: &AccountNames,
) -> io::Result<()> {
    let columns = [
        ("trace", "string"),
        ("objects", "long"),
        ("in_step_10s", "long"),
        ("in_step_60s", "long"),
        ("in_step_600s", "long"),
        ("in_step_3600s", "long"),
        ("p_synchrony", "double"),
        ("p_repeat", "double"),
        ("q_value", "double"),
    ];
    let mut sheet = Sheet::new(out, graphml, ["account_a", "account_b"], &columns, false);
    sheet.begin(edges.iter().map(|edge| (edge.a, edge.b)), names)?;
    for edge in edges {
        let [ten, minute, ten_minutes, hour] = edge.in_step.map(|objects| objects.to_string());
        let numbers = [edge.p_synchrony, edge.p_repeat, edge.q_value].map(|p| format!("{p:.3e}"));
        let [synchrony, repeat, q_value] = numbers;
        let trace = edge.trace.name().to_owned();
        let objects = edge.objects.to_string();
        let values = [trace, objects, ten, minute, ten_minutes, hour, synchrony, repeat, q_value];
        sheet.edge(edge.a, edge.b, &values)?;
    }
    sheet.end()
}

/// Fifteen significant digits, as R writes numbers.
fn digits15(value: f64) -> String {
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    rounded.to_string()
}

struct Sheet<'a> {
    out: &'a mut dyn Write,
    graphml: bool,
    ends: [&'static str; 2],
    columns: &'a [(&'static str, &'static str)],
    directed: bool,
    /// Names by account, ready to be written; empty where an account has no edge.
    names: Vec<Box<str>>,
    line: String,
}

impl<'a> Sheet<'a> {
    fn new(
        out: &'a mut dyn Write,
        graphml: bool,
        ends: [&'static str; 2],
        columns: &'a [(&'static str, &'static str)],
        directed: bool,
    ) -> Self {
        Self { out, graphml, ends, columns, directed, names: Vec::new(), line: String::new() }
    }

    fn begin(
        &mut self,
        ends: impl Iterator<Item = (i32, i32)> + Clone,
        names: &AccountNames,
    ) -> io::Result<()> {
        let largest = ends.clone().map(|(a, b)| a.max(b)).max().unwrap_or(-1);
        self.names = vec![Box::from(""); (largest + 1) as usize];
        for (a, b) in ends {
            for account in [a, b] {
                let name = &mut self.names[account as usize];
                if name.is_empty() {
                    let plain = names.name(account);
                    *name = if self.graphml { xml(&plain) } else { csv(&plain) }.into();
                }
            }
        }
        if !self.graphml {
            let columns = self.columns.iter().map(|(column, _)| *column);
            let header: Vec<&str> = self.ends.into_iter().chain(columns).collect();
            return writeln!(self.out, "{}", header.join(","));
        }
        writeln!(self.out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(self.out, "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">")?;
        for (column, kind) in self.columns {
            writeln!(
                self.out,
                "  <key id=\"{column}\" for=\"edge\" attr.name=\"{column}\" attr.type=\"{kind}\"/>"
            )?;
        }
        let directed = if self.directed { "directed" } else { "undirected" };
        writeln!(self.out, "  <graph edgedefault=\"{directed}\">")?;
        let mut nodes: Vec<&str> =
            self.names.iter().map(AsRef::as_ref).filter(|name| !name.is_empty()).collect();
        nodes.sort_unstable();
        for node in nodes {
            writeln!(self.out, "    <node id=\"{node}\"/>")?;
        }
        Ok(())
    }

    fn edge(&mut self, a: i32, b: i32, values: &[String]) -> io::Result<()> {
        let (a, b) = (&self.names[a as usize], &self.names[b as usize]);
        self.line.clear();
        if self.graphml {
            let _ = write!(self.line, "    <edge source=\"{a}\" target=\"{b}\">");
            for ((column, _), value) in self.columns.iter().zip(values) {
                let _ = write!(self.line, "<data key=\"{column}\">{value}</data>");
            }
            self.line.push_str("</edge>");
        } else {
            self.line.push_str(a);
            self.line.push(',');
            self.line.push_str(b);
            for value in values {
                self.line.push(',');
                self.line.push_str(value);
            }
        }
        self.line.push('\n');
        self.out.write_all(self.line.as_bytes())
    }

    fn end(self) -> io::Result<()> {
        if self.graphml { writeln!(self.out, "  </graph>\n</graphml>") } else { Ok(()) }
    }
}

/// One field, quoted where RFC 4180 asks for it.
fn csv(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Text in an attribute. Characters that XML cannot hold become U+FFFD.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(graphml: bool) -> String {
        let mut names = AccountNames::plain();
        let (a, b) = (names.intern(b"a \"b\", c"), names.intern(b"<d>"));
        let mut out = Vec::new();
        toolkit(&mut out, graphml, &[toolkit::Edge { a: b, b: a, weight: 2 }], &names)
            .expect("memory does not fail");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn csv_quotes_what_must_be_quoted() {
        assert_eq!(text(false), "user_1,user_2,weight\n<d>,\"a \"\"b\"\", c\",2\n");
    }

    #[test]
    fn graphml_names_nodes_before_edges() {
        let page = text(true);
        let graph = page.split_once("<graph ").expect("a graph").1;
        assert_eq!(
            graph,
            "edgedefault=\"directed\">\n    <node id=\"&lt;d&gt;\"/>\n    <node id=\"a &quot;b&quot;, c\"/>\n    \
             <edge source=\"&lt;d&gt;\" target=\"a &quot;b&quot;, c\"><data key=\"weight\">2</data></edge>\n  \
             </graph>\n</graphml>\n"
        );
    }

    #[test]
    fn numbers_have_fifteen_digits_at_most() {
        assert_eq!(digits15(61.0 / 6.0), "10.1666666666667");
        assert_eq!(digits15(2.0), "2");
    }
}
