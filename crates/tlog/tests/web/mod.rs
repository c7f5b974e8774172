//! Runs `web/ed25519.js` over the cases, in Chromium and in Node, where they are installed.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use data_encoding::HEXLOWER;

use crate::Case;

/// What a browser says of a case.
pub(crate) struct Answer {
    /// By `web/ed25519.js`.
    ours: bool,
    /// By `crypto.subtle` alone; an exception is a no.
    raw: bool,
}

const SCRIPT: &str = include_str!("../../web/ed25519.js");

/// Computes one letter for each case: `a` both say yes, `b` ours alone, `c` raw alone, `d` neither.
const DRIVER: &str = r"
async function raw(key, message, signature) {
  try {
    const imported = await crypto.subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify']);
    return await crypto.subtle.verify({ name: 'Ed25519' }, imported, signature, message);
  } catch { return false; }
}
async function answer() {
  if (!await ed25519.isSupported()) return 'unsupported';
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  let answers = '';
  for (const [key, message, signature] of CASES) {
    const given = [bytes(key), bytes(message), bytes(signature)];
    const ours = await ed25519.verify(...given);
    const theirs = await raw(...given);
    answers += ours ? (theirs ? 'a' : 'b') : (theirs ? 'c' : 'd');
  }
  return answers;
}
";

fn script(cases: &[Case]) -> String {
    let rows: Vec<[String; 3]> = cases
        .iter()
        .map(|case| [&case.key[..], &case.message, &case.signature].map(|bytes| HEXLOWER.encode(bytes)))
        .collect();
    let rows = serde_json::to_string(&rows).expect("texts");
    format!("{SCRIPT}\nconst CASES = {rows};\n{DRIVER}")
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Runs a program, which may not be there.
fn run(command: &mut Command) -> Option<String> {
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => panic!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            say(&format!("skipped: WebCrypto in `{}`: {error}", command.get_program().to_string_lossy()));
            None
        }
    }
}

fn read(program: &str, output: &str) -> Option<Vec<Answer>> {
    let (_, rest) =
        output.split_once("answers:").unwrap_or_else(|| panic!("no answer of {program}: {output}"));
    let letters: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
    if letters == "unsupported" {
        say(&format!("skipped: {program} has no Ed25519"));
        return None;
    }
    let answer = |letter| Answer { ours: matches!(letter, 'a' | 'b'), raw: matches!(letter, 'a' | 'c') };
    Some(letters.chars().map(answer).collect())
}

fn write(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a temporary folder");
    path
}

/// From a page that is a file, as an offline reader opens it.
pub(crate) fn in_chromium(cases: &[Case]) -> Option<Vec<Answer>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>signatures</title><pre id=\"out\"></pre><script>{}\n\
         answer().then((answers) => {{ document.getElementById('out').textContent = `answers:${{answers}}`; }});</script>",
        script(cases)
    );
    let path = write(folder.path(), "page.html", &page);
    let mut command = Command::new("chromium");
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=600000",
        "--dump-dom",
    ]);
    command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
    command.arg(format!("file://{}", path.display()));
    read("Chromium", &run(&mut command)?)
}

pub(crate) fn in_node(cases: &[Case]) -> Option<Vec<Answer>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program =
        format!("{}\nanswer().then((answers) => console.log(`answers:${{answers}}`));", script(cases));
    let path = write(folder.path(), "signatures.js", &program);
    read("Node", &run(Command::new("node").arg("--no-warnings").arg(path))?)
}

/// Our script says what the rule says. Where `crypto.subtle` alone says otherwise is told, not asserted: it differs from one
/// version to the next.
pub(crate) fn compare(program: &str, cases: &[Case], answers: &[Answer]) {
    assert_eq!(cases.len(), answers.len(), "{program}");
    let mut raw: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for (case, answer) in cases.iter().zip(answers) {
        assert_eq!(answer.ours, case.expected, "{program}: {}", case.kind);
        if answer.raw != case.expected {
            *raw.entry(case.kind).or_default() += 1;
        }
    }
    say(&format!("{program}: {} cases; crypto.subtle alone differs in {raw:?}", cases.len()));
}
