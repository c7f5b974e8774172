//! The figures of the page.

use std::fmt::Write as _;

use exercise::coordination::{Kind, Plan};

use super::count::Tally;
use super::factors::Factor;
use super::grid::Grid;
use super::methods::{KS, Method, WINDOWS_S};
use super::page::{rate, table};
use super::plot::{Figure, Panel, svg};

/// A picture and what stands in the page for those who do not see it.
pub(super) struct Picture {
    /// File name in the folder of the page.
    pub(super) file: &'static str,
    pub(super) svg: String,
    /// Short, for the place of the picture.
    pub(super) title: &'static str,
    /// What is to be seen, in words.
    pub(super) description: String,
}

/// All pictures of one grid.
pub(super) fn pictures(grid: &Grid) -> Vec<Picture> {
    vec![thresholds(grid), by_factor(grid), by_kind(grid)]
}

/// Recall and precision over the least number of objects.
fn thresholds(grid: &Grid) -> Picture {
    let places: Vec<String> = KS.map(|k| k.to_string()).collect();
    let lines = |value: &dyn Fn(Tally) -> Option<f64>| -> Vec<Vec<Option<f64>>> {
        let ours = KS.map(|_| value(tally(grid, Method::Scrutineer, |_| true))).collect();
        let windows = (0..WINDOWS_S.len()).map(|window| {
            KS.map(|k| value(tally(grid, Method::Threshold { window, k }, |_| true))).collect()
        });
        std::iter::once(ours).chain(windows).collect()
    };
    let panel = |title: &str, values| Panel {
        title: title.to_owned(),
        axis: "least number of objects".to_owned(),
        places: places.clone(),
        values,
    };
    picture(
        "thresholds.svg",
        "Recall and precision of thresholds over the least number of objects",
        vec![
            "coordinated-sharing".to_owned(),
            format!("threshold, {} s", WINDOWS_S[0]),
            format!("threshold, {} s", WINDOWS_S[1]),
        ],
        vec![panel("recall", lines(&|t| t.recall())), panel("precision", lines(&|t| t.precision()))],
    )
}

/// Recall over each thing in which groups differ.
fn by_factor(grid: &Grid) -> Picture {
    let panels = [Factor::Objects, Factor::Jitter, Factor::Participation, Factor::Size]
        .map(|factor| recall_panel(grid, factor, "recall", |_| true));
    picture(
        "recall-by-factor.svg",
        "Recall by number of objects, jitter, participation and size of the group",
        series(),
        panels.into(),
    )
}

/// Recall over jitter, one panel for each kind of objects.
fn by_kind(grid: &Grid) -> Picture {
    let panels = Kind::ALL.map(|kind| {
        let title = format!("recall, {}", kind.name());
        recall_panel(grid, Factor::Jitter, &title, |plan| plan.kind == kind)
    });
    picture("recall-by-kind.svg", "Recall by jitter for each kind of objects", series(), panels.into())
}

fn series() -> Vec<String> {
    vec!["coordinated-sharing".to_owned(), "either threshold".to_owned()]
}

fn recall_panel(grid: &Grid, factor: Factor, title: &str, wanted: impl Fn(&Plan) -> bool) -> Panel {
    let places = factor.levels(grid);
    let line = |method| {
        let at = |level: &String| {
            tally(grid, method, |plan| wanted(plan) && factor.level(plan) == *level).recall()
        };
        places.iter().map(at).collect()
    };
    let values = vec![line(Method::Scrutineer), line(Method::Quiet)];
    Panel { title: title.to_owned(), axis: factor.name().to_owned(), places, values }
}

fn tally(grid: &Grid, method: Method, wanted: impl Fn(&Plan) -> bool) -> Tally {
    let at = Method::all().iter().position(|other| *other == method);
    grid.tally(at.expect("internal error: the method is one of all"), wanted)
}

fn picture(file: &'static str, title: &'static str, series: Vec<String>, panels: Vec<Panel>) -> Picture {
    let mut description = String::new();
    for panel in &panels {
        for (name, values) in series.iter().zip(&panel.values) {
            let values = in_words(&panel.places, values);
            let _ = write!(description, "{} by {}, {name}: {values}. ", panel.title, panel.axis);
        }
    }
    let description = description.trim_end().to_owned();
    let svg = svg(&Figure { title, description: description.clone(), series, panels });
    Picture { file, svg, title, description }
}

fn in_words(places: &[String], values: &[Option<f64>]) -> String {
    let word = |value: &Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:.2}"));
    match values {
        [first, rest @ ..] if rest.iter().all(|value| value == first) => {
            format!("{} throughout", word(first))
        }
        _ => {
            let each = places.iter().zip(values).map(|(place, value)| format!("{place}: {}", word(value)));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

/// The figures of the first picture, with the false pairs that each threshold costs.
pub(super) fn threshold_table(grid: &Grid) -> String {
    let runs = grid.runs.len().max(1) as f64;
    let rows = Method::all().into_iter().enumerate().map(|(at, method)| {
        let tally = grid.tally(at, |_| true);
        let pairs: usize = grid.runs.iter().map(|run| run.other_pairs[at]).sum();
        vec![
            method.name(),
            rate(tally.recall()),
            rate(tally.precision()),
            format!("{:.2}", pairs as f64 / runs),
        ]
    });
    table(&["method", "recall", "precision", "false pairs a run"], rows)
}
