//! `cargo xtask evaluate`: what the detector finds of planted groups, what it flags wrongly, and what
//! it says about recordings. Writes `docs/evaluation.md` and its pictures.

mod count;
mod curves;
mod factors;
mod floods;
mod grid;
mod lookalikes;
mod methods;
mod page;
mod plot;
mod real;
mod sets;
mod words;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use exercise::coordination::Background;

use grid::{Grid, Levels, Truth};
use methods::Methods;
use page::Part;

/// Measure the detector and write the page about it
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Evaluate {
    /// Another detector's evaluation
    #[command(subcommand)]
    of: Option<Of>,
    /// A thinned grid on one background and one seed, written to target/evaluation.md unless `--page` is given
    #[arg(long)]
    quick: bool,
    /// Run this part alone, and leave the others in the page as they are; may be repeated
    #[arg(long, value_name = "PART", value_enum)]
    only: Vec<What>,
    /// The first seed; further ones follow it
    #[arg(long, default_value_t = 20_260_901)]
    seed: u64,
    /// Take every second number of objects on the control, which is slow
    #[arg(long)]
    thin_control: bool,
    /// Folder of the recordings
    #[arg(long, value_name = "PATH", default_value = "../shared/data")]
    data: PathBuf,
    /// The page to write; pictures go into a folder of the same name beside it
    #[arg(long, value_name = "PATH")]
    page: Option<PathBuf>,
}

/// Evaluations with a page of their own.
#[derive(Debug, clap::Subcommand)]
enum Of {
    /// Crowds, floods, and both, through the detector of floods
    Floods(floods::Floods),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Planted groups in the German recording
    Grid,
    /// Planted groups in the control
    Control,
    /// The pictures, and the tables of what is not found
    Curves,
    /// What looks like coordination and is not
    Lookalikes,
    /// Recordings as they are
    Real,
}

/// An evaluation could not be made.
pub(crate) type EvaluateError = Box<dyn std::error::Error + Send + Sync>;

impl Evaluate {
    fn wants(&self, what: What) -> bool {
        if self.only.is_empty() { !self.quick || what != What::Control } else { self.only.contains(&what) }
    }

    /// Seeds of the grid on the German background.
    fn seeds(&self) -> impl Iterator<Item = u64> {
        self.seed..self.seed + if self.quick { 1 } else { 3 }
    }

    fn levels(&self) -> Levels {
        if self.quick { Levels::quick() } else { Levels::full() }
    }

    fn page(&self) -> PathBuf {
        let usual = if self.quick { "target/evaluation.md" } else { "docs/evaluation.md" };
        self.page.clone().unwrap_or_else(|| usual.into())
    }
}

/// Runs the parts that the arguments ask for. The page is written after each of them.
pub(crate) fn main(args: &Evaluate) -> Result<(), EvaluateError> {
    if let Some(Of::Floods(args)) = &args.of {
        return floods::main(args);
    }
    let methods = Methods::new()?;
    let mut parts = vec![
        Part { name: "about", text: words::about(args.quick) },
        Part { name: "limits", text: words::LIMITS.to_owned() },
    ];
    write(args, &parts)?;
    if args.wants(What::Grid) || args.wants(What::Curves) {
        parts.extend(german(args, &methods)?);
        write(args, &parts)?;
    }
    if args.wants(What::Lookalikes) {
        parts.push(lookalikes(args, &methods)?);
        write(args, &parts)?;
    }
    if args.wants(What::Real) {
        parts.push(recordings(args, &methods)?);
        write(args, &parts)?;
    }
    if args.wants(What::Control) {
        parts.push(control(args, &methods)?);
        write(args, &parts)?;
    }
    Ok(())
}

/// Both German grids, and the pictures of the first.
fn german(args: &Evaluate, methods: &Methods) -> Result<Vec<Part>, EvaluateError> {
    let recorded = Background::new(sets::shares(&args.data, sets::GERMAN)?);
    let levels = args.levels();
    let mut shuffled = Grid::default();
    let mut as_recorded = Grid::default();
    for seed in args.seeds() {
        let background = recorded.shuffled_within_days(seed);
        let mut say = |at, of| say(&format!("German links, accounts exchanged, seed {seed}: {at} of {of}"));
        shuffled.add(methods, &background, Truth::NothingCoordinated, &levels, seed, &mut say)?;
    }
    let mut parts = Vec::new();
    if args.wants(What::Grid) {
        for seed in args.seeds().take(usize::from(!args.quick)) {
            let mut say = |at, of| say(&format!("German links as recorded, seed {seed}: {at} of {of}"));
            as_recorded.add(methods, &recorded, Truth::Unknown, &levels, seed, &mut say)?;
        }
        let mut text = format!(
            "{}\n\n{}\n\n{}",
            words::grid(&levels),
            words::SHUFFLED,
            factors::tables(&shuffled, &levels)
        );
        if !as_recorded.cells.is_empty() {
            let _ = write!(text, "\n{}\n\n{}", words::AS_RECORDED, factors::tables(&as_recorded, &levels));
        }
        parts.push(Part { name: "grid", text });
    }
    if args.wants(What::Curves) {
        let page = args.page();
        let folder = page.with_extension("");
        std::fs::create_dir_all(&folder)?;
        let mut text = words::CURVES.to_owned();
        let short = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        for picture in curves::pictures(&shuffled) {
            std::fs::write(folder.join(picture.file), &picture.svg)?;
            let _ =
                write!(text, "\n\n![{}. {}]({short}/{})", picture.title, picture.description, picture.file);
        }
        let _ = write!(
            text,
            "\n\n{}\n### Where it fails\n\n{}",
            curves::threshold_table(&shuffled),
            factors::failures(&shuffled)
        );
        parts.push(Part { name: "curves", text });
    }
    Ok(parts)
}

fn control(args: &Evaluate, methods: &Methods) -> Result<Part, EvaluateError> {
    let background =
        Background::new(sets::shares(&args.data, sets::CONTROL)?).shuffled_within_days(args.seed);
    let levels = match (args.quick, args.thin_control) {
        (true, _) => Levels::quick(),
        (false, true) => Levels::thinned(),
        (false, false) => Levels::full(),
    };
    let mut grid = Grid::default();
    let mut say = |at, of| say(&format!("control: {at} of {of}"));
    grid.add(methods, &background, Truth::NothingCoordinated, &levels, args.seed, &mut say)?;
    Ok(Part {
        name: "control",
        text: format!("{}\n\n{}", words::control(&levels), factors::tables(&grid, &levels)),
    })
}

fn lookalikes(args: &Evaluate, methods: &Methods) -> Result<Part, EvaluateError> {
    let seeds: Vec<u64> = args.seeds().take(2).collect();
    let cases = lookalikes::all();
    let recorded = Background::new(sets::shares(&args.data, sets::GERMAN)?);
    let mut seen = Vec::new();
    for &seed in &seeds {
        let background = recorded.shuffled_within_days(seed);
        let mut say = |case: &str| say(&format!("look-alike on seed {seed}: {case}"));
        seen.push(lookalikes::look(methods, &background, &cases, seed, &mut say)?);
    }
    let listed = seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let mut text = format!("{}\n\n{}", words::lookalikes(&listed), lookalikes::rows(&cases, &seen));
    if !args.quick {
        let background =
            Background::new(sets::shares(&args.data, sets::CONTROL)?).shuffled_within_days(args.seed);
        let mut say = |case: &str| say(&format!("look-alike in the control: {case}"));
        let seen = lookalikes::look(methods, &background, &cases[..4], args.seed, &mut say)?;
        let _ = write!(
            text,
            "\nThe first four in the control, seed {}:\n\n{}",
            args.seed,
            lookalikes::rows(&cases, &[seen])
        );
    }
    Ok(Part { name: "lookalikes", text })
}

fn recordings(args: &Evaluate, methods: &Methods) -> Result<Part, EvaluateError> {
    let sets = if args.quick { &real::SETS[..1] } else { &real::SETS[..] };
    let mut found = Vec::new();
    for &set in sets {
        say(&format!("recording: {}", set.0));
        found.push(real::find(methods, &args.data, set)?);
    }
    Ok(Part { name: "real", text: format!("{}\n\n{}", words::REAL, real::tables(&found)) })
}

/// Writes the page with these parts in their places.
fn write(args: &Evaluate, parts: &[Part]) -> Result<(), EvaluateError> {
    let path = args.page();
    let old = std::fs::read_to_string(&path).unwrap_or_else(|_| page::FIRST.to_owned());
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    std::fs::write(&path, page::rewritten(&old, parts))?;
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the grids take minutes; whoever waits wants to see them move")]
fn say(what: &str) {
    eprintln!("{what}");
}
