//! `cargo xtask evaluate floods`: crowds and floods of known truth through the detector, and recordings that nobody
//! attacked. Writes one page.

mod figures;
mod recordings;
mod run;
mod siege;
mod sites;
mod stress;
mod tables;
mod words;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use exercise::web::Plan;

use super::page::{Part, rewritten};
use super::{EvaluateError, say};

/// Crowds, floods, and both, through the detector of floods
#[derive(Debug, clap::Args)]
pub(crate) struct Floods {
    /// Seeds of the mixes. 1000..2000 are for development; 20000..20600 have been looked at, and from 30000 on are for the final table only
    #[arg(long, value_name = "FROM..TO", default_value = "1000..1500", value_parser = seeds)]
    seeds: std::ops::Range<u64>,
    /// The page to write
    #[arg(long, value_name = "PATH", default_value = "docs/evaluation-floods.md")]
    out: PathBuf,
    /// Folder of the recordings
    #[arg(long, value_name = "PATH", default_value = "../shared/data")]
    data: PathBuf,
    /// Write each mix as an access log into this folder, and judge nothing
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
    /// Write one line a mix into this file too, with what was drawn and what came of it
    #[arg(long, value_name = "PATH")]
    csv: Option<PathBuf>,
    /// Leave out the ablation, the hard nights and the recordings
    #[arg(long)]
    quick: bool,
}

/// Seeds from here on are never looked at while anything is changed.
const SEALED: u64 = 30_000;
/// Seeds of each hard night, counted from the first seed.
const STRESS_SEEDS: u64 = 30;

fn seeds(text: &str) -> Result<std::ops::Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("expected FROM..TO")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    let range = number(from)?..number(to)?;
    if range.is_empty() { Err("no seed lies in it".to_owned()) } else { Ok(range) }
}

/// Runs the mixes and writes the page.
pub(super) fn main(args: &Floods) -> Result<(), EvaluateError> {
    if args.seeds.end > SEALED {
        say("warning: seeds from 30000 on are for the final table; change nothing after a look at it");
    }
    let sites = sites::all(&args.data)?;
    for site in &sites {
        let (visits, agents) = (site.learnt.n_visits(), site.learnt.n_agents());
        say(&format!("{}: {visits} visits, {agents} agents of people", site.name));
    }
    let plans: Vec<Plan> = args.seeds.clone().map(Plan::of_seed).collect();
    if let Some(folder) = &args.logs {
        return write_logs(&sites, &plans, folder);
    }
    let begun = Instant::now();
    let progress = |at: usize| {
        if at.is_multiple_of(50) {
            say(&format!("{at} of {}", plans.len()));
        }
    };
    let outcomes = run::all(&sites, &plans, !args.quick, &progress)?;
    if let Some(path) = &args.csv {
        std::fs::write(path, tables::csv(&outcomes))?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let rows: usize = outcomes.iter().map(|one| one.rows).sum();
    let machine = format!("{rows} requests; {seconds:.0} s to make and judge them.");
    let command = format!("cargo xtask evaluate floods --seeds {}..{}", args.seeds.start, args.seeds.end);
    let mut page = Page { path: &args.out, parts: Vec::new() };
    page.add("about", words::about(&command, plans.len(), &machine));
    page.add("confusion", format!("{}\n\n{}", words::CONFUSION, tables::confusion(&outcomes)));
    page.add("overall", format!("{}\n\n{}", words::OVERALL, tables::overall(&outcomes, &sites)));
    page.add("windows", tables::windows(&outcomes));
    page.add("floods", format!("{}\n\n{}", words::BLOCK, tables::floods(&outcomes)));
    page.add("hits", tables::hits(&outcomes));
    page.add("before", format!("{}\n\n{}", words::BEFORE, tables::before(&outcomes)));
    page.add("areas", format!("{}\n\n{}", words::AREAS, tables::areas(&outcomes)));
    page.add("wrong", tables::wrong(&outcomes));
    if !args.quick {
        page.add("ablation", format!("{}\n\n{}", words::ABLATION, tables::ablation(&outcomes)));
        page.add("siege", format!("{}\n\n{}", words::SIEGE, tables::siege(&outcomes)));
        say("hard nights");
        let mut hard = Vec::new();
        for case in &stress::CASES {
            let seeds = args.seeds.start..args.seeds.start + STRESS_SEEDS;
            let plans: Vec<Plan> = seeds.map(|seed| case.plan(seed)).collect();
            hard.push((case, run::all(&sites, &plans, false, &|_| ())?));
        }
        page.add("stress", format!("{}\n\n{}", words::STRESS, tables::stress(&hard)));
        say("recordings");
        page.add("real", format!("{}\n\n{}", words::REAL, recordings::tables(&args.data)?));
    }
    page.write()
}

/// One file a mix, named by its seed and what it is in truth.
fn write_logs(sites: &[sites::Site], plans: &[Plan], folder: &Path) -> Result<(), EvaluateError> {
    std::fs::create_dir_all(folder)?;
    for plan in plans {
        let mix = exercise::web::mix(&run::site_of(sites, plan).1.learnt, plan);
        let flood =
            if plan.has_flood() { plan.flood.kind.name().replace(' ', "-") } else { "none".to_owned() };
        let name = format!("{}-{}-{flood}.log", plan.seed, plan.label.name());
        std::fs::write(folder.join(name), mix.access_log())?;
    }
    Ok(())
}

struct Page<'a> {
    path: &'a Path,
    parts: Vec<Part>,
}

impl Page<'_> {
    fn add(&mut self, name: &'static str, text: String) {
        self.parts.push(Part { name, text });
    }

    fn write(&self) -> Result<(), EvaluateError> {
        let old = std::fs::read_to_string(self.path).unwrap_or_else(|_| first());
        std::fs::create_dir_all(self.path.parent().unwrap_or(Path::new(".")))?;
        Ok(std::fs::write(self.path, rewritten(&old, &self.parts))?)
    }
}

/// The page of a project that has none yet.
fn first() -> String {
    const SECTIONS: [(&str, &str); 12] = [
        ("", "about"),
        ("## Verdicts", "confusion"),
        ("", "overall"),
        ("### Length of the window", "windows"),
        ("## What could be blocked", "floods"),
        ("### Whom it would hit", "hits"),
        ("## Usual traffic", "before"),
        ("## No figure alone", "areas"),
        ("## Each group of signs", "ablation"),
        ("## When nothing tells", "siege"),
        ("## Hard nights", "stress"),
        ("## Recordings", "real"),
    ];
    let mut page = "# Evaluation of `application-flood`\n".to_owned();
    for (heading, name) in SECTIONS {
        if !heading.is_empty() {
            let _ = writeln!(page, "\n{heading}");
        }
        let _ = writeln!(page, "\n<!-- generated: {name} -->\n<!-- end generated -->");
    }
    page.push_str("\n## What was decided wrongly\n\n<!-- generated: wrong -->\n<!-- end generated -->\n");
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range() {
        assert_eq!(seeds("1000..1500"), Ok(1000..1500));
        for bad in ["1000", "5..5", "a..b", "9..3"] {
            assert!(seeds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_new_page_has_a_place_for_every_part() {
        let names = [
            "about",
            "confusion",
            "overall",
            "windows",
            "floods",
            "hits",
            "before",
            "areas",
            "ablation",
            "siege",
            "stress",
            "real",
            "wrong",
        ];
        for name in names {
            assert!(first().contains(&format!("<!-- generated: {name} -->")), "{name}");
        }
    }
}
