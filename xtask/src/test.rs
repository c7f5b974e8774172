//! `cargo xtask test`: every check that a change must pass, in order, one line each.

#![expect(clippy::print_stdout, reason = "the lines are what the person who started the task waits for")]

use std::error::Error;
use std::process::Command;
use std::time::Instant;

use crate::docs::{self, Docs};
use crate::workspace::{self, Workspace};
use crate::{layers, lengths, licences, words};

/// Runs the checks and the tests.
#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// Leaves out clippy, the slowest of the checks.
    #[arg(long)]
    quick: bool,
    /// Runs this step alone.
    #[arg(long, value_name = "STEP", value_parser = STEPS.map(|step| step.name))]
    only: Option<String>,
}

/// Some steps failed. The steps have already said why.
#[derive(Debug, thiserror::Error)]
#[error("failed: {}", .0.join(", "))]
struct Failed(Vec<&'static str>);

/// Runs the steps that the arguments ask for, all of them even where one fails, so that one run
/// shows everything that is to be mended.
pub(crate) fn main(args: &Test) -> Result<(), Box<dyn Error + Send + Sync>> {
    let workspace = Workspace::describe()?;
    let mut failed = Vec::new();
    for step in STEPS.iter().filter(|step| args.wants(step)) {
        let start = Instant::now();
        let outcome = (step.run)(&workspace);
        let seconds = start.elapsed().as_secs_f64();
        if !outcome.has_spoken() {
            print!("{}", line(step, &outcome, seconds));
        }
        if !outcome.problems.is_empty() {
            failed.push(step.name);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Failed(failed).into()) }
}

impl Test {
    fn wants(&self, step: &Step) -> bool {
        match &self.only {
            Some(name) => step.name == name,
            None => !(self.quick && step.slow),
        }
    }
}

#[derive(Clone, Copy)]
struct Step {
    name: &'static str,
    /// Left out by `--quick`.
    slow: bool,
    run: fn(&Workspace) -> Outcome,
    /// What usually mends a failure.
    hint: &'static str,
}

/// In the order in which they run.
const STEPS: [Step; 7] = [
    Step { name: "format", slow: false, run: format, hint: "run `cargo fmt --all`" },
    Step { name: "clippy", slow: true, run: clippy, hint: "mend each warning, or expect it with a reason" },
    Step {
        name: "licences",
        slow: false,
        run: licences,
        hint: "take another crate; the allow list is in xtask/src/licences.rs",
    },
    Step {
        name: "layers",
        slow: false,
        run: layers,
        hint: "the table is in xtask/src/layers.rs; argue a new row or edge in ARCHITECTURE.md first",
    },
    Step {
        name: "words",
        slow: false,
        run: words,
        hint: "use paths relative to the workspace, and leave registries to each user's configuration",
    },
    Step {
        name: "reference",
        slow: false,
        run: reference,
        hint: "run `cargo xtask docs` and commit the page",
    },
    Step {
        name: "tests",
        slow: false,
        run: unit_tests,
        hint: "run the failing test alone with `cargo test NAME`",
    },
];

#[derive(Debug, Default)]
struct Outcome {
    /// What was looked at, in a few words. Empty where the step's own output has said it.
    note: String,
    /// Empty where the step passed.
    problems: Vec<String>,
    /// Said, but never a failure.
    advice: Vec<String>,
}

impl Outcome {
    fn has_spoken(&self) -> bool {
        self.note.is_empty() && self.problems.is_empty()
    }
}

fn format(_: &Workspace) -> Outcome {
    cargo(&["fmt", "--all", "--check"])
}

fn clippy(_: &Workspace) -> Outcome {
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

fn licences(workspace: &Workspace) -> Outcome {
    let note = format!("{} packages", workspace.packages.len());
    Outcome { note, problems: licences::problems(&workspace.packages), ..Outcome::default() }
}

fn layers(workspace: &Workspace) -> Outcome {
    let note = format!("{} crates", workspace.members.len());
    Outcome { note, problems: layers::problems(&workspace.members), ..Outcome::default() }
}

fn words(workspace: &Workspace) -> Outcome {
    let mut outcome = Outcome { note: format!("{} files", workspace.files.len()), ..Outcome::default() };
    for file in &workspace.files {
        if let Some(text) = workspace.read_text(file) {
            outcome.problems.extend(words::problems(file, &text));
            outcome.advice.extend(lengths::advice(file, &text));
        }
    }
    outcome
}

fn reference(_: &Workspace) -> Outcome {
    let problems = match docs::main(&Docs { check: true }) {
        Ok(()) => Vec::new(),
        Err(error) => vec![error.to_string()],
    };
    Outcome { note: "generated pages".to_owned(), problems, ..Outcome::default() }
}

/// Announced beforehand: where all goes well, the last lines of the run are those of `cargo test`.
fn unit_tests(_: &Workspace) -> Outcome {
    println!("then tests     cargo test --workspace --no-fail-fast");
    let outcome = cargo(&["test", "--workspace", "--no-fail-fast"]);
    if outcome.problems.is_empty() { Outcome::default() } else { outcome }
}

/// Runs cargo in the foreground: its own output is the explanation of a failure.
fn cargo(args: &[&str]) -> Outcome {
    let note = format!("cargo {}", args.join(" "));
    let problems = match Command::new(workspace::cargo()).args(args).status() {
        Ok(status) if status.success() => Vec::new(),
        Ok(status) => vec![format!("`{note}` ended with {status}")],
        Err(error) => vec![format!("could not start `{note}`: {error}")],
    };
    Outcome { note, problems, ..Outcome::default() }
}

/// The line of a step, and below it, indented, what it found.
fn line(step: &Step, outcome: &Outcome, seconds: f64) -> String {
    use std::fmt::Write as _;
    let passed = outcome.problems.is_empty();
    let word = if passed { "ok  " } else { "FAIL" };
    let mut text = format!("{word} {:<9} {} ({seconds:.1} s)\n", step.name, outcome.note);
    for (label, lines) in [("", &outcome.problems), ("advice: ", &outcome.advice)] {
        for found in lines {
            let _ = writeln!(text, "     {label}{found}");
        }
    }
    if !passed {
        let _ = writeln!(text, "     hint: {}", step.hint);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str) -> &'static Step {
        STEPS.iter().find(|step| step.name == name).expect("a step of that name")
    }

    #[test]
    fn a_failure_says_what_and_how_to_mend_it() {
        let outcome = Outcome {
            note: "8 crates".to_owned(),
            problems: vec!["`detect` may not use `ingest`".to_owned()],
            advice: Vec::new(),
        };
        let text = line(step("layers"), &outcome, 0.04);
        assert!(
            text.starts_with("FAIL layers    8 crates (0.0 s)\n     `detect` may not use `ingest`\n"),
            "{text}"
        );
        assert!(text.contains("hint: the table is in xtask/src/layers.rs"), "{text}");
    }

    #[test]
    fn advice_alone_is_no_failure() {
        let outcome = Outcome { advice: vec!["long".to_owned()], ..Outcome::default() };
        assert_eq!(line(step("words"), &outcome, 0.0), "ok   words      (0.0 s)\n     advice: long\n");
    }

    #[test]
    fn quick_leaves_out_clippy_alone() {
        let quick = Test { quick: true, only: None };
        let names: Vec<_> = STEPS.iter().filter(|step| quick.wants(step)).map(|step| step.name).collect();
        assert_eq!(names, ["format", "licences", "layers", "words", "reference", "tests"]);
    }

    #[test]
    fn a_command_that_fails_fails_its_step() {
        assert_eq!(cargo(&["--version"]).problems, [""; 0]);
        assert_eq!(cargo(&["no-such-command"]).problems.len(), 1);
    }
}
