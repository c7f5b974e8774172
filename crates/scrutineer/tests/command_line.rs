//! The program as its users meet it: arguments in; text, files and exit codes out.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

type Outcome = Result<(), Box<dyn Error>>;

/// Runs the program in a folder, which is also its home.
fn scrutineer(folder: &Path, arguments: &[&str]) -> std::io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_scrutineer"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .output()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Forty things, the first ones far more popular, shared by three thousand people in the half day
/// after each appears; and, where asked for, eight accounts that share twenty of them within seconds
/// of each other.
fn posts(with_group: bool) -> String {
    // The generator of SplitMix64 (Steele, Lea and Flood 2014): the same rows on every machine.
    let mut state = 1_u64;
    let mut below = |limit: u64| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    };
    let mut rows: Vec<(u64, String, u64)> = Vec::new();
    let mut bursts: Vec<(u64, String, u64)> = Vec::new();
    for object in 0..40 {
        let start = 1_630_000_000 + below(14 * 86_400);
        for _ in 0..1_200 / (object + 3) {
            rows.push((object, format!("person_{}", below(3_000)), start + below(40_000)));
        }
        let burst = start + below(40_000);
        for account in 0..8 {
            bursts.push((object, format!("puppet_{account}"), burst + below(8)));
        }
    }
    if with_group {
        rows.extend(bursts.into_iter().filter(|(object, ..)| *object < 20));
    }
    let mut text = "object_id,account_id,content_id,timestamp_share\n".to_owned();
    for (row, (object, account, time)) in rows.into_iter().enumerate() {
        writeln!(text, "thing_{object},{account},{row},{time}").expect("writing to a string");
    }
    text
}

#[test]
fn a_quiet_file_gives_one_calm_sentence() -> Outcome {
    let home = tempfile::tempdir()?;
    fs::write(home.path().join("posts.csv"), posts(false))?;
    let ran = scrutineer(home.path(), &["detect", "posts.csv", "--fail-on", "info"])?;
    assert_eq!(talk(&ran), "");
    assert!(out(&ran).starts_with("Nothing found in 3,381 rows.\n"), "{}", out(&ran));
    assert_eq!(ran.status.code(), Some(0));
    let key = home.path().join(".local/state/scrutineer/default-case/account-key");
    assert_eq!(fs::metadata(key)?.permissions().mode() & 0o777, 0o600);
    Ok(())
}

#[test]
fn a_group_is_found_told_and_written() -> Outcome {
    let home = tempfile::tempdir()?;
    fs::write(home.path().join("posts.csv"), posts(true))?;
    let arguments = ["detect", "posts.csv", "--case", "case", "--out", "report", "--fail-on", "medium"];
    let ran = scrutineer(home.path(), &arguments)?;
    let text = out(&ran);
    assert_eq!(ran.status.code(), Some(3), "{text}{}", talk(&ran));
    assert!(text.starts_with("1 group of accounts acted in step more than chance"), "{text}");
    assert!(text.contains("Coordination, not proof of inauthenticity."));
    assert!(!text.contains("puppet_"), "ids do not pass the border");
    let page = fs::read_to_string(home.path().join("report/report.html"))?;
    assert!(page.starts_with("<!DOCTYPE html>") && !page.contains("puppet_"));
    let lines = fs::read_to_string(home.path().join("report/findings.jsonl"))?;
    assert_eq!(lines.lines().count(), 1);

    // The same case names the same accounts; JSON Lines on standard output are the same again.
    let again =
        scrutineer(home.path(), &["detect", "posts.csv", "--case", "case", "--json", "--threads", "1"])?;
    assert_eq!(out(&again), lines);
    assert_eq!(again.status.code(), Some(0));
    Ok(())
}

#[test]
fn a_network_on_the_list_is_not_reported_as_unknown() -> Outcome {
    let home = tempfile::tempdir()?;
    fs::write(home.path().join("posts.csv"), posts(true))?;
    let accounts: Vec<String> = (0..8).map(|n| format!("puppet_{n}")).collect();
    fs::write(home.path().join("ours.txt"), format!("our newsroom: {}\n", accounts.join(", ")))?;
    let ran =
        scrutineer(home.path(), &["detect", "posts.csv", "--allow", "ours.txt", "--fail-on", "medium"])?;
    assert_eq!(ran.status.code(), Some(0), "{}{}", out(&ran), talk(&ran));
    Ok(())
}

#[test]
fn ids_that_are_pseudonyms_already_are_kept() -> Outcome {
    let home = tempfile::tempdir()?;
    fs::write(home.path().join("posts.csv"), posts(true))?;
    let ran = scrutineer(home.path(), &["detect", "posts.csv", "--accounts-are-pseudonyms", "--json"])?;
    assert!(out(&ran).contains("account:puppet_3"), "{}{}", out(&ran), talk(&ran));
    assert!(!home.path().join(".local").exists(), "no key is made that nobody uses");
    Ok(())
}

#[test]
fn an_example_folder_brings_its_key_and_says_so() -> Outcome {
    let home = tempfile::tempdir()?;
    let folder = home.path().join("example");
    fs::create_dir(&folder)?;
    fs::write(folder.join("posts.csv"), posts(false))?;
    fs::write(
        folder.join("case.example.key"),
        format!("# public, for examples only\n{}\n", "5a".repeat(32)),
    )?;
    let ran = scrutineer(home.path(), &["detect", "example"])?;
    assert!(talk(&ran).starts_with("note: accounts are named with the public example key"), "{}", talk(&ran));
    assert!(!home.path().join(".local").exists());
    assert!(!out(&ran).contains("case.example.key"), "the key is no problem of the input: {}", out(&ran));
    assert_eq!(ran.status.code(), Some(0));
    Ok(())
}

#[test]
fn failures_have_a_cause_a_remedy_and_a_code() -> Outcome {
    let home = tempfile::tempdir()?;
    fs::write(home.path().join("posts.csv"), posts(false))?;
    fs::write(home.path().join("bad.txt"), "newsroom ana\n")?;
    let check = |arguments: &[&str], code: i32, start: &str| -> Outcome {
        let ran = scrutineer(home.path(), arguments)?;
        assert_eq!((ran.status.code(), out(&ran).as_str()), (Some(code), ""), "{arguments:?}");
        assert!(talk(&ran).starts_with(start), "{}", talk(&ran));
        Ok(())
    };
    check(&["detect", "nowhere.csv"], 1, "error: could not look at `nowhere.csv`: No such file")?;
    check(
        &["detect", "posts.csv", "--allow", "bad.txt"],
        1,
        "error: line 1 of `bad.txt` has no `:` after the network's name\nhint: write one network a line",
    )?;
    check(&["detect", "posts.csv", "--only", "magic"], 2, "error: invalid value 'magic'")?;
    check(&["detect", "posts.csv", "--fail-on", "bad"], 2, "error: invalid value 'bad'")?;
    check(&["detect", "posts.csv", "--memory", "little"], 2, "error: invalid value 'little'")?;
    check(&["detect"], 2, "error: the following required arguments")?;
    fs::set_permissions(home.path().join("posts.csv"), fs::Permissions::from_mode(0o644))?;
    let case = home.path().join("open-case");
    fs::create_dir(&case)?;
    fs::write(case.join("account-key"), format!("{}\n", "5a".repeat(32)))?;
    fs::set_permissions(case.join("account-key"), fs::Permissions::from_mode(0o644))?;
    check(
        &["detect", "posts.csv", "--case", "open-case"],
        1,
        "error: case key `open-case/account-key` can be read by others (mode 644)\nhint: run `chmod 600",
    )
}

#[test]
fn completions_name_every_command() -> Outcome {
    let home = tempfile::tempdir()?;
    for shell in ["bash", "zsh", "fish"] {
        let ran = scrutineer(home.path(), &["completions", shell])?;
        assert!(out(&ran).contains("detect") && out(&ran).contains("accounts-are-pseudonyms"), "{shell}");
    }
    Ok(())
}

const FAULTY: &str = "[[assets]]\nid = \"results\"\nprefix = [\"192.0.2.0/28\"]\n";

#[test]
fn a_configuration_is_checked_whole_and_never_used_in_part() -> Outcome {
    let home = tempfile::tempdir()?;
    fs::write(home.path().join("posts.csv"), posts(false))?;
    fs::write(home.path().join("scrutineer.toml"), FAULTY)?;
    let checked = scrutineer(home.path(), &["config", "check"])?;
    assert_eq!(
        talk(&checked),
        "error: configuration `scrutineer.toml` has 2 faults\n  \
           scrutineer.toml:1: asset `results` has neither `prefixes` nor `hosts`\n      \
               say by which of them its traffic can be told\n  \
           scrutineer.toml:3: `[[assets]]` has no key `prefix`\n      did you mean `prefixes`?\n\
         hint: `scrutineer config reference` explains every key with an example\n"
    );
    assert_eq!(checked.status.code(), Some(1));
    let ran = scrutineer(home.path(), &["detect", "posts.csv"])?;
    assert_eq!((ran.status.code(), out(&ran)), (Some(1), String::new()), "{}", talk(&ran));
    let ran = scrutineer(home.path(), &["detect", "posts.csv", "--no-config"])?;
    assert_eq!((ran.status.code(), talk(&ran)), (Some(0), String::new()));
    Ok(())
}

#[test]
fn the_configuration_that_is_used_is_named() -> Outcome {
    let home = tempfile::tempdir()?;
    let folder = home.path().join("night");
    fs::create_dir(&folder)?;
    fs::write(folder.join("posts.csv"), posts(false))?;
    let asset = FAULTY.replace("prefix ", "prefixes ");
    fs::write(folder.join("scrutineer.toml"), &asset)?;
    for (arguments, file) in [
        (&["detect", "night"][..], "night/scrutineer.toml"),
        (&["detect", "night/posts.csv"], "night/scrutineer.toml"),
        (&["detect", "night", "--config", "night/scrutineer.toml"], "night/scrutineer.toml"),
    ] {
        let ran = scrutineer(home.path(), arguments)?;
        assert_eq!(talk(&ran), format!("note: configuration `{file}` is used; it declares 1 asset\n"));
        assert!(out(&ran).contains(&format!("Configuration `{file}` was used")), "{}", out(&ran));
        assert!(
            !out(&ran).contains("passed over"),
            "it is no traffic, and that is no problem: {}",
            out(&ran)
        );
    }
    // The one in the current folder counts before those that lie among the input.
    fs::write(home.path().join("scrutineer.toml"), "# nothing\n")?;
    let ran = scrutineer(home.path(), &["detect", "night"])?;
    assert_eq!(talk(&ran), "note: configuration `scrutineer.toml` is used; it declares nothing\n");
    let whole = scrutineer(home.path(), &["config", "check", "night/scrutineer.toml"])?;
    assert_eq!(out(&whole), "`night/scrutineer.toml` is whole. It declares 1 asset.\n");
    Ok(())
}

#[test]
fn the_example_shows_a_flood_and_a_crowd() -> Outcome {
    let home = tempfile::tempdir()?;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/flood-and-crowd");
    let example = example.to_str().ok_or("the path is text")?;
    let ran = scrutineer(home.path(), &["detect", example, "--out", "out", "--fail-on", "medium"])?;
    let text = out(&ran);
    assert_eq!(ran.status.code(), Some(3), "{text}{}", talk(&ran));
    assert!(talk(&ran).contains("it declares 1 asset and 1 expected event"), "{}", talk(&ran));
    assert!(text.starts_with("1 flood and 1 crowd in 26,625 rows.\n"), "{text}");
    assert!(text.contains("Spoofed SYN flood towards 10.10.10.10"), "{text}");
    assert!(text.contains("Flash crowd: no machine evidence of an attack"), "{text}");
    assert!(text.contains("Polls close, 27 Sep 2026, 16:00 to 20:00 UTC"), "{text}");
    let page = fs::read_to_string(home.path().join("out/report.html"))?;
    assert!(
        page.contains("Packets of the spoofed SYN flood") && page.contains("Requests for results.example")
    );
    let lines = fs::read_to_string(home.path().join("out/findings.jsonl"))?;
    let verdicts: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).map(|f: serde_json::Value| f["verdict"].clone()))
        .collect::<Result<_, _>>()?;
    assert_eq!(verdicts, ["attack", "flash-crowd"]);

    // The configuration names things and decides nothing.
    let bare = scrutineer(home.path(), &["detect", example, "--no-config"])?;
    assert!(out(&bare).starts_with("1 flood and 1 crowd in 26,625 rows.\n"), "{}", out(&bare));
    Ok(())
}
