//! The coordination-network-toolkit side by side: the same posts, the same edges, both times.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use detect::Engine;
use detect::coordination::peers::{number_rows, toolkit};

use super::BenchError;

type Edges = BTreeMap<(String, String), u32>;

/// Co-reposts within a minute by both.
#[expect(clippy::print_stdout, reason = "the figures are the result")]
pub(super) fn compare(program: &Path, posts: &Path) -> Result<(), BenchError> {
    let start = Instant::now();
    let ours = ours(posts)?;
    let our_time = start.elapsed().as_secs_f64();
    let folder = std::env::temp_dir().join(format!("bench-peer-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let theirs = theirs(program, posts, &folder);
    std::fs::remove_dir_all(&folder)?;
    let (theirs, their_time) = theirs?;
    println!("| | edges | weight | wall s, 2 threads or processes |");
    println!("|---|---|---|---|");
    for (name, edges, time) in [("ours", &ours, our_time), ("the toolkit", &theirs, their_time)] {
        println!("| {name} | {} | {} | {time:.2} |", edges.len(), edges.values().sum::<u32>());
    }
    if ours != theirs {
        return Err("the edges are not the same".into());
    }
    println!(
        "\nThe edges are the same. Both times are from posts to a table of edges; ours is without the start of a process."
    );
    Ok(())
}

fn ours(posts: &Path) -> Result<Edges, BenchError> {
    let options = ingest::Options {
        accounts: ingest::Accounts::Plain,
        now: domain::Timestamp(i64::MAX / 2),
        default_trace: traffic::Trace::Object,
        seed: traffic::Seed(0),
    };
    let mut reading = ingest::open(&[posts.to_owned()], options)?;
    let engine = Engine::new(2, usize::MAX, Arc::new(store::TempScratch::create(None)?));
    let gather = toolkit::gather(toolkit::Kind::Retweet, 60_000, 1);
    let (tables, _) = engine.run(&[gather], number_rows(reading.take_parts()))?;
    let names = reading.finish().accounts;
    let edges = toolkit::network(tables, &names);
    Ok(edges.iter().map(|edge| ((names.name(edge.a), names.name(edge.b)), edge.weight)).collect())
}

/// Its edges, and the time it took to make them, without our change of layout and without an export.
fn theirs(program: &Path, posts: &Path, folder: &Path) -> Result<(Edges, f64), BenchError> {
    let (table, database) = (folder.join("posts.csv"), folder.join("posts.db"));
    std::fs::write(&table, their_layout(&std::fs::read_to_string(posts)?)?)?;
    let start = Instant::now();
    run(Command::new(program).arg(&database).args(["preprocess"]).arg(&table))?;
    run(Command::new(program).arg(&database).args([
        "compute",
        "co_retweet",
        "--time_window",
        "60",
        "--min_edge_weight",
        "1",
        "--n_cpus",
        "2",
    ]))?;
    let time = start.elapsed().as_secs_f64();
    // Its export to CSV fails in version 1.5.2, so the edges come from its database.
    let python = program.with_file_name("python");
    let table = run(Command::new(python).args(["-c", EDGES]).arg(&database))?;
    let mut edges = Edges::new();
    for line in table.lines() {
        let [from, to, weight] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err("its edges must have three columns".into());
        };
        edges.insert((from.to_owned(), to.to_owned()), weight.parse()?);
    }
    Ok((edges, time))
}

/// Prints the edges of a database without loops.
const EDGES: &str = "\
import sqlite3, sys
for edge in sqlite3.connect(sys.argv[1]).execute('select * from co_retweet_network where user_1 != user_2'):
    print(*edge, sep=',')
";

fn their_layout(posts: &str) -> Result<String, BenchError> {
    let mut table = String::from("message_id,user_id,username,repost_id,reply_id,message,timestamp,urls\n");
    for line in posts.lines().skip(1) {
        let [object, account, post, time] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err("posts must have four columns".into());
        };
        let _ = writeln!(table, "{post},{account},{account},{object},,,{time},");
    }
    Ok(table)
}

/// What the program writes to standard output.
fn run(command: &mut Command) -> Result<String, BenchError> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
