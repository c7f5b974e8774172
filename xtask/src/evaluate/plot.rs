//! Line plots as SVG, a few panels side by side. The lower edge of every panel is 0, the upper 1.

use std::fmt::Write as _;

/// A figure: panels with the same series.
#[derive(Clone, Debug)]
pub(super) struct Figure<'a> {
    /// For those who hear it.
    pub(super) title: &'a str,
    /// The figures in words, for those who hear it.
    pub(super) description: String,
    /// Names of the series, the first drawn in the strongest colour. At most three.
    pub(super) series: Vec<String>,
    pub(super) panels: Vec<Panel>,
}

/// One panel.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    /// What the height means, and where.
    pub(super) title: String,
    /// What the places mean.
    pub(super) axis: String,
    /// Names of the places, from left to right.
    pub(super) places: Vec<String>,
    /// For each series, its value at each place, 0 to 1.
    pub(super) values: Vec<Vec<Option<f64>>>,
}

/// All lengths in pixels.
const PANEL_HEIGHT: f64 = 170.0;
const STEP: f64 = 44.0;
const BESIDE: f64 = 44.0;
const LEFT: f64 = 36.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 48.0;
const LINE_HEIGHT: f64 = 15.0;
const LETTER: f64 = 6.4;

/// Colours hold their contrast on white and on near black; shapes and dashes tell the series apart
/// without colour.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#3d444d}.t{font-weight:600;fill:#1f2328}\
.g{stroke:#d1d9e0;stroke-width:1}.b{stroke:#59636e;stroke-width:1}\
.l{fill:none;stroke-width:2}\
.s0{stroke:#0757b8}.s1{stroke:#a34300;stroke-dasharray:6 3}.s2{stroke:#59636e;stroke-dasharray:2 3}\
.m0{fill:#0757b8}.m1{fill:#a34300}.m2{fill:#59636e}text.n0{fill:#0757b8}text.n1{fill:#a34300}\
@media(prefers-color-scheme:dark){text{fill:#b7bfc8}.t{fill:#f0f6fc}.g{stroke:#30363d}.b{stroke:#9198a1}\
.s0{stroke:#6cb0ff}.s1{stroke:#ffa657}.s2{stroke:#9198a1}\
.m0{fill:#6cb0ff}.m1{fill:#ffa657}.m2{fill:#9198a1}text.n0{fill:#6cb0ff}text.n1{fill:#ffa657}}";

/// The figure as an SVG document.
pub(super) fn svg(figure: &Figure<'_>) -> String {
    let labels = figure.series.iter().map(|name| name.chars().count()).max().unwrap_or(0) as f64;
    let panels: f64 = figure.panels.iter().map(|panel| width(panel) + BESIDE).sum();
    let width = (LEFT + panels - BESIDE + 6.0 + labels * LETTER + 8.0).ceil();
    let height = TOP + PANEL_HEIGHT + BOTTOM;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title description\">\n\
         <title id=\"title\">{}</title>\n<desc id=\"description\">{}</desc>\n<style>{STYLE}</style>\n",
        escaped(figure.title),
        escaped(&figure.description)
    );
    let mut left = LEFT;
    for (at, panel) in figure.panels.iter().enumerate() {
        draw(&mut out, panel, left);
        if at + 1 == figure.panels.len() {
            label(&mut out, figure, panel, left);
        }
        left += self::width(panel) + BESIDE;
    }
    out.push_str("</svg>\n");
    out
}

fn width(panel: &Panel) -> f64 {
    // The title must fit too.
    let least = panel.title.chars().count() as f64 * LETTER + 8.0;
    (panel.places.len() as f64 * STEP).max(least)
}

/// Middle of a place, measured from the panel's left edge.
fn x_of(panel: &Panel, place: usize) -> f64 {
    (place as f64 + 0.5) * width(panel) / panel.places.len().max(1) as f64
}

fn y_of(value: f64) -> f64 {
    TOP + PANEL_HEIGHT * (1.0 - value.clamp(0.0, 1.0))
}

fn draw(out: &mut String, panel: &Panel, left: f64) {
    let right = left + width(panel);
    let _ = writeln!(
        out,
        "<text class=\"t\" x=\"{left:.1}\" y=\"{:.1}\">{}</text>",
        TOP - 16.0,
        escaped(&panel.title)
    );
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let y = y_of(tick);
        let class = if tick == 0.0 { "b" } else { "g" };
        let _ = writeln!(
            out,
            "<line class=\"{class}\" x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{tick}</text>",
            left - 6.0,
            y + 4.0
        );
    }
    for (place, name) in panel.places.iter().enumerate() {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            left + x_of(panel, place),
            TOP + PANEL_HEIGHT + 17.0,
            escaped(name)
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
        f64::midpoint(left, right),
        TOP + PANEL_HEIGHT + 36.0,
        escaped(&panel.axis)
    );
    // The first series is the one that the reader looks for: it is drawn last, above the others.
    for (series, values) in panel.values.iter().enumerate().rev() {
        let points: Vec<(f64, f64)> = values
            .iter()
            .enumerate()
            .filter_map(|(place, value)| value.map(|value| (left + x_of(panel, place), y_of(value))))
            .collect();
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(out, "<polyline class=\"l s{series}\" points=\"{}\"/>", path.join(" "));
        for (x, y) in points {
            out.push_str(&marker(series, x, y));
        }
    }
}

fn marker(series: usize, x: f64, y: f64) -> String {
    match series {
        0 => format!("<circle class=\"m0\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>\n"),
        1 => {
            let (left, top) = (x - 3.5, y - 3.5);
            format!("<rect class=\"m1\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"7\" height=\"7\"/>\n")
        }
        _ => {
            let (up, down, left, right) = (y - 4.5, y + 3.5, x - 4.5, x + 4.5);
            format!(
                "<polygon class=\"m2\" points=\"{x:.1},{up:.1} {right:.1},{down:.1} {left:.1},{down:.1}\"/>\n"
            )
        }
    }
}

/// Names at the ends of the lines, moved apart where they would cover each other.
fn label(out: &mut String, figure: &Figure<'_>, panel: &Panel, left: f64) {
    let mut names: Vec<(f64, usize)> = panel
        .values
        .iter()
        .enumerate()
        .filter_map(|(series, values)| Some((y_of(values.last().copied().flatten()?) + 4.0, series)))
        .collect();
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut least = f64::NEG_INFINITY;
    for (y, series) in names {
        let y = y.max(least);
        least = y + LINE_HEIGHT;
        let _ = writeln!(
            out,
            "<text class=\"n{series}\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
            left + width(panel) + 6.0,
            escaped(&figure.series[series])
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_lies_on_the_baseline_and_names_stand_apart() {
        let figure = Figure {
            title: "a & b",
            description: "both at nothing".to_owned(),
            series: vec!["one".to_owned(), "two".to_owned()],
            panels: vec![Panel {
                title: "recall".to_owned(),
                axis: "objects".to_owned(),
                places: vec!["3".to_owned()],
                values: vec![vec![Some(0.0)], vec![Some(0.0)]],
            }],
        };
        let svg = svg(&figure);
        let baseline = TOP + PANEL_HEIGHT;
        assert!(svg.contains(&format!("cy=\"{baseline:.1}\"")), "{svg}");
        assert!(svg.contains("<title id=\"title\">a &amp; b</title>"), "{svg}");
        assert!(svg.contains(&format!("y=\"{:.1}\">one<", baseline + 4.0)), "{svg}");
        assert!(svg.contains(&format!("y=\"{:.1}\">two<", baseline + 4.0 + LINE_HEIGHT)), "{svg}");
    }
}
