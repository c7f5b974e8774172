//! What of a grid goes into tables: recall by factor, and the cells where little is found.

use std::fmt::Write as _;

use exercise::coordination::Plan;

use super::grid::{Grid, Levels};
use super::methods::Method;
use super::page::{rate, table};

/// One thing in which planted groups differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Factor {
    Size,
    Objects,
    Participation,
    Jitter,
    Kind,
}

impl Factor {
    const ALL: [Self; 5] = [Self::Size, Self::Objects, Self::Participation, Self::Jitter, Self::Kind];

    /// In tables and plots.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Size => "accounts in the group",
            Self::Objects => "objects",
            Self::Participation => "participation",
            Self::Jitter => "jitter",
            Self::Kind => "kind of objects",
        }
    }

    /// The level of a plan.
    pub(super) fn level(self, plan: &Plan) -> String {
        match self {
            Self::Size => plan.size.to_string(),
            Self::Objects => plan.objects.to_string(),
            Self::Participation => format!("{:.0} %", plan.participation * 100.0),
            Self::Jitter => format!("{} s", plan.jitter_s),
            Self::Kind => plan.kind.name().to_owned(),
        }
    }

    /// All levels, in order.
    pub(super) fn levels(self, grid: &Grid) -> Vec<String> {
        let mut levels = Vec::new();
        for cell in &grid.cells {
            let level = self.level(&cell.plan);
            if !levels.contains(&level) {
                levels.push(level);
            }
        }
        levels
    }
}

/// The groups that a campaign of some weight would be.
pub(super) fn is_core(plan: &Plan) -> bool {
    // A run has no size of its own: groups of all sizes are planted together.
    (plan.size >= 5 || plan.size == 0)
        && plan.objects >= 10
        && plan.participation >= 0.6
        && plan.jitter_s <= 45
}

/// All tables of one background.
pub(super) fn tables(grid: &Grid, levels: &Levels) -> String {
    let mut text = overall(grid);
    text.push('\n');
    text.push_str(&by_factor(grid));
    for (rows, columns) in [
        (Factor::Size, Factor::Participation),
        (Factor::Objects, Factor::Participation),
        (Factor::Kind, Factor::Jitter),
    ] {
        let _ = write!(
            text,
            "\nRecall by {} (rows) and {} (columns), `coordinated-sharing` and in brackets the two \
             thresholds together:\n\n{}",
            rows.name(),
            columns.name(),
            cross(grid, rows, columns, |_| true)
        );
    }
    let seeds: Vec<String> = grid.without.iter().map(|(seed, _)| seed.to_string()).collect();
    let recalls: Vec<String> = grid.recall_by_seed(0).iter().map(|recall| format!("{recall:.3}")).collect();
    let _ = write!(
        text,
        "\n{} cells, seeds {}; recall of `coordinated-sharing` on each: {}. Popular and early groups choose \
         from {} objects with at least 20 accounts, so two groups of a run may act on the same one; they may \
         then come out as one finding.\n",
        levels.n_cells(),
        seeds.join(", "),
        recalls.join(", "),
        grid.n_popular
    );
    text
}

/// Recall, precision and false pairs of the detector and of the thresholds.
fn overall(grid: &Grid) -> String {
    let shown = [
        Method::Scrutineer,
        Method::Threshold { window: 0, k: 4 },
        Method::Threshold { window: 1, k: 5 },
        Method::Quiet,
    ];
    let runs = grid.runs.len().max(1) as f64;
    let rows = Method::all().into_iter().enumerate().filter(|(_, method)| shown.contains(method)).map(
        |(at, method)| {
            let (all, core) = (grid.tally(at, |_| true), grid.tally(at, is_core));
            let pairs: usize = grid.runs.iter().map(|run| run.other_pairs[at]).sum();
            let across: usize = grid.runs.iter().map(|run| run.pairs_across[at]).sum();
            let nothing: Vec<String> =
                grid.without.iter().map(|(_, without)| without[at].0.to_string()).collect();
            vec![
                method.name(),
                rate(all.recall()),
                rate(core.recall()),
                rate(all.precision()),
                format!("{:.2}", all.others as f64 / runs),
                format!("{:.2}", pairs as f64 / runs),
                format!("{:.2}", across as f64 / runs),
                nothing.join(", "),
            ]
        },
    );
    table(
        &[
            "method",
            "recall",
            "recall in the core",
            "precision",
            "false accounts a run",
            "false pairs a run",
            "pairs across plants a run",
            "accounts flagged with nothing planted, by seed",
        ],
        rows,
    )
}

fn by_factor(grid: &Grid) -> String {
    let quiet = quiet();
    let mut rows = Vec::new();
    for factor in Factor::ALL {
        for level in factor.levels(grid) {
            let here = |plan: &Plan| factor.level(plan) == level;
            let (ours, theirs) = (grid.tally(0, here), grid.tally(quiet, here));
            // Groups of all sizes are planted together, so an account that is flagged falsely
            // belongs to no size.
            let precision = |tally: super::count::Tally| {
                if factor == Factor::Size { "–".to_owned() } else { rate(tally.precision()) }
            };
            rows.push(vec![
                factor.name().to_owned(),
                level.clone(),
                rate(ours.recall()),
                precision(ours),
                rate(theirs.recall()),
                precision(theirs),
            ]);
        }
    }
    table(&["factor", "level", "recall", "precision", "thresholds: recall", "thresholds: precision"], rows)
}

/// Recall by two factors over the cells that `wanted` takes.
pub(super) fn cross(grid: &Grid, rows: Factor, columns: Factor, wanted: impl Fn(&Plan) -> bool) -> String {
    let quiet = quiet();
    let columns_shown: Vec<String> = columns
        .levels(grid)
        .into_iter()
        .filter(|level| grid.cells.iter().any(|c| wanted(&c.plan) && columns.level(&c.plan) == *level))
        .collect();
    let mut header = vec![""];
    header.extend(columns_shown.iter().map(String::as_str));
    let mut lines = Vec::new();
    for row in rows.levels(grid) {
        let mut line = vec![row.clone()];
        for column in &columns_shown {
            let here =
                |plan: &Plan| wanted(plan) && rows.level(plan) == row && columns.level(plan) == *column;
            let (ours, theirs) = (grid.tally(0, here), grid.tally(quiet, here));
            line.push(format!("{} ({})", rate(ours.recall()), rate(theirs.recall())));
        }
        if line[1..].iter().any(|cell| cell != "– (–)") {
            lines.push(line);
        }
    }
    table(&header, lines)
}

/// Where little or nothing is found.
pub(super) fn failures(grid: &Grid) -> String {
    use exercise::coordination::Kind;
    let early = cross(grid, Factor::Objects, Factor::Participation, |plan| {
        plan.kind == Kind::Early && plan.jitter_s == 600
    });
    let few = cross(grid, Factor::Kind, Factor::Jitter, |plan| plan.participation < 0.5 && plan.objects <= 5);
    let three = cross(grid, Factor::Size, Factor::Participation, |plan| plan.objects == 3);
    let pairs = cross(grid, Factor::Objects, Factor::Participation, |plan| plan.size == 3);
    format!(
        "Recall in the cells where it is lowest; in brackets the two thresholds together, whose price is in \
         the tables of false pairs.\n\n\
         Groups that post popular things within five minutes of their first share, ten minutes of jitter, by \
         objects (rows) and participation (columns). This is the picture of followers with alerts switched \
         on, and the detector is built not to report it:\n\n{early}\n\
         Groups whose members take part in 30 % of three or five objects, by kind (rows) and jitter \
         (columns). Most pairs of such a group never meet twice:\n\n{few}\n\
         Groups that act on three objects only, by accounts (rows) and participation (columns):\n\n{three}\n\
         Groups of three accounts, by objects (rows) and participation (columns):\n\n{pairs}"
    )
}

fn quiet() -> usize {
    Method::all()
        .iter()
        .position(|method| *method == Method::Quiet)
        .expect("internal error: the quiet thresholds are among the methods")
}
