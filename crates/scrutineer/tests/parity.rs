//! Networks by the rules of other tools, edge by edge against their own outputs.
//!
//! The data and the outputs lie outside the repository; where they are missing, each test says what
//! it skipped.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

type Failure = Box<dyn std::error::Error>;
/// Weight and the other columns by the two ends of an edge.
type Network = BTreeMap<(String, String), Vec<f64>>;

/// The folder of the coordination data, or none where it is not there.
fn folder(test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/coordination");
    if folder.is_dir() {
        return Some(folder);
    }
    let _ = writeln!(std::io::stderr(), "skipped: {test}, for want of ../shared/data/coordination");
    None
}

fn edges(rules: &str, more: &[&str], input: &Path) -> Result<Network, Failure> {
    let output = Command::new(env!("CARGO_BIN_EXE_scrutineer"))
        .args(["coordination", "edges", "--as", rules])
        .args(more)
        .arg(input)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(parse(&String::from_utf8(output.stdout)?))
}

fn reference(file: &Path) -> Result<Network, Failure> {
    let unpacked = Command::new("gzip").arg("-dcf").stdin(std::fs::File::open(file)?).output()?;
    Ok(parse(&String::from_utf8(unpacked.stdout)?))
}

fn parse(text: &str) -> Network {
    let number = |field: &str| field.parse().unwrap_or(f64::NAN);
    text.lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split(',').map(str::to_owned);
            let ends = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            (ends, fields.map(|field| number(&field)).collect())
        })
        .collect()
}

/// The first difference, so that a failure can be read.
fn compare(name: &str, ours: &Network, theirs: &Network) -> Result<(), Failure> {
    // The reference writes fifteen digits, the last of them not always rounded well.
    let same = |x: &f64, y: &f64| (x - y).abs() <= 1e-12 * x.abs().max(1.0);
    for (ends, values) in theirs {
        let Some(got) = ours.get(ends) else { return Err(format!("{name}: no edge {ends:?}").into()) };
        if got.len() != values.len() || !got.iter().zip(values).all(|(x, y)| same(x, y)) {
            return Err(format!("{name}: {ends:?} is {got:?}, not {values:?}").into());
        }
    }
    if let Some(ends) = ours.keys().find(|ends| !theirs.contains_key(*ends)) {
        return Err(format!("{name}: {ends:?} should not be there").into());
    }
    Ok(())
}

#[test]
fn coortweet_runs_are_repeated_column_by_column() -> Result<(), Failure> {
    let Some(data) = folder("the parity with CooRTweet") else { return Ok(()) };
    let runs = [
        ("ru_w10_mp5", "russian_coord_tweets.csv", "10", "5"),
        ("ru_w60_mp1", "russian_coord_tweets.csv", "60", "1"),
        ("ru_w60_mp2", "russian_coord_tweets.csv", "60", "2"),
        ("ru_w60_mp5", "russian_coord_tweets.csv", "60", "5"),
        ("de_url_w60_mp2", "german_url.csv", "60", "2"),
        ("de_url_w30_mp2", "german_url.csv", "30", "2"),
        ("de_url_w60_mp5", "german_url.csv", "60", "5"),
        ("de_phash_w60_mp2", "german_phash.csv", "60", "2"),
        ("de_hashtag_w60_mp2", "german_hashtag.csv", "60", "2"),
        ("de_domain_w60_mp2", "german_domain.csv", "60", "2"),
    ];
    for (name, input, window, least) in runs {
        let ours =
            edges("coortweet", &["--window", window, "--min-participation", least], &data.join(input))?;
        compare(name, &ours, &reference(&data.join(format!("reference/coortweet_{name}_edges.csv")))?)?;
    }
    Ok(())
}

#[test]
fn coortweet_is_repeated_on_one_platform() -> Result<(), Failure> {
    let Some(data) = folder("the parity with CooRTweet on Facebook alone") else { return Ok(()) };
    let all = std::fs::read_to_string(data.join("german_url.csv"))?;
    let mut facebook = tempfile::NamedTempFile::new()?;
    for (number, line) in all.lines().enumerate() {
        if number == 0 || line.split(',').nth(1).is_some_and(|account| account.starts_with("fb")) {
            writeln!(facebook, "{line}")?;
        }
    }
    let ours = edges("coortweet", &["--window", "60"], facebook.path())?;
    compare("fb", &ours, &reference(&data.join("reference/coortweet_de_url_fb_w60_mp2_edges.csv"))?)
}

/// Straight from the posts: the tool's users split them into four tables without repeated rows, find
/// pairs in each, and make one network of all.
#[test]
fn coortweet_is_repeated_over_four_traces() -> Result<(), Failure> {
    let Some(data) = folder("the parity with CooRTweet over four traces") else { return Ok(()) };
    let mut ours = edges("coortweet", &["--window", "30", "--unique"], &data.join("german_elections.csv"))?;
    assert_eq!(ours.values().map(|values| values[0]).sum::<f64>(), 17_460.0);
    // The reference lacks the two counts of posts.
    for values in ours.values_mut() {
        values.drain(2..4);
    }
    compare("combined", &ours, &reference(&data.join("reference/coortweet_de_combined_w30_mp2_edges.csv"))?)
}

#[test]
fn coortweet_is_repeated_on_the_control() -> Result<(), Failure> {
    let Some(data) = folder("the parity with CooRTweet on organic cascades") else { return Ok(()) };
    let ours = edges("coortweet", &["--window", "60"], &data.join("control/weibo_ced_reposts.csv.gz"))?;
    compare("control", &ours, &reference(&data.join("reference/coortweet_control_ced_w60_mp2_edges.csv.gz"))?)
}

#[test]
fn toolkit_runs_are_repeated() -> Result<(), Failure> {
    let Some(data) = folder("the parity with the toolkit") else { return Ok(()) };
    let runs = [
        ("ru_coretweet_w60", "toolkit-retweet", "russian_coord_tweets.csv", "60"),
        ("ru_coretweet_w10", "toolkit-retweet", "russian_coord_tweets.csv", "10"),
        ("de_url_colink_w60", "toolkit-link", "german_url.csv", "60"),
        ("de_phash_colink_w60", "toolkit-link", "german_phash.csv", "60"),
        ("de_hashtag_colink_w60", "toolkit-link", "german_hashtag.csv", "60"),
        ("de_domain_colink_w60", "toolkit-link", "german_domain.csv", "60"),
    ];
    for (name, rules, input, window) in runs {
        let ours = edges(rules, &["--window", window], &data.join(input))?;
        compare(name, &ours, &reference(&data.join(format!("reference/cnt_{name}_directed_edges.csv")))?)?;
    }
    Ok(())
}

#[test]
fn the_toolkit_is_repeated_on_the_control() -> Result<(), Failure> {
    let Some(data) = folder("the parity with the toolkit on organic cascades") else { return Ok(()) };
    let input = data.join("control/weibo_ced_reposts.csv.gz");
    let mut child = Command::new(env!("CARGO_BIN_EXE_scrutineer"))
        .args(["coordination", "edges", "--as", "toolkit-retweet", "--window", "60"])
        .arg(&input)
        .stdout(std::process::Stdio::piped())
        .spawn()?;
    // The whole network is 120 MB of text: only its heavy edges are parsed into a table.
    let mut text = Vec::new();
    child.stdout.take().ok_or("a pipe was asked for")?.read_to_end(&mut text)?;
    assert!(child.wait()?.success());
    let (mut edges, mut sum) = (0_u64, 0_u64);
    let mut heavy = String::from("user_1,user_2,weight\n");
    for line in std::str::from_utf8(&text)?.lines().skip(1) {
        let weight: u64 = line.rsplit(',').next().unwrap_or_default().parse()?;
        edges += 1;
        sum += weight;
        if weight >= 2 {
            heavy.push_str(line);
            heavy.push('\n');
        }
    }
    let mut ours = parse(&heavy);
    assert_eq!((edges, sum, ours.len()), (5_649_604, 5_695_743, 36_678));
    // The file of heavy edges was cut by the first digit of the weight: 51 edges of weight 10 to 19
    // are in the totals and not in it.
    ours.retain(|_, values| !(10.0..20.0).contains(&values[0]));
    compare(
        "control",
        &ours,
        &reference(&data.join("reference/cnt_control_ced_coretweet_w60_directed_edges_ge2.csv.gz"))?,
    )
}
