//! `cargo xtask lab`: attacks a web server of our own with the tools that attackers use, and looks whether
//! `scrutineer detect` finds it in the capture and in the server's log.
//!
//! Server and attacker live in two network namespaces that are joined by one cable. Needs root and the Debian
//! packages nginx-light, tcpdump, iproute2, curl, hping3 and slowhttptest.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::cargo;

/// Attacks a server of our own and shows what is found.
#[derive(Debug, clap::Args)]
pub(crate) struct Lab {
    /// Where captures and logs are left
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Look at the captures and logs of an earlier run and attack nothing
    #[arg(long)]
    again: bool,
}

/// The attacks, and the detector that is to find each; none on the quiet day.
const KINDS: [(&str, Option<&str>); 4] = [
    ("syn", Some("volumetric-ddos")),
    ("slow-headers", Some("slow-flood")),
    ("slow-read", Some("slow-flood")),
    ("quiet", None),
];

/// The lab could not be set up, or a finding is missing or wrong.
pub(crate) type LabError = Box<dyn std::error::Error + Send + Sync>;

/// Attacks, looks, and compares.
#[expect(clippy::print_stdout, reason = "the table is the result")]
pub(crate) fn main(args: &Lab) -> Result<(), LabError> {
    std::fs::create_dir_all(&args.out)?;
    let folder = args.out.canonicalize()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/attack.sh");
    let mut wrong = Vec::new();
    println!("| attack | looked at | found |\n|---|---|---|");
    for (kind, wanted) in KINDS {
        if !args.again {
            let status = Command::new("bash").arg(&script).arg(kind).arg(&folder).status()?;
            if !status.success() {
                return Err(format!("the attack `{kind}` could not be staged: {status}").into());
            }
        }
        for file in [format!("{kind}.pcap"), format!("{kind}.access.log")] {
            let found = findings(&folder.join(&file))?;
            let shown: Vec<String> = found.iter().map(|(_, title)| title.clone()).collect();
            println!(
                "| {kind} | {file} | {} |",
                if shown.is_empty() { "nothing".into() } else { shown.join("; ") }
            );
            // A log has no row for a handshake that never ends.
            let is_seen = file.ends_with(".pcap") || kind == "slow-headers";
            match wanted {
                Some(name) if is_seen && !found.iter().any(|(detector, _)| detector == name) => {
                    wrong.push(format!("{file}: no finding of {name}"));
                }
                None if !found.is_empty() => wrong.push(format!("{file}: a finding on a quiet day")),
                _ => {}
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ").into()) }
}

/// Detector and title of each finding of medium or more.
fn findings(file: &Path) -> Result<Vec<(String, String)>, LabError> {
    let run = Command::new(cargo())
        .args(["run", "--quiet", "--release", "--package", "scrutineer", "--", "detect", "--json"])
        .arg("--accounts-are-pseudonyms")
        .arg(file)
        .output()?;
    if !run.status.success() {
        return Err(String::from_utf8_lossy(&run.stderr).into_owned().into());
    }
    let mut found = Vec::new();
    for line in String::from_utf8_lossy(&run.stdout).lines() {
        let finding: serde_json::Value = serde_json::from_str(line)?;
        let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        if !matches!(text("severity").as_str(), "info" | "low") {
            found.push((text("detector"), text("title")));
        }
    }
    Ok(found)
}
