//! The tree as programs read it: a log, proofs, tables, other people's formats.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use results::bundle::Published;
use results::verify::{Trust, Verdict, verify};
use site::manifest;
use tlog::hash::sha256;
use tlog::storage::{Cause, Source};
use tlog::{Checkpoint, Note, Proof};

use crate::support::{Tree, night, text, tree};

struct Served(Tree);

impl Source for Served {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Cause> {
        Ok(self.0.get(path).cloned())
    }
}

#[test]
fn the_tree_is_a_log_that_verifies() {
    let mut night = night();
    let tree = tree(&mut night);
    let served = Published::of(&Served(tree.clone()));
    assert_eq!(served, night.published());
    let report = verify(&served, &Trust { now: None, ..night.trust() });
    assert_eq!(report.verdict, Verdict::Ok, "{:?}", report.reasons);
    assert_eq!(sha256(&tree["definition.txt"]), night.definition.fingerprint());
}

#[test]
fn every_statement_has_a_proof_that_holds() {
    let mut night = night();
    let tree = tree(&mut night);
    let mut n_proofs = 0;
    for (path, bytes) in tree.iter().filter(|(path, _)| path.ends_with(".tlog-proof")) {
        let proof = Proof::parse(bytes).expect("a proof");
        let entry = &tree[&path.replace("proof/", "entry/").replace(".tlog-proof", ".txt")];
        proof.verify(entry, &night.definition.policy).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(proof.verify(b"other", &night.definition.policy).is_err());
        n_proofs += 1;
    }
    assert_eq!(n_proofs, 6);
}

#[test]
fn the_tables_have_every_revision_and_the_present_state() {
    let tree = tree(&mut night());
    let cut = |path: &str| -> String {
        // Without leaf hashes, which say nothing to a reader of this test.
        text(&tree, path).lines().map(|line| cut_fourth(line) + "\n").collect()
    };
    insta::assert_snapshot!(cut("returns-council.csv"), @r"
    unit,revision,entry,leaf,time,reason,status,signer,in_question,flags,count valid,count blank,count cast,list green,list red,list white,candidate green/1,candidate green/2
    d1/1,1,2,2460,2026-03-22T19:01:00Z,first,provisional,c1.example,no,,170,1,171,100,50,20,50,50
    d1/1,2,4,6939,2026-03-22T19:03:00Z,typing-error,provisional,c1.example,no,,190,1,191,100,70,20,50,50
    d1/early,1,3,9ef4,2026-03-22T19:02:00Z,first,provisional,c1.example,no,,419,1,420,200,120,99,100,100
    d2/1,1,5,424b,2026-03-22T19:04:00Z,first,provisional,c2.example,no,,180,1,181,30,60,90,15,15
    d2/1,2,6,95cb,2026-03-22T19:05:00Z,mix-up,retracted,c2.example,no,,,,,,,,,
    ");
    insta::assert_snapshot!(cut("state-council.csv"), @r"
    unit,revision,entry,leaf,time,reason,status,signer,in_question,flags,count valid,count blank,count cast,list green,list red,list white,candidate green/1,candidate green/2
    d1/1,2,4,6939,2026-03-22T19:03:00Z,typing-error,provisional,c1.example,no,,190,1,191,100,70,20,50,50
    d1/early,1,3,9ef4,2026-03-22T19:02:00Z,first,provisional,c1.example,no,,419,1,420,200,120,99,100,100
    d2/1,2,6,95cb,2026-03-22T19:05:00Z,mix-up,retracted,c2.example,no,,,,,,,,,
    ");
    insta::assert_snapshot!(text(&tree, "latest.json"), @r#"{"contests":{"council":{"counted":2,"due":6,"lists":[["green",300],["red",190],["white",119]],"votes":609},"mayor":{"counted":1,"due":4,"lists":[["cilka",80],["dan",80]],"votes":160}},"counted":3,"definition":"88d738d8ef370dfaae1ac145483a4c574eea4c804a2079562bfc42fa3d9f5a5c","due":10,"election":"made-up-2026","format":"scrutineer-latest v1","released":true,"root":"xziP4dKwxgYCpEendcB3Vo31kjHl0eAVuCwzhY/c9kg=","size":8,"time":1774206301,"whole":true}"#);
}

fn cut_fourth(line: &str) -> String {
    let fields: Vec<&str> = line.split(',').collect();
    let cut = |at: usize| if at == 3 { &fields[at][..4] } else { fields[at] };
    (0..fields.len()).map(cut).collect::<Vec<_>>().join(",")
}

#[test]
fn a_manifest_lists_all_files_but_those_that_change_with_every_checkpoint() {
    let tree = tree(&mut night());
    let hashes: Vec<_> = tree.iter().map(|(path, bytes)| (path.as_str(), sha256(bytes))).collect();
    let note = Note::parse(&tree["checkpoint"]).expect("a note");
    let checkpoint = Checkpoint::parse(note.unverified_text()).expect("a checkpoint");
    let text = manifest::write("made-up-2026", &checkpoint, hashes.iter().map(|(path, hash)| (*path, hash)));
    let read = manifest::parse(&text).expect("a manifest");
    assert_eq!(read.len(), tree.len() - 2);
    assert!(read.iter().all(|(path, hash)| sha256(&tree[*path]) == *hash));
    for wrong in [text.replace("v1", "v2"), text.replace("file ", "File "), text.trim_end().to_owned()] {
        assert!(manifest::parse(&wrong).is_none());
    }
    let swapped: Vec<&str> =
        text.lines().take(4).chain(text.lines().skip(4).collect::<Vec<_>>().into_iter().rev()).collect();
    assert!(
        manifest::parse(&format!("{}\n", swapped.join("\n"))).is_none(),
        "in order, so that there is one spelling"
    );
}

#[test]
fn the_report_for_nist_is_valid_by_its_schema() {
    let Some(file) = shared("results/nist-err-cdf/NIST_V2_election_results_reporting.json") else { return };
    let schema: serde_json::Value =
        serde_json::from_slice(&std::fs::read(file).expect("the schema")).expect("JSON");
    let validator = jsonschema::draft4::new(&schema).expect("a schema");
    let tree = tree(&mut night());
    let mut report: serde_json::Value = serde_json::from_str(&text(&tree, "nist-err-v2.json")).expect("JSON");
    let errors: Vec<String> =
        validator.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    let counts = &report["Election"][0]["Contest"][0]["ContestSelection"][1]["VoteCounts"];
    insta::assert_snapshot!(counts, @r#"[{"@type":"ElectionResults.VoteCounts","Count":190,"GpUnitId":"unit-d1","Type":"total"},{"@type":"ElectionResults.VoteCounts","Count":70,"GpUnitId":"unit-d1/1","Type":"total"},{"@type":"ElectionResults.VoteCounts","Count":120,"GpUnitId":"unit-d1/early","Type":"total"},{"@type":"ElectionResults.VoteCounts","Count":190,"GpUnitId":"unit-nation","Type":"total"}]"#);
    report["Status"] = "sure".into();
    assert!(!validator.is_valid(&report), "the schema does refuse something");
}

/// A file of the data that the project does not carry; says by name what is skipped where it is absent.
fn shared(name: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !file.is_file() {
        let _ = writeln!(std::io::stderr(), "skipped: shared/data/{name} is missing");
        return None;
    }
    Some(file)
}
